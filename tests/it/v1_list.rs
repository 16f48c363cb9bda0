//! The list of the Queue System API: by the number of the page, grouped by queue.

use axum::http::StatusCode;
use jobs::{Failure, FailureCode};
use serde_json::{Value, json};

use crate::app::{Answered, Anything, LEASE, MILLISECOND, START, Scripted, TestApp};
use crate::golden::assert_golden;

async fn create(app: &TestApp, number: usize, delay: u64) -> String {
    let url = format!("http://a.example/{number}");
    let body = json!({"type": "single-page", "url": url, "delay": delay});
    app.create(&body).await
}

/// Ids on the page, across queues.
fn ids(list: &Answered) -> Vec<String> {
    assert_eq!(list.status, StatusCode::OK, "{list:?}");
    assert_eq!(list.json["success"], true);
    assert_eq!(list.text("message"), "Jobs retrieved");
    let queues = list.json["data"].as_array().unwrap().iter();
    let jobs = queues.flat_map(|queue| queue["jobs"].as_array().unwrap());
    let ids = jobs.map(|job| job["id"].as_str().unwrap().to_owned());
    ids.collect()
}

fn pagination(page: usize, limit: usize, jobs: usize, pages: usize) -> Value {
    json!({"page": page, "limit": limit, "totalJobs": jobs, "totalPages": pages})
}

#[tokio::test]
async fn jobs_stand_in_their_queue_with_all_that_is_printed_of_them() {
    let app = TestApp::start();
    let empty = app.get("/api/v1/jobs").await;
    assert_eq!(empty.json["data"], json!([]));
    assert_eq!(empty.json["pagination"], pagination(1, 10, 0, 0));
    for number in 0..2 {
        create(&app, number, 0).await;
        app.advance(MILLISECOND);
    }
    let message = app.receive();
    app.work(&message, &Anything).await;
    let gone = Failure::new(FailureCode::Http(404), "There is no such page");
    app.drain(&Scripted(|_: &_| Err(gone.clone()))).await;
    let active = create(&app, 2, 0).await;
    drop(app.receive());
    let lease = app.app.now() + LEASE;
    app.change(&active, |job, stamp| {
        match job.claim(stamp, lease, &jobs::transition::Retention::default()) {
            jobs::transition::Claim::Won(next) => Ok(next),
            other => panic!("not claimed: {other:?}"),
        }
    })
    .await;
    let list = app.get("/api/v1/jobs").await;
    assert_golden("wire_v1_list", &list.json);
    assert_eq!(list.text("timestamp"), app.app.now().to_string());
    let job = &list.json["data"][0]["jobs"][0];
    assert_eq!(job["timestamp"], START.as_millis() + 2);
    assert!(job["progress"].is_number());
    app.change(&active, |job, stamp| job.release(stamp, job.fence))
        .await;
    app.send_message(&active).await;
    app.drain(&Anything).await;
}

#[tokio::test]
async fn pages_count_jobs_across_queues_and_the_last_may_be_short() {
    let app = TestApp::start();
    let mut all = Vec::new();
    for number in 0..25 {
        all.push(create(&app, number, 1_000_000).await);
    }
    all.sort_unstable();
    all.reverse();
    for (query, range, told) in [
        ("", 0..10, pagination(1, 10, 25, 3)),
        ("?page=1&limit=10", 0..10, pagination(1, 10, 25, 3)),
        ("?page=2", 10..20, pagination(2, 10, 25, 3)),
        ("?page=3", 20..25, pagination(3, 10, 25, 3)),
        ("?page=4", 25..25, pagination(4, 10, 25, 3)),
        ("?limit=100", 0..25, pagination(1, 100, 25, 1)),
        ("?limit=25", 0..25, pagination(1, 25, 25, 1)),
        ("?page=100&limit=100", 25..25, pagination(100, 100, 25, 1)),
        (
            "?queue=scraping-jobs&page=3",
            20..25,
            pagination(3, 10, 25, 3),
        ),
        ("?name=extract-data&limit=1", 0..1, pagination(1, 1, 25, 25)),
        ("?queue=crawl-jobs", 0..0, pagination(1, 10, 0, 0)),
        ("?name=generate-config", 0..0, pagination(1, 10, 0, 0)),
        (
            "?queue=navigation-jobs&name=extract-data",
            0..0,
            pagination(1, 10, 0, 0),
        ),
        ("?status=delayed&limit=5", 0..5, pagination(1, 5, 25, 5)),
        ("?status=completed", 0..0, pagination(1, 10, 0, 0)),
    ] {
        let list = app.get(&format!("/api/v1/jobs{query}")).await;
        assert_eq!(ids(&list), all[range], "{query}");
        assert_eq!(list.json["pagination"], told, "{query}");
    }
}

#[tokio::test]
async fn many_jobs_are_counted_without_looking_at_them_all() {
    let app = TestApp::start();
    for number in 0..230 {
        create(&app, number, if number < 30 { 0 } else { 1_000_000 }).await;
        app.drain(&Anything).await;
    }
    let told = async |query: &str| {
        let list = app.get(&format!("/api/v1/jobs{query}")).await;
        (
            ids(&list).len(),
            list.json["pagination"]["totalJobs"].clone(),
        )
    };
    assert_eq!(told("").await, (10, json!(230)));
    assert_eq!(told("?status=delayed&page=2").await, (10, json!(200)));
    assert_eq!(told("?status=completed").await, (10, json!(30)));
    assert_eq!(told("?page=23").await, (10, json!(230)));
    // A job that just arrived is on the page and in the count.
    create(&app, 1_000, 1_000_000).await;
    assert_eq!(told("?limit=100").await, (100, json!(231)));
    assert_eq!(told("?status=completed").await, (10, json!(30)));
}

#[tokio::test]
async fn what_cannot_be_listed_is_named() {
    let app = TestApp::start();
    for (query, named) in [
        ("page=0", vec!["page"]),
        ("page=x", vec!["page"]),
        ("limit=101", vec!["limit"]),
        ("limit=0", vec!["limit"]),
        ("page=1001", vec!["page"]),
        ("page=101&limit=100", vec!["page"]),
        ("page=99999999999999999999", vec!["page"]),
        ("queue=low", vec!["queue"]),
        ("name=single-page", vec!["name"]),
        ("status=done", vec!["status"]),
        ("cursor=x&page=2", vec!["cursor"]),
        ("limit=0&queue=x&name=y", vec!["limit", "queue", "name"]),
    ] {
        let refused = app.get(&format!("/api/v1/jobs?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(refused.json["success"], false);
        assert_eq!(refused.fields(), named, "{query}");
    }
    let far = app.get("/api/v1/jobs?page=1001").await;
    assert!(
        far.text("error").contains("GET /api/jobs?cursor="),
        "{far:?}"
    );
    let furthest = app.get("/api/v1/jobs?page=1000").await;
    assert_eq!(furthest.status, StatusCode::OK);
}
