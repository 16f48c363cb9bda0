//! What happened lately: totals that only grow, kept once a minute, and differences of them.

use std::time::Duration;

use axum::http::StatusCode;
use jobs::ports::{PageRequest, Scope, Store};
use jobs::spec::CustomerId;
use jobs::statistics::Totals;
use jobs::transition::Retention;
use jobs::{Failure, FailureCode, Page};
use serde_json::{Value, json};

use crate::app::{Anything, START, Scripted, TestApp};
use crate::golden::assert_golden;
use crate::support;

const MINUTE: Duration = Duration::from_mins(1);
/// Statistics may be this old.
const AGE: Duration = Duration::from_secs(5);

/// A web on which an address says what comes of it.
fn as_told(request: &PageRequest) -> Result<Page, Failure> {
    let code = match request.url.path() {
        path if path.contains("gone") => FailureCode::Http(404),
        path if path.contains("teapot") => FailureCode::Http(418),
        path if path.contains("slow") => FailureCode::Timeout,
        _ => return Ok(support::page(request.url.as_str(), START)),
    };
    Err(Failure::new(code, "As told"))
}

fn customer(name: &str) -> CustomerId {
    CustomerId::parse(name).unwrap()
}

/// Runs a job to its end.
async fn run(app: &TestApp, customer: &str, path: &str) -> String {
    let body = json!({
        "type": "single-page", "url": format!("http://a.example/{path}"),
        "customerId": customer, "attempts": 1,
    });
    let id = app.create(&body).await;
    app.drain(&Scripted(as_told)).await;
    id
}

async fn totals(app: &TestApp, name: &str) -> Totals {
    let customer = customer(name);
    app.store.totals(Scope::Customer(&customer)).await.unwrap()
}

#[tokio::test]
async fn totals_only_grow_whatever_becomes_of_the_jobs() {
    let app = TestApp::start();
    for path in ["a", "b", "gone", "slow", "gone2"] {
        run(&app, "ann", path).await;
    }
    let again = run(&app, "ann", "teapot").await;
    let late = json!({
        "type": "single-page", "url": "http://a.example/late", "customerId": "ann",
        "delay": 1_000_000,
    });
    let cancelled = app.create(&late).await;
    for _ in 0..2 {
        assert_eq!(app.post("/api/jobs", &late).await.json["jobId"], cancelled);
    }
    app.change(&cancelled, |job, stamp| {
        job.cancel(stamp, &Retention::default())
    })
    .await;
    let errors = |teapots| {
        let errors = [("http_404", 2), ("http_4xx", teapots), ("timeout", 1)];
        errors.map(|(code, count)| (code.to_owned(), count)).into()
    };
    let expected = Totals {
        created: 7,
        deduplicated: 2,
        completed: 2,
        failed: 4,
        cancelled: 1,
        errors: errors(1),
    };
    assert_eq!(totals(&app, "ann").await, expected);

    app.change(&again, jobs::Job::retry).await;
    app.send_message(&again).await;
    app.drain(&Scripted(as_told)).await;
    let expected = Totals {
        failed: 5,
        errors: errors(2),
        ..expected
    };
    assert_eq!(totals(&app, "ann").await, expected, "it failed once more");
    app.advance(Duration::from_hours(8 * 24));
    assert_eq!(app.sweep().await.purged, 7);
    assert_eq!(totals(&app, "ann").await, expected);
    run(&app, "bob", "a").await;
    let all = app.store.totals(Scope::Everyone).await.unwrap();
    assert_eq!((all.created, all.completed), (8, 3));
    assert_eq!(totals(&app, "nobody").await, Totals::default());
}

#[tokio::test]
async fn the_last_hour_is_what_came_since_the_snapshots_of_it() {
    let app = TestApp::start();
    app.sweep().await;
    // One job of ann a minute, and of bob every tenth.
    for minute in 0..100_u32 {
        run(&app, "ann", &format!("{minute}")).await;
        if minute.is_multiple_of(10) {
            run(&app, "bob", &format!("gone{minute}")).await;
        }
        app.advance(MINUTE);
        app.sweep().await;
    }
    run(&app, "ann", "now").await;
    let recent = app.app.recent(None).await.unwrap();
    assert_eq!(
        recent.last_hour.completed, 61,
        "60 of the hour and the last"
    );
    assert_eq!(recent.last_hour.failed, 6);
    assert_eq!(recent.last_hour.errors["http_404"], 6);
    assert_eq!(recent.last_minute.completed, 2);
    let minutes = recent.minutes.iter().map(|(_, totals)| totals.completed);
    assert_eq!(minutes.collect::<Vec<_>>(), [1; 60]);
    let bob = app.app.recent(Some(&customer("bob"))).await.unwrap();
    assert_eq!((bob.last_hour.failed, bob.last_hour.completed), (6, 0));
    assert_eq!(bob.last_minute, Totals::default());
    // Statistics of all are kept for a moment.
    run(&app, "ann", "later").await;
    assert_eq!(app.app.recent(None).await.unwrap(), recent);
    app.advance(AGE);
    let recent = app.app.recent(None).await.unwrap();
    assert_eq!(recent.last_minute.completed, 3);
    app.advance(MINUTE);
    app.sweep().await;
    // Two days later nothing of it is recent, though nobody kept a minute in between.
    app.advance(Duration::from_hours(48));
    app.sweep().await;
    app.advance(AGE);
    for customer in [None, Some(customer("ann")), Some(customer("bob"))] {
        let recent = app.app.recent(customer.as_ref()).await.unwrap();
        assert_eq!(recent.last_minute, Totals::default(), "{customer:?}");
    }
    app.advance(Duration::from_hours(2));
    let recent = app.app.recent(None).await.unwrap();
    assert_eq!(recent.last_hour, Totals::default());
}

#[tokio::test]
async fn a_new_customer_is_recent_from_the_first_job_on() {
    let app = TestApp::start();
    run(&app, "old", "a").await;
    app.sweep().await;
    for _ in 0..3 {
        app.advance(MINUTE);
        app.sweep().await;
    }
    run(&app, "new", "a").await;
    let new = customer("new");
    for _ in 0..5 {
        let recent = app.app.recent(Some(&new)).await.unwrap();
        assert_eq!(recent.last_hour.completed, 1);
        app.advance(MINUTE);
        app.sweep().await;
    }
    app.drain(&Anything).await;
}

/// Snapshots in the table, of all and of customers.
fn kept(app: &TestApp) -> (usize, usize) {
    let items = app.items();
    let keys = items.iter().filter_map(|item| item["pk"]["S"].as_str());
    let keys = keys.filter(|key| key.starts_with("minutes#"));
    let (all, customers): (Vec<_>, Vec<_>) = keys.partition(|key| *key == "minutes#all");
    (all.len(), customers.len())
}

#[tokio::test]
async fn only_customers_that_changed_are_kept_and_all_others_once_a_day() {
    let app = TestApp::start();
    for name in ["ann", "bob", "carl"] {
        run(&app, name, "a").await;
    }
    for _ in 0..3 {
        app.sweep().await;
    }
    // Each new one with the nothing that was before.
    assert_eq!(kept(&app), (1, 6));
    run(&app, "ann", "b").await;
    for minutes in 2..10 {
        app.advance(MINUTE);
        app.sweep().await;
        assert_eq!(kept(&app), (minutes, 7));
    }
    app.advance(Duration::from_hours(24));
    app.sweep().await;
    assert_eq!(kept(&app), (10, 10));
}

#[tokio::test]
async fn the_state_of_the_queue_is_told_as_counts_and_rates_of_the_last_hour() {
    let app = TestApp::start();
    app.sweep().await;
    for path in ["a", "b", "gone", "slow", "gone2", "c"] {
        run(&app, "ann", path).await;
    }
    let waiting = |path: &str, priority: &str, delay: u64| {
        json!({
            "type": "single-page", "url": format!("http://a.example/{path}"),
            "priority": priority, "delay": delay,
        })
    };
    app.create(&waiting("now", "low", 0)).await;
    app.create(&waiting("soon", "critical", 0)).await;
    app.create(&waiting("later", "critical", 60_000)).await;
    app.post("/api/jobs", &waiting("now", "low", 0)).await;
    let queue = app.get("/api/queue").await;
    assert_eq!(queue.status, StatusCode::OK);
    assert_golden("wire_queue", &queue.json);

    let tag = queue.header("etag").unwrap();
    assert_eq!(queue.header("cache-control"), Some("private, no-cache"));
    app.advance(Duration::from_secs(1));
    let same = app.get_unless("/api/queue", tag).await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    app.drain(&Anything).await;
    app.advance(AGE);
    let other = app.get_unless("/api/queue", tag).await;
    assert_eq!(other.status, StatusCode::OK);
    assert_eq!(other.json["counts"]["completed"], 5);

    let detailed = app.get("/api/queue?detailed=true").await.json;
    let minutes = detailed["minutes"].as_array().unwrap();
    assert_eq!(minutes.len(), 60);
    let last = json!({
        "at": "2023-11-14T22:13:00.000Z", "created": 9, "deduplicated": 1, "completed": 5,
        "failed": 3, "cancelled": 0,
    });
    assert_eq!(minutes[59], last);
    for query in ["detailed=2", "colour=red", "detailed=true&detailed=true"] {
        let refused = app.get(&format!("/api/queue?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
    app.advance(MINUTE);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn nothing_has_no_rate() {
    let queue = TestApp::start().get("/api/queue").await.json;
    assert_eq!(queue["successRate"], Value::Null);
    assert_eq!(queue["deduplication"]["rate"], Value::Null);
    assert_eq!(queue["errors"], json!([]));
    assert_eq!(queue["throughput"], json!({"lastMinute": 0, "lastHour": 0}));
    assert_eq!(queue["isPaused"], false);
}
