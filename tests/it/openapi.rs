//! The published contract: the OpenAPI document and the shape of every answer.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use axum::http::StatusCode;
use jobs::ports::PageRequest;
use jobs::{Failure, FailureCode, Page};
use serde_json::{Value, json};

use crate::app::{Anything, START, Scripted, TestApp};
use crate::golden::assert_golden;
use crate::support;

const URL: &str = "http://site.example/page";

async fn document() -> Value {
    let app = TestApp::start();
    let answer = app.get("/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json
}

#[tokio::test]
async fn the_document_is_the_golden_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/snapshots/openapi.json");
    let document = document().await;
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
        std::fs::write(&file, text).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    assert_eq!(
        document, golden,
        "INSTA_UPDATE=always accepts the document as it is now"
    );
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_describes_every_route() {
    let document = document().await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["operationId"].is_string(), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["responses"].is_object(), "{method} {path}");
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    // The document does not describe itself.
    let served = api::ROUTES
        .iter()
        .filter(|(_, path)| !["/openapi.json", "/docs"].contains(path));
    let served: BTreeSet<_> = served
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(described, served);
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                    found.insert(reference.to_owned());
                }
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document().await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn every_route_is_served() {
    let app = TestApp::start();
    for (method, path) in api::ROUTES {
        let path = path.replace("{id}", "job_01hf7yat000000000000000007");
        let request = axum::http::Request::builder().method(method).uri(&path);
        let request = request.body(axum::body::Body::empty()).unwrap();
        let answer = app.send(request).await;
        assert_ne!(
            answer.status,
            StatusCode::METHOD_NOT_ALLOWED,
            "{method} {path}"
        );
        let unknown = answer.json["error"] == "Not found" || answer.json["message"] == "Not found";
        assert!(!unknown, "{method} {path}");
    }
}

fn broken(_: &PageRequest) -> Result<Page, Failure> {
    Err(Failure::new(
        FailureCode::Http(404),
        "There is no such page",
    ))
}

#[tokio::test]
async fn every_answer_has_the_shape_it_always_had() {
    let app = TestApp::with_room(2);
    let body = json!({
        "type": "single-page", "url": URL, "customerId": "customer-123", "priority": "high",
        "metadata": {"source": "api"}, "headers": {"X-A": "b"}, "userAgent": "Tester/1",
        "config": {"fields": {"price": {"selector": ".price", "dataType": "number"}}},
    });
    let created = app.post("/api/jobs", &body).await;
    assert_golden("wire_created", &created.json);
    let id = created.text("jobId");
    let again = app.post("/api/jobs", &body).await;
    assert_golden("wire_deduplicated", &again.json);
    for stage in ["waiting", "completed"] {
        assert_eq!(app.status(id).await, stage);
        let view = app.job(id).await;
        assert_golden(&format!("wire_job_{stage}"), &view);
        let view = app.get(&format!("/api/v1/jobs/{id}")).await;
        assert_golden(&format!("wire_v1_job_{stage}"), &view.json);
        app.drain(&Anything).await;
    }
    let results = app.get(&format!("/api/jobs/{id}/results")).await;
    assert_golden("wire_results", &results.json);

    let failed = app.create_for(URL).await;
    app.drain(&Scripted(broken)).await;
    let view = app.job(&failed).await;
    assert_golden("wire_job_failed", &view);
    let view = app.get(&format!("/api/v1/jobs/{failed}")).await;
    assert_golden("wire_v1_job_failed", &view.json);

    // Counts of unfinished jobs may be this old.
    app.advance(Duration::from_secs(5));
    let list = app
        .get("/api/jobs?includeHealth=true&customerId=customer-123")
        .await;
    assert_golden("wire_list", &list.json);
    let health = app.get("/api/v1/health").await;
    assert_golden("wire_v1_health", &health.json);
}

#[tokio::test]
async fn every_error_has_the_shape_it_always_had() {
    let app = TestApp::with_room(0);
    let invalid = app
        .post("/api/jobs", &json!({"url": "x", "colour": 1}))
        .await;
    assert_golden("wire_error_invalid", &invalid.json);
    let malformed = app.post_text("/api/jobs", "{").await;
    assert_golden("wire_error_malformed", &malformed.json);
    let query = app.get("/api/jobs?limit=0").await;
    assert_golden("wire_error_query", &query.json);
    let full = json!({"type": "single-page", "url": URL});
    let full = app.post("/api/jobs", &full).await;
    assert_golden("wire_error_full", &full.json);
    let missing = app.get("/api/jobs/job_123456").await;
    assert_golden("wire_error_not_found", &missing.json);
    let missing = app.get("/api/v1/jobs/job_123456").await;
    assert_golden("wire_v1_error_not_found", &missing.json);
    let nowhere = app.get("/api/v1/nowhere").await;
    assert_golden("wire_v1_error_unknown_path", &nowhere.json);
    assert_eq!(nowhere.text("timestamp"), START.to_string());
    let page = support::page(URL, START);
    assert_golden("wire_page", &serde_json::to_value(page).unwrap());
}
