//! From what happens to a job to what its receivers are posted, with nothing made by hand.

use jobs::transition::Mode;
use serde_json::{Value, json};

use super::{HOOK, Receiver, path};
use crate::app::{Anything, TestApp};
use crate::calls::customer;
use crate::site::{Answer, TestSite};

const URL: &str = "https://example.com/page";

/// The types that were posted, in order of the events.
fn posted(receiver: &Receiver) -> Vec<String> {
    let mut bodies: Vec<Value> = receiver
        .seen()
        .iter()
        .map(|post| serde_json::from_str(&post.body).unwrap())
        .collect();
    let order = [
        "job.created",
        "job.started",
        "job.retried",
        "job.completed",
        "job.failed",
    ];
    bodies.sort_by_key(|body| order.iter().position(|kind| body["type"] == **kind));
    bodies
        .iter()
        .map(|body| body["type"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_jobs_own_webhook_hears_what_it_asked_for_and_no_more() {
    let app = TestApp::start();
    let id = app
        .create(&json!({
            "type": "single-page", "url": URL,
            "webhook": {"url": HOOK, "events": ["job.completed", "job.failed"]},
        }))
        .await;
    app.drain(&Anything).await;
    let receiver = Receiver::default();
    assert_eq!(app.deliver(&receiver).await, 1);
    assert_eq!(posted(&receiver), ["job.completed"]);
    let log = app.log(&format!("/api/jobs/{id}")).await;
    assert_eq!((log.len(), &log[0]["status"]), (1, &json!("delivered")));
}

#[tokio::test]
async fn an_endpoint_hears_of_every_job_of_its_customer_and_of_no_others() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK, "customerId": "acme"})).await;
    for owner in ["acme", "other", "acme"] {
        let body = json!({
            "type": "single-page", "url": URL, "customerId": owner, "deduplicate": false,
        });
        app.create(&body).await;
    }
    app.drain(&Anything).await;
    let receiver = Receiver::default();
    assert_eq!(app.deliver(&receiver).await, 6);
    assert_eq!(
        posted(&receiver),
        [
            "job.created",
            "job.created",
            "job.started",
            "job.started",
            "job.completed",
            "job.completed"
        ]
    );
    assert_eq!(app.log(&path(&hook)).await.len(), 6);
    let own = customer("other");
    let listed = app.call(own, axum::http::Method::GET, "/api/webhooks", &Value::Null);
    assert_eq!(listed.await.json["webhooks"], json!([]));
}

#[tokio::test]
async fn a_worker_that_dies_before_it_tells_keeps_nothing_from_the_receiver() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": URL, "webhook": {"url": HOOK}});
    let id = app.create(&body).await;
    // The work is done by a process that knows the row and tells nobody.
    let row = app.row(&id).await;
    assert!(row.untold().is_some(), "created is not told yet");
    while app.queue.try_receive().is_some() {}
    app.act(&id, "cancel").await;
    while app.queue.try_receive_delivery().is_some() {}
    let receiver = Receiver::default();
    app.advance(std::time::Duration::from_mins(2));
    app.sweep().await;
    app.deliver(&receiver).await;
    let mut types = posted(&receiver);
    types.sort();
    assert_eq!(types, ["job.cancelled", "job.created"]);
    // A restart finds deliveries whose message was lost with the process at once.
    app.app.sweep(Mode::Restart, 100).await.unwrap();
    assert_eq!(app.deliver(&receiver).await, 0);
}

#[tokio::test]
async fn an_endpoint_that_asks_for_pages_hears_of_each_page_of_a_crawl() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    app.hook(&json!({"url": HOOK, "events": ["crawl.page"]}))
        .await;
    let links = "<a href=\"/1\">1</a><a href=\"/2\">2</a>";
    site.page("/", Answer::html(links.to_owned()));
    for number in 1..3 {
        let answer = Answer::html(format!("<p>Page number {number} of the site</p>"));
        site.page(&format!("/{number}"), answer);
    }
    app.create(&json!({"type": "full-crawl", "url": site.url("/")}))
        .await;
    let scraper = scrape::WebScraper::new(scrape::Targets::AnyAddress).unwrap();
    app.drain(&scraper).await;
    let receiver = Receiver::default();
    app.deliver(&receiver).await;
    let mut pages = 0;
    for post in receiver.seen() {
        let body: Value = serde_json::from_str(&post.body).unwrap();
        assert_eq!(body["type"], "crawl.page");
        pages += body["data"]["pages"].as_array().unwrap().len();
    }
    assert_eq!(pages, 3);
}
