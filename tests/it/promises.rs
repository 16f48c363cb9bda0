//! What services of this kind have printed and not done. Each line of that list is a test here, or
//! one whose name `tests/CONTRACT.md` gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use axum::http::StatusCode;
use jobs::{Failure, FailureCode, Limits};
use local::embedded::{Embedded, read_request, write_response};
use serde_json::{Value, json};

use crate::app::{Anything, Scripted, TestApp};

const URL: &str = "http://site.example/";

fn page(number: usize) -> Value {
    json!({"type": "single-page", "url": format!("{URL}{number}")})
}

fn with(number: usize, fields: &Value) -> Value {
    let mut body = page(number);
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Creates the jobs, works until nothing is ready, and gives their numbers in order of their start.
async fn order(app: &TestApp, bodies: &[Value]) -> Vec<usize> {
    let mut ids = Vec::new();
    for body in bodies {
        ids.push(app.create(body).await);
    }
    let mut order = Vec::new();
    while let Some(message) = app.queue.try_receive() {
        let id = message.job_id.to_string();
        order.push(ids.iter().position(|known| *known == id).unwrap());
        app.work(&message, &Anything).await;
    }
    order
}

#[tokio::test]
async fn a_priority_by_name_is_taken_and_a_bigger_number_starts_sooner() {
    let app = TestApp::start();
    let bodies =
        ["low", "normal", "high", "urgent", "critical"].map(|name| json!({"priority": name}));
    let bodies: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(n, body)| with(n, body))
        .collect();
    assert_eq!(order(&app, &bodies).await, [4, 3, 2, 1, 0]);
    let bodies = [1, 3, 5, 7, 9].map(|number| json!({"priority": number}));
    let bodies: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(n, body)| with(n, body))
        .collect();
    assert_eq!(order(&app, &bodies).await, [4, 3, 2, 1, 0]);
}

#[tokio::test]
async fn a_new_customer_starts_before_the_others() {
    let app = TestApp::start();
    let bodies = [page(0), page(1), with(2, &json!({"isNewCustomer": true}))];
    assert_eq!(order(&app, &bodies).await[0], 2);
}

#[tokio::test]
async fn an_equal_create_is_called_a_duplicate() {
    let app = TestApp::start();
    let id = app.create(&page(0)).await;
    let again = app.post("/api/jobs", &page(0)).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(
        (again.text("jobId"), &again.json["deduplicated"]),
        (id.as_str(), &json!(true))
    );
    assert_eq!(
        again.text("message"),
        "Job was deduplicated (similar job already exists)"
    );
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_failed_scrape_is_tried_again_and_never_called_completed() {
    let app = TestApp::start();
    let id = app.create(&with(0, &json!({"attempts": 2}))).await;
    let failing = Scripted(|_: &_| Err(Failure::new(FailureCode::Timeout, "no answer in time")));
    app.drain(&failing).await;
    assert_eq!(app.status(&id).await, "delayed");
    app.advance(Duration::from_mins(1));
    app.drain(&failing).await;
    let job = app.job(&id).await;
    assert_eq!(job["status"], "failed");
    assert_eq!(job["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(job["failedReason"], "timeout: no answer in time");
}

#[tokio::test]
async fn the_status_url_of_every_create_answers_its_owner() {
    let app = TestApp::start();
    let batch = app
        .post("/api/jobs", &json!({"type": "single-page", "urls": [URL]}))
        .await;
    let in_batch = batch.json["results"]["jobs"][0]["statusUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let single = app.post("/api/jobs", &page(1)).await;
    let duplicate = app.post("/api/jobs", &page(1)).await;
    let scrape = app
        .post("/api/v1/scrape", &json!({"url": format!("{URL}2")}))
        .await;
    let printed = [&single, &duplicate, &scrape].map(|answer| answer.text("statusUrl").to_owned());
    for path in printed.into_iter().chain([in_batch]) {
        assert_eq!(app.get(&path).await.status, StatusCode::OK, "{path}");
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_page_posted_to_scrape_is_scraped() {
    let app = TestApp::start();
    let answer = app.post("/api/v1/scrape", &json!({"url": URL})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    app.drain(&Anything).await;
    let job = app.get(answer.text("statusUrl")).await;
    assert_eq!(job.json["data"]["status"], "completed");
    assert_eq!(job.json["data"]["result"]["title"], "A page");
}

#[tokio::test]
async fn a_full_queue_and_a_rate_have_their_bodies_on_both_faces() {
    let full = json!({"success": false, "message": "Queue is full", "error": "Maximum queue capacity reached"});
    let limited = json!({"success": false, "message": "Too many requests", "error": "Rate limit exceeded", "retryAfter": 60});
    let app = TestApp::with_room(0);
    for path in ["/api/jobs", "/api/v1/scrape"] {
        let answer = app.post(path, &page(0)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        for (name, value) in full.as_object().unwrap() {
            assert_eq!(&answer.json[name], value, "{path} {name}");
        }
        assert!(answer.header("retry-after").is_some(), "{path}");
    }
    let app = TestApp::with_limits(Limits {
        creates_per_minute: 1,
        ..Limits::default()
    });
    app.create(&page(0)).await;
    for path in ["/api/jobs", "/api/v1/scrape"] {
        let answer = app.post(path, &page(1)).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        for name in ["retry-after", "ratelimit", "ratelimit-policy"] {
            assert!(answer.header(name).is_some(), "{path} {name}");
        }
        assert_eq!(answer.json["retryAfter"], 60, "{path}");
        if path == "/api/v1/scrape" {
            for (name, value) in limited.as_object().unwrap() {
                assert_eq!(&answer.json[name], value, "{name}");
            }
        }
    }
    app.drain(&Anything).await;
}

/// Counts the rows that are read by id.
#[derive(Clone)]
struct Counting(Embedded, Arc<AtomicUsize>);

impl std::fmt::Debug for Counting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Counting")
    }
}

impl HttpConnector for Counting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(embedded, rows) = self.clone();
        HttpConnectorFuture::new(async move {
            let (target, body) = read_request(&request)?;
            if target.ends_with("BatchGetItem") {
                let keys = body.matches("\"sk\"").count();
                rows.fetch_add(keys, Ordering::Relaxed);
            }
            write_response(embedded.call(&target, &body))
        })
    }
}

#[tokio::test]
async fn a_list_does_not_read_every_job() {
    let embedded = Embedded::in_memory().unwrap();
    let rows = Arc::new(AtomicUsize::new(0));
    let connector = SharedHttpConnector::new(Counting(embedded.clone(), Arc::clone(&rows)));
    let http = http_client_fn(move |_, _| connector.clone());
    let app = TestApp::over(embedded, http, Limits::default());
    for number in 0..500 {
        app.create(&page(number)).await;
    }
    rows.store(0, Ordering::Relaxed);
    let list = app.get("/api/jobs?limit=10").await;
    assert_eq!(list.json["jobs"].as_array().unwrap().len(), 10);
    assert_eq!(list.json["stats"]["waiting"], 500);
    let read = rows.load(Ordering::Relaxed);
    assert!(read <= 100, "{read} rows were read for a page of ten");
    app.drain(&Anything).await;
}
