//! What is cut short between row and timetable: one sweep repairs it, in both directions.

use axum::http::{Method, StatusCode};
use jobs::transition::Mode;
use serde_json::{Value, json};

use super::{FIRST, MINUTE, ask, body, create, done, jobs, read, tick_in_time, work};
use crate::app::TestApp;
use crate::timetable::Fate;

/// Makes a call whose process dies at its next word to the timetable.
async fn dies(app: &TestApp, fate: Fate, method: Method, path: &str, body: &Value) {
    app.timetable.next([fate]);
    tokio::select! {
        answer = ask(app, method, path, body) => panic!("{answer:?}"),
        () = app.timetable.death() => {}
    }
}

async fn only(app: &TestApp) -> String {
    let list = app.get("/api/schedules").await;
    let schedules = list.json["schedules"].as_array().unwrap();
    assert_eq!(schedules.len(), 1);
    schedules[0]["id"].as_str().unwrap().to_owned()
}

/// Whether anything is owed to a schedule.
fn is_owed(app: &TestApp) -> bool {
    let due = |item: &Value| item["due_list"]["S"] == "schedule#0";
    app.items().iter().any(due)
}

#[tokio::test]
async fn a_process_killed_between_row_and_timetable_is_repaired_by_one_sweep() {
    for fate in [Fate::DiesBefore, Fate::DiesAfter] {
        let app = TestApp::start();
        dies(&app, fate, Method::POST, "/api/jobs", &body(&json!({}))).await;
        let id = only(&app).await;
        let is_placed = app.timetable.entry(&id).is_some();
        assert_eq!(is_placed, fate == Fate::DiesAfter);
        assert!(is_owed(&app));
        app.sweep().await;
        assert!(is_owed(&app), "its writer has a moment to do it");
        app.advance(MINUTE / 6);
        app.sweep().await;
        assert!(app.timetable.entry(&id).unwrap().enabled);
        assert!(!is_owed(&app));
        tick_in_time(&app, &id, FIRST).await;
        assert_eq!(jobs(&app), 1);
        work(&app).await;
    }
}

#[tokio::test]
async fn a_change_that_is_cut_short_reaches_the_timetable_by_one_sweep() {
    for fate in [Fate::DiesBefore, Fate::DiesAfter] {
        let app = TestApp::start();
        let id = create(&app, &json!({})).await;
        let path = format!("/api/schedules/{id}");
        let change = json!({"cronPattern": "30 * * * *"});
        dies(&app, fate, Method::PATCH, &path, &change).await;
        // What the timetable still has makes nothing.
        tick_in_time(&app, &id, FIRST).await;
        assert_eq!(jobs(&app), 0);
        app.sweep().await;
        let entry = app.timetable.entry(&id).unwrap();
        assert_eq!(entry.cron.pattern(), "30 * * * *");
        dies(&app, fate, Method::PUT, &path, &json!({"action": "pause"})).await;
        app.advance(MINUTE);
        app.sweep().await;
        assert!(!app.timetable.entry(&id).unwrap().enabled);
        dies(&app, fate, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
        app.advance(MINUTE);
        app.sweep().await;
        assert!(app.timetable.entries().is_empty());
        assert!(!is_owed(&app));
    }
}

#[tokio::test]
async fn a_timetable_out_of_reach_is_told_later_and_stops_nothing() {
    let app = TestApp::start();
    app.timetable.next([Fate::Refused]);
    let id = create(&app, &json!({})).await;
    assert_eq!(read(&app, &id).await["status"], "active");
    for minutes in [1, 2, 4, 8] {
        assert!(app.timetable.entries().is_empty());
        app.timetable.next([Fate::Refused]);
        app.advance_almost(MINUTE * minutes);
        assert_eq!(app.sweep().await.written, 0, "not before {minutes}");
        app.advance(crate::app::MILLISECOND);
        app.sweep().await;
    }
    app.advance(MINUTE * 15);
    app.sweep().await;
    assert!(app.timetable.entry(&id).is_some());
    assert!(!is_owed(&app));
}

#[tokio::test]
async fn timetable_and_rows_are_made_equal_in_both_directions() {
    let app = TestApp::start();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(create(&app, &json!({})).await);
    }
    done(&app, Method::PUT, &ids[1], &json!({"action": "pause"})).await;
    let mut orphan = app.timetable.entry(&ids[0]).unwrap();
    app.timetable.lose(&ids[1]);
    app.timetable.lose(&ids[4]);
    for number in 1..4 {
        orphan.id = jobs::ScheduleId::new(FIRST, number);
        app.timetable.invent(orphan.clone());
    }
    app.sweep().await;
    assert_eq!(app.timetable.entries().len(), 6, "not at any time");
    // The first minute of an hour.
    app.advance(MINUTE * 47);
    app.sweep().await;
    let placed: Vec<_> = app
        .timetable
        .entries()
        .iter()
        .map(|it| it.id.to_string())
        .collect();
    ids.sort_unstable();
    assert_eq!(placed, ids);
    let enabled = app.timetable.entries();
    assert_eq!(enabled.iter().filter(|entry| entry.enabled).count(), 4);
    app.timetable.lose(&ids[2]);
    app.sweep().await;
    assert!(app.timetable.entry(&ids[2]).is_none(), "once in an hour");
    app.advance(MINUTE * 60);
    app.sweep().await;
    assert!(app.timetable.entry(&ids[2]).is_some());
}

#[tokio::test]
async fn a_timetable_that_has_forgotten_everything_knows_it_again_after_a_restart() {
    let app = TestApp::start();
    let mut ids = Vec::new();
    for number in 0..150 {
        ids.push(create(&app, &json!({"customerId": format!("c{}", number % 3)})).await);
    }
    tick_in_time(&app, &ids[0], FIRST).await;
    work(&app).await;
    for id in &ids {
        app.timetable.lose(id);
    }
    app.app.sweep(Mode::Restart, usize::MAX).await.unwrap();
    assert_eq!(app.timetable.entries().len(), 150);
    let entry = app.timetable.entry(&ids[0]).unwrap();
    assert_eq!(entry.after, FIRST, "what has fired is known");
    app.app.sweep(Mode::Shutdown, usize::MAX).await.unwrap();
}

#[tokio::test]
async fn the_last_to_tell_the_timetable_is_put_right_where_he_is_not_the_last_to_write() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    let path = format!("/api/schedules/{id}");
    let patterns = ["5 * * * *", "6 * * * *", "7 * * * *", "8 * * * *"];
    let changes = patterns.map(|it| json!({"cronPattern": it}));
    let all = changes
        .iter()
        .map(|change| ask(&app, Method::PATCH, &path, change));
    futures::future::join_all(all).await;
    app.advance(MINUTE);
    app.sweep().await;
    let shown = read(&app, &id).await;
    let entry = app.timetable.entry(&id).unwrap();
    assert_eq!(shown["cronPattern"], entry.cron.pattern());
    assert!(!is_owed(&app));
}
