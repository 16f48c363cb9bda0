//! How far a crawl is, on both faces.

use jobs::State;
use jobs::crawl::Progress;
use serde_json::{Value, json};

use super::{crawl, created, progress, under_way};
use crate::app::TestApp;
use crate::golden::assert_golden;

#[tokio::test]
async fn a_crawl_shows_its_counters_and_its_pace() {
    let app = TestApp::start();
    let body = json!({"type": "full-crawl", "url": super::SITE, "maxPages": 300});
    let id = created(&app, &body).await;
    progress(&app, &id, State::Active, under_way()).await;
    let job = app.job(&id).await;
    assert_eq!(job["status"], "active");
    assert_eq!(job["progress"], 30);
    let counters =
        json!({"discovered": 420, "queued": 280, "done": 120, "failed": 3, "skipped": 17});
    assert_eq!(job["counters"], counters);
    // 180 more pages may come, at 35 a second.
    let pace = json!({
        "pagesPerSecond": 35.0, "currentUrl": "http://site.example/tea",
        "estimatedEnd": "2023-11-14T22:13:25.142Z",
    });
    assert_eq!(job["crawl"], pace);
    let detail = app.get(&format!("/api/v1/jobs/{id}")).await;
    assert_golden("wire_v1_crawl_active", &detail.json);
    let list = app.get("/api/v1/jobs").await;
    let said = &list.json["data"][0]["jobs"][0];
    assert_eq!(said["progress"], 30);
    let sentence = "Crawling http://site.example/: 120 of about 400 pages, 35 pages/s";
    assert_eq!(said["detailedStatus"], sentence);
    app.delete(&format!("/api/jobs/{id}")).await;
    let job = app.job(&id).await;
    assert_eq!(job["counters"], counters);
    let ended = json!({"pagesPerSecond": null, "currentUrl": null, "estimatedEnd": null});
    assert_eq!(job["crawl"], ended);
    let detail = app.get(&format!("/api/v1/jobs/{id}")).await;
    assert_eq!(detail.json["data"]["result"], counters);
    assert_eq!(detail.json["data"]["returnValue"], counters);
}

#[tokio::test]
async fn a_crawl_says_in_a_sentence_where_it_stands() {
    let app = TestApp::start();
    let id = crawl(&app).await;
    let sentence = async || {
        let detail = app.get(&format!("/api/v1/jobs/{id}")).await;
        let status = &detail.json["data"]["progress"]["status"];
        status.as_str().unwrap().to_owned()
    };
    assert_eq!(sentence().await, "Waiting for a worker");
    progress(&app, &id, State::Active, Progress::default()).await;
    assert_eq!(sentence().await, "Beginning the crawl");
    let slow = Progress {
        rate: 7,
        ..under_way()
    };
    progress(&app, &id, State::Active, slow).await;
    // No more than `maxPages`, which is 100.
    let said = "Crawling http://site.example/: 120 of about 120 pages, 0.1 pages/s";
    assert_eq!(sentence().await, said);
    progress(&app, &id, State::Queued, under_way()).await;
    let said = "Waiting for a worker to go on: 120 of about 120 pages";
    assert_eq!(sentence().await, said);
    progress(&app, &id, State::Completed, under_way()).await;
    let said = "Completed: 120 pages, 3 failed, 17 addresses skipped";
    assert_eq!(sentence().await, said);
}

#[tokio::test]
async fn a_single_page_has_neither_counters_nor_options_of_a_crawl() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": super::SITE});
    let id = created(&app, &body).await;
    let job = app.job(&id).await;
    for absent in ["counters", "crawl"] {
        assert_eq!(job.get(absent), None, "{absent}");
    }
    assert_eq!(job["options"].get("maxPages"), None);
    assert_eq!(job["options"]["userAgent"], Value::Null);
}
