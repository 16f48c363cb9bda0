//! Runs that are due while the one before goes on.

use axum::http::{Method, StatusCode};
use futures::future::join_all;
use serde_json::{Value, json};

use super::{FIRST, MINUTE, ask, create, done, jobs, move_to, outcomes, read, tick_in_time, work};
use crate::app::TestApp;

/// Six ticks, each delivered three times, while the first run waits.
async fn six(app: &TestApp, id: &str) {
    for round in 0..6_u32 {
        let at = FIRST + MINUTE * round;
        move_to(app, at);
        join_all((0..3).map(|_| super::tick(app, id, at))).await;
    }
}

#[tokio::test]
async fn a_run_is_left_out_while_the_one_before_goes_on() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    six(&app, &id).await;
    assert_eq!(jobs(&app), 1);
    work(&app).await;
    tick_in_time(&app, &id, FIRST + MINUTE * 6).await;
    work(&app).await;
    let told = outcomes(&app, &id).await;
    assert_eq!(told[0], "6 fired completed");
    assert_eq!(
        told[1..6],
        [
            "5 skipped",
            "4 skipped",
            "3 skipped",
            "2 skipped",
            "1 skipped"
        ]
    );
    assert_eq!(told[6], "0 fired completed");
}

#[tokio::test]
async fn one_run_waits_for_the_end_of_the_one_before() {
    let app = TestApp::start();
    let id = create(&app, &json!({"overlap": "queue"})).await;
    six(&app, &id).await;
    assert_eq!(jobs(&app), 1);
    let told = outcomes(&app, &id).await;
    assert_eq!(told[4..], ["1 held", "0 fired waiting"]);
    work(&app).await;
    assert_eq!(jobs(&app), 2);
    let told = outcomes(&app, &id).await;
    assert_eq!(
        told[..4],
        ["5 skipped", "4 skipped", "3 skipped", "2 skipped"]
    );
    assert_eq!(told[4..], ["1 fired completed", "0 fired completed"]);
    assert_eq!(read(&app, &id).await["fired"], 2);
}

#[tokio::test]
async fn a_run_that_waits_begins_by_the_sweep_where_nobody_says_that_the_other_has_ended() {
    let app = TestApp::start();
    let id = create(&app, &json!({"overlap": "queue"})).await;
    six(&app, &id).await;
    app.advance(MINUTE * 6);
    app.sweep().await;
    assert_eq!(jobs(&app), 1, "the other has not ended");
    app.drain(&crate::app::Anything).await;
    app.advance(MINUTE * 6);
    app.sweep().await;
    assert_eq!(jobs(&app), 2);
    work(&app).await;
    let told = outcomes(&app, &id).await;
    assert_eq!(told[4..], ["1 fired completed", "0 fired completed"]);
}

#[tokio::test]
async fn the_end_of_a_run_is_told_as_often_as_one_likes() {
    let app = TestApp::start();
    let id = create(&app, &json!({"overlap": "queue"})).await;
    six(&app, &id).await;
    app.drain(&crate::app::Anything).await;
    let ended = app.rows().remove(0);
    join_all((0..8).map(|_| app.app.run_ended(&ended))).await;
    assert_eq!(jobs(&app), 2);
    work(&app).await;
    app.app.run_ended(&ended).await.unwrap();
    assert_eq!(jobs(&app), 2);
}

#[tokio::test]
async fn a_run_takes_the_place_of_the_one_before() {
    let app = TestApp::start();
    let id = create(&app, &json!({"overlap": "cancel-previous"})).await;
    six(&app, &id).await;
    assert_eq!(
        jobs(&app),
        6,
        "each is made once, and cancels none but the one before"
    );
    let told = outcomes(&app, &id).await;
    assert_eq!(told[0], "5 fired waiting");
    let cancelled: Vec<_> = (0..5)
        .rev()
        .map(|it| format!("{it} fired cancelled"))
        .collect();
    assert_eq!(told[1..], cancelled);
    // A tick of before that comes again cancels nothing.
    super::tick(&app, &id, FIRST + MINUTE).await;
    work(&app).await;
    assert_eq!(outcomes(&app, &id).await[0], "5 fired completed");
}

#[tokio::test]
async fn a_run_is_made_when_somebody_asks_for_it() {
    let app = TestApp::start();
    let id = create(
        &app,
        &json!({"limit": 1, "startDate": (FIRST + MINUTE).to_string()}),
    )
    .await;
    let path = format!("/api/schedules/{id}/run");
    let begun = ask(&app, Method::POST, &path, &Value::Null).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
    crate::golden::assert_golden("wire_run_begun", &begun.json);
    assert_eq!(
        app.get(begun.text("statusUrl")).await.status,
        StatusCode::OK
    );
    // Another one may not overlap it.
    let refused = ask(&app, Method::POST, &path, &Value::Null).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.json["status"], "waiting");
    crate::golden::assert_golden("wire_error_overlap", &refused.json);
    work(&app).await;
    // It does not count among those of the plan, and neither its limit nor a pause stands against it.
    tick_in_time(&app, &id, FIRST + MINUTE).await;
    work(&app).await;
    done(&app, Method::PUT, &id, &json!({"action": "pause"})).await;
    let begun = ask(&app, Method::POST, &path, &Value::Null).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
    work(&app).await;
    let runs = app.get(&format!("/api/schedules/{id}/runs")).await;
    let triggers: Vec<_> = runs.json["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["trigger"])
        .collect();
    assert_eq!(triggers, ["manual", "schedule", "manual"]);
    crate::golden::assert_golden("wire_runs", &runs.json);
    assert_eq!(read(&app, &id).await["fired"], 1);
}

#[tokio::test]
async fn of_many_who_ask_for_a_run_at_once_one_is_answered_with_it() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    let path = format!("/api/schedules/{id}/run");
    let all = join_all((0..10).map(|_| ask(&app, Method::POST, &path, &Value::Null))).await;
    let begun = all.iter().filter(|it| it.status == StatusCode::ACCEPTED);
    assert_eq!(begun.count(), 1);
    assert_eq!(jobs(&app), 1);
    work(&app).await;
}
