//! How often a customer may call.

use std::time::Duration;

use axum::http::StatusCode;
use jobs::Limits;
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
