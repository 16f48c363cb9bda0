//! When a job starts that was told to wait: never early, and on time whether a message can carry
//! the delay or the sweep has to.

use std::time::Duration;

use serde_json::json;

use crate::app::{Anything, MILLISECOND, START, TestApp};

const MINUTE: Duration = Duration::from_mins(1);

/// Lets `by` pass with a sweep every minute, in which nothing may start.
async fn pass(app: &TestApp, mut by: Duration) {
    // Longer ago than any message can be sent, only that nothing happens is of interest.
    let eventful = Duration::from_mins(30);
    if by > eventful {
        app.advance(by.checked_sub(eventful).unwrap());
        assert_eq!(app.sweep().await.sent, 0);
        by = eventful;
    }
    while by > MINUTE {
        app.advance(MINUTE);
        app.sweep().await;
        assert_eq!(app.drain(&Anything).await, 0, "nothing is early");
        by = by.checked_sub(MINUTE).unwrap();
    }
    app.advance(by);
}

#[tokio::test]
async fn a_delayed_job_starts_at_its_time_and_never_before() {
    for delay in [
        MILLISECOND,
        Duration::from_secs(1),
        Duration::from_secs(899),
        Duration::from_mins(15),
        Duration::from_secs(901),
        Duration::from_hours(24),
    ] {
        let app = TestApp::start();
        let body = json!({
            "type": "single-page", "url": "http://site.example/", "delay": delay.as_millis() as u64,
        });
        let id = app.create(&body).await;
        assert_eq!(app.status(&id).await, "delayed", "{delay:?}");
        pass(&app, delay.checked_sub(MILLISECOND).unwrap()).await;
        assert_eq!(app.drain(&Anything).await, 0, "{delay:?}: nothing is early");
        assert_eq!(app.status(&id).await, "delayed", "{delay:?}");
        app.advance(MILLISECOND);
        assert_eq!(app.status(&id).await, "waiting", "{delay:?}");
        assert_eq!(
            app.drain(&Anything).await,
            1,
            "{delay:?}: its message is there"
        );
        assert_eq!(app.row(&id).await.started_at, Some(START + delay));
        assert_eq!(app.status(&id).await, "completed", "{delay:?}");
    }
}

#[tokio::test]
async fn a_job_without_delay_starts_at_once() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": "http://site.example/", "delay": 0});
    let id = app.create(&body).await;
    assert_eq!(app.drain(&Anything).await, 1);
    assert_eq!(app.row(&id).await.started_at, Some(START));
}

#[tokio::test]
async fn each_job_of_a_batch_starts_its_stagger_after_the_one_before() {
    let app = TestApp::start();
    let urls: Vec<_> = (0..40)
        .map(|page| format!("http://site.example/{page}"))
        .collect();
    // The last one starts after 19.5 minutes and half a second: more than a message can carry.
    let body = json!({
        "type": "single-page", "urls": urls, "delay": 500, "staggerDelay": 30_000,
    });
    let answer = app.post("/api/jobs", &body).await;
    let jobs = answer.json["results"]["jobs"].as_array().unwrap();
    for half_minute in 0..40_u64 {
        assert_eq!(app.drain(&Anything).await, 0, "nothing is early");
        app.advance(Duration::from_millis(500));
        assert_eq!(app.drain(&Anything).await, 1, "one comes at its time");
        let id = jobs[half_minute as usize]["jobId"].as_str().unwrap();
        let time = Duration::from_millis(500 + half_minute * 30_000);
        assert_eq!(app.row(id).await.started_at, Some(START + time));
        app.advance(Duration::from_millis(29_500));
        if half_minute % 2 == 1 {
            app.sweep().await;
        }
    }
}
