//! What is told of crawls: how far they are, and of each page where somebody asks for it.

use std::collections::BTreeSet;

use jobs::EventType;
use jobs::EventType::{CrawlPage, JobCompleted, JobCreated, JobProgress, JobStarted};
use scrape::{Targets, WebScraper};
use serde_json::{Value, json};

use super::{GRACE, all_is_told, bodies, heard};
use crate::app::TestApp;
use crate::golden::assert_golden;
use crate::site::{Answer, TestSite};

const PAGES: usize = 40;

async fn site() -> TestSite {
    let site = TestSite::start().await;
    let links: Vec<_> = (1..PAGES)
        .map(|n| format!("<a href=\"/{n}\">{n}</a>"))
        .collect();
    let links = links.concat();
    site.page("/", Answer::html(format!("<p>Start</p>{links}")));
    for number in 1..PAGES {
        let answer = Answer::html(format!(
            "<title>{number}</title><p>Page {number} of many</p>"
        ));
        site.page(&format!("/{number}"), answer);
    }
    site
}

async fn crawl(app: &TestApp, site: &TestSite, own: Value) -> String {
    let mut body = json!({"type": "full-crawl", "url": site.url("/"), "maxConcurrency": 1});
    let own = own.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(own);
    let id = app.create(&body).await;
    app.drain(&WebScraper::new(Targets::AnyAddress).unwrap())
        .await;
    id
}

fn count(app: &TestApp, kind: EventType) -> usize {
    app.bus.kinds().iter().filter(|it| **it == kind).count()
}

#[tokio::test]
async fn a_crawl_tells_of_its_progress_three_times_at_most() {
    let (app, site) = (heard(), site().await);
    crawl(&app, &site, json!({})).await;
    assert!(count(&app, JobProgress) <= 3, "{:?}", app.bus.kinds());
    for kind in [JobCreated, JobStarted, JobCompleted] {
        assert_eq!(count(&app, kind), 1, "{kind}");
    }
    assert_eq!(count(&app, CrawlPage), 0, "nobody asked for them");
    let last = bodies(&app).pop().unwrap();
    assert_eq!(last["data"]["counters"]["done"], PAGES);
    all_is_told(&app).await;
}

/// The pages that were told of, each with the id of its event.
fn pages(app: &TestApp) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for body in bodies(app) {
        for page in body["data"]["pages"].as_array().into_iter().flatten() {
            let url = page["url"].as_str().unwrap().to_owned();
            pages.push((url, body["id"].as_str().unwrap().to_owned()));
        }
    }
    pages
}

#[tokio::test]
async fn each_page_of_a_crawl_is_told_of_once_where_somebody_asks_for_it() {
    let (app, site) = (heard(), site().await);
    crawl(&app, &site, json!({"pageEvents": true})).await;
    let told = pages(&app);
    let urls: BTreeSet<_> = told.iter().map(|(url, _)| url).collect();
    assert_eq!((told.len(), urls.len()), (PAGES, PAGES));
    all_is_told(&app).await;
    for event in app.bus.events() {
        assert!(event.body.len() < 64 * 1_024, "{} bytes", event.body.len());
    }
}

#[tokio::test]
async fn pages_that_are_told_again_have_the_ids_that_they_had() {
    let (app, site) = (heard(), site().await);
    // Whatever the slice says, one event of it is refused, so that all is told again.
    app.bus.refuse(1);
    crawl(&app, &site, json!({"pageEvents": true})).await;
    app.advance(GRACE);
    app.sweep().await;
    let told: BTreeSet<_> = pages(&app).into_iter().collect();
    let urls: BTreeSet<_> = told.iter().map(|(url, _)| url).collect();
    assert_eq!((told.len(), urls.len()), (PAGES, PAGES), "one id each");
    all_is_told(&app).await;
}

#[tokio::test]
async fn pages_are_told_of_before_a_new_start_throws_them_away() {
    let (app, site) = (heard(), site().await);
    let id = app
        .create(&json!({"type": "full-crawl", "url": site.url("/"), "pageEvents": true}))
        .await;
    app.bus.fail(usize::MAX);
    app.drain(&WebScraper::new(Targets::AnyAddress).unwrap())
        .await;
    app.change(&id, |job, stamp| {
        // As if it had been cancelled at the very end.
        let mut row = job.told(stamp, 1)?;
        row.state = jobs::State::Cancelled;
        Ok(row)
    })
    .await;
    app.bus.fail(0);
    app.act(&id, "retry").await;
    assert_eq!(pages(&app).len(), PAGES);
    app.act(&id, "cancel").await;
    while app.queue.try_receive().is_some() {}
}

#[tokio::test]
async fn what_is_said_of_a_page_is_enough_to_find_it() {
    let (app, site) = (heard(), TestSite::start().await);
    site.page(
        "/",
        Answer::html("<title>Tea</title><p>Alone</p>".to_owned()),
    );
    crawl(&app, &site, json!({"pageEvents": true})).await;
    let mut body = bodies(&app)
        .into_iter()
        .find(|body| body["type"] == "crawl.page")
        .unwrap();
    for at in ["/data/url", "/data/pages/0/url", "/data/pages/0/finalUrl"] {
        let url = body.pointer_mut(at).unwrap();
        *url = json!(
            url.as_str()
                .unwrap()
                .replace(&site.url("/"), "http://site/")
        );
    }
    body["data"]["pages"][0]["fetchedAt"] = json!("[time]");
    assert_golden("event_of_pages", &body);
}

#[tokio::test]
async fn a_single_page_has_no_events_of_pages() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": site().await.url("/"), "pageEvents": true});
    let refused = app.post("/api/jobs", &body).await;
    assert_eq!(refused.fields(), ["pageEvents"]);
}
