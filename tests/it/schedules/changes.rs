//! Changing, pausing and deleting schedules.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{FIRST, MINUTE, ask, create, done, jobs, outcomes, read, tick_in_time, work};
use crate::app::TestApp;
use crate::golden::assert_golden;

#[tokio::test]
async fn a_change_takes_the_place_of_what_it_names_alone() {
    let app = TestApp::start();
    let id = create(
        &app,
        &json!({"name": "old", "metadata": {"a": 1}, "limit": 9}),
    )
    .await;
    app.advance(MINUTE);
    let change = json!({
        "cronPattern": "0 2 * * *", "timezone": "Europe/Berlin", "name": null, "url": "http://b.example/",
        "priority": "low", "metadata": {"b": 2}, "overlap": "queue",
    });
    let changed = done(&app, Method::PATCH, &id, &change).await;
    assert_eq!(changed, read(&app, &id).await);
    assert_eq!(changed["nextRuns"][0], "2023-11-15T01:00:00.000Z");
    for (field, value) in [
        ("name", Value::Null),
        ("limit", json!(9)),
        ("url", json!("http://b.example/")),
        ("priority", json!("low")),
        ("metadata", json!({"b": 2})),
        ("overlap", json!("queue")),
    ] {
        assert_eq!(changed[field], value, "{field}");
    }
    assert_ne!(changed["updatedAt"], changed["createdAt"]);
    let entry = app.timetable.entry(&id).unwrap();
    assert_eq!(
        (entry.cron.pattern(), entry.zone.as_str()),
        ("0 2 * * *", "Europe/Berlin")
    );
    assert_eq!(
        entry.after,
        app.app.now(),
        "what the new pattern would have fired is not missed"
    );
}

#[tokio::test]
async fn a_change_that_is_wrong_changes_nothing() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    let before = read(&app, &id).await;
    for (change, fields) in [
        (json!({}), vec!["body"]),
        (json!([]), vec!["body"]),
        (json!({"cronPattern": null}), vec!["cronPattern"]),
        (json!({"colour": 1, "limit": 0}), vec!["limit", "colour"]),
        (json!({"maxPages": 5}), vec!["maxPages"]),
        (json!({"customerId": "other"}), vec!["customerId"]),
        (
            json!({"config": {"fields": {"a": {"selector": "["}}}}),
            vec!["config.fields.a.selector"],
        ),
    ] {
        let answer = ask(
            &app,
            Method::PATCH,
            &format!("/api/schedules/{id}"),
            &change,
        )
        .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{change}");
        assert_eq!(answer.fields(), fields, "{change}");
    }
    assert_eq!(read(&app, &id).await, before);
    done(
        &app,
        Method::PATCH,
        &id,
        &json!({"type": "full-crawl", "maxPages": 5}),
    )
    .await;
    assert_eq!(read(&app, &id).await["options"]["maxPages"], 5);
    done(&app, Method::PATCH, &id, &json!({"customerId": "default"})).await;
}

#[tokio::test]
async fn changes_at_once_all_count() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    let path = format!("/api/schedules/{id}");
    let changes = [
        json!({"name": "x"}),
        json!({"limit": 7}),
        json!({"overlap": "queue"}),
        json!({"timezone": "Asia/Tokyo"}),
        json!({"metadata": {"a": 1}}),
    ];
    let all = changes
        .iter()
        .map(|change| ask(&app, Method::PATCH, &path, change));
    for answer in futures::future::join_all(all).await {
        assert_eq!(answer.status, StatusCode::OK);
    }
    let read = read(&app, &id).await;
    assert_eq!((&read["name"], &read["limit"]), (&json!("x"), &json!(7)));
    assert_eq!(
        (&read["overlap"], &read["timezone"]),
        (&json!("queue"), &json!("Asia/Tokyo"))
    );
    assert_eq!(
        app.timetable.entry(&id).unwrap().zone.as_str(),
        "Asia/Tokyo"
    );
}

#[tokio::test]
async fn nothing_fires_while_it_is_paused_and_nothing_is_made_up_for() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    for _ in 0..2 {
        let paused = done(&app, Method::PUT, &id, &json!({"action": "pause"})).await;
        assert_eq!(paused["status"], "paused");
        assert_golden("wire_schedule_paused", &paused);
    }
    assert!(!app.timetable.entry(&id).unwrap().enabled);
    assert_eq!(read(&app, &id).await["nextRuns"], json!([]));
    tick_in_time(&app, &id, FIRST).await;
    app.advance(MINUTE / 2);
    for _ in 0..2 {
        let resumed = done(&app, Method::PUT, &id, &json!({"action": "resume"})).await;
        assert_eq!(resumed["status"], "active");
    }
    assert!(app.timetable.entry(&id).unwrap().enabled);
    // One that comes again after the pause is still none of its business.
    super::tick(&app, &id, FIRST).await;
    assert_eq!(jobs(&app), 0);
    tick_in_time(&app, &id, FIRST + MINUTE).await;
    work(&app).await;
    assert_eq!(outcomes(&app, &id).await, ["1 fired completed"]);
    for body in [
        json!({}),
        json!({"action": "stop"}),
        json!({"action": "pause", "x": 1}),
    ] {
        let answer = ask(&app, Method::PUT, &format!("/api/schedules/{id}"), &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
}

#[tokio::test]
async fn a_run_that_waits_is_let_go_by_a_pause() {
    let app = TestApp::start();
    let id = create(&app, &json!({"overlap": "queue"})).await;
    tick_in_time(&app, &id, FIRST).await;
    tick_in_time(&app, &id, FIRST + MINUTE).await;
    done(&app, Method::PUT, &id, &json!({"action": "pause"})).await;
    work(&app).await;
    app.advance(MINUTE * 10);
    app.sweep().await;
    assert_eq!(jobs(&app), 1);
    assert_eq!(
        outcomes(&app, &id).await,
        ["1 skipped", "0 fired completed"]
    );
}

#[tokio::test]
async fn a_deleted_schedule_is_gone_and_its_jobs_stay() {
    let app = TestApp::start();
    let id = create(&app, &json!({"overlap": "queue"})).await;
    tick_in_time(&app, &id, FIRST).await;
    tick_in_time(&app, &id, FIRST + MINUTE).await;
    let deleted = done(&app, Method::DELETE, &id, &Value::Null).await;
    assert_eq!(deleted["status"], "deleted");
    let path = format!("/api/schedules/{id}");
    for (method, path, body) in [
        (Method::GET, path.clone(), Value::Null),
        (Method::GET, format!("{path}/runs"), Value::Null),
        (Method::DELETE, path.clone(), Value::Null),
        (Method::POST, format!("{path}/run"), Value::Null),
        (Method::PATCH, path.clone(), json!({"name": "x"})),
        (Method::PUT, path.clone(), json!({"action": "resume"})),
    ] {
        let answer = ask(&app, method, &path, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json["error"], "Schedule not found");
    }
    work(&app).await;
    assert_eq!(jobs(&app), 1);
    assert!(app.timetable.entries().is_empty());
    let items = app.items();
    let rows = items.iter().filter(|item| item["sk"]["S"] == "schedule");
    assert_eq!(rows.count(), 0);
    assert_eq!(app.get("/api/schedules").await.json["schedules"], json!([]));
}
