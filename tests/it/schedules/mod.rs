//! Jobs that recur: what is asked for, what each tick makes however often it comes, and that
//! whatever is cut short is repaired.

mod calls;
mod changes;
mod late;
mod month;
mod overlap;
mod repair;
mod requests;
mod stored;
mod tenants;
mod ticks;
mod told;

use std::time::Duration;

use axum::http::{Method, StatusCode};
use jobs::{Caller, ScheduleId, Timestamp};
use serde_json::{Value, json};

use crate::app::{Answered, Anything, TestApp};

const URL: &str = "http://site.example/";
const MINUTE: Duration = Duration::from_mins(1);
/// The first whole minute after the start of a test.
const FIRST: Timestamp = Timestamp::from_millis(1_700_000_040_000);

fn body(more: &Value) -> Value {
    let mut body = json!({"type": "single-page", "url": URL, "cronPattern": "* * * * *"});
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

/// Creates a schedule that must be accepted, for every minute unless told; gives its id.
async fn create(app: &TestApp, more: &Value) -> String {
    let created = app.post("/api/schedules", &body(more)).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    created.text("scheduleId").to_owned()
}

async fn ask(app: &TestApp, method: Method, path: &str, body: &Value) -> Answered {
    app.call(Caller::Anyone, method, path, body).await
}

/// Asks for something that must be done.
async fn done(app: &TestApp, method: Method, id: &str, body: &Value) -> Value {
    let answer = ask(app, method, &format!("/api/schedules/{id}"), body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json
}

async fn read(app: &TestApp, id: &str) -> Value {
    done(app, Method::GET, id, &Value::Null).await
}

/// Delivers a tick once.
async fn tick(app: &TestApp, id: &str, at: Timestamp) {
    let id = ScheduleId::parse(id).unwrap();
    app.app.tick(&id, at).await.unwrap();
}

/// Moves the clock to an instant.
fn move_to(app: &TestApp, at: Timestamp) {
    app.advance(at.since(app.app.now()));
}

/// Moves the clock to an instant and delivers its tick.
async fn tick_in_time(app: &TestApp, id: &str, at: Timestamp) {
    move_to(app, at);
    tick(app, id, at).await;
}

/// Works whatever waits; what follows the end of a run comes of itself.
async fn work(app: &TestApp) {
    while app.drain(&Anything).await > 0 {}
}

/// What became of the ticks of a schedule, the latest first: instant in minutes from [`FIRST`],
/// outcome, and where the job stands.
async fn history(app: &TestApp, id: &str) -> Vec<(i64, String, Option<String>)> {
    let runs = app.get(&format!("/api/schedules/{id}/runs")).await;
    assert_eq!(runs.status, StatusCode::OK, "{runs:?}");
    let runs = runs.json["runs"].as_array().unwrap().iter();
    runs.map(|run| {
        let at = Timestamp::parse(run["scheduledAt"].as_str().unwrap()).unwrap();
        let minute = (at.as_millis() - FIRST.as_millis()) / 60_000;
        let status = run["jobStatus"].as_str().map(str::to_owned);
        (minute, run["outcome"].as_str().unwrap().to_owned(), status)
    })
    .collect()
}

/// The same in short.
async fn outcomes(app: &TestApp, id: &str) -> Vec<String> {
    let history = history(app, id).await;
    let shown = |(minute, outcome, status): (i64, String, Option<String>)| {
        let status = status.map_or(String::new(), |status| format!(" {status}"));
        format!("{minute} {outcome}{status}")
    };
    history.into_iter().map(shown).collect()
}

/// Jobs that any schedule has made and that are still there.
fn jobs(app: &TestApp) -> usize {
    app.rows().iter().filter(|job| job.run_of.is_some()).count()
}

/// Purges everything whose time is over.
async fn purge(app: &TestApp) {
    while app.sweep().await.purged > 0 {}
}
