//! What is told of the runs of a schedule, and what their own webhook hears.

use serde_json::{Value, json};

use super::{FIRST, create, tick_in_time, work};
use crate::app::TestApp;

#[tokio::test]
async fn a_run_is_told_of_as_fired_created_and_ended_with_its_schedule() {
    let app = TestApp::start();
    app.bus.listen();
    let id = create(&app, &json!({})).await;
    tick_in_time(&app, &id, FIRST).await;
    work(&app).await;
    let kinds: Vec<_> = app.bus.kinds().iter().map(|kind| kind.as_str()).collect();
    let expected = [
        "schedule.fired",
        "job.created",
        "job.started",
        "job.completed",
    ];
    assert_eq!(kinds, expected);
    for event in app.bus.events() {
        let body: Value = serde_json::from_str(&event.body).unwrap();
        assert_eq!(body["data"]["scheduleId"], json!(id));
        assert_eq!(body["data"]["scheduledAt"], json!(FIRST.to_string()));
    }
    crate::events::are_as_documented(&app).await;
}

#[tokio::test]
async fn the_webhook_of_a_recurring_job_hears_of_each_of_its_runs() {
    let app = TestApp::start();
    let webhook = json!({"url": "https://example.com/hook", "events": ["job.completed"]});
    let body = json!({
        "type": "single-page", "url": "https://example.com/", "cronPattern": "* * * * *",
        "webhook": webhook,
    });
    let made = app.post("/api/jobs", &body).await;
    assert!(made.text("webhookSecret").starts_with("whsec_"), "{made:?}");
    let id = made.text("scheduleId");
    tick_in_time(&app, id, FIRST).await;
    work(&app).await;
    assert!(app.queue.try_receive_delivery().is_some());
    assert!(app.queue.try_receive_delivery().is_none());
}

#[tokio::test]
async fn a_webhook_to_a_private_address_is_refused_for_a_recurring_job_as_well() {
    let app = TestApp::start();
    let body = json!({
        "type": "single-page", "url": "https://example.com/", "cronPattern": "* * * * *",
        "webhook": {"url": "http://127.0.0.1/hook"},
    });
    for path in ["/api/jobs", "/api/schedules"] {
        let refused = app.post(path, &body).await;
        assert_eq!(refused.fields(), ["webhook.url"], "{path}");
    }
    let id = create(&app, &json!({})).await;
    let change = json!({"webhook": {"url": "http://127.0.0.1/hook"}});
    let path = format!("/api/schedules/{id}");
    let method = axum::http::Method::PATCH;
    let refused = app.call(jobs::Caller::Anyone, method, &path, &change).await;
    assert_eq!(refused.fields(), ["webhook.url"]);
}
