//! What is told of jobs: every change, at least once, under one id, whatever dies in between.

pub(crate) mod bus;
mod crawls;
mod event_bridge;
pub(crate) mod letters;
mod requested;

use std::collections::BTreeSet;
use std::time::Duration;

use jobs::EventType::{JobCancelled, JobCompleted, JobCreated, JobFailed, JobRetried, JobStarted};
use jobs::transition::Mode;
use jobs::{EventType, Failure, FailureCode};
use serde_json::{Value, json};

use crate::app::{Anything, Scripted, TestApp};
use crate::golden::assert_golden;

const URL: &str = "https://example.com/page";
/// After this long the sweep tells what others have left.
const GRACE: Duration = Duration::from_secs(61);

fn heard() -> TestApp {
    let app = TestApp::start();
    app.bus.listen();
    app
}

fn bodies(app: &TestApp) -> Vec<Value> {
    let events = app.bus.events().into_iter();
    events
        .map(|event| serde_json::from_str(&event.body).unwrap())
        .collect()
}

fn failing(
    code: FailureCode,
) -> Scripted<impl Fn(&jobs::ports::PageRequest) -> Result<jobs::Page, Failure>> {
    Scripted(move |_: &jobs::ports::PageRequest| Err(Failure::new(code, "It went wrong")))
}

/// What is told is what the document says that it is.
pub(crate) async fn are_as_documented(app: &TestApp) {
    let document = app.get("/openapi.json").await.json;
    let schema = &document["components"]["schemas"]["Event"];
    let has_shape = |schema: &Value, value: &Value| {
        let value = value.as_object().unwrap();
        for name in schema["required"].as_array().unwrap() {
            assert!(
                value.contains_key(name.as_str().unwrap()),
                "{name} in {value:?}"
            );
        }
        for (name, value) in value {
            let described = &schema["properties"][name];
            assert!(described.is_object(), "{name} is not documented");
            let fits = match described["type"].as_str() {
                Some("string") => value.is_string(),
                Some("integer") => value.is_u64(),
                Some("boolean") => value.is_boolean(),
                Some("object") => value.is_object(),
                Some("array") => value.is_array(),
                _ => true,
            };
            assert!(fits, "{name} is {value}");
        }
    };
    for body in bodies(app) {
        has_shape(schema, &body);
        let data = &schema["properties"]["data"];
        has_shape(data, &body["data"]);
        for page in body["data"]["pages"].as_array().into_iter().flatten() {
            has_shape(&data["properties"]["pages"]["items"], page);
        }
        let kind = body["type"].as_str().unwrap();
        assert!(document["webhooks"][kind].is_object(), "{kind}");
    }
}

/// Nothing is left to tell, and each event had an id of its own.
async fn all_is_told(app: &TestApp) {
    are_as_documented(app).await;
    for job in app.rows() {
        assert_eq!(job.untold(), None, "{}", job.id);
    }
    app.advance(GRACE);
    let told = app.bus.events().len();
    app.sweep().await;
    assert_eq!(app.bus.events().len(), told, "nothing is told again");
}

#[tokio::test]
async fn a_job_is_told_of_from_its_creation_to_its_end() {
    let app = heard();
    app.create(&json!({
        "type": "single-page", "url": URL, "customerId": "acme", "metadata": {"order": 7},
    }))
    .await;
    app.drain(&Anything).await;
    assert_eq!(app.bus.kinds(), [JobCreated, JobStarted, JobCompleted]);
    let ids: BTreeSet<_> = app.bus.events().into_iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), 3);
    all_is_told(&app).await;
    assert_golden("events", &Value::from(bodies(&app)));
}

#[tokio::test]
async fn failures_retries_and_a_cancellation_are_told_of() {
    let app = heard();
    let id = app
        .create(&json!({"type": "single-page", "url": URL, "attempts": 2}))
        .await;
    app.drain(&failing(FailureCode::Timeout)).await;
    app.advance(Duration::from_mins(1));
    app.drain(&failing(FailureCode::Http(404))).await;
    app.act(&id, "retry").await;
    app.act(&id, "cancel").await;
    assert_eq!(
        app.bus.kinds(),
        [
            JobCreated,
            JobStarted,
            JobRetried,
            JobFailed,
            JobRetried,
            JobCancelled
        ]
    );
    app.drain(&Anything).await;
    all_is_told(&app).await;
    assert_golden("events_of_failures", &Value::from(bodies(&app)));
}

#[tokio::test]
async fn nothing_is_noted_where_nobody_listens() {
    let app = TestApp::start();
    let id = app.create_for(URL).await;
    app.drain(&Anything).await;
    assert_eq!(app.row(&id).await.outbox, None);
    assert_eq!(app.bus.events(), []);
}

#[tokio::test]
async fn a_job_that_has_to_wait_is_told_of_at_once() {
    let app = heard();
    let body = json!({"type": "single-page", "url": URL, "delay": 3_600_000});
    let id = app.create(&body).await;
    assert_eq!(app.bus.kinds(), [JobCreated]);
    assert_eq!(app.row(&id).await.untold(), None);
}

#[tokio::test]
async fn what_its_worker_did_not_live_to_tell_the_sweep_tells() {
    let app = heard();
    let id = app.create_for(URL).await;
    // The process of the worker ends with the write of the end: nothing of it was told.
    app.bus.fail(2);
    app.drain(&Anything).await;
    assert_eq!(app.bus.kinds(), []);
    let row = app.row(&id).await;
    assert!(row.state.is_terminal() && row.untold().is_some());
    app.advance(GRACE);
    app.sweep().await;
    assert_eq!(app.bus.kinds(), [JobCreated, JobStarted, JobCompleted]);
    assert!(
        app.row(&id).await.due_at > Some(app.app.now()),
        "kept as before"
    );
    all_is_told(&app).await;
}

#[tokio::test]
async fn what_a_killed_process_did_not_tell_the_next_one_tells_at_once() {
    let app = heard();
    app.create_for(URL).await;
    app.bus.fail(2);
    app.drain(&Anything).await;
    assert_eq!(app.bus.kinds(), []);
    app.app.sweep(Mode::Restart, usize::MAX).await.unwrap();
    assert_eq!(app.bus.kinds(), [JobCreated, JobStarted, JobCompleted]);
    all_is_told(&app).await;
}

#[tokio::test]
async fn a_bus_that_is_away_for_long_is_asked_less_and_less_and_loses_nothing() {
    let app = heard();
    let id = app.create_for(URL).await;
    app.bus.fail(usize::MAX);
    app.drain(&Anything).await;
    let mut asked = 0;
    for _ in 0..120 {
        app.advance(Duration::from_mins(1));
        let before = app.row(&id).await.revision;
        app.sweep().await;
        asked += app.row(&id).await.revision - before;
    }
    assert!((8..=14).contains(&asked), "{asked} tries in two hours");
    app.bus.fail(0);
    app.advance(Duration::from_mins(16));
    app.sweep().await;
    assert_eq!(app.bus.kinds(), [JobCreated, JobStarted, JobCompleted]);
    all_is_told(&app).await;
}

#[tokio::test]
async fn a_bus_that_hangs_keeps_the_sweep_from_nothing_else() {
    let app = heard();
    app.bus.fail(usize::MAX);
    for number in 0..60 {
        app.create_for(&format!("{URL}/{number}")).await;
    }
    app.drain(&Anything).await;
    let lost = app.create_for(&format!("{URL}/lost")).await;
    app.receive();
    let before = app.bus.calls();
    app.advance(GRACE * 2);
    assert_eq!(
        app.sweep().await.sent,
        0,
        "the row has something to tell as well"
    );
    // As many as were on their way when the first one failed, and no more.
    assert!(
        app.bus.calls() - before <= 16,
        "{} calls",
        app.bus.calls() - before
    );
    app.advance(Duration::from_secs(1));
    assert_eq!(app.sweep().await.sent, 1, "{lost} is sent again");
    app.drain(&Anything).await;
    app.bus.fail(0);
    for _ in 0..3 {
        app.advance(Duration::from_mins(10));
        app.sweep().await;
    }
    all_is_told(&app).await;
}

#[tokio::test]
async fn webhooks_hear_of_what_a_bus_that_is_away_does_not() {
    let app = heard();
    app.bus.fail(usize::MAX);
    let body = json!({
        "type": "single-page", "url": URL,
        "webhook": {"url": "https://example.com/hook", "events": ["job.completed"]},
    });
    app.create(&body).await;
    app.drain(&Anything).await;
    let begun = app.queue.try_receive_delivery();
    assert!(begun.is_some());
    app.bus.fail(0);
    app.advance(GRACE);
    app.sweep().await;
    // Nobody has delivered it: its message comes again, and that of no other.
    assert_eq!(app.queue.try_receive_delivery(), begun);
    assert_eq!(app.queue.try_receive_delivery(), None);
    all_is_told(&app).await;
}

#[tokio::test]
async fn an_event_that_the_bus_refuses_is_told_again_under_its_id() {
    let app = heard();
    app.create_for(URL).await;
    // Of created and started one is refused; both are told again.
    app.bus.refuse(1);
    app.drain(&Anything).await;
    app.advance(GRACE);
    app.sweep().await;
    let told: BTreeSet<_> = app
        .bus
        .events()
        .into_iter()
        .map(|event| (event.kind, event.id))
        .collect();
    let kinds: Vec<_> = told.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [JobCreated, JobStarted, JobCompleted], "one id each");
    all_is_told(&app).await;
}

#[tokio::test]
async fn a_job_that_is_removed_early_is_told_of_first() {
    let app = heard();
    let id = app.create_for(URL).await;
    app.bus.fail(2);
    app.drain(&Anything).await;
    let cleanup = json!({"operation": "cleanup", "maxAgeHours": 0});
    app.post("/api/queue", &cleanup).await;
    app.sweep().await;
    app.sweep().await;
    assert_eq!(app.get(&format!("/api/jobs/{id}")).await.status, 404);
    assert_eq!(app.bus.kinds(), [JobCreated, JobStarted, JobCompleted]);
}

#[tokio::test]
async fn a_paused_job_is_told_of_and_counted_once() {
    let app = heard();
    let id = app.create_for(URL).await;
    app.bus.fail(1);
    app.act(&id, "pause").await;
    let stats = app.get("/api/jobs").await.json["stats"].clone();
    assert_eq!(
        (&stats["paused"], &stats["waiting"]),
        (&json!(1), &json!(0))
    );
    while app.queue.try_receive().is_some() {}
    app.advance(GRACE);
    app.sweep().await;
    assert_eq!(app.bus.kinds(), [JobCreated]);
    all_is_told(&app).await;
}

#[tokio::test]
async fn a_held_queue_keeps_no_event_back() {
    let app = heard();
    app.post("/api/queue", &json!({"operation": "pause"})).await;
    let id = app.create_for(URL).await;
    app.advance(GRACE);
    app.sweep().await;
    assert_eq!(app.bus.kinds(), [JobCreated]);
    assert_eq!(app.row(&id).await.untold(), None);
    while app.queue.try_receive().is_some() {}
}

#[test]
fn every_type_has_one_name_that_reads_back() {
    for kind in EventType::ALL {
        assert_eq!(EventType::parse(kind.as_str()), Some(kind));
        let stored = serde_json::to_value(kind).unwrap();
        assert_eq!(stored, kind.as_str(), "stored as it is told");
    }
    assert_eq!(EventType::parse("job.requested"), None);
}
