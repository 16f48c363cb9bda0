//! How often a customer may call.

use std::time::Duration;

use axum::http::StatusCode;
use jobs::{App, Caller, Error, JobId, Limits, NewJob};
use serde_json::{Value, json};

use crate::app::{Anything, TestApp};

fn page(customer: &str, number: usize) -> Value {
    let url = format!("http://site.example/{number}");
    json!({"type": "single-page", "url": url, "customerId": customer})
}

#[tokio::test]
async fn creates_beyond_the_rate_are_told_when_to_come_back() {
    let app = TestApp::with_limits(Limits {
        creates_per_minute: 3,
        ..Limits::default()
    });
    for number in 0..3 {
        let created = app.post("/api/jobs", &page("busy", number)).await;
        assert_eq!(created.status, StatusCode::CREATED);
    }
    let refused = app.post("/api/jobs", &page("busy", 3)).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        refused.json,
        json!({"error": "Too many requests", "details": "Rate limit exceeded", "retryAfter": 20})
    );
    assert_eq!(refused.header("retry-after"), Some("20"));
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some("\"calls\";q=3;w=60")
    );
    assert_eq!(refused.header("ratelimit"), Some("\"calls\";r=0;t=20"));
    let other = app.post("/api/jobs", &page("quiet", 3)).await;
    assert_eq!(other.status, StatusCode::CREATED);
    app.advance(Duration::from_secs(20));
    let later = app.post("/api/jobs", &page("busy", 3)).await;
    assert_eq!(later.status, StatusCode::CREATED);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn reads_beyond_the_rate_are_refused_in_the_shape_of_the_face() {
    let app = TestApp::with_limits(Limits {
        reads_per_minute: 1,
        ..Limits::default()
    });
    let id = app.create(&page("reader", 0)).await;
    app.drain(&Anything).await;
    let path = format!("/api/v1/jobs/{id}");
    assert_eq!(app.get(&path).await.status, StatusCode::OK);
    let refused = app.get(&path).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.json["success"], false);
    assert_eq!(refused.json["message"], "Too many requests");
    assert_eq!(refused.json["error"], "Rate limit exceeded");
    assert_eq!(refused.json["retryAfter"], 60);
}

/// What several processes grant together, each call by another of them.
async fn granted(app: &TestApp, processes: &[App], calls: usize) -> usize {
    let mut granted = 0;
    for call in 0..calls {
        let read = processes[call % processes.len()]
            .job(&Caller::Anyone, &unknown())
            .await;
        granted += usize::from(read.is_ok());
        if call % 10 == 0 {
            app.advance(Duration::from_millis(1));
        }
    }
    granted
}

fn unknown() -> JobId {
    JobId::parse("job_01hf7yat000000000000000007").unwrap()
}

#[tokio::test]
async fn many_processes_together_grant_no_more_than_the_rate() {
    let limits = Limits {
        reads_per_minute: 100,
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits);
    let processes: Vec<_> = (0..5).map(|_| app.another(limits)).collect();
    let first = granted(&app, &processes, 300).await;
    // Blocks are of two calls: none of them need be lost where all processes go on.
    assert_eq!(first, 100);
    app.advance(Duration::from_secs(30));
    let second = granted(&app, &processes, 300).await;
    assert!((45..=51).contains(&second), "{second} in half a minute");
    // A block that was taken and not used is forgotten when the bucket is full again.
    app.advance(Duration::from_hours(1));
    let third = granted(&app, &processes, 300).await;
    assert!((90..=101).contains(&third), "{third} after an hour");
}

#[tokio::test]
async fn a_burst_of_calls_at_once_is_granted_up_to_the_rate() {
    let app = TestApp::with_limits(Limits {
        reads_per_minute: 60,
        ..Limits::default()
    });
    let id = unknown();
    let calls = (0..100).map(|_| app.app.job(&Caller::Anyone, &id));
    let answers = futures::future::join_all(calls).await;
    let granted = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(granted, 60);
}

#[tokio::test]
async fn a_restart_does_not_fill_the_bucket() {
    let limits = Limits {
        creates_per_minute: 2,
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits);
    for number in 0..2 {
        app.create(&page("busy", number)).await;
    }
    app.drain(&Anything).await;
    let restarted = app.another(limits);
    let new = NewJob::parse(&page("busy", 9), |_| Vec::new()).unwrap();
    let refused = restarted.create(&Caller::Anyone, &new).await.unwrap_err();
    assert!(matches!(refused, Error::Limited { .. }), "{refused}");
}
