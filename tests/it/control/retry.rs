//! Retries: in place, where nobody has taken it, and where the customer has room.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use jobs::{Caller, Status};
use serde_json::{Value, json};

use super::{URL, missing, with_job};
use crate::app::{Anything, Scripted, TestApp};
use crate::golden::assert_golden;

#[tokio::test]
async fn the_retry_of_its_own_path_takes_a_body_or_none() {
    for body in [Value::Null, json!({}), json!({"only": "failed"})] {
        let (app, id) = with_job(Status::Failed).await;
        let path = format!("/api/jobs/{id}/retry");
        let call = app.call(Caller::Anyone, Method::POST, &path, &body);
        let answer = call.await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.text("status"), "waiting");
        let row = app.row(&id).await;
        assert_eq!((row.attempts.len(), row.finished_at), (0, None));
        app.drain(&Anything).await;
        assert_eq!(app.status(&id).await, "completed");
        let again = app.call(Caller::Anyone, Method::POST, &path, &body).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        assert_eq!(again.text("status"), "completed");
    }
}

#[tokio::test]
async fn a_retry_of_a_job_whose_place_another_has_taken_names_that_one() {
    let (app, first) = with_job(Status::Failed).await;
    let second = app.create_for(URL).await;
    assert_ne!(first, second);
    let refused = app.act(&first, "retry").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.text("status"), "failed");
    assert!(refused.text("details").contains(&second), "{refused:?}");
    assert_golden("wire_error_taken", &refused.json);
    assert_eq!(app.status(&first).await, "failed");
    // When the other has ended, the place can be had again.
    app.drain(&Scripted(missing)).await;
    assert_eq!(app.act(&first, "retry").await.status, StatusCode::OK);
    let same = json!({"type": "single-page", "url": URL});
    let duplicate = app.post("/api/jobs", &same).await;
    assert_eq!(duplicate.text("jobId"), first);
    assert_eq!(app.act(&second, "retry").await.status, StatusCode::CONFLICT);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_retry_takes_room_like_a_new_job() {
    let app = TestApp::with_room(1);
    let first = app.create_for(URL).await;
    app.drain(&Scripted(missing)).await;
    let other = app.create_for("http://site.example/other").await;
    let full = app.act(&first, "retry").await;
    assert_eq!(full.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(full.text("message"), "Queue is full");
    assert!(full.header("retry-after").is_some());
    assert_eq!(app.status(&first).await, "failed");
    app.act(&other, "cancel").await;
    assert_eq!(app.act(&first, "retry").await.status, StatusCode::OK);
    let full = app.act(&other, "retry").await;
    assert_eq!(full.status, StatusCode::SERVICE_UNAVAILABLE);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn what_has_expired_cannot_be_retried() {
    for (status, hours) in [(Status::Cancelled, 24), (Status::Failed, 7 * 24)] {
        let (app, id) = with_job(status).await;
        app.drain(&Anything).await;
        app.advance_almost(Duration::from_hours(hours));
        app.get(&format!("/api/jobs/{id}")).await;
        app.advance(Duration::from_millis(1));
        assert_eq!(app.act(&id, "retry").await.status, StatusCode::NOT_FOUND);
        app.sweep().await;
        assert_eq!(app.rows(), []);
    }
}
