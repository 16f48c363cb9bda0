//! Many clients at once: of equal jobs one is made, and of jobs beyond the cap none.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use futures::StreamExt;
use futures::stream;
use serde_json::json;

use crate::app::{Answered, TestApp};

const CLIENTS: usize = 50;

/// Posts one job for each number, as many at a time as there are clients.
async fn post_all(app: &TestApp, numbers: impl Iterator<Item = usize>) -> Vec<Answered> {
    let posts = numbers.map(async |number| {
        let url = format!("http://site.example/{number}");
        let body = json!({"type": "single-page", "url": url});
        app.post("/api/jobs", &body).await
    });
    stream::iter(posts)
        .buffer_unordered(CLIENTS)
        .collect()
        .await
}

/// Messages and the jobs that they are about, unworked.
fn forget_messages(app: &TestApp) -> usize {
    std::iter::from_fn(|| app.queue.try_receive()).count()
}

#[tokio::test]
async fn a_hundred_urls_posted_by_fifty_clients_each_are_a_hundred_jobs() {
    let app = TestApp::start();
    let numbers = (0..100).flat_map(|url| std::iter::repeat_n(url, CLIENTS));
    let answers = post_all(&app, numbers).await;
    let mut jobs: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for answer in &answers {
        let job = jobs.entry(answer.text("url"));
        let (created, id) = job.or_insert((0, answer.text("jobId")));
        assert_eq!(answer.text("jobId"), *id, "all are told of one job");
        match answer.status {
            StatusCode::CREATED => *created += 1,
            status => {
                assert_eq!(status, StatusCode::OK);
                assert_eq!(answer.json["deduplicated"], true);
            }
        }
    }
    assert_eq!((answers.len(), jobs.len()), (5_000, 100));
    assert!(jobs.values().all(|(created, _)| *created == 1));
    assert_eq!(app.rows().len(), 100);
    assert_eq!(forget_messages(&app), 100, "one job has one message");
}

#[tokio::test]
async fn of_three_thousand_jobs_a_cap_of_a_thousand_lets_in_exactly_a_thousand() {
    let app = TestApp::with_room(1_000);
    let answers = post_all(&app, 0..3_000).await;
    let accepted = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(accepted.count(), 1_000);
    for answer in &answers {
        if answer.status != StatusCode::CREATED {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.text("message"), "Queue is full");
            assert_eq!(answer.text("error"), "Maximum queue capacity reached");
            assert_eq!(answer.header("retry-after"), Some("30"));
        }
    }
    assert_eq!(app.rows().len(), 1_000);
    assert_eq!(forget_messages(&app), 1_000, "no accepted job is dropped");
}
