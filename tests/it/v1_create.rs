//! Creating over the Queue System API.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{Anything, START, TestApp};
use crate::golden::assert_golden;

const URL: &str = "http://site.example/page";

#[tokio::test]
async fn a_scrape_is_queued_and_its_status_url_answers() {
    let app = TestApp::start();
    let queued = app.post("/api/v1/scrape", &json!({"url": URL})).await;
    assert_eq!(queued.status, StatusCode::ACCEPTED);
    let id = queued.text("jobId");
    let status_url = format!("/api/v1/jobs/{id}");
    assert_eq!(
        queued.json,
        json!({
            "success": true, "message": "Job queued successfully", "jobId": id,
            "type": "single-page", "url": URL, "statusUrl": status_url,
            "timestamp": START.to_string(),
        })
    );
    assert_golden("wire_v1_queued", &queued.json);
    app.drain(&Anything).await;
    let read = app.get(&status_url).await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.json["data"]["status"], "completed");
}

#[tokio::test]
async fn both_faces_make_the_same_jobs() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": URL});
    let native = app.create(&body).await;
    let again = app.post("/api/v1/scrape", &body).await;
    assert_eq!(again.status, StatusCode::ACCEPTED);
    assert_eq!(again.text("jobId"), native);
    assert_eq!(again.json["deduplicated"], true);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_scrape_that_is_wrong_is_told_everything_in_the_shape_of_its_face() {
    let app = TestApp::start();
    let body = json!({
        "urls": [URL], "type": "navigate", "priority": "soon", "staggerDelay": 1, "nonsense": 1,
    });
    let answer = app.post("/api/v1/scrape", &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json["success"], false);
    assert_eq!(answer.text("message"), "Invalid job data");
    assert_eq!(answer.text("timestamp"), START.to_string());
    let mut fields = answer.fields();
    fields.sort_unstable();
    let expected = [
        "nonsense",
        "priority",
        "staggerDelay",
        "type",
        "url",
        "urls",
    ];
    assert_eq!(fields, expected);
    assert!(app.items().is_empty());
}

#[tokio::test]
async fn a_full_queue_is_said_with_the_printed_body_on_both_faces() {
    let app = TestApp::with_room(0);
    for path in ["/api/jobs", "/api/v1/scrape"] {
        for body in [
            json!({"type": "single-page", "url": URL}),
            json!({"type": "single-page", "urls": [URL]}),
        ] {
            if path == "/api/v1/scrape" && body.get("urls").is_some() {
                continue;
            }
            let answer = app.post(path, &body).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
            assert_eq!(answer.header("retry-after"), Some("30"));
            let mut full = answer.json.clone();
            full.as_object_mut().unwrap().remove("requestId");
            assert_eq!(
                full,
                json!({
                    "success": false, "message": "Queue is full",
                    "error": "Maximum queue capacity reached", "timestamp": START.to_string(),
                })
            );
        }
    }
    assert!(app.items().is_empty());
}

#[tokio::test]
async fn types_without_an_engine_are_refused_by_their_name() {
    let app = TestApp::start();
    for (path, kind) in [
        ("/api/v1/navigate", "navigate"),
        ("/api/v1/ai/generate-config", "generate-config"),
    ] {
        let answer = app.post(path, &json!({"url": URL, "steps": []})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(answer.json["success"], false);
        assert_eq!(answer.fields(), ["type"]);
        let said = answer.text("error");
        assert!(
            said.contains(kind) && said.contains("not available yet"),
            "{said}"
        );
        let malformed = app.post_text(path, "{").await;
        assert_eq!(malformed.fields(), ["body"]);
        assert_eq!(malformed.json["success"], Value::Bool(false));
    }
}
