//! What becomes of deliveries to receivers that are well, slow, broken, moved or gone.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use jobs::JobId;
use jobs::event::EventType;
use jobs::webhook::JobWebhook;
use serde_json::{Value, json};

use super::{Act, HOOK, Receiver, event, event_of, path};
use crate::app::{Anything, MILLISECOND, START, TestApp};

/// The waits of the specification, in seconds.
const WAITS: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

#[tokio::test]
async fn an_event_is_posted_once_and_logged() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    let event = event(&app, 1, EventType::JobCompleted);
    app.tell(&event).await;
    app.tell(&event).await;
    let receiver = Receiver::default();
    assert_eq!(app.deliver(&receiver).await, 1);
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].url.as_str(), &seen[0].body), (HOOK, &event.body));
    assert_eq!(seen[0].timeout, Duration::from_secs(15));
    let names: Vec<_> = seen[0]
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let expected = [
        "content-type",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ];
    assert_eq!(names, expected);
    assert_eq!(seen[0].headers[1].1, event.id);
    let log = app.log(&path(&hook)).await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0]["eventId"], json!(event.id));
    assert_eq!(log[0]["status"], "delivered");
    assert_eq!(log[0]["nextAttemptAt"], Value::Null);
    assert_eq!(log[0]["attempts"][0]["statusCode"], 200);
    assert_eq!(log[0]["attempts"][0]["error"], Value::Null);
}

#[tokio::test]
async fn a_receiver_that_fails_is_tried_ten_times_by_the_schedule_and_nothing_is_lost() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    let script = [
        Act::Answer(500),
        Act::Hang,
        Act::Answer(302),
        Act::Answer(404),
        Act::Answer(429),
    ];
    let receiver = Receiver::that(script.into_iter().cycle().take(10));
    for (tried, wait) in WAITS.into_iter().enumerate() {
        assert_eq!(receiver.seen().len(), tried);
        run(&app, &receiver).await;
        let log = app.log(&path(&hook)).await;
        assert_eq!(log[0]["status"], "pending");
        let attempts = log[0]["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), tried + 1);
        let next = log[0]["nextAttemptAt"].as_str().unwrap();
        let next = jobs::Timestamp::parse(next).unwrap();
        let wait = Duration::from_secs(wait);
        let (least, most) = (wait, wait + wait / 5);
        let waited = next.since(app.app.now());
        assert!((least..=most).contains(&waited), "{tried}: {waited:?}");
        // Not a moment before.
        app.advance_almost(waited);
        run(&app, &receiver).await;
        assert_eq!(receiver.seen().len(), tried + 1);
        app.advance(MILLISECOND);
    }
    run(&app, &receiver).await;
    let log = app.log(&path(&hook)).await;
    assert_eq!(log[0]["status"], "failed");
    let attempts = log[0]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 10);
    let errors = [
        "http_500: ",
        "timeout: ",
        "http_302: ",
        "http_404: ",
        "http_429: ",
    ];
    for (attempt, error) in attempts.iter().zip(errors.iter().cycle()) {
        assert!(
            attempt["error"].as_str().unwrap().starts_with(error),
            "{attempt}"
        );
    }
    assert_eq!(attempts[0]["answer"], "answer 500");
    let ids: Vec<_> = receiver
        .seen()
        .iter()
        .map(|it| it.headers[1].1.clone())
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one event, one id");
    app.advance(Duration::from_hours(48));
    run(&app, &receiver).await;
    assert_eq!(receiver.seen().len(), 10);
}

/// Sweeps and delivers what is ready. Nobody depends on a message: half of them come from the sweep.
async fn run(app: &TestApp, receiver: &Receiver) {
    app.sweep().await;
    app.deliver(receiver).await;
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_what_it_has_missed() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    for number in 0..5 {
        app.tell(&event(&app, number, EventType::JobCreated)).await;
        app.advance(MILLISECOND);
    }
    let receiver = Receiver::that([Act::Answer(500), Act::Hang, Act::Answer(503)]);
    assert_eq!(app.deliver(&receiver).await, 5);
    app.advance(Duration::from_secs(6));
    assert_eq!(app.deliver(&receiver).await, 3);
    let log = app.log(&path(&hook)).await;
    assert!(log.iter().all(|it| it["status"] == "delivered"), "{log:?}");
    let bodies: std::collections::BTreeSet<_> =
        receiver.seen().into_iter().map(|it| it.body).collect();
    assert_eq!(bodies.len(), 5);
}

#[tokio::test]
async fn a_receiver_that_asks_for_patience_has_it() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    let receiver = Receiver::that([Act::Wait(429, 120), Act::Wait(503, 1)]);
    app.deliver(&receiver).await;
    app.advance_almost(Duration::from_mins(2));
    run(&app, &receiver).await;
    assert_eq!(receiver.seen().len(), 1);
    app.advance(MILLISECOND);
    run(&app, &receiver).await;
    assert_eq!(receiver.seen().len(), 2);
    let log = app.log(&path(&hook)).await;
    let next = log[0]["nextAttemptAt"].as_str().unwrap();
    let next = jobs::Timestamp::parse(next).unwrap();
    assert!(next.since(app.app.now()) >= Duration::from_mins(5));
}

#[tokio::test]
async fn an_answer_of_410_disables_the_endpoint_until_its_owner_enables_it() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    for number in 0..3 {
        app.tell(&event(&app, number, EventType::JobFailed)).await;
    }
    let receiver = Receiver::that([Act::Answer(410)]);
    app.deliver(&receiver).await;
    assert_eq!(receiver.seen().len(), 1, "the others were not even tried");
    let read = app.get(&path(&hook)).await.json;
    assert_eq!(read["status"], "disabled");
    assert_eq!(read["disabledReason"], "gone");
    let log = app.log(&path(&hook)).await;
    assert!(log.iter().all(|it| it["status"] == "failed"), "{log:?}");
    app.tell(&event(&app, 3, EventType::JobFailed)).await;
    assert_eq!(app.log(&path(&hook)).await.len(), 3, "nobody listens");
    let again = format!(
        "{}/deliveries/{}/redeliver",
        path(&hook),
        log[0]["id"].as_str().unwrap()
    );
    let refused = app.post(&again, &json!({})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let on = json!({"enabled": true});
    let enabled = app.ask(Method::PATCH, &path(&hook), &on).await;
    assert_eq!(enabled.json["status"], "enabled");
    app.tell(&event(&app, 3, EventType::JobFailed)).await;
    assert_eq!(
        app.post(&again, &json!({})).await.status,
        StatusCode::ACCEPTED
    );
    assert_eq!(app.deliver(&receiver).await, 2);
    assert_eq!(receiver.seen().len(), 3);
}

#[tokio::test]
async fn an_address_that_turns_private_is_refused_for_good() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    app.deliver(&Receiver::that([Act::Refused])).await;
    let log = app.log(&path(&hook)).await;
    assert_eq!(log[0]["status"], "failed");
    let error = log[0]["attempts"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("address_refused: "), "{error}");
}

#[tokio::test]
async fn what_is_under_way_to_an_endpoint_that_is_disabled_or_deleted_ends() {
    let app = TestApp::start();
    let (off, gone) = (
        app.hook(&json!({"url": HOOK})).await,
        app.hook(&json!({"url": HOOK})).await,
    );
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    let change = json!({"enabled": false});
    let disabled = app.ask(Method::PATCH, &path(&off), &change).await;
    assert_eq!(disabled.json["disabledReason"], "requested");
    let deleted = app.ask(Method::DELETE, &path(&gone), &Value::Null).await;
    assert_eq!(deleted.status, StatusCode::OK);
    let receiver = Receiver::default();
    assert_eq!(app.deliver(&receiver).await, 2);
    assert_eq!(receiver.seen().len(), 0);
    let log = app.log(&path(&off)).await;
    let error = log[0]["attempts"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("disabled: "), "{error}");
    let log = app.get(&format!("{}/deliveries", path(&gone))).await;
    assert_eq!(log.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_delivery_is_made_again_when_it_is_asked_for() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    let receiver = Receiver::that([Act::Answer(200), Act::Answer(500)]);
    app.deliver(&receiver).await;
    let log = app.log(&path(&hook)).await;
    let again = format!(
        "{}/deliveries/{}/redeliver",
        path(&hook),
        log[0]["id"].as_str().unwrap()
    );
    let asked = app.post(&again, &json!({})).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED);
    assert_eq!(asked.text("status"), "pending");
    app.deliver(&receiver).await;
    app.advance(Duration::from_secs(6));
    app.deliver(&receiver).await;
    let seen = receiver.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(
        seen[0].headers[1], seen[2].headers[1],
        "the same webhook-id"
    );
    assert_eq!(seen[0].body, seen[2].body);
    let log = app.log(&path(&hook)).await;
    assert_eq!(log[0]["status"], "delivered");
    assert_eq!(log[0]["attempts"].as_array().unwrap().len(), 3);
    for unknown in ["dlv_01hf7yat000000000000000007", "x"] {
        let again = format!("{}/deliveries/{unknown}/redeliver", path(&hook));
        assert_eq!(
            app.post(&again, &json!({})).await.status,
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn a_retry_a_day_later_still_has_the_facts_of_a_job_that_is_gone() {
    let app = TestApp::start();
    let id = app.create_for("http://site.example/page").await;
    app.drain(&Anything).await;
    let own = JobWebhook {
        url: HOOK.to_owned(),
        events: Vec::new(),
    };
    let job = JobId::parse(&id).unwrap();
    let event = event_of(&app, 1, EventType::JobCompleted, &job, "default");
    app.app.begin_deliveries(&event, Some(&own)).await.unwrap();
    let receiver = Receiver::that(vec![Act::Wait(503, 86_400); 1]);
    app.deliver(&receiver).await;
    app.advance(Duration::from_hours(24) + Duration::from_secs(1));
    app.sweep().await;
    assert!(app.rows().is_empty(), "the job was purged");
    app.deliver(&receiver).await;
    let seen = receiver.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].body, event.body);
    let log = app.log(&format!("/api/jobs/{id}")).await;
    assert_eq!(log[0]["status"], "delivered");
    let again = format!(
        "/api/jobs/{id}/deliveries/{}/redeliver",
        log[0]["id"].as_str().unwrap()
    );
    assert_eq!(
        app.post(&again, &json!({})).await.status,
        StatusCode::ACCEPTED
    );
    app.deliver(&receiver).await;
    assert_eq!(receiver.seen().len(), 3);
    // A week after its end the log is gone as well.
    app.advance(Duration::from_hours(7 * 24));
    let log = app.get(&format!("/api/jobs/{id}/deliveries")).await;
    assert_eq!(log.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_receiver_is_told_of_the_types_that_it_wants_and_of_its_customers_events_alone() {
    let app = TestApp::start();
    let all = app.hook(&json!({"url": HOOK})).await;
    let pages = app
        .hook(&json!({"url": HOOK, "events": ["crawl.page"]}))
        .await;
    let other = app.hook(&json!({"url": HOOK, "customerId": "other"})).await;
    for (number, kind) in EventType::ALL.into_iter().enumerate() {
        app.tell(&event(&app, number as u64, kind)).await;
        app.advance(MILLISECOND);
    }
    app.deliver(&Receiver::default()).await;
    let log = app.log(&path(&all)).await;
    let mut kinds: Vec<_> = log.iter().map(|it| it["event"].as_str().unwrap()).collect();
    kinds.reverse();
    let expected = [
        "job.created",
        "job.started",
        "job.completed",
        "job.failed",
        "job.cancelled",
        "job.retried",
        "schedule.fired",
    ];
    assert_eq!(kinds, expected, "in the order of their events");
    assert_eq!(app.log(&path(&pages)).await.len(), 1);
    assert_eq!(app.log(&path(&other)).await.len(), 0);
    let own = JobWebhook {
        url: HOOK.to_owned(),
        events: vec![EventType::JobFailed],
    };
    let job = JobId::new(START, 77);
    for (number, kind) in [(90, EventType::JobFailed), (91, EventType::JobCompleted)] {
        let event = event_of(&app, number, kind, &job, "third");
        app.app.begin_deliveries(&event, Some(&own)).await.unwrap();
    }
    app.deliver(&Receiver::default()).await;
    assert_eq!(app.log(&format!("/api/jobs/{job}")).await.len(), 1);
}
