//! What goes wrong on the way and is repaired: lost and doubled messages, workers that vanish,
//! results too large for an item, and jobs whose time is over.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use jobs::ports::PageRequest;
use jobs::{Failure, FailureCode, Page};
use scrape::{Targets, WebScraper};
use serde_json::{Value, json};

use crate::app::{Anything, LEASE, MILLISECOND, START, Scripted, TestApp};
use crate::rows;
use crate::site::{Answer, Gate, TestSite};
use crate::support;

/// Longer than the wait after a first or second failed attempt.
const BACK_OFF: Duration = Duration::from_secs(6);

fn scraper() -> WebScraper {
    WebScraper::new(Targets::AnyAddress).unwrap()
}

/// A worker takes the next message and vanishes in the middle of the page.
async fn lose_a_worker(app: &TestApp, site: &TestSite) {
    let message = app.receive();
    let scraper = scraper();
    let before = site.seen().len();
    tokio::select! {
        handled = app.work(&message, &scraper) => panic!("the page was held, yet {handled:?}"),
        () = site.arrived(before + 1) => {}
    }
}

#[tokio::test]
async fn a_lost_message_is_sent_again() {
    let app = TestApp::start();
    let id = app.create_for("http://site.example/").await;
    drop(app.receive());
    app.advance_almost(Duration::from_mins(1));
    assert_eq!(app.sweep().await.sent, 0, "it may still arrive");
    app.advance(MILLISECOND);
    assert_eq!(app.sweep().await.sent, 1);
    assert_eq!(app.drain(&Anything).await, 1);
    let job = app.job(&id).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(job["attempts"], json!([]), "a lost message is no attempt");
}

#[tokio::test]
async fn messages_that_are_lost_again_and_again_are_sent_ever_more_rarely() {
    let app = TestApp::start();
    let id = app.create_for("http://site.example/").await;
    drop(app.receive());
    let mut minutes = Vec::new();
    for minute in 1..=120 {
        app.advance(Duration::from_mins(1));
        if app.sweep().await.sent == 1 {
            drop(app.receive());
            minutes.push(minute);
        }
    }
    let waits: Vec<_> = minutes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(minutes[0], 1);
    assert_eq!(&waits[..4], [2, 4, 8, 15], "{minutes:?}");
    assert!(waits[4..].iter().all(|wait| *wait == 15), "{minutes:?}");
    app.advance(Duration::from_mins(15));
    app.sweep().await;
    app.drain(&Anything).await;
    assert_eq!(app.status(&id).await, "completed");
}

#[tokio::test]
async fn a_job_whose_worker_vanished_is_done_by_another() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let gate = Gate::closed();
    let held = Answer::html("never").held(&gate);
    site.pages("/", [held, Answer::html("<title>Done</title>")]);
    let id = app.create_for(&site.url("/")).await;
    lose_a_worker(&app, &site).await;
    assert_eq!(app.status(&id).await, "active");
    app.advance_almost(LEASE);
    app.sweep().await;
    assert_eq!(app.drain(&scraper()).await, 0);
    assert_eq!(app.status(&id).await, "active", "the lease still holds");
    app.advance(MILLISECOND);
    assert_eq!(app.sweep().await.sent, 1);
    app.advance(BACK_OFF);
    assert_eq!(app.drain(&scraper()).await, 1);
    let job = app.job(&id).await;
    assert_eq!(job["status"], "completed");
    assert_eq!(job["attempts"][0]["code"], "lease_lost");
    assert_eq!(job["attemptsMade"], 2);
    assert_eq!(site.requests("/"), 2);
    gate.open();
}

#[tokio::test]
async fn a_redelivered_message_takes_over_from_a_worker_that_vanished() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let gate = Gate::closed();
    let held = Answer::html("never").held(&gate);
    site.pages("/", [held, Answer::html("<title>Done</title>")]);
    let id = app.create_for(&site.url("/")).await;
    lose_a_worker(&app, &site).await;
    app.advance(LEASE);
    app.send_message(&id).await;
    assert_eq!(app.drain(&scraper()).await, 1);
    assert_eq!(app.status(&id).await, "completed");
    assert_eq!(site.requests("/"), 2);
    gate.open();
}

#[tokio::test]
async fn attempts_that_end_in_lost_leases_end_in_failure() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let gate = Gate::closed();
    site.page("/", Answer::html("never").held(&gate));
    let body = json!({"type": "single-page", "url": site.url("/"), "attempts": 2});
    let id = app.create(&body).await;
    for _ in 0..2 {
        lose_a_worker(&app, &site).await;
        app.advance(LEASE);
        app.sweep().await;
        app.advance(BACK_OFF);
    }
    let job = app.job(&id).await;
    assert_eq!(job["status"], "failed");
    assert_eq!(job["attemptsMade"], 2);
    let reason = job["failedReason"].as_str().unwrap();
    assert!(reason.starts_with("lease_lost: "), "{reason}");
    assert_eq!(app.drain(&scraper()).await, 0);
    gate.open();
}

#[tokio::test]
async fn a_worker_that_comes_back_too_late_changes_nothing() {
    let (app, site) = (Arc::new(TestApp::start()), TestSite::start().await);
    let gate = Gate::closed();
    let late = Answer::html("<title>Late</title>").held(&gate);
    site.pages("/", [late, Answer::html("<title>In time</title>")]);
    let id = app.create_for(&site.url("/")).await;
    let message = app.receive();
    let (held_app, held_message) = (Arc::clone(&app), message.clone());
    let zombie = tokio::spawn(async move { held_app.work(&held_message, &scraper()).await });
    site.arrived(1).await;
    app.advance(LEASE);
    app.sweep().await;
    app.advance(BACK_OFF);
    app.drain(&scraper()).await;
    let settled = app.row(&id).await;
    gate.open();
    zombie.await.unwrap();
    assert_eq!(app.row(&id).await, settled);
    let results = app.get(&format!("/api/jobs/{id}/results")).await.json;
    assert_eq!(results["results"][0]["title"], "In time");
    assert_eq!(results["results"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_duplicate_message_scrapes_once() {
    let (app, site) = (Arc::new(TestApp::start()), TestSite::start().await);
    let gate = Gate::closed();
    site.page("/", Answer::html("<title>Once</title>").held(&gate));
    let id = app.create_for(&site.url("/")).await;
    for _ in 0..3 {
        app.send_message(&id).await;
    }
    let (held_app, message) = (Arc::clone(&app), app.receive());
    let worker = tokio::spawn(async move { held_app.work(&message, &scraper()).await });
    site.arrived(1).await;
    // Two more come while the first one works, and one after it.
    for _ in 0..2 {
        let message = app.receive();
        app.work(&message, &scraper()).await;
    }
    gate.open();
    worker.await.unwrap();
    assert_eq!(app.drain(&scraper()).await, 1);
    assert_eq!(app.status(&id).await, "completed");
    assert_eq!(site.requests("/"), 1);
    assert_eq!(app.row(&id).await.fence, 1);
}

#[tokio::test]
async fn a_message_about_a_job_that_is_not_there_is_done_with() {
    let app = TestApp::start();
    let id = app.create_for("http://site.example/").await;
    app.drain(&Anything).await;
    app.send_message(&id).await;
    app.advance(Duration::from_hours(24));
    app.sweep().await;
    assert_eq!(app.drain(&Anything).await, 1);
    assert_eq!(app.rows(), []);
}

/// Text that hardly compresses.
fn dense(bytes: usize) -> String {
    let mut state = 7_u64;
    let mut text = String::new();
    while text.len() < bytes {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let _ = write!(text, "{:x}{:x} ", state >> 8, state.rotate_left(17));
    }
    text
}

/// A web whose pages have as much text as the last part of their address says, in bytes.
fn as_long_as_asked(request: &PageRequest) -> Result<Page, Failure> {
    let path = request.url.path();
    if path == "/gone" {
        return Err(Failure::new(
            FailureCode::Http(404),
            "There is no such page",
        ));
    }
    let bytes: usize = path.rsplit('/').next().unwrap().parse().unwrap();
    let mut page = support::page(request.url.as_str(), START);
    page.text = if path.starts_with("/dense") {
        dense(bytes)
    } else {
        "all the same ".repeat(bytes / 13)
    };
    Ok(page)
}

#[tokio::test]
async fn a_large_result_lies_in_the_blob_store_and_a_small_one_in_an_item() {
    let app = TestApp::start();
    for (path, blobs) in [
        ("/same/20", 0),
        ("/same/60000", 0),
        ("/same/70000", 1),
        ("/dense/10000", 0),
        ("/dense/20000", 1),
        ("/dense/1000000", 1),
    ] {
        let before = app.blob_names().await.len();
        let url = format!("http://site.example{path}");
        let id = app.create_for(&url).await;
        app.drain(&Scripted(as_long_as_asked)).await;
        assert_eq!(app.status(&id).await, "completed", "{path}");
        assert_eq!(app.blob_names().await.len() - before, blobs, "{path}");
        let results = app.get(&format!("/api/jobs/{id}/results")).await.json;
        assert_eq!(results["results"][0]["url"], url);
    }
    let items = app.items();
    let largest = items.iter().map(rows::size).max().unwrap();
    assert!(largest <= 64 * 1_024, "an item of {largest} bytes");
}

#[tokio::test]
async fn an_expired_job_is_gone_at_once_and_leaves_nothing_behind() {
    let app = TestApp::start();
    let mut ids = Vec::new();
    for path in ["same/20", "dense/100000", "gone"] {
        ids.push(app.create_for(&format!("http://site.example/{path}")).await);
    }
    app.drain(&Scripted(as_long_as_asked)).await;
    assert_eq!(app.blob_names().await.len(), 1);

    app.advance_almost(Duration::from_hours(24));
    assert_eq!(app.sweep().await.purged, 0);
    assert_eq!(app.status(&ids[0]).await, "completed");
    app.advance(MILLISECOND);
    for id in &ids[..2] {
        for path in ["/api/jobs", "/api/v1/jobs"] {
            let read = app.get(&format!("{path}/{id}")).await;
            assert_eq!(read.status.as_u16(), 404, "{path} before the sweep");
        }
    }
    let list = app.get("/api/jobs").await.json;
    assert_eq!(list["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(app.sweep().await.purged, 2);
    assert_eq!(app.blob_names().await, Vec::<String>::new());

    assert_eq!(app.status(&ids[2]).await, "failed", "kept for a week");
    app.advance(Duration::from_hours(6 * 24));
    assert_eq!(app.sweep().await.purged, 1);
    let left = app.items();
    let counts = |item: &Value| {
        let key = item["pk"]["S"].as_str().unwrap();
        key.starts_with("customers#") || key.starts_with("minutes#")
    };
    assert!(left.iter().all(counts), "{left:#?}");
    assert_eq!(app.sweep().await, jobs::app::Swept::default());
}

#[tokio::test]
async fn a_purge_leaves_the_place_of_a_later_equal_job_alone() {
    let app = TestApp::start();
    app.create_for("http://site.example/").await;
    app.drain(&Anything).await;
    app.advance(Duration::from_hours(23));
    let body =
        json!({"type": "single-page", "url": "http://site.example/", "delay": 2_592_000_000_u64});
    let later = app.create(&body).await;
    app.advance(Duration::from_hours(1));
    assert_eq!(app.sweep().await.purged, 1);
    let again = app.post("/api/jobs", &body).await;
    assert_eq!(again.text("jobId"), later);
}

#[tokio::test]
async fn a_worker_without_time_gives_the_job_back_untried() {
    let app = TestApp::start();
    let id = app.create_for("http://site.example/").await;
    // Enough to write an outcome down, and nothing beside.
    let deadline = app.app.now() + jobs::app::COMMIT_MARGIN;
    app.app.work(&app.receive(), &Anything, deadline).await;
    let row = app.row(&id).await;
    assert_eq!((row.state, row.attempts.len()), (jobs::State::Queued, 0));
    assert_eq!(app.drain(&Anything).await, 1);
    assert_eq!(app.status(&id).await, "completed");
}
