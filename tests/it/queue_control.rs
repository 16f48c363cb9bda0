//! The whole queue held back and let go: nothing begins meanwhile, nothing is lost by it, and what
//! is repaired meanwhile is repaired all the same.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use jobs::app::Limits;
use jobs::transition::{Claim, Mode, Retention};
use jobs::{Caller, State};
use serde_json::json;

use crate::app::{Anything, LEASE, TestApp};
use crate::calls::customer;
use crate::golden::assert_golden;

const URL: &str = "http://site.example";

async fn create(app: &TestApp, number: usize, delay: Duration) -> String {
    let url = format!("{URL}/{number}");
    let delay = delay.as_millis() as u64;
    app.create(&json!({"type": "single-page", "url": url, "delay": delay}))
        .await
}

async fn all_are(app: &TestApp, ids: &[String], expected: &str) {
    for id in ids {
        assert_eq!(app.status(id).await, expected, "{id}");
    }
}

#[tokio::test]
async fn nothing_begins_while_the_queue_is_held_back_and_everything_afterwards() {
    let app = TestApp::start();
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(create(&app, number, Duration::ZERO).await);
    }
    app.hold("pause").await;
    assert!(app.app.is_paused().await.unwrap());
    assert_eq!(app.drain(&Anything).await, 20, "put away");
    let before = app.rows();
    for _ in 0..5 {
        app.advance(Duration::from_mins(1));
        let swept = app.sweep().await;
        assert_eq!((swept.sent, swept.written), (0, 0));
    }
    assert_eq!(app.rows(), before, "nothing of a job is written");
    all_are(&app, &ids, "waiting").await;
    // Jobs are still taken.
    ids.push(create(&app, 20, Duration::ZERO).await);
    app.drain(&Anything).await;
    app.hold("resume").await;
    app.drain(&Anything).await;
    all_are(&app, &ids, "completed").await;
}

#[tokio::test]
async fn more_jobs_than_one_step_sends_start_again_within_a_few_sweeps() {
    let app = TestApp::start();
    let mut ids = Vec::new();
    app.hold("pause").await;
    for number in 0..150 {
        ids.push(create(&app, number, Duration::ZERO).await);
    }
    app.drain(&Anything).await;
    app.hold("resume").await;
    let first = app.drain(&Anything).await;
    assert!((100..150).contains(&first), "{first} were sent at once");
    // Not one of them is due: it is the operation that sends them.
    app.sweep().await;
    app.drain(&Anything).await;
    all_are(&app, &ids, "completed").await;
}

#[tokio::test]
async fn delays_stay_right_across_a_pause() {
    let app = TestApp::start();
    let minutes = [0, 2, 10, 14, 40, 60];
    let mut ids = Vec::new();
    for (number, minutes) in minutes.into_iter().enumerate() {
        ids.push(create(&app, number, Duration::from_mins(minutes)).await);
    }
    app.hold("pause").await;
    for _ in 0..5 {
        app.drain(&Anything).await;
        app.sweep().await;
        app.advance(Duration::from_mins(1));
    }
    app.drain(&Anything).await;
    app.hold("resume").await;
    for minute in 5..=60 {
        app.drain(&Anything).await;
        for (id, delay) in ids.iter().zip(minutes) {
            let expected = if delay <= minute {
                "completed"
            } else {
                "delayed"
            };
            assert_eq!(app.status(id).await, expected, "{delay} at {minute}");
        }
        app.advance(Duration::from_mins(1));
        app.sweep().await;
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn what_runs_goes_on_to_its_end_and_a_lost_lease_is_freed() {
    let app = TestApp::start();
    // So many that wait before it that a small budget would end before it is reached.
    for number in 1..=80 {
        create(&app, number, Duration::ZERO).await;
    }
    while app.queue.try_receive().is_some() {}
    let id = create(&app, 0, Duration::ZERO).await;
    drop(app.receive());
    app.change(&id, |job, stamp| {
        match job.claim(stamp, stamp.now + LEASE, &Retention::default()) {
            Claim::Won(next) => Ok(next),
            other => panic!("{other:?}"),
        }
    })
    .await;
    app.hold("pause").await;
    app.advance(LEASE);
    let swept = app.app.sweep(Mode::Routine, 5).await.unwrap();
    assert_eq!((swept.sent, swept.written), (0, 1), "freed and not sent");
    assert_eq!(app.row(&id).await.state, State::Queued);
    assert_eq!(app.row(&id).await.attempts.len(), 1);
    app.hold("resume").await;
    for _ in 0..5 {
        app.advance(Duration::from_secs(5));
        app.sweep().await;
        app.drain(&Anything).await;
    }
    assert_eq!(app.status(&id).await, "completed");
}

#[tokio::test]
async fn a_restart_leaves_the_queue_held_back() {
    let app = TestApp::start();
    let id = create(&app, 0, Duration::ZERO).await;
    app.hold("pause").await;
    app.drain(&Anything).await;
    app.app.sweep(Mode::Restart, usize::MAX).await.unwrap();
    assert_eq!(app.drain(&Anything).await, 0);
    assert_eq!(app.status(&id).await, "waiting");
    app.hold("resume").await;
    app.drain(&Anything).await;
    assert_eq!(app.status(&id).await, "completed");
}

#[tokio::test]
async fn another_process_hears_of_it_within_a_second_and_of_the_end_at_once() {
    let here = TestApp::start();
    let http = here.embedded.http_client();
    let there = TestApp::over(here.embedded.clone(), http, Limits::default());
    assert!(!here.app.is_paused().await.unwrap());
    there.hold("pause").await;
    assert!(there.app.is_paused().await.unwrap());
    here.advance_almost(Duration::from_secs(1));
    assert!(!here.app.is_paused().await.unwrap(), "still remembered");
    here.advance(Duration::from_millis(1));
    assert!(here.app.is_paused().await.unwrap());
    there.hold("resume").await;
    assert!(!here.app.is_paused().await.unwrap(), "no time has passed");
}

#[tokio::test]
async fn what_concerns_everybody_takes_an_admin() {
    let app = TestApp::start();
    for operation in ["pause", "resume", "maintenance"] {
        let body = json!({"operation": operation});
        let call = app.call(customer("ann"), Method::POST, "/api/queue", &body);
        let refused = call.await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{operation}");
        let call = app.call(Caller::Admin, Method::POST, "/api/queue", &body);
        assert!(call.await.status.is_success(), "{operation}");
    }
    assert!(!app.app.is_paused().await.unwrap());
}

#[tokio::test]
async fn again_is_no_mistake() {
    let app = TestApp::start();
    for operation in ["resume", "pause", "pause", "resume", "resume"] {
        app.hold(operation).await;
    }
    let held = app.post("/api/queue", &json!({"operation": "pause"})).await;
    assert_golden("wire_held", &held.json);
    let items = app.items();
    let control = items.iter().find(|item| item["pk"]["S"] == "control");
    assert_golden("item_control", control.unwrap());
}
