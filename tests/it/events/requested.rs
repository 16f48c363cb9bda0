//! Events that ask for a job: once, as a request would, or laid aside with the reason.

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use serde_json::{Value, json};

use crate::app::{Anything, INVOCATION, TestApp};
use crate::nothing::Nothing;

fn event(id: &str, detail: &Value) -> Value {
    json!({
        "version": "0", "id": id, "detail-type": "job.requested", "source": "orders",
        "account": "1", "time": "2023-11-14T22:13:20Z", "region": "eu-west-1",
        "resources": [], "detail": detail,
    })
}

/// Gives a message to the worker; whether it was given back.
pub(super) async fn deliver(app: &TestApp, body: &str) -> bool {
    let mut record = SqsMessage::default();
    record.message_id = Some("1".to_owned());
    record.body = Some(body.to_owned());
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let tools = worker::Tools {
        scraper: &Anything,
        courier: &Nothing,
        check: scrape::check,
        judge: &scrape::judge(scrape::Targets::Public),
    };
    let deadline = app.app.now() + INVOCATION;
    let answer = worker::handle(&app.app, tools, event, deadline).await;
    !answer.batch_item_failures.is_empty()
}

#[tokio::test]
async fn an_event_makes_its_job_once_however_often_it_comes() {
    let app = TestApp::start();
    let detail = json!({
        "type": "single-page", "url": "https://example.com/", "customerId": "acme",
        "deduplicate": false,
    });
    for _ in 0..3 {
        assert!(!deliver(&app, &event("e-1", &detail).to_string()).await);
    }
    assert_eq!(app.rows().len(), 1);
    assert_eq!(app.rows()[0].customer.as_str(), "acme");
    assert!(!deliver(&app, &event("e-2", &detail).to_string()).await);
    assert_eq!(app.rows().len(), 2);
    assert_eq!(app.drain(&Anything).await, 2);
    assert_eq!(app.letters(), Vec::<Value>::new());
}

#[tokio::test]
async fn an_event_may_ask_for_a_batch() {
    let app = TestApp::start();
    let urls: Vec<_> = (0..30)
        .map(|n| format!("https://example.com/{n}"))
        .collect();
    let detail = json!({"type": "single-page", "urls": urls});
    for _ in 0..2 {
        assert!(!deliver(&app, &event("e-1", &detail).to_string()).await);
    }
    assert_eq!(app.rows().len(), 30);
    assert_eq!(app.drain(&Anything).await, 30);
}

#[tokio::test]
async fn what_cannot_become_a_job_is_laid_aside_with_the_reason() {
    let app = TestApp::start();
    let bad = json!({"type": "single-page", "url": "no url", "priority": "soon"});
    let mut other = event("e-3", &bad);
    other["detail-type"] = json!("job.completed");
    let mut nameless = event("e-4", &bad);
    nameless["id"] = json!("");
    let bodies = [
        event("e-1", &bad),
        other,
        nameless,
        json!({"detail-type": "job.requested"}),
    ];
    for body in &bodies {
        assert!(!deliver(&app, &body.to_string()).await, "{body}");
    }
    let letters = app.letters();
    assert_eq!(letters.len(), bodies.len());
    let fields = letters[0]["problems"].as_array().unwrap().iter();
    let fields: Vec<_> = fields
        .map(|problem| problem["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["url", "priority"]);
    for (letter, body) in letters.iter().zip(&bodies) {
        assert_eq!(&letter["event"], body);
        assert!(letter["reason"].as_str().unwrap().len() > 10, "{letter}");
    }
    assert_eq!(app.rows(), []);
}

#[tokio::test]
async fn a_webhook_to_a_private_address_is_refused_here_as_well() {
    let app = TestApp::start();
    let detail = json!({
        "type": "single-page", "url": "https://example.com/",
        "webhook": {"url": "http://169.254.169.254/hook"},
    });
    assert!(!deliver(&app, &event("e-1", &detail).to_string()).await);
    assert_eq!(app.letters()[0]["problems"][0]["field"], "webhook.url");
    assert_eq!(app.rows(), []);
}

#[tokio::test]
async fn the_same_id_with_another_wish_is_laid_aside() {
    let app = TestApp::start();
    let detail = |n: u8| json!({"type": "single-page", "url": format!("https://example.com/{n}")});
    assert!(!deliver(&app, &event("e-1", &detail(1)).to_string()).await);
    assert!(!deliver(&app, &event("e-1", &detail(2)).to_string()).await);
    assert_eq!((app.rows().len(), app.letters().len()), (1, 1));
    app.drain(&Anything).await;
}

#[tokio::test]
async fn an_event_comes_again_while_the_queue_of_its_customer_is_full() {
    let app = TestApp::with_room(1);
    app.create_for("https://example.com/first").await;
    let detail = json!({"type": "single-page", "url": "https://example.com/"});
    let body = event("e-1", &detail).to_string();
    assert!(deliver(&app, &body).await, "given back");
    app.drain(&Anything).await;
    assert!(!deliver(&app, &body).await);
    assert_eq!((app.drain(&Anything).await, app.letters().len()), (1, 0));
}

#[tokio::test]
async fn a_refused_event_is_kept_until_it_can_be_laid_aside() {
    let app = TestApp::start();
    app.letter_fails();
    let body = event("e-1", &json!({})).to_string();
    assert!(deliver(&app, &body).await);
    assert!(!deliver(&app, &body).await);
    assert_eq!(app.letters().len(), 1);
}
