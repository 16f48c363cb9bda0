//! Creating jobs: what the answer says, what counts as a duplicate, how many are let in.

use std::time::Duration;

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::app::{Answered, Anything, MILLISECOND, START, TestApp};
use crate::support;

const URL: &str = "http://site.example/page";

fn page() -> Value {
    json!({"type": "single-page", "url": URL})
}

/// `page()` with these fields as well.
fn page_with(extra: &Value) -> Value {
    let mut body = page();
    let fields = extra.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}

fn ids(answers: &[Answered]) -> Vec<&str> {
    let mut ids: Vec<_> = answers.iter().map(|answer| answer.text("jobId")).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[tokio::test]
async fn a_created_job_is_answered_with_where_it_stands() {
    let app = TestApp::start();
    let created = app.post("/api/jobs", &page()).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let id = created.text("jobId");
    let path = format!("/api/jobs/{id}");
    assert_eq!(created.header("location"), Some(path.as_str()));
    assert_eq!(created.header("content-type"), Some("application/json"));
    assert_eq!(
        created.json,
        json!({
            "success": true, "jobId": id, "type": "single-page", "url": URL,
            "message": "Job created successfully", "statusUrl": path,
            "timestamp": START.to_string(),
        })
    );
    let read = app.get(created.text("statusUrl")).await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.text("status"), "waiting");
    app.drain(&Anything).await;
}

#[tokio::test]
async fn an_equal_job_is_answered_with_the_one_that_exists() {
    let app = TestApp::start();
    let first = app.create(&page()).await;
    let again = app.post("/api/jobs", &page()).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.header("location"), None);
    assert_eq!(
        again.json,
        json!({
            "success": true, "jobId": first, "type": "single-page", "url": URL,
            "message": "Job was deduplicated (similar job already exists)",
            "deduplicated": true, "statusUrl": format!("/api/jobs/{first}"),
            "timestamp": START.to_string(),
        })
    );
    assert_eq!(app.drain(&Anything).await, 1, "one job has one message");
}

#[tokio::test]
async fn what_does_not_change_the_output_does_not_make_another_job() {
    let app = TestApp::start();
    let first = app.create(&page()).await;
    for same in [
        json!({"priority": "high"}),
        json!({"delay": 1_000}),
        json!({"attempts": 1}),
        json!({"timeout": 1}),
        json!({"metadata": {"a": 1}}),
        json!({"isNewCustomer": true}),
        json!({"customerId": "default"}),
        json!({"config": {}}),
        json!({"headers": {}}),
        json!({"url": "HTTP://SITE.example:80/page?#part"}),
    ] {
        let again = app.post("/api/jobs", &page_with(&same)).await;
        assert_eq!(again.status, StatusCode::OK, "{same}");
        assert_eq!(again.text("jobId"), first, "{same}");
    }
    for other in [
        json!({"customerId": "another"}),
        json!({"config": {"fields": {"a": {"selector": "a"}}}}),
        json!({"headers": {"x-a": "1"}}),
        json!({"userAgent": "another"}),
        json!({"url": "https://site.example/page"}),
        json!({"url": "http://site.example/page?a=1"}),
        json!({"url": "http://site.example/PAGE"}),
    ] {
        let another = app.post("/api/jobs", &page_with(&other)).await;
        assert_eq!(another.status, StatusCode::CREATED, "{other}");
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn of_a_hundred_equal_creates_at_once_one_makes_a_job() {
    let app = TestApp::start();
    let bodies: Vec<_> = (0..100).map(|_| page()).collect();
    let answers = join_all(bodies.iter().map(|body| app.post("/api/jobs", body))).await;
    assert_eq!(ids(&answers).len(), 1);
    let created = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(created.count(), 1);
    let deduplicated = answers
        .iter()
        .filter(|answer| answer.json["deduplicated"] == true && answer.status == StatusCode::OK);
    assert_eq!(deduplicated.count(), 99);
    assert_eq!(app.rows().len(), 1);
    assert_eq!(app.drain(&Anything).await, 1);
}

#[tokio::test]
async fn of_a_hundred_equal_creates_after_an_end_one_makes_a_job() {
    let app = TestApp::start();
    let first = app.create(&page()).await;
    app.drain(&Anything).await;
    let bodies: Vec<_> = (0..100).map(|_| page()).collect();
    let answers = join_all(bodies.iter().map(|body| app.post("/api/jobs", body))).await;
    let ids = ids(&answers);
    assert_eq!(ids.len(), 1);
    assert_ne!(ids[0], first);
    assert_eq!(app.rows().len(), 2);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_finished_job_frees_its_place() {
    let app = TestApp::start();
    let first = app.create(&page()).await;
    app.drain(&Anything).await;
    assert_eq!(app.status(&first).await, "completed");
    let second = app.create(&page()).await;
    assert_ne!(second, first);
    let third = app.post("/api/jobs", &page()).await;
    assert_eq!(third.text("jobId"), second, "the place has a new owner");
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_job_that_just_ended_counts_as_equal_for_as_long_as_asked() {
    let app = TestApp::start();
    let first = app.create(&page()).await;
    app.drain(&Anything).await;
    let within = page_with(&json!({"deduplicateFor": 60_000}));
    app.advance_almost(Duration::from_mins(1));
    let again = app.post("/api/jobs", &within).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.text("jobId"), first);
    app.advance(MILLISECOND);
    let later = app.post("/api/jobs", &within).await;
    assert_eq!(later.status, StatusCode::CREATED);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn an_expired_job_never_counts_as_equal() {
    let app = TestApp::start();
    app.create(&page()).await;
    app.drain(&Anything).await;
    app.advance(Duration::from_hours(24));
    let within = page_with(&json!({"deduplicateFor": 2_592_000_000_u64}));
    let later = app.post("/api/jobs", &within).await;
    assert_eq!(later.status, StatusCode::CREATED);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_job_outside_deduplication_neither_looks_nor_blocks() {
    let app = TestApp::start();
    let outside = page_with(&json!({"deduplicate": false}));
    let first = app.create(&outside).await;
    let second = app.create(&outside).await;
    let third = app.create(&page()).await;
    let fourth = app.create(&outside).await;
    let ids = [&first, &second, &third, &fourth];
    let distinct: std::collections::BTreeSet<_> = ids.into_iter().collect();
    assert_eq!(distinct.len(), 4);
    let again = app.post("/api/jobs", &page()).await;
    assert_eq!(again.text("jobId"), third);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn exactly_as_many_unfinished_jobs_as_allowed_are_let_in() {
    let app = TestApp::with_room(7);
    let body = |n| json!({"type": "single-page", "url": format!("http://site.example/{n}")});
    let bodies: Vec<_> = (0..30).map(body).collect();
    let answers = join_all(bodies.iter().map(|body| app.post("/api/jobs", body))).await;
    let (accepted, refused): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer.status == StatusCode::CREATED);
    assert_eq!((accepted.len(), refused.len()), (7, 23));
    for answer in refused {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), Some("30"));
        let mut body = answer.json.clone();
        let request_id = body.as_object_mut().unwrap().remove("requestId");
        assert!(request_id.is_some_and(|id| id.as_str().is_some_and(|id| !id.is_empty())));
        assert_eq!(
            body,
            json!({
                "success": false, "message": "Queue is full",
                "error": "Maximum queue capacity reached", "timestamp": START.to_string(),
            })
        );
    }
    assert_eq!(app.rows().len(), 7);
    let duplicate = app.post("/api/jobs", &bodies[0]).await;
    let known = accepted
        .iter()
        .any(|answer| answer.text("url") == "http://site.example/0");
    let expected = if known { 200 } else { 503 };
    assert_eq!(
        duplicate.status.as_u16(),
        expected,
        "a duplicate needs no room"
    );
    let other = json!({"type": "single-page", "url": URL, "customerId": "another"});
    assert_eq!(
        app.post("/api/jobs", &other).await.status,
        StatusCode::CREATED
    );
    app.drain(&Anything).await;
    app.create(&body(100)).await;
    app.drain(&Anything).await;
}

#[tokio::test]
async fn nobody_is_let_in_where_there_is_no_room_at_all() {
    let app = TestApp::with_room(0);
    for _ in 0..2 {
        let answer = app.post("/api/jobs", &page()).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.text("message"), "Queue is full");
    }
    assert!(app.items().is_empty());
}

#[tokio::test]
async fn a_priority_is_taken_by_name_or_number_and_a_new_customer_is_lifted() {
    let app = TestApp::start();
    for (fields, expected) in [
        (json!({}), "normal"),
        (json!({"priority": "low"}), "low"),
        (json!({"priority": 1}), "low"),
        (json!({"priority": "normal"}), "normal"),
        (json!({"priority": 5}), "high"),
        (json!({"priority": "urgent"}), "urgent"),
        (json!({"priority": 9.0}), "critical"),
        (json!({"isNewCustomer": true}), "high"),
        (json!({"isNewCustomer": true, "priority": 3}), "high"),
        (json!({"isNewCustomer": true, "priority": "low"}), "low"),
        (json!({"isNewCustomer": true, "priority": 7}), "urgent"),
    ] {
        let mut body = page_with(&fields);
        body["deduplicate"] = json!(false);
        let id = app.create(&body).await;
        assert_eq!(app.job(&id).await["priority"], expected, "{fields}");
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_name_in_any_script_is_a_customer() {
    let app = TestApp::start();
    let longest = "漢".repeat(128);
    for name in [
        "a",
        " ",
        "customer#1/2?x=y&z",
        "مرحبا\u{202e}abc",
        "👩\u{200d}👩\u{200d}👧",
        "..",
        "\"';--",
        longest.as_str(),
    ] {
        let id = app.create(&page_with(&json!({"customerId": name}))).await;
        assert_eq!(app.job(&id).await["customerId"], name);
        let query = support::escaped(name);
        let list = app.get(&format!("/api/jobs?customerId={query}")).await;
        assert_eq!(list.json["jobs"][0]["id"], id, "{name}");
        assert_eq!(list.json["stats"]["waiting"], 1, "{name}");
        app.drain(&Anything).await;
        app.advance(Duration::from_secs(5));
    }
}
