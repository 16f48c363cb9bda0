//! Operations on many jobs: what each one touches and what it leaves alone, whose they are, and
//! that nothing which cuts them short makes them end otherwise.

mod killed;
mod running;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use jobs::ports::PageRequest;
use jobs::transition::{Claim, Retention};
use jobs::{Failure, FailureCode, Page};
use serde_json::{Value, json};

use crate::app::{Anything, START, Scripted, TestApp};
use crate::calls::customer;
use crate::support;

const DAY: Duration = Duration::from_hours(24);

/// A web on which addresses with `bad` in them are missing.
fn half_broken(request: &PageRequest) -> Result<Page, Failure> {
    if request.url.as_str().contains("bad") {
        return Err(Failure::new(FailureCode::Http(404), "not there"));
    }
    Ok(support::page(request.url.as_str(), START))
}

async fn create(app: &TestApp, customer: &str, path: &str) -> String {
    let url = format!("http://site.example/{path}");
    app.create(&json!({"type": "single-page", "url": url, "customerId": customer}))
        .await
}

/// Statuses of jobs by a name; those that are gone are left out.
async fn statuses(
    app: &TestApp,
    jobs: &[(&'static str, String)],
) -> BTreeMap<&'static str, String> {
    let mut statuses = BTreeMap::new();
    for (name, id) in jobs {
        let read = app.get(&format!("/api/jobs/{id}")).await;
        if read.status == StatusCode::OK {
            statuses.insert(*name, read.text("status").to_owned());
        }
    }
    statuses
}

/// A job of each of two customers in every status, by customer and status.
async fn one_of_each(app: &TestApp) -> Vec<(&'static str, String)> {
    const NAMES: [[&str; 7]; 2] = [
        [
            "ann completed",
            "ann failed",
            "ann cancelled",
            "ann paused",
            "ann waiting",
            "ann delayed",
            "ann active",
        ],
        [
            "bob completed",
            "bob failed",
            "bob cancelled",
            "bob paused",
            "bob waiting",
            "bob delayed",
            "bob active",
        ],
    ];
    let mut jobs = Vec::new();
    for (owner, names) in ["ann", "bob"].into_iter().zip(NAMES) {
        for name in names {
            let path = name.replace("failed", "bad").replace(' ', "-");
            let id = create(app, owner, &path).await;
            if name.ends_with("completed") || name.ends_with("failed") {
                app.drain(&Scripted(half_broken)).await;
            }
            if name.ends_with("cancelled") {
                app.act(&id, "cancel").await;
            }
            if name.ends_with("paused") {
                app.act(&id, "pause").await;
            }
            while let Some(message) = app.queue.try_receive() {
                drop(message);
            }
            if name.ends_with("active") {
                app.change(&id, |job, stamp| {
                    match job.claim(stamp, stamp.now + 10 * DAY, &Retention::default()) {
                        Claim::Won(next) => Ok(next),
                        other => panic!("{other:?}"),
                    }
                })
                .await;
            }
            if name.ends_with("delayed") {
                app.act(&id, "cancel").await;
                let url = format!("http://site.example/{owner}-later");
                let late = json!({"type": "single-page", "url": url, "customerId": owner, "delay": 2_592_000_000_u64});
                jobs.push((name, app.create(&late).await));
            } else {
                jobs.push((name, id));
            }
        }
    }
    jobs
}

/// Cancels what is unfinished, so that nothing stands in the way of the recount.
async fn end(app: &TestApp) {
    for job in app.rows() {
        app.act(job.id.as_str(), "cancel").await;
    }
    app.drain(&Anything).await;
}

fn without<'a>(
    all: &BTreeMap<&'static str, String>,
    gone: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<&'static str, String> {
    let mut left = all.clone();
    for name in gone {
        assert!(left.remove(name).is_some(), "{name}");
    }
    left
}

#[tokio::test]
async fn cleanup_goes_by_age_status_and_customer_and_leaves_unfinished_jobs_alone() {
    let cases: [(Value, &[&str]); 6] = [
        (
            json!({"maxAgeHours": 1}),
            &[
                "ann completed",
                "ann failed",
                "ann cancelled",
                "bob completed",
                "bob failed",
                "bob cancelled",
            ],
        ),
        (json!({"maxAgeHours": 2.5}), &[]),
        (json!({}), &[]),
        (
            json!({"maxAgeHours": 0, "status": "failed"}),
            &["ann failed", "bob failed"],
        ),
        (
            json!({"maxAgeHours": 0, "status": ["completed", "cancelled"], "customerId": "ann"}),
            &["ann completed", "ann cancelled"],
        ),
        (
            json!({"maxAgeHours": 2, "customerId": "bob"}),
            &["bob completed", "bob failed", "bob cancelled"],
        ),
    ];
    for (parameters, gone) in cases {
        let app = TestApp::start();
        let jobs = one_of_each(&app).await;
        let before = statuses(&app, &jobs).await;
        assert_eq!(before.len(), 14);
        app.advance(Duration::from_hours(2));
        let mut body = parameters.clone();
        body["operation"] = json!("cleanup");
        let ended = app.operate(&body).await;
        let after = statuses(&app, &jobs).await;
        assert_eq!(
            after,
            without(&before, gone.iter().copied()),
            "{parameters}"
        );
        // Those that became the delayed ones were cancelled as well.
        let least = gone.len() as u64;
        let changed = ended["changed"].as_u64().unwrap();
        assert!((least..=least + 2).contains(&changed), "{ended}");
        assert!(app.blob_names().await.is_empty());
        end(&app).await;
    }
}

#[tokio::test]
async fn a_cleaned_job_leaves_nothing_behind() {
    let app = TestApp::start();
    for path in ["a", "b", "bad"] {
        create(&app, "ann", path).await;
    }
    app.drain(&Scripted(half_broken)).await;
    let ended = app
        .operate(&json!({"operation": "cleanup", "maxAgeHours": 0}))
        .await;
    assert_eq!(ended["changed"], 3);
    let keys: Vec<_> = app
        .items()
        .into_iter()
        .map(|item| item["pk"].clone())
        .collect();
    let left = keys.iter().filter_map(|key| key["S"].as_str());
    let left: Vec<_> = left.filter(|key| !key.starts_with("customers#")).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].starts_with("op_"));
}

#[tokio::test]
async fn drain_cancels_what_has_not_begun_of_one_customer_and_nothing_else() {
    let app = TestApp::start();
    let jobs = one_of_each(&app).await;
    let mut expected = statuses(&app, &jobs).await;
    let path = app
        .begin(&json!({"operation": "drain", "customerId": "ann"}))
        .await;
    app.advance(Duration::from_millis(1));
    let late = create(&app, "ann", "late").await;
    let (ended, _) = app.finish(&path).await;
    for name in ["ann waiting", "ann delayed", "ann paused"] {
        expected.insert(name, "cancelled".to_owned());
    }
    assert_eq!(statuses(&app, &jobs).await, expected);
    assert_eq!(ended["changed"], 3);
    assert_eq!(app.status(&late).await, "waiting", "asked for after");
    end(&app).await;
}

#[tokio::test]
async fn retry_failed_starts_jobs_anew_in_place_and_leaves_no_copies() {
    let app = TestApp::start();
    let jobs = one_of_each(&app).await;
    let mut expected = statuses(&app, &jobs).await;
    let rows = app.rows().len();
    let ended = app
        .operate(&json!({"operation": "retry-failed", "customerId": "ann"}))
        .await;
    expected.insert("ann failed", "waiting".to_owned());
    assert_eq!(statuses(&app, &jobs).await, expected);
    assert_eq!(
        (&ended["changed"], &ended["skipped"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(app.rows().len(), rows);
    app.drain(&Anything).await;
    expected.insert("ann failed", "completed".to_owned());
    assert_eq!(statuses(&app, &jobs).await, expected);
    end(&app).await;
}

#[tokio::test]
async fn retry_failed_says_what_it_left_alone_and_why() {
    let app = TestApp::with_room(3);
    let mut ids = Vec::new();
    for path in ["bad-1", "bad-2", "bad-3"] {
        ids.push(create(&app, "ann", path).await);
    }
    app.drain(&Scripted(half_broken)).await;
    // Another has taken the place of the first, and there is room for one of the others.
    ids.push(create(&app, "ann", "bad-1").await);
    create(&app, "ann", "more").await;
    let other = create(&app, "bob", "bad").await;
    ids.extend([other, "job_01hf7yat000000000000000007".to_owned()]);
    ids.push(ids[1].clone());
    let body = json!({"operation": "retry-failed", "jobIds": ids});
    let begun = app
        .call(customer("ann"), Method::POST, "/api/queue", &body)
        .await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
    let (ended, _) = app.finish(begun.text("statusUrl")).await;
    assert_eq!(ended["examined"], 7);
    assert_eq!(ended["changed"], 1);
    assert_eq!(ended["skipped"], 6);
    let because = json!({"placeTaken": 1, "queueFull": 1, "unfit": 4});
    assert_eq!(ended["skippedBecause"], because);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn freed_places_let_equal_jobs_be_made_again() {
    for (operation, cleans) in [("deduplication", false), ("all", true), ("old-jobs", true)] {
        let app = TestApp::start();
        let old = create(&app, "ann", "bad-old").await;
        app.drain(&Scripted(half_broken)).await;
        app.advance(DAY);
        let (ann, bob) = (
            create(&app, "ann", "x").await,
            create(&app, "bob", "x").await,
        );
        let path = format!("/api/queue?operation={operation}&customerId=ann");
        let begun = app.delete(&path).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
        assert_eq!(begun.text("operation"), operation);
        app.finish(begun.text("statusUrl")).await;
        let read = app.get(&format!("/api/jobs/{old}")).await;
        assert_eq!(read.status == StatusCode::NOT_FOUND, cleans, "{operation}");
        for (owner, id, freed) in [("ann", ann, operation != "old-jobs"), ("bob", bob, false)] {
            let url = "http://site.example/x";
            let body = json!({"type": "single-page", "url": url, "customerId": owner});
            let created = app.post("/api/jobs", &body).await;
            assert_eq!(created.text("jobId") != id, freed, "{operation} {owner}");
        }
        app.drain(&Anything).await;
    }
}
