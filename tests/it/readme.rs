//! What README.md shows is what the service does.

use axum::http::StatusCode;
use jobs::{FailureCode, Timestamp};
use serde_json::Value;

use crate::app::{Anything, START, TestApp};
use crate::support;

const README: &str = include_str!("../../README.md");

/// The JSON block that follows a marker.
fn example(marker: &str) -> Value {
    let marker = format!("<!-- example: {marker} -->\n```json\n");
    let block = README.split_once(&marker).unwrap().1;
    serde_json::from_str(block.split_once("```").unwrap().0).unwrap()
}

/// The words of the first code span that starts with `first`.
fn words(first: &str) -> Vec<&'static str> {
    let start = README.find(&format!("`{first}")).unwrap() + 1;
    let span = README[start..].split_once('`').unwrap().0;
    span.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect()
}

#[tokio::test]
async fn the_example_is_answered_as_shown() {
    let app = TestApp::start();
    let created = app
        .post("/api/jobs", &example("request POST /api/jobs"))
        .await;
    assert_eq!(created.status, StatusCode::CREATED);
    let shown = example("response");
    let names = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&created.json), names(&shown));
    for name in ["success", "type", "url", "message"] {
        assert_eq!(created.json[name], shown[name], "{name}");
    }
    app.drain(&Anything).await;
    let status = app.get(created.text("statusUrl")).await;
    assert_eq!(status.text("status"), "completed");
}

#[tokio::test]
async fn the_webhook_is_made_as_shown() {
    let app = TestApp::start();
    let request = example("request POST /api/webhooks");
    let made = app.post("/api/webhooks", &request).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let shown = example("webhook response");
    let names = |value: &Value| {
        let names = value.as_object().unwrap().keys().cloned();
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&made.json), names(&shown));
    for name in ["url", "events", "customerId", "status"] {
        assert_eq!(made.json[name], shown[name], "{name}");
    }
}

#[tokio::test]
async fn the_example_of_a_recurring_job_is_answered_as_shown() {
    let app = TestApp::start();
    let shown = example("recurring response");
    let at = Timestamp::parse(shown["timestamp"].as_str().unwrap()).unwrap();
    app.advance(at.since(START));
    let created = app.post("/api/jobs", &example("recurring request")).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let mut said = created.json;
    for name in ["scheduleId", "statusUrl"] {
        said[name] = shown[name].clone();
    }
    assert_eq!(said, shown);
}

#[test]
fn a_page_has_the_fields_that_are_listed() {
    let page = serde_json::to_value(support::page("http://site.example/", START)).unwrap();
    let mut listed = words("url, finalUrl");
    listed.retain(|word| !["openGraph", "jsonLd"].contains(word));
    listed.sort_unstable();
    let mut fields: Vec<_> = page
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    fields.sort_unstable();
    assert_eq!(fields, listed);
}

#[test]
fn every_code_of_a_failure_is_listed() {
    for (_, name) in FailureCode::NAMED {
        assert!(README.contains(&format!("`{name}`")), "{name}");
    }
}
