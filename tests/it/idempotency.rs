//! `Idempotency-Key`: asked again, the service answers again, and does nothing twice.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use futures::stream;
use jobs::app::Limits;
use jobs::{Caller, IdempotencyKey, Keyed, NewJob};
use serde_json::{Value, json};

use crate::app::{Answered, Anything, MILLISECOND, START, TestApp};
use crate::calls;
use crate::golden::assert_golden;

const URL: &str = "http://site.example/page";
const DAY: Duration = Duration::from_hours(24);

fn page() -> Value {
    json!({"type": "single-page", "url": URL})
}

fn batch(count: usize) -> Value {
    let urls: Vec<_> = (0..count).map(|page| format!("{URL}/{page}")).collect();
    json!({"type": "single-page", "urls": urls})
}

fn assert_same(one: &Answered, other: &Answered) {
    assert_eq!(one.status, other.status);
    assert_eq!(one.json, other.json);
    assert_eq!(one.header("location"), other.header("location"));
}

#[tokio::test]
async fn the_same_key_and_body_are_answered_the_same_for_a_day() {
    let app = TestApp::start();
    for (path, body) in [
        ("/api/jobs", page()),
        ("/api/v1/scrape", page()),
        ("/api/jobs", batch(3)),
        ("/api/jobs", batch(60)),
    ] {
        let key = format!("{path} {}", body["urls"].as_array().map_or(0, Vec::len));
        let key = key.replace(' ', "#");
        let first = app.post_keyed(path, &key, &body).await;
        assert!(first.status.is_success(), "{first:?}");
        let rows = app.rows().len();
        // Also when its jobs have ended, so that equal ones would be made.
        app.drain(&Anything).await;
        for pass in [Duration::ZERO, Duration::from_hours(1)] {
            app.advance(pass);
            let again = app.post_keyed(path, &key, &body).await;
            assert_same(&again, &first);
        }
        assert_eq!(app.rows().len(), rows, "{key}");
    }
    assert_eq!(app.drain(&Anything).await, 0);
}

#[tokio::test]
async fn a_key_is_free_again_after_a_day() {
    let app = TestApp::start();
    for body in [page(), batch(2), batch(30)] {
        let first = app.post_keyed("/api/jobs", "key", &body).await;
        assert!(first.status.is_success());
        app.drain(&Anything).await;
        app.advance_almost(DAY);
        let again = app.post_keyed("/api/jobs", "key", &body).await;
        assert_same(&again, &first);
        app.advance(MILLISECOND);
        let anew = app.post_keyed("/api/jobs", "key", &body).await;
        assert_ne!(anew.json, first.json);
        assert!(anew.status.is_success());
        app.drain(&Anything).await;
        app.advance(DAY);
    }
}

#[tokio::test]
async fn a_deduplicated_create_is_repeated_as_one() {
    let app = TestApp::start();
    let existing = app.create(&page()).await;
    let first = app.post_keyed("/api/jobs", "key", &page()).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.text("jobId"), existing);
    app.drain(&Anything).await;
    app.advance(Duration::from_mins(1));
    let again = app.post_keyed("/api/jobs", "key", &page()).await;
    assert_same(&again, &first);
    assert_eq!(app.rows().len(), 1);
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    let app = TestApp::start();
    let first = app.post_keyed("/api/jobs", "key", &page()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let other = json!({"type": "single-page", "url": URL, "priority": "low"});
    for (path, body) in [
        ("/api/jobs", other),
        ("/api/jobs", batch(2)),
        ("/api/jobs", batch(30)),
        ("/api/v1/scrape", page()),
    ] {
        let answer = app.post_keyed(path, "key", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let said = "this idempotency key was used for another request";
        if path == "/api/jobs" {
            let printed = json!({"error": "Idempotency key reused", "details": said});
            assert_eq!(answer.json, printed);
        } else {
            assert_eq!(answer.json["success"], false);
            assert_eq!(answer.text("error"), said);
        }
    }
    assert_eq!(app.rows().len(), 1);
    // Only the order of its fields is different.
    let text = format!(r#"{{"url":"{URL}","type":"single-page"}}"#);
    let request = Request::post("/api/jobs")
        .header("content-type", "application/json")
        .header("idempotency-key", "key");
    let again = app.send(request.body(Body::from(text)).unwrap()).await;
    assert_same(&again, &first);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_key_is_its_callers_own() {
    let app = TestApp::start();
    let new = |customer| {
        let body = json!({"type": "single-page", "url": URL, "customerId": customer});
        let new = NewJob::parse(&body, |_| Vec::new()).unwrap();
        let key = IdempotencyKey::parse("key").unwrap();
        (new, Keyed::new(key, "POST /api/jobs", &body))
    };
    let mut ids = BTreeSet::new();
    // The admin may use a key that its customer has used as well.
    for (caller, owner) in [
        (calls::customer("one"), "one"),
        (calls::customer("other"), "other"),
        (Caller::Admin, "third"),
    ] {
        let (new, keyed) = new(owner);
        for _ in 0..2 {
            let created = app.app.create_once(&caller, &new, Some(&keyed)).await;
            ids.insert(created.unwrap().outcome.job_id);
        }
    }
    assert_eq!(ids.len(), 3);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn without_keys_of_callers_another_customer_is_another_body() {
    let app = TestApp::start();
    let body = |customer| json!({"type": "single-page", "url": URL, "customerId": customer});
    let one = app.post_keyed("/api/jobs", "key", &body("one")).await;
    let other = app.post_keyed("/api/jobs", "key", &body("other")).await;
    assert_eq!(one.status, StatusCode::CREATED);
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_key_that_is_none_is_named_with_everything_else() {
    let app = TestApp::start();
    for path in ["/api/jobs", "/api/v1/scrape"] {
        for keys in [
            vec![String::new()],
            vec!["a b".to_owned()],
            vec!["ä".to_owned()],
            vec!["k".repeat(256)],
            vec!["a".to_owned(), "a".to_owned()],
        ] {
            let mut request = Request::post(path).header("content-type", "application/json");
            for key in &keys {
                request = request.header("Idempotency-Key", key.as_bytes());
            }
            let body = json!({"type": "single-page", "url": "x"}).to_string();
            let answer = app.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{keys:?}");
            assert_eq!(answer.fields(), ["Idempotency-Key", "url"], "{keys:?}");
        }
    }
    let longest = "k".repeat(255);
    let answer = app.post_keyed("/api/jobs", &longest, &page()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let app = TestApp::with_room(1);
    let elsewhere = json!({"type": "single-page", "url": "http://other.example/"});
    app.create(&elsewhere).await;
    let full = app.post_keyed("/api/jobs", "key", &page()).await;
    assert_eq!(full.status, StatusCode::SERVICE_UNAVAILABLE);
    let full = app.post_keyed("/api/jobs", "batch", &batch(30)).await;
    assert_eq!(full.status, StatusCode::SERVICE_UNAVAILABLE);
    let wrong = app.post_keyed("/api/jobs", "key", &json!({})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    app.drain(&Anything).await;
    let created = app.post_keyed("/api/jobs", "key", &page()).await;
    assert_eq!(created.status, StatusCode::CREATED);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn two_hundred_keys_posted_twenty_times_at_once_are_two_hundred_jobs() {
    let app = TestApp::start();
    let posts = (0..200).flat_map(|key| std::iter::repeat_n(key, 20));
    let posts = posts.map(async |key| {
        // Not deduplicated: the key alone holds them together.
        let body = json!({"type": "single-page", "url": URL, "deduplicate": false});
        let answer = app
            .post_keyed("/api/jobs", &format!("key-{key}"), &body)
            .await;
        (key, answer)
    });
    let answers: Vec<_> = stream::iter(posts).buffer_unordered(50).collect().await;
    let mut first: Vec<Option<&Answered>> = vec![None; 200];
    for (key, answer) in &answers {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        assert_same(answer, first[*key].get_or_insert(answer));
    }
    assert_eq!(app.rows().len(), 200);
    assert_eq!(std::iter::from_fn(|| app.queue.try_receive()).count(), 200);
}

#[tokio::test]
async fn a_batch_posted_twenty_times_at_once_under_one_key_is_one_batch() {
    for count in [7, 60] {
        let app = TestApp::start();
        let mut body = batch(count);
        body["deduplicate"] = json!(false);
        let posts = (0..20).map(|_| app.post_keyed("/api/jobs", "key", &body));
        let answers: Vec<_> = stream::iter(posts).buffer_unordered(20).collect().await;
        for answer in &answers {
            assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
            assert_same(answer, &answers[0]);
        }
        assert_eq!(app.rows().len(), count);
        app.drain(&Anything).await;
    }
}

#[tokio::test]
async fn answers_are_kept_across_restarts() {
    let app = TestApp::start();
    let bodies = [page(), batch(3), batch(30)];
    let mut answers = Vec::new();
    for (key, body) in bodies.iter().enumerate() {
        answers.push(
            app.post_keyed("/api/jobs", &format!("key-{key}"), body)
                .await,
        );
    }
    app.drain(&Anything).await;
    let http = app.embedded.http_client();
    let next = TestApp::over(app.embedded.clone(), http, Limits::default());
    // Its random numbers begin anew; ids must not.
    next.advance(MILLISECOND);
    for (key, body) in bodies.iter().enumerate() {
        let key = format!("key-{key}");
        let again = next.post_keyed("/api/jobs", &key, body).await;
        assert_same(&again, &answers.remove(0));
        let other = next.post_keyed("/api/jobs", &key, &batch(5)).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(next.drain(&Anything).await, 0);
}

#[tokio::test]
async fn an_answer_is_stored_as_it_always_was() {
    let app = TestApp::start();
    app.post_keyed("/api/jobs", "one", &page()).await;
    app.post_keyed("/api/jobs", "same", &page()).await;
    let body = json!({"type": "single-page", "urls": [URL, format!("{URL}/1")]});
    app.post_keyed("/api/jobs", "batch", &body).await;
    app.post_keyed("/api/jobs", "large", &batch(30)).await;
    let is_answer = |item: &&Value| item["sk"]["S"] == "answer";
    let items = app.items();
    let answers: Value = items.iter().filter(is_answer).cloned().collect();
    assert_eq!(answers.as_array().unwrap().len(), 4);
    assert_golden("answers", &answers);
    let second = (START + DAY).as_millis() / 1_000 + 1;
    assert_eq!(answers[0]["ttl"]["N"], second.to_string(), "24 hours");
    app.drain(&Anything).await;
}
