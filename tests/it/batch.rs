//! Batches: what the answer says, what counts as a duplicate, all or nothing.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{Answered, Anything, START, TestApp};
use crate::golden::assert_golden;

fn url(page: usize) -> String {
    format!("http://site.example/{page}")
}

fn batch(pages: impl IntoIterator<Item = usize>) -> Value {
    let urls: Vec<_> = pages.into_iter().map(url).collect();
    json!({"type": "single-page", "urls": urls})
}

/// `batch()` with these fields as well.
fn batch_with(pages: impl IntoIterator<Item = usize>, extra: &Value) -> Value {
    let mut body = batch(pages);
    let fields = extra.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}

/// Posts a batch that must be accepted.
async fn create(app: &TestApp, body: &Value) -> Answered {
    let answer = app.post("/api/jobs", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer
}

/// Total, successful and deduplicated of an answer, as it says, and checked against each other.
fn sums(answer: &Answered) -> [u64; 3] {
    let results = &answer.json["results"];
    let sums = ["total", "successful", "deduplicated"].map(|sum| results[sum].as_u64().unwrap());
    let jobs = jobs(answer);
    let duplicates = jobs.iter().filter(|(_, _, duplicate)| *duplicate).count() as u64;
    assert_eq!(sums, [jobs.len() as u64, sums[1], duplicates]);
    assert_eq!(sums[0], sums[1] + sums[2]);
    let message = format!("Created {} jobs ({} deduplicated)", sums[1], sums[2]);
    assert_eq!(answer.text("message"), message);
    sums
}

/// Id, address and whether it is a duplicate, of each job of an answer.
fn jobs(answer: &Answered) -> Vec<(&str, &str, bool)> {
    let jobs = answer.json["results"]["jobs"].as_array().unwrap();
    let job = |job: &'_ Value| -> bool { job["deduplicated"].as_bool().unwrap() };
    jobs.iter()
        .map(|it| {
            let text = |name: &str| it[name].as_str().unwrap();
            assert_eq!(text("statusUrl"), format!("/api/jobs/{}", text("jobId")));
            (text("jobId"), text("url"), job(it))
        })
        .collect()
}

#[tokio::test]
async fn a_batch_is_answered_with_what_became_of_each_address() {
    let app = TestApp::start();
    let existing = app.create_for(&url(1)).await;
    let answer = create(&app, &batch([0, 1, 2, 0])).await;
    assert_golden("wire_batch", &answer.json);
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.text("timestamp"), START.to_string());
    assert_eq!(sums(&answer), [4, 2, 2]);
    let jobs = jobs(&answer);
    assert_eq!(jobs[1], (existing.as_str(), url(1).as_str(), true));
    assert_eq!(jobs[3], (jobs[0].0, url(0).as_str(), true));
    assert_ne!(jobs[0].0, jobs[2].0);
    for (id, url, _) in &jobs {
        assert_eq!(app.job(id).await["url"], *url);
    }
    assert_eq!(app.drain(&Anything).await, 3, "one job has one message");
}

#[tokio::test]
async fn a_batch_of_a_hundred_is_a_hundred_jobs() {
    let app = TestApp::start();
    for (count, pages) in [
        (1, 1_000),
        (25, 2_000),
        (26, 3_000),
        (50, 4_000),
        (100, 5_000),
    ] {
        let before = app.rows().len();
        let answer = create(&app, &batch(pages..pages + count)).await;
        assert_eq!(sums(&answer), [count as u64, count as u64, 0]);
        let jobs = jobs(&answer);
        let ids: BTreeSet<_> = jobs.iter().map(|(id, _, _)| *id).collect();
        assert_eq!(ids.len(), count);
        assert!(jobs.is_sorted(), "ids are in the order of the addresses");
        assert_eq!(app.rows().len(), before + count);
        assert_eq!(app.drain(&Anything).await, count);
    }
}

#[tokio::test]
async fn the_same_batch_again_is_all_duplicates_until_its_jobs_have_ended() {
    let app = TestApp::start();
    for count in [10, 100] {
        let body = batch(0..count);
        let first = create(&app, &body).await;
        let again = create(&app, &body).await;
        assert_eq!(sums(&again), [count as u64, 0, count as u64]);
        let ids = |answer: &Answered| -> Vec<String> {
            let jobs = jobs(answer).into_iter();
            jobs.map(|(id, _, _)| id.to_owned()).collect()
        };
        assert_eq!(ids(&again), ids(&first));
        app.drain(&Anything).await;
        let anew = create(&app, &body).await;
        assert_eq!(sums(&anew), [count as u64, count as u64, 0]);
        assert_ne!(ids(&anew), ids(&first));
        app.drain(&Anything).await;
        let recent = batch_with(0..count, &json!({"deduplicateFor": 1_000}));
        let recent = create(&app, &recent).await;
        assert_eq!(sums(&recent), [count as u64, 0, count as u64]);
        assert_eq!(ids(&recent), ids(&anew));
    }
}

#[tokio::test]
async fn a_batch_outside_deduplication_neither_looks_nor_blocks() {
    let app = TestApp::start();
    let body = batch_with([1, 1, 1], &json!({"deduplicate": false}));
    for _ in 0..2 {
        assert_eq!(sums(&create(&app, &body).await), [3, 3, 0]);
    }
    let many = batch_with(std::iter::repeat_n(1, 60), &json!({"deduplicate": false}));
    assert_eq!(sums(&create(&app, &many).await), [60, 60, 0]);
    assert_eq!(sums(&create(&app, &batch([1])).await), [1, 1, 0]);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn one_wrong_address_refuses_the_batch_by_its_place() {
    let app = TestApp::start();
    let mut body = batch(0..100);
    body["urls"][37] = json!("not a url");
    body["urls"][99] = json!("ftp://site.example/");
    let answer = app.post("/api/jobs", &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.fields(), ["urls[37]", "urls[99]"]);
    assert_eq!(
        answer.json["details"][0],
        json!({"field": "urls[37]", "message": "Invalid URL format"})
    );
    for (urls, field) in [
        (json!([]), "urls"),
        (json!(vec!["http://site.example/"; 101]), "urls"),
        (json!("http://site.example/"), "urls"),
        (json!(["http://site.example/", null]), "urls[1]"),
        (json!([["http://site.example/"]]), "urls[0]"),
    ] {
        let answer = app
            .post("/api/jobs", &json!({"type": "single-page", "urls": urls}))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{urls}");
        assert_eq!(answer.fields(), [field], "{urls}");
    }
    for (extra, field) in [
        (json!({"url": "http://site.example/"}), "url"),
        (json!({"staggerDelay": -1}), "staggerDelay"),
        (json!({"staggerDelay": 2_592_000_001_u64}), "staggerDelay"),
        (json!({"staggerDelay": 2_592_000_000_u64}), "staggerDelay"),
        (json!({"staggerDelay": "1"}), "staggerDelay"),
        (json!({"cronPattern": "* * * * *"}), "cronPattern"),
        (json!({"colour": 1}), "colour"),
    ] {
        let answer = app.post("/api/jobs", &batch_with(0..3, &extra)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{extra}");
        assert_eq!(answer.fields(), [field], "{extra}");
    }
    assert!(app.items().is_empty(), "nothing is created");
}

#[tokio::test]
async fn every_job_of_a_batch_has_the_fields_of_the_batch() {
    let app = TestApp::start();
    let extra = json!({
        "customerId": "customer-123", "isNewCustomer": true, "delay": 500, "staggerDelay": 250,
        "metadata": {"tags": ["a"]}, "attempts": 2, "timeout": 1_234, "userAgent": "Tester/1",
    });
    let answer = create(&app, &batch_with(0..30, &extra)).await;
    for (index, (id, _, _)) in jobs(&answer).into_iter().enumerate() {
        let job = app.job(id).await;
        assert_eq!(job["customerId"], "customer-123");
        assert_eq!(job["priority"], "high");
        assert_eq!(job["metadata"], json!({"tags": ["a"]}));
        let options = &job["options"];
        assert_eq!(options["attempts"], 2);
        assert_eq!(options["timeout"], 1_234);
        assert_eq!(options["delay"], 500 + 250 * index);
        assert_eq!(options["userAgent"], "Tester/1");
    }
    app.advance(std::time::Duration::from_secs(20));
    assert_eq!(app.drain(&Anything).await, 30);
}

#[tokio::test]
async fn a_batch_over_the_cap_is_refused_whole() {
    for (count, cap) in [(5_usize, 6), (40, 41)] {
        let app = TestApp::with_room(cap);
        app.create_for("http://other.example/1").await;
        app.create_for("http://other.example/2").await;
        let full = app.post("/api/jobs", &batch(0..count)).await;
        assert_eq!(full.status, StatusCode::SERVICE_UNAVAILABLE, "{full:?}");
        assert_eq!(full.text("message"), "Queue is full");
        assert_eq!(app.rows().len(), 2, "nothing is created");
        // Duplicates take no place, and what is left over stays free.
        let fits = create(&app, &batch((0..count - 1).chain([0, 1]))).await;
        assert_eq!(sums(&fits)[1], count as u64 - 1);
        let again = create(&app, &batch(0..count - 1)).await;
        assert_eq!(sums(&again)[1], 0);
        let one = app.post("/api/jobs", &batch([999])).await;
        assert_eq!(one.status, StatusCode::SERVICE_UNAVAILABLE, "{one:?}");
        app.drain(&Anything).await;
        let whole = create(&app, &batch(1_000..1_000 + cap as usize)).await;
        assert_eq!(sums(&whole)[1], cap);
        app.drain(&Anything).await;
    }
}

#[tokio::test]
async fn a_batch_is_one_create_against_the_rate() {
    let app = TestApp::with_limits(jobs::Limits {
        creates_per_minute: 2,
        ..jobs::Limits::default()
    });
    create(&app, &batch(0..100)).await;
    create(&app, &batch(100..200)).await;
    let answer = app.post("/api/jobs", &batch([300])).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn the_largest_batch_fits_and_one_job_too_large_refuses_it() {
    let app = TestApp::start();
    let long = |page: usize| {
        let start = format!("http://site.example/{page}/");
        format!("{start}{}", "a".repeat(2_048 - start.len()))
    };
    let headers = |count: usize| -> Value {
        let name = |n| (format!("x-{n}"), json!("v".repeat(3_800)));
        (0..count)
            .map(name)
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let urls: Vec<_> = (0..100).map(long).collect();
    let body = |count| json!({"type": "single-page", "urls": urls, "headers": headers(count)});
    let over = app.post("/api/jobs", &body(17)).await;
    assert_eq!(over.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(app.items().is_empty());
    let fits = create(&app, &body(16)).await;
    assert_eq!(sums(&fits), [100, 100, 0]);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn two_batches_that_overlap_make_each_job_once() {
    for count in [20, 80] {
        let app = TestApp::start();
        let (one, other) = (batch(0..count), batch((0..count).rev()));
        let answers = futures::join!(create(&app, &one), create(&app, &other));
        let successful = sums(&answers.0)[1] + sums(&answers.1)[1];
        assert_eq!(successful, count as u64);
        assert_eq!(app.rows().len(), count);
        let (mut one, mut other) = (jobs(&answers.0), jobs(&answers.1));
        one.sort_unstable();
        other.sort_unstable();
        for (one, other) in one.iter().zip(&other) {
            assert_eq!((one.0, one.1), (other.0, other.1), "both are told the same");
        }
        app.drain(&Anything).await;
    }
}
