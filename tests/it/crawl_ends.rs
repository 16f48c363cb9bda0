//! What a crawl says of what it has not reached, while it waits and after it has ended, and what a
//! retry of its failed pages fetches. Over the real scraper and a real site.

use std::fmt::Write as _;

use axum::http::StatusCode;
use scrape::{Targets, WebScraper};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::site::{Answer, TestSite};

fn scraper() -> WebScraper {
    WebScraper::new(Targets::AnyAddress).unwrap()
}

fn page(body: &str) -> Answer {
    Answer::html(format!("<!doctype html><title>{body:.20}</title>{body}"))
}

/// A crawl that has a result and a failure, waits for a host that is busy, and has not reached
/// `/later`.
async fn waiting(app: &TestApp, site: &TestSite) -> String {
    let links = "<a href=/gone>1</a> <a href=/busy>2</a> <a href=/later>3</a>";
    site.page("/", page(links));
    site.page("/gone", Answer::status(404));
    let busy = Answer::status(503).header("retry-after", "60");
    site.page("/busy", busy);
    site.page("/later", page("Later"));
    let body = json!({
        "type": "full-crawl", "url": site.url("/"), "maxConcurrency": 1, "sitemap": "skip",
    });
    let id = app.create(&body).await;
    app.drain(&scraper()).await;
    assert_eq!(app.status(&id).await, "delayed");
    id
}

/// A crawl that has failed because the robots.txt of its site could not be read.
async fn never_begun(app: &TestApp, site: &TestSite) -> String {
    site.page("/robots.txt", Answer::status(500));
    site.page("/", page("Home"));
    let body = json!({"type": "full-crawl", "url": site.url("/"), "attempts": 1});
    let id = app.create(&body).await;
    for _ in 0..10 {
        app.drain(&scraper()).await;
        app.advance(std::time::Duration::from_mins(5));
        app.sweep().await;
    }
    assert_eq!(app.status(&id).await, "failed");
    id
}

/// State and reason of one address.
async fn standing(app: &TestApp, site: &TestSite, id: &str, path: &str) -> [Value; 2] {
    let listed = app.get(&format!("/api/jobs/{id}/urls")).await;
    let rows = listed.json["urls"].as_array().unwrap();
    let url = site.url(path);
    let row = rows.iter().find(|row| row["url"] == *url).unwrap();
    ["state", "reason"].map(|field| row[field].clone())
}

#[tokio::test]
async fn a_crawl_that_waits_has_no_pace_and_is_still_at_its_attempt() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let id = waiting(&app, &site).await;
    let job = app.job(&id).await;
    let pace = json!({"pagesPerSecond": null, "currentUrl": null, "estimatedEnd": null});
    assert_eq!(job["crawl"], pace);
    assert_eq!(job["attemptsMade"], 1);
    let nothing = standing(&app, &site, &id, "/later").await;
    assert_eq!(nothing, [json!("queued"), Value::Null]);
}

#[tokio::test]
async fn what_a_cancelled_crawl_has_left_is_not_fetched_by_a_retry_of_failed_pages() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let id = waiting(&app, &site).await;
    let cancelled = app.delete(&format!("/api/jobs/{id}")).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    let left = standing(&app, &site, &id, "/later").await;
    assert_eq!(left, [json!("queued"), json!("limit")]);
    let listed = app
        .get(&format!("/api/jobs/{id}/urls?state=queued&reason=limit"))
        .await;
    assert_eq!(listed.json["urls"].as_array().unwrap().len(), 2);
    site.page("/gone", page("Back"));
    site.page("/busy", page("Idle"));
    app.advance(std::time::Duration::from_mins(2));
    let retry = app
        .post(&format!("/api/jobs/{id}/retry"), &json!({"only": "failed"}))
        .await;
    assert_eq!(retry.status, StatusCode::OK, "{retry:?}");
    app.drain(&scraper()).await;
    assert_eq!(app.status(&id).await, "completed");
    let (gone, later) = (site.requests("/gone"), site.requests("/later"));
    assert_eq!((gone, later), (2, 0));
    let left = standing(&app, &site, &id, "/later").await;
    assert_eq!(left, [json!("skipped"), json!("limit")]);
}

#[tokio::test]
async fn a_crawl_that_could_not_begin_says_why_its_start_was_not_reached() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let id = never_begun(&app, &site).await;
    let why = json!("robots_unreachable");
    let start = standing(&app, &site, &id, "/").await;
    assert_eq!(start[1], why);
    let path = format!("/api/jobs/{id}/urls?reason=robots_unreachable");
    let listed = app.get(&path).await;
    assert_eq!(listed.json["urls"].as_array().unwrap().len(), 1);
    let explained = app
        .post("/api/explain", &json!({"jobId": id, "url": site.url("/")}))
        .await;
    assert_eq!(explained.json["reason"], why);
}

#[tokio::test]
async fn who_does_not_respect_robots_does_not_mind_that_they_cannot_be_read() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/robots.txt", Answer::status(500));
    site.page("/", page("Home"));
    let body = json!({"type": "full-crawl", "url": site.url("/"), "respectRobots": false});
    let id = app.create(&body).await;
    app.drain(&scraper()).await;
    assert_eq!(app.status(&id).await, "completed");
    assert_eq!(app.job(&id).await["counters"]["done"], 1);
}

#[tokio::test]
async fn a_crawl_of_an_address_that_is_refused_fails_at_once_and_says_so() {
    let app = TestApp::start();
    let scraper = WebScraper::new(Targets::Public).unwrap();
    let body = json!({"type": "full-crawl", "url": "http://169.254.169.254/"});
    let id = app.create(&body).await;
    app.drain(&scraper).await;
    let job = app.job(&id).await;
    assert_eq!(job["status"], "failed", "{job}");
    assert_eq!(job["attemptsMade"], 1);
    let reason = job["failedReason"].as_str().unwrap();
    assert!(reason.starts_with("address_refused: "), "{reason}");
}

#[tokio::test]
async fn a_crawl_keeps_html_alone_and_a_page_says_where_its_links_end_early() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let mut links = "<a href=/feed>1</a> <a href=/data>2</a> <a href=/notes>3</a>".to_owned();
    for number in 0..10_000 {
        let _ = write!(links, "<a href='/page/{number}'>x</a>");
    }
    site.page("/", page(&links));
    for (path, media) in [
        ("/feed", "application/xml"),
        ("/data", "application/json"),
        ("/notes", "text/plain"),
    ] {
        let body = Answer::status(200).header("content-type", media);
        site.page(path, body);
    }
    let body = json!({"type": "full-crawl", "url": site.url("/"), "include": ["/feed", "/data", "/notes"]});
    let id = app.create(&body).await;
    app.drain(&scraper()).await;
    assert_eq!(app.status(&id).await, "completed");
    for path in ["/feed", "/data", "/notes"] {
        let found = standing(&app, &site, &id, path).await;
        assert_eq!(found, [json!("skipped"), json!("wrong_type")], "{path}");
    }
    let results = app.get(&format!("/api/jobs/{id}/results")).await;
    let result = &results.json["results"][0];
    assert_eq!(result["truncated"], true);
    assert_eq!(result["links"].as_array().unwrap().len(), 10_000);
}

#[tokio::test]
async fn a_retry_of_the_failed_pages_of_a_crawl_that_never_began_is_a_retry() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let id = never_begun(&app, &site).await;
    site.page("/robots.txt", Answer::status(404));
    app.advance(std::time::Duration::from_hours(1));
    let path = format!("/api/jobs/{id}/retry");
    let retry = app.post(&path, &json!({"only": "failed"})).await;
    assert_eq!(retry.status, StatusCode::OK, "{retry:?}");
    app.drain(&scraper()).await;
    let job = app.job(&id).await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(job["counters"]["done"], 1);
}
