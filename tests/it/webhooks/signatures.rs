//! Signatures as receivers see them, verified by the reference implementation of Standard Webhooks.
//! The delivery in `snapshots/delivery.json` is verified by its other one too, for Node.js.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws::host::SystemClock;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::routing::post;
use jobs::event::EventType;
use jobs::ports::{Clock, Post};
use jobs::webhook::JobWebhook;
use scrape::{Targets, WebScraper};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::sync::Mutex;

use super::{HOOK, Receiver, event, event_of, path};
use crate::app::{MILLISECOND, START, TestApp};

fn headers(post: &Post) -> HeaderMap {
    let headers = post.headers.iter().map(|(name, value)| {
        let name: axum::http::HeaderName = name.parse().unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    });
    headers.collect()
}

/// Whether a delivery is good now.
fn is_good(secret: &str, post: &Post) -> bool {
    let verifier = Webhook::new(secret).unwrap();
    verifier
        .verify(post.body.as_bytes(), &headers(post))
        .is_ok()
}

/// A service whose clock is this far behind the one that verifiers go by.
fn behind(by: Duration) -> TestApp {
    let app = TestApp::start();
    app.advance((SystemClock.now() - by).since(START));
    app
}

fn today() -> TestApp {
    behind(Duration::ZERO)
}

async fn delivered(app: &TestApp, number: u64) -> Post {
    let receiver = Receiver::default();
    app.tell(&event(app, number, EventType::JobCompleted)).await;
    app.deliver(&receiver).await;
    receiver.seen().remove(0)
}

fn secret(made: &Value) -> String {
    made["secret"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_delivery_verifies_with_the_reference_implementation_and_twenty_forgeries_do_not() {
    let app = today();
    let hook = app.hook(&json!({"url": HOOK})).await;
    let other = app.hook(&json!({"url": HOOK, "customerId": "other"})).await;
    let secret = secret(&hook);
    let good = delivered(&app, 1).await;
    assert!(is_good(&secret, &good));
    let [_, (_, id), (_, at), (_, signature)] = &good.headers[..] else {
        panic!("{:?}", good.headers);
    };
    let seconds: i64 = at.parse().unwrap();
    assert_eq!(seconds, app.app.now().as_millis() / 1_000);
    let with = |index: usize, value: &str| {
        let mut forged = good.clone();
        forged.headers[index].1 = value.to_owned();
        forged
    };
    let without = |index: usize| {
        let mut forged = good.clone();
        forged.headers.remove(index);
        forged
    };
    let saying = |body: String| Post {
        body,
        ..good.clone()
    };
    let flipped = |index: usize| {
        let mut text = signature.clone().into_bytes();
        text[index] = if text[index] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).unwrap()
    };
    let elsewhere = delivered(&app, 2).await;
    let forged = [
        with(1, &id.replace("evt_", "evt-")),
        with(1, &format!("{id}0")),
        with(1, ""),
        with(2, &(seconds + 1).to_string()),
        with(2, &(seconds - 1).to_string()),
        with(2, &format!("{seconds}.0")),
        with(2, "now"),
        with(3, &flipped(3)),
        with(3, &flipped(signature.len() - 3)),
        with(3, &signature[..signature.len() - 4]),
        with(3, &signature.replace("v1,", "v2,")),
        with(3, &signature.replace("v1,", "")),
        with(3, &elsewhere.headers[3].1),
        with(3, ""),
        without(1),
        without(2),
        without(3),
        saying(good.body.replace("job.completed", "job.cancelled")),
        saying(format!("{} ", good.body)),
        saying(good.body[1..].to_owned()),
        saying(String::new()),
        saying(elsewhere.body.clone()),
        saying(
            serde_json::from_str::<Value>(&good.body)
                .map(|it| format!("{it:#}"))
                .unwrap(),
        ),
    ];
    assert!(forged.len() >= 20);
    for (number, forged) in forged.iter().enumerate() {
        assert!(!is_good(&secret, forged), "forgery {number}: {forged:?}");
    }
    assert!(
        !is_good(other["secret"].as_str().unwrap(), &good),
        "another secret"
    );
    // Signed well, and played again when its time is over.
    let early = behind(Duration::from_mins(6));
    let hook = early.hook(&json!({"url": HOOK})).await;
    let replayed = delivered(&early, 1).await;
    assert!(!is_good(&self::secret(&hook), &replayed));
}

#[tokio::test]
async fn both_secrets_verify_for_a_day_after_a_rotation() {
    let day = Duration::from_hours(24);
    let app = behind(day);
    let hook = app.hook(&json!({"url": HOOK})).await;
    let old = secret(&hook);
    let rotate = format!("{}/rotate", path(&hook));
    let rotated = app.ask(Method::POST, &rotate, &Value::Null).await;
    assert_eq!(rotated.status, StatusCode::OK);
    assert_eq!(rotated.header("cache-control"), Some("no-store"));
    let new = rotated.text("secret").to_owned();
    assert_ne!(old, new);
    let until = (app.app.now() + day).to_string();
    assert_eq!(rotated.text("previousSecretUntil"), until);
    app.advance_almost(day);
    let both = delivered(&app, 1).await;
    assert!(is_good(&old, &both) && is_good(&new, &both));
    assert_eq!(both.headers[3].1.split(' ').count(), 2);
    app.advance(MILLISECOND);
    let one = delivered(&app, 2).await;
    assert!(!is_good(&old, &one) && is_good(&new, &one));
    assert_eq!(
        app.get(&path(&hook)).await.json["previousSecretUntil"],
        Value::Null
    );
}

#[tokio::test]
async fn the_webhook_of_a_job_verifies_with_the_secret_of_its_create() {
    let app = today();
    let body = json!({
        "type": "single-page", "url": "http://site.example/a", "customerId": "ann",
        "webhook": {"url": HOOK, "events": ["job.completed"]},
    });
    let created = app.post("/api/jobs", &body).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let secret = created.text("webhookSecret");
    let job = jobs::JobId::parse(created.text("jobId")).unwrap();
    let own = JobWebhook {
        url: HOOK.to_owned(),
        events: vec![EventType::JobCompleted],
    };
    let event = event_of(&app, 1, EventType::JobCompleted, &job, "ann");
    app.app.begin_deliveries(&event, Some(&own)).await.unwrap();
    let receiver = Receiver::default();
    app.deliver(&receiver).await;
    assert!(is_good(secret, &receiver.seen()[0]));
    app.drain(&crate::app::Anything).await;
}

/// A receiver on loopback that keeps what it is sent.
async fn listening() -> (String, Arc<Mutex<Vec<(HeaderMap, Bytes)>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let take = move |headers: HeaderMap, body: Bytes| {
        let record = Arc::clone(&record);
        async move {
            record.lock().await.push((headers, body));
            StatusCode::NO_CONTENT
        }
    };
    let router = Router::new().route("/hook", post(take));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

#[tokio::test]
async fn a_delivery_over_the_wire_verifies_byte_for_byte() {
    let mut app = today();
    let judge = Arc::new(scrape::judge(Targets::AnyAddress));
    app.router = api::router(app.app.clone(), scrape::check, judge, api::Access::Open);
    let (url, seen) = listening().await;
    let hook = app.hook(&json!({"url": url})).await;
    let event = event(&app, 1, EventType::JobCompleted);
    app.tell(&event).await;
    let courier = WebScraper::new(Targets::AnyAddress).unwrap();
    assert_eq!(app.deliver(&courier).await, 1);
    let seen = seen.lock().await;
    let (headers, body) = &seen[0];
    assert_eq!(*body, event.body);
    assert_eq!(headers["content-type"], "application/json");
    let verifier = Webhook::new(hook["secret"].as_str().unwrap()).unwrap();
    verifier.verify(body, headers).unwrap();
    assert_eq!(app.log(&path(&hook)).await[0]["status"], "delivered");
}

/// What the client's tests for Node.js verify: kept as a file, so that they see what we send.
#[tokio::test]
async fn the_delivery_that_other_programs_verify_is_the_golden_one() {
    let app = TestApp::start();
    // Its id is part of its secret, so that it has to be the same in every run.
    let hook = app.hook(&json!({"url": HOOK})).await;
    let rotate = format!("{}/rotate", path(&hook));
    let rotated = app.ask(Method::POST, &rotate, &Value::Null).await;
    let post = delivered(&app, 1).await;
    let headers = post.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), json!(value)));
    let delivery = json!({
        "secrets": [secret(&hook), rotated.text("secret")],
        "headers": headers.collect::<serde_json::Map<_, _>>(),
        "body": post.body,
    });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/snapshots/delivery.json");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let text = serde_json::to_string_pretty(&delivery).unwrap() + "\n";
        std::fs::write(&file, text).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    assert_eq!(
        delivery, golden,
        "INSTA_UPDATE=always accepts it as it is now"
    );
}
