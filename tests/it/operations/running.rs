//! How operations come to their end: step by step, whoever asks, and for whom they can be read.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use jobs::transition::Mode;
use jobs::{Caller, JobId};
use serde_json::{Value, json};

use super::{DAY, create, end, half_broken};
use crate::app::{Anything, INVOCATION, LEASE, START, Scripted, TestApp};
use crate::calls::customer;
use crate::golden::assert_golden;

#[tokio::test]
async fn maintenance_sweeps_what_is_due_to_the_end() {
    let app = TestApp::start();
    for number in 0..30 {
        create(&app, "ann", &format!("{number}")).await;
    }
    while app.queue.try_receive().is_some() {}
    app.advance(Duration::from_mins(1));
    let ended = app.operate(&json!({"operation": "maintenance"})).await;
    assert_eq!(ended["changed"], 30);
    assert_eq!(app.drain(&Anything).await, 30);
}

#[tokio::test]
async fn many_jobs_take_several_steps() {
    const JOBS: usize = 320;
    let app = TestApp::start();
    for number in 0..JOBS {
        create(&app, "ann", &format!("{number}")).await;
    }
    let other = create(&app, "bob", "x").await;
    let path = app
        .begin(&json!({"operation": "drain", "customerId": "ann"}))
        .await;
    let running = app.get(&path).await.json;
    assert_eq!(running["status"], "running");
    assert_eq!(running["examined"], 100, "the request's own step");
    let (ended, sweeps) = app.finish(&path).await;
    assert_eq!(sweeps, 1, "three steps in one");
    assert_eq!(ended["examined"], JOBS);
    assert_eq!(ended["changed"], JOBS);
    let stats = app.get("/api/jobs?customerId=ann&limit=1").await.json["stats"].clone();
    assert_eq!(stats["cancelled"], JOBS);
    assert_eq!(app.status(&other).await, "waiting");
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_thousand_listed_jobs_take_ten_steps() {
    let app = TestApp::start();
    let mut ids: Vec<_> = (1..1_000)
        .map(|number| JobId::new(START, number).to_string())
        .collect();
    let failed = create(&app, "ann", "bad").await;
    app.drain(&Scripted(half_broken)).await;
    ids.push(failed.clone());
    let path = app
        .begin(&json!({"operation": "retry-failed", "jobIds": ids}))
        .await;
    assert_eq!(app.get(&path).await.json["examined"], 100);
    let (ended, sweeps) = app.finish(&path).await;
    assert_eq!(sweeps, 2, "five steps in each");
    assert_eq!(ended["examined"], 1_000);
    assert_eq!(ended["changed"], 1);
    assert_eq!(app.status(&failed).await, "waiting");
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_customer_operates_on_its_own_jobs_alone() {
    let app = TestApp::start();
    let own = create(&app, "ann", "x").await;
    let other = create(&app, "bob", "x").await;
    for operation in ["cleanup", "retry-failed", "drain"] {
        let body = json!({"operation": operation, "customerId": "bob"});
        let refused = app.call(customer("ann"), Method::POST, "/api/queue", &body);
        assert_eq!(refused.await.status, StatusCode::FORBIDDEN, "{operation}");
    }
    let refused = app
        .call(
            customer("ann"),
            Method::DELETE,
            "/api/queue?operation=all&customerId=bob",
            &Value::Null,
        )
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let drain = json!({"operation": "drain"});
    let begun = app
        .call(customer("ann"), Method::POST, "/api/queue", &drain)
        .await;
    let path = begun.text("statusUrl");
    assert_eq!(app.status(&own).await, "cancelled");
    assert_eq!(app.status(&other).await, "waiting");
    for (caller, expected) in [
        (customer("ann"), StatusCode::OK),
        (customer("bob"), StatusCode::NOT_FOUND),
        (Caller::Admin, StatusCode::OK),
    ] {
        let read = app.call(caller, Method::GET, path, &Value::Null).await;
        assert_eq!(read.status, expected);
    }
    let begun = app.post("/api/queue", &drain).await;
    let path = begun.text("statusUrl");
    let read = app
        .call(customer("bob"), Method::GET, path, &Value::Null)
        .await;
    assert_eq!(read.status, StatusCode::NOT_FOUND, "an admin's");
    assert_eq!(app.status(&other).await, "cancelled");
    app.drain(&Anything).await;
}

#[tokio::test]
async fn an_operation_that_nobody_understands_is_refused() {
    let app = TestApp::start();
    for body in [
        json!({}),
        json!({"operation": "explode"}),
        json!({"operation": "drain", "status": "failed"}),
    ] {
        let refused = app.post("/api/queue", &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
    }
    for query in ["", "?operation=", "?operation=drain", "?operation=all&x=1"] {
        let refused = app.delete(&format!("/api/queue{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
    for id in ["op_01hf7yat000000000000000007", "op_x", "%00"] {
        let read = app.get(&format!("/api/operations/{id}")).await;
        assert_eq!(read.status, StatusCode::NOT_FOUND);
    }
    let keys: Vec<_> = app
        .items()
        .into_iter()
        .map(|item| item["pk"].clone())
        .collect();
    assert_eq!(keys, Vec::<Value>::new());
}

#[tokio::test]
async fn an_operation_can_be_read_for_a_day_after_its_end() {
    let app = TestApp::start();
    let id = create(&app, "ann", "x").await;
    let body = json!({"operation": "retry-failed", "jobIds": [id]});
    let begun = app.post("/api/queue", &body).await;
    assert_golden("wire_begun", &begun.json);
    let path = begun.text("statusUrl").to_owned();
    let read = app.get(&path).await;
    assert_golden("wire_operation", &read.json);
    let tag = read.header("etag").unwrap().to_owned();
    let again = app.get_unless(&path, &tag).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let items = app.items();
    let of_operation = |item: &&Value| item["pk"]["S"].as_str().unwrap().starts_with("op_");
    let items: Vec<_> = items.iter().filter(of_operation).cloned().collect();
    assert_golden("items_operation", &json!(items));
    end(&app).await;
    app.advance_almost(DAY);
    app.sweep().await;
    assert_eq!(app.get(&path).await.status, StatusCode::OK);
    app.advance(Duration::from_millis(1));
    assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
    app.sweep().await;
    assert!(!app.items().iter().any(|item| of_operation(&item)));
}

#[tokio::test]
async fn a_sweep_with_time_left_sees_an_operation_through() {
    let app = TestApp::start();
    let ids = (1..=1_000).map(|number| JobId::new(START, number).to_string());
    let ids: Vec<_> = ids.collect();
    let body = json!({"operation": "retry-failed", "jobIds": ids});
    let path = app.begin(&body).await;
    let deadline = app.app.now() + INVOCATION;
    let swept = scheduler::sweep(&app.app, deadline).await.unwrap();
    assert!(!swept.more);
    assert_eq!(app.get(&path).await.json["status"], "completed");
}

#[tokio::test]
async fn a_restart_goes_on_with_an_operation_at_once() {
    let app = TestApp::start();
    for number in 0..250 {
        create(&app, "ann", &format!("{number}")).await;
    }
    while app.queue.try_receive().is_some() {}
    let path = app.begin(&json!({"operation": "drain"})).await;
    assert_eq!(app.get(&path).await.json["examined"], 100);
    app.app.sweep(Mode::Restart, usize::MAX).await.unwrap();
    while app.queue.try_receive().is_some() {}
    let (ended, sweeps) = app.finish(&path).await;
    assert_eq!((&ended["changed"], sweeps), (&json!(250), 1));
}

#[tokio::test]
async fn a_lease_keeps_other_sweeps_from_a_running_step() {
    assert!(LEASE > Duration::from_mins(1), "an operation's is shorter");
    let app = TestApp::start();
    for number in 0..250 {
        create(&app, "ann", &format!("{number}")).await;
    }
    while app.queue.try_receive().is_some() {}
    let path = app.begin(&json!({"operation": "drain"})).await;
    let (one, other) = tokio::join!(
        app.app.sweep(Mode::Routine, 1_000),
        app.app.sweep(Mode::Routine, 1_000)
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.written + other.written, 1, "one of them took it");
    let ended = app.get(&path).await.json;
    assert_eq!(
        (&ended["status"], &ended["changed"]),
        (&json!("completed"), &json!(250))
    );
}
