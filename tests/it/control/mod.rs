//! Control of one job over HTTP: every action in every status, what follows from it, and what
//! happens when it meets a worker.

mod retry;

use std::time::Duration;

use async_trait::async_trait;
use axum::http::{Method, StatusCode};
use futures::future::join_all;
use jobs::app::Action;
use jobs::ports::{PageRequest, Scraper};
use jobs::transition::{Claim, Move, Retention, allowed};
use jobs::{App, Caller, Failure, FailureCode, JobId, Page, Status};
use serde_json::{Value, json};

use crate::app::{Anything, LEASE, START, Scripted, TestApp};
use crate::calls::customer;
use crate::golden::assert_golden;
use crate::support;

const URL: &str = "http://site.example/page";

fn missing(_: &PageRequest) -> Result<Page, Failure> {
    Err(Failure::new(
        FailureCode::Http(404),
        "There is no such page",
    ))
}

fn slow(_: &PageRequest) -> Result<Page, Failure> {
    Err(Failure::new(FailureCode::Timeout, "The page took too long"))
}

/// A service with one job, which has this status.
async fn with_job(status: Status) -> (TestApp, String) {
    let app = TestApp::start();
    let delay = if status == Status::Delayed { 60_000 } else { 0 };
    let body = json!({"type": "single-page", "url": URL, "delay": delay});
    let id = app.create(&body).await;
    match status {
        Status::Waiting | Status::Delayed => {}
        Status::Active => {
            drop(app.receive());
            app.change(&id, |job, stamp| {
                match job.claim(stamp, stamp.now + LEASE, &Retention::default()) {
                    Claim::Won(next) => Ok(next),
                    other => panic!("{other:?}"),
                }
            })
            .await;
        }
        Status::Completed => drop(app.drain(&Anything).await),
        Status::Failed => drop(app.drain(&Scripted(missing)).await),
        Status::Paused => assert_eq!(app.act(&id, "pause").await.status, StatusCode::OK),
        Status::Cancelled => assert_eq!(app.act(&id, "cancel").await.status, StatusCode::OK),
    }
    assert_eq!(app.status(&id).await, status.as_str());
    (app, id)
}

const fn move_of(action: Action) -> Move {
    match action {
        Action::Pause => Move::Pause,
        Action::Resume => Move::Resume,
        Action::Cancel => Move::Cancel,
        Action::Retry => Move::Retry,
        Action::Promote => Move::Promote,
    }
}

/// The status that an action leads to; `None` where it is forbidden.
async fn expected(app: &TestApp, id: &str, from: Status, action: Action) -> Option<Status> {
    let state = app.row(id).await.state;
    let permitted = !allowed(state, move_of(action)).is_empty();
    match (action, from) {
        // A waiting job has nothing to be lifted over, and what is cancelled stays so.
        (Action::Promote, Status::Waiting) => None,
        (Action::Cancel, Status::Cancelled) => Some(Status::Cancelled),
        // Nobody has asked for a pause that could be taken back.
        (Action::Resume, Status::Active) => None,
        _ if !permitted => None,
        (Action::Pause, Status::Active) => Some(Status::Active),
        (Action::Pause, _) => Some(Status::Paused),
        (Action::Cancel, _) => Some(Status::Cancelled),
        (Action::Resume | Action::Retry | Action::Promote, _) => Some(Status::Waiting),
    }
}

/// Ends whatever is left, so that nothing stands in the way of the recount.
async fn end(app: &TestApp, id: &str) {
    app.delete(&format!("/api/jobs/{id}")).await;
    app.advance(Duration::from_mins(1));
    app.drain(&Anything).await;
}

#[tokio::test]
async fn every_action_in_every_status_is_done_or_refused_with_that_status() {
    let mut done = 0;
    for from in Status::ALL {
        for action in Action::ALL {
            let (app, id) = with_job(from).await;
            let expected = expected(&app, &id, from, action).await;
            let answer = app.act(&id, action.as_str()).await;
            let cell = format!("{action:?} of {from}: {answer:?}");
            let status = expected.unwrap_or(from);
            assert_eq!(answer.text("status"), status.as_str(), "{cell}");
            assert_eq!(app.status(&id).await, status.as_str(), "{cell}");
            if expected.is_some() {
                done += 1;
                assert_eq!(answer.status, StatusCode::OK, "{cell}");
                assert_eq!(answer.json["success"], true, "{cell}");
                assert_eq!(answer.text("jobId"), id, "{cell}");
                let read = app.get(answer.text("statusUrl")).await;
                assert_eq!(read.status, StatusCode::OK, "{cell}");
            } else {
                assert_eq!(answer.status, StatusCode::CONFLICT, "{cell}");
                assert_eq!(answer.text("error"), "Not possible now", "{cell}");
            }
            end(&app, &id).await;
        }
    }
    assert_eq!(done, 12, "cells that lead somewhere");
}

#[tokio::test]
async fn both_faces_cancel_and_again_is_no_mistake() {
    for path in ["/api/jobs", "/api/v1/jobs"] {
        for from in Status::ALL {
            let (app, id) = with_job(from).await;
            let path = format!("{path}/{id}");
            let ended = matches!(from, Status::Completed | Status::Failed);
            for _ in 0..2 {
                let answer = app.delete(&path).await;
                if ended {
                    assert_eq!(answer.status, StatusCode::CONFLICT, "{from}");
                    assert_eq!(answer.text("status"), from.as_str());
                } else {
                    assert_eq!(answer.status, StatusCode::OK, "{from}");
                    assert_eq!(answer.text("status"), "cancelled");
                    assert_eq!(answer.text("statusUrl"), path);
                }
            }
            end(&app, &id).await;
        }
    }
}

#[tokio::test]
async fn what_is_not_asked_for_rightly_changes_nothing() {
    let (app, id) = with_job(Status::Waiting).await;
    let path = format!("/api/jobs/{id}");
    for (method, path, body, field) in [
        (Method::PUT, path.clone(), json!({}), "action"),
        (
            Method::PUT,
            path.clone(),
            json!({"action": "stop"}),
            "action",
        ),
        (Method::PUT, path.clone(), json!({"action": 1}), "action"),
        (
            Method::PUT,
            path.clone(),
            json!({"action": "pause", "all": true}),
            "all",
        ),
        (Method::PUT, path.clone(), json!([]), "body"),
        (
            Method::POST,
            format!("{path}/retry"),
            json!({"only": "all"}),
            "only",
        ),
        (Method::POST, format!("{path}/retry"), json!({"x": 1}), "x"),
    ] {
        let answer = app.call(Caller::Anyone, method, &path, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    assert_eq!(app.status(&id).await, "waiting");
    end(&app, &id).await;
}

#[tokio::test]
async fn a_job_that_is_not_there_is_404_on_both_faces() {
    let app = TestApp::start();
    for id in ["job_01hf7yat000000000000000007", "job_123456", "%00"] {
        assert_eq!(app.act(id, "pause").await.status, StatusCode::NOT_FOUND);
        for path in [format!("/api/jobs/{id}"), format!("/api/v1/jobs/{id}")] {
            let answer = app.delete(&path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
        let answer = app.post(&format!("/api/jobs/{id}/retry"), &json!({})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_customer_controls_its_own_jobs_and_finds_no_others() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": URL, "customerId": "ann"});
    let id = app.create(&body).await;
    let (path, pause) = (format!("/api/jobs/{id}"), json!({"action": "pause"}));
    let other = app.call(customer("bob"), Method::PUT, &path, &pause).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    let other = app
        .call(customer("bob"), Method::DELETE, &path, &Value::Null)
        .await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    assert_eq!(app.status(&id).await, "waiting");
    let own = app.call(customer("ann"), Method::PUT, &path, &pause).await;
    assert_eq!(own.status, StatusCode::OK);
    end(&app, &id).await;
}

#[tokio::test]
async fn pausing_one_job_leaves_the_others_running() {
    let app = TestApp::start();
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(app.create_for(&format!("{URL}/{number}")).await);
    }
    assert_eq!(app.act(&ids[2], "pause").await.status, StatusCode::OK);
    assert_eq!(app.drain(&Anything).await, 5);
    for (number, id) in ids.iter().enumerate() {
        let expected = if number == 2 { "paused" } else { "completed" };
        assert_eq!(app.status(id).await, expected);
    }
    let stats = app.get("/api/jobs?limit=1").await.json["stats"].clone();
    assert_eq!(stats["paused"], 1);
    app.advance(Duration::from_hours(1));
    app.sweep().await;
    assert_eq!(app.drain(&Anything).await, 0, "nothing wakes it");
    assert_eq!(app.act(&ids[2], "resume").await.status, StatusCode::OK);
    assert_eq!(app.drain(&Anything).await, 1);
    assert_eq!(app.status(&ids[2]).await, "completed");
}

#[tokio::test]
async fn a_resumed_job_keeps_its_time() {
    let app = TestApp::start();
    let minutes = |minutes: u64| Duration::from_mins(minutes).as_millis() as u64;
    for (delay, paused_for) in [(10, 3), (10, 20), (60, 5)] {
        let url = format!("{URL}?{delay}-{paused_for}");
        let body = json!({"type": "single-page", "url": url, "delay": minutes(delay)});
        let id = app.create(&body).await;
        let time = app.row(&id).await.eligible_at;
        app.act(&id, "pause").await;
        app.advance(Duration::from_mins(paused_for));
        app.drain(&Anything).await;
        let resumed = app.act(&id, "resume").await;
        let passed = paused_for >= delay;
        let expected = if passed { "waiting" } else { "delayed" };
        assert_eq!(resumed.text("status"), expected);
        assert_eq!(app.row(&id).await.eligible_at, time);
        for _ in paused_for..delay {
            app.sweep().await;
            app.drain(&Anything).await;
            assert_eq!(app.status(&id).await, "delayed");
            app.advance(Duration::from_mins(1));
        }
        app.drain(&Anything).await;
        assert_eq!(app.status(&id).await, "completed", "{delay} {paused_for}");
    }
}

#[tokio::test]
async fn a_promoted_job_starts_now() {
    let app = TestApp::start();
    for delay in [60_000, 86_400_000] {
        let url = format!("{URL}?{delay}");
        let body = json!({"type": "single-page", "url": url, "delay": delay});
        let id = app.create(&body).await;
        assert_eq!(app.act(&id, "promote").await.text("status"), "waiting");
        app.drain(&Anything).await;
        assert_eq!(app.status(&id).await, "completed");
    }
    app.advance(Duration::from_mins(1));
    assert_eq!(
        app.drain(&Anything).await,
        1,
        "the message of its first time"
    );
}

/// A web on which something is asked of the job while its page is fetched.
struct Meanwhile {
    app: App,
    id: JobId,
    action: Action,
    ends_well: bool,
}

#[async_trait]
impl Scraper for Meanwhile {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        let control = self.app.control(&Caller::Anyone, &self.id, self.action);
        control.await.unwrap();
        if self.ends_well {
            Ok(support::page(request.url.as_str(), START))
        } else {
            slow(request)
        }
    }
}

#[tokio::test]
async fn a_pause_that_waits_for_the_end_of_an_attempt_can_be_taken_back() {
    let (app, id) = with_job(Status::Active).await;
    assert_eq!(app.act(&id, "pause").await.status, StatusCode::OK);
    assert!(app.row(&id).await.pause_requested);
    let resumed = app.act(&id, "resume").await;
    assert_eq!(
        (resumed.status, resumed.text("status")),
        (StatusCode::OK, "active")
    );
    assert!(!app.row(&id).await.pause_requested);
    end(&app, &id).await;
}

#[tokio::test]
async fn a_running_job_is_cancelled_at_once_and_paused_when_its_attempt_ends() {
    for (action, ends_well, expected) in [
        (Action::Cancel, true, "cancelled"),
        (Action::Cancel, false, "cancelled"),
        (Action::Pause, true, "completed"),
        (Action::Pause, false, "paused"),
    ] {
        let app = TestApp::start();
        let id = app.create_for(URL).await;
        let meanwhile = Meanwhile {
            app: app.app.clone(),
            id: JobId::parse(&id).unwrap(),
            action,
            ends_well,
        };
        app.drain(&meanwhile).await;
        assert_eq!(app.status(&id).await, expected, "{action:?} {ends_well}");
        let results = app.get(&format!("/api/jobs/{id}/results")).await.json;
        let results = results["results"].as_array().unwrap().len();
        assert_eq!(results, usize::from(expected == "completed"));
        if expected == "paused" {
            assert_eq!(app.row(&id).await.attempts.len(), 1);
            app.act(&id, "resume").await;
            app.advance(Duration::from_mins(1));
            app.drain(&Anything).await;
            assert_eq!(app.status(&id).await, "completed");
        }
    }
}

#[tokio::test]
async fn calls_that_meet_each_other_and_a_worker_never_break() {
    for turn in 0..10 {
        let app = TestApp::start();
        let id = app.create_for(URL).await;
        let message = app.receive();
        let actions = (0..6).map(|at| Action::ALL[(at + turn) % Action::ALL.len()]);
        let actions: Vec<_> = actions.map(Action::as_str).collect();
        let calls = join_all(actions.iter().map(|action| app.act(&id, action)));
        let (_, answers) = tokio::join!(app.work(&message, &Scripted(slow)), calls);
        for answer in &answers {
            let expected = [StatusCode::OK, StatusCode::CONFLICT];
            assert!(expected.contains(&answer.status), "{actions:?} {answer:?}");
        }
        end(&app, &id).await;
        app.act(&id, "resume").await;
        app.drain(&Anything).await;
        assert!(app.row(&id).await.state.is_terminal());
    }
}

#[tokio::test]
async fn control_answers_have_the_shape_they_always_had() {
    let (app, id) = with_job(Status::Waiting).await;
    let paused = app.act(&id, "pause").await;
    assert_golden("wire_controlled", &paused.json);
    let refused = app.act(&id, "promote").await;
    assert_golden("wire_error_conflict", &refused.json);
    let path = format!("/api/v1/jobs/{id}");
    assert_golden("wire_v1_cancelled", &app.delete(&path).await.json);
    let (other, id) = with_job(Status::Completed).await;
    let refused = other.delete(&format!("/api/v1/jobs/{id}")).await;
    assert_golden("wire_v1_error_conflict", &refused.json);
    app.drain(&Anything).await;
}
