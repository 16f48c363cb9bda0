//! Ticks: one job each, however often they are delivered and whatever has become of the job.

use std::time::Duration;

use axum::http::Method;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{
    FIRST, MINUTE, create, done, history, jobs, move_to, outcomes, purge, read, tick, tick_in_time,
    work,
};
use crate::app::TestApp;

#[tokio::test]
async fn a_tick_that_the_pattern_does_not_have_makes_nothing_and_the_timetable_is_told_again() {
    let app = TestApp::start();
    let id = create(&app, &json!({"cronPattern": "*/7 * * * *"})).await;
    // The timetable holds another entry than the row believes.
    app.timetable.lose(&id);
    let foreign = FIRST + MINUTE;
    tick_in_time(&app, &id, foreign).await;
    assert_eq!(jobs(&app), 0);
    assert!(app.timetable.entry(&id).is_some(), "it is told again");
}

#[tokio::test]
async fn a_thousand_ticks_of_a_hundred_schedules_delivered_five_times_are_a_thousand_jobs() {
    let app = TestApp::start();
    let mut schedules = Vec::new();
    for number in 0..100 {
        let customer = format!("customer-{}", number % 7);
        schedules.push(create(&app, &json!({"customerId": customer})).await);
    }
    for round in 0..10_u32 {
        let at = FIRST + MINUTE * round;
        move_to(&app, at);
        let deliveries = schedules.iter().enumerate().flat_map(|(number, id)| {
            let times = 1 + (number + round as usize) % 5;
            std::iter::repeat_n(id, times).map(|id| tick(&app, id, at))
        });
        join_all(deliveries).await;
        assert_eq!(jobs(&app), 100 * (round as usize + 1));
        work(&app).await;
    }
    assert_eq!(jobs(&app), 1_000);
    for id in &schedules {
        let history = history(&app, id).await;
        assert_eq!(history.len(), 10);
        assert!(history.iter().all(|(_, outcome, status)| {
            outcome == "fired" && status.as_deref() == Some("completed")
        }));
    }
}

#[tokio::test]
async fn many_ticks_of_one_schedule_are_as_many_jobs_however_often_each_comes() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    for round in 0..120_u32 {
        let at = FIRST + MINUTE * round;
        move_to(&app, at);
        let times = 1 + (round % 5) as usize;
        join_all((0..times).map(|_| tick(&app, &id, at))).await;
        work(&app).await;
        // One that comes again later, and one of before.
        tick(&app, &id, at).await;
        tick(&app, &id, FIRST).await;
    }
    assert_eq!(jobs(&app), 120);
    let read = read(&app, &id).await;
    assert_eq!(read["fired"], 120);
    assert_eq!(
        read["lastRun"]["scheduledAt"],
        (FIRST + MINUTE * 119).to_string()
    );
    assert_eq!(
        history(&app, &id).await.len(),
        100,
        "the last hundred are told"
    );
}

#[tokio::test]
async fn a_tick_makes_no_job_again_when_its_job_is_long_gone() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    tick_in_time(&app, &id, FIRST).await;
    work(&app).await;
    app.advance(Duration::from_hours(40 * 24));
    purge(&app).await;
    assert_eq!(jobs(&app), 0);
    assert_eq!(
        outcomes(&app, &id).await,
        ["0 fired completed"],
        "the history is kept"
    );
    join_all((0..5).map(|_| tick(&app, &id, FIRST))).await;
    assert_eq!(jobs(&app), 0);
    // Not even when nobody remembers the tick.
    app.advance(Duration::from_hours(60 * 24));
    assert_eq!(outcomes(&app, &id).await, Vec::<String>::new());
    app.embedded.remove_expired().await.unwrap();
    tick(&app, &id, FIRST).await;
    assert_eq!(jobs(&app), 0);
    assert_eq!(outcomes(&app, &id).await, ["0 missed"]);
}

#[tokio::test]
async fn a_tick_makes_no_job_again_when_its_job_has_been_removed_a_moment_ago() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    tick_in_time(&app, &id, FIRST).await;
    work(&app).await;
    let cleanup = json!({"operation": "cleanup", "maxAgeHours": 0});
    app.post("/api/queue", &cleanup).await;
    purge(&app).await;
    assert_eq!(jobs(&app), 0, "nothing but the tick remembers it");
    join_all((0..5).map(|_| tick(&app, &id, FIRST))).await;
    assert_eq!(jobs(&app), 0);
    assert_eq!(read(&app, &id).await["fired"], 1);
    assert_eq!(outcomes(&app, &id).await, ["0 fired completed"]);
}

#[tokio::test]
async fn ticks_of_what_is_not_there_make_nothing() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    done(&app, Method::DELETE, &id, &Value::Null).await;
    tick_in_time(&app, &id, FIRST).await;
    tick(&app, "sch_01hf7yat000000000000000007", FIRST).await;
    assert_eq!(jobs(&app), 0);
    assert!(app.timetable.entries().is_empty());
}

#[tokio::test]
async fn jobs_of_a_schedule_are_each_their_own_and_have_what_was_asked_for() {
    let app = TestApp::start();
    let more = json!({"priority": "urgent", "customerId": "ann", "metadata": {"a": 1}});
    let id = create(&app, &more).await;
    app.create(&json!({"type": "single-page", "url": super::URL, "customerId": "ann"}))
        .await;
    tick_in_time(&app, &id, FIRST).await;
    let made = app.rows().into_iter().find(|job| job.run_of.is_some());
    let made = made.unwrap();
    assert_eq!(made.fingerprint, None, "it is no duplicate and makes none");
    let job = app.job(made.id.as_str()).await;
    assert_eq!(job["priority"], "urgent");
    assert_eq!(job["customerId"], "ann");
    assert_eq!(job["metadata"], json!({"a": 1}));
    assert_eq!(job["createdAt"], FIRST.to_string());
    work(&app).await;
}

#[tokio::test]
async fn a_customer_without_room_is_told_so_in_the_history() {
    let app = TestApp::with_room(1);
    let id = create(&app, &json!({})).await;
    app.create_for("http://site.example/other").await;
    tick_in_time(&app, &id, FIRST).await;
    assert_eq!(jobs(&app), 0);
    work(&app).await;
    tick(&app, &id, FIRST).await;
    tick_in_time(&app, &id, FIRST + MINUTE).await;
    work(&app).await;
    assert_eq!(
        outcomes(&app, &id).await,
        ["1 fired completed", "0 refused"]
    );
    assert_eq!(read(&app, &id).await["fired"], 1);
}

#[tokio::test]
async fn a_limit_is_kept_to_the_run_and_ends_the_schedule() {
    let app = TestApp::start();
    let id = create(&app, &json!({"limit": 3})).await;
    for round in 0..5_u32 {
        let at = FIRST + MINUTE * round;
        move_to(&app, at);
        join_all((0..4).map(|_| tick(&app, &id, at))).await;
        work(&app).await;
    }
    assert_eq!(jobs(&app), 3);
    let read = read(&app, &id).await;
    assert_eq!(
        (&read["status"], &read["fired"]),
        (&json!("ended"), &json!(3))
    );
    assert_eq!(read["nextRuns"], json!([]));
    assert!(
        !app.timetable.entry(&id).unwrap().enabled,
        "it need not fire any more"
    );
    let told = outcomes(&app, &id).await;
    assert_eq!(told[..2], ["4 limit", "3 limit"]);
}

#[tokio::test]
async fn nothing_runs_before_the_start_or_after_the_end() {
    let app = TestApp::start();
    let (start, end) = (FIRST + MINUTE * 2, FIRST + MINUTE * 4);
    let bounds = json!({"startDate": start.to_string(), "endDate": end.to_string()});
    let id = create(&app, &bounds).await;
    for round in 0..7_u32 {
        tick_in_time(&app, &id, FIRST + MINUTE * round).await;
        work(&app).await;
    }
    let expected = [
        "4 fired completed",
        "3 fired completed",
        "2 fired completed",
    ];
    assert_eq!(outcomes(&app, &id).await, expected);
    assert_eq!(read(&app, &id).await["status"], "ended");
}
