//! What a refresh compares with: where it is found, what stays in it, and when it goes.

use std::time::Duration;

use axum::http::StatusCode;
use scrape::{Targets, WebScraper};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::site::{Answer, TestSite};

fn page(title: &str, text: &str, links: &[&str]) -> Answer {
    let links = links.iter().map(|link| format!("<a href='{link}'>on</a> "));
    let links: String = links.collect();
    Answer::html(format!(
        "<!doctype html><title>{title}</title><body><h1>{title}</h1><p>{text}</p>{links}"
    ))
}

struct World {
    app: TestApp,
    site: TestSite,
    scraper: WebScraper,
}

impl World {
    async fn start() -> Self {
        let site = TestSite::start().await;
        site.page("/", page("Home", "Welcome", &["/a", "/b"]));
        site.page("/a", page("A", "First", &[]));
        site.page("/b", page("B", "Second", &[]));
        Self {
            app: TestApp::start(),
            scraper: WebScraper::new(Targets::AnyAddress).unwrap(),
            site,
        }
    }

    async fn run(&self, mut body: Value) -> (String, Value) {
        body["deduplicate"] = json!(false);
        let id = self.app.create(&body).await;
        self.app.drain(&self.scraper).await;
        for _ in 0..20 {
            if self.app.status(&id).await == "completed" {
                break;
            }
            self.app.advance(Duration::from_mins(1));
            self.app.sweep().await;
            self.app.drain(&self.scraper).await;
        }
        let job = self.app.job(&id).await;
        assert_eq!(job["status"], "completed", "{job}");
        (id, job)
    }

    async fn crawl(&self) -> String {
        let body = json!({"type": "full-crawl", "url": self.site.url("/"), "sitemap": "skip"});
        self.run(body).await.0
    }

    async fn refresh(&self, path: &str) -> (String, Value) {
        let body = json!({"type": "refresh", "url": self.site.url(path)});
        self.run(body).await
    }

    async fn results(&self, id: &str) -> Vec<Value> {
        let results = self.app.get(&format!("/api/jobs/{id}/results")).await;
        assert_eq!(results.status, StatusCode::OK);
        results.json["results"].as_array().unwrap().clone()
    }

    /// The change of each page, in order of their paths.
    async fn changes(&self, id: &str) -> Vec<String> {
        let origin = self.site.url("");
        let results = self.results(id).await;
        let change = |page: &Value| {
            let url = page["url"].as_str().unwrap().replace(&origin, "");
            format!("{url} {}", page["change"].as_str().unwrap())
        };
        let mut changes: Vec<_> = results.iter().map(change).collect();
        changes.sort();
        changes
    }
}

#[tokio::test]
async fn a_page_that_fails_is_compared_with_what_it_was_before_when_it_is_back() {
    let world = World::start().await;
    world.crawl().await;
    world.site.page("/a", Answer::status(503));
    // Twice: what one refresh could not renew is handed on by the next one too.
    for _ in 0..2 {
        let (id, job) = world.refresh("/").await;
        assert_eq!(world.changes(&id).await, ["/ same", "/b same"]);
        assert_eq!(job["counters"]["failed"], 1, "{job}");
        assert_eq!(job["refresh"]["removed"], 0, "{job}");
    }
    world.site.page("/a", page("A", "Another", &[]));
    let (id, _) = world.refresh("/").await;
    assert_eq!(
        world.changes(&id).await,
        ["/ same", "/a changed", "/b same"]
    );
    let results = world.results(&id).await;
    let changed = results.iter().find(|page| page["change"] == "changed");
    let difference = changed.unwrap()["diff"].as_str().unwrap();
    assert!(difference.contains("-First"), "{difference}");
    assert!(difference.contains("+Another"), "{difference}");

    // Gone is gone: it is said once, and new when it is back.
    world.site.page("/a", Answer::status(410));
    let (id, _) = world.refresh("/").await;
    assert_eq!(
        world.changes(&id).await,
        ["/ same", "/a removed", "/b same"]
    );
    let (id, _) = world.refresh("/").await;
    assert_eq!(world.changes(&id).await, ["/ same", "/b same"]);
}

#[tokio::test]
async fn a_refresh_whose_time_is_over_leaves_what_is_compared_with_as_it_was() {
    let world = World::start().await;
    let slow = json!({
        "type": "full-crawl", "url": world.site.url("/"), "sitemap": "skip",
        "requestDelay": 1000,
    });
    world.run(slow).await;
    world.site.page("/a", page("A", "Another", &[]));
    let hasty = json!({"type": "refresh", "url": world.site.url("/"), "timeout": 1000});
    let (_, job) = world.run(hasty).await;
    let counters = &job["counters"];
    assert!(counters["skipped"].as_u64() > Some(0), "{counters}");
    let (id, _) = world.refresh("/").await;
    assert_eq!(
        world.changes(&id).await,
        ["/ same", "/a changed", "/b same"]
    );
}

#[tokio::test]
async fn a_refresh_of_an_address_compares_with_an_earlier_job_for_that_page() {
    for config in [json!({}), json!({"fields": {"word": {"selector": "h1"}}})] {
        let world = World::start().await;
        let address = world.site.url("/a#top");
        world
            .run(json!({"type": "single-page", "url": address, "config": config}))
            .await;
        // Of another customer, and newer.
        let stranger = json!({
            "type": "single-page", "url": address, "customerId": "another",
        });
        world.run(stranger).await;
        let (id, job) = world.refresh("/a").await;
        assert_eq!(world.changes(&id).await, ["/a same"], "{config}");
        assert!(job["refresh"]["bytesSaved"].is_u64(), "{job}");
        // What that has found outlives both.
        world.app.advance(Duration::from_hours(25));
        world.app.sweep().await;
        world.site.page("/a", page("A", "Another", &[]));
        let (id, _) = world.refresh("/a").await;
        assert_eq!(world.changes(&id).await, ["/a changed"], "{config}");
        if config != json!({}) {
            assert_eq!(world.results(&id).await[0]["fields"], json!({"word": "A"}));
        }
    }
}

#[tokio::test]
async fn a_refresh_reads_the_fields_of_its_base_unless_it_names_its_own() {
    let world = World::start().await;
    let crawl = json!({
        "type": "full-crawl", "url": world.site.url("/"), "sitemap": "skip",
        "config": {"fields": {"head": {"selector": "h1"}}},
    });
    world.run(crawl).await;
    let csv = async |id: &str| {
        let path = format!("/api/jobs/{id}/results?format=csv");
        let table = world.app.get(&path).await.json;
        let path = format!("/api/jobs/{id}/results?download=csv");
        let file = world.app.get(&path).await.json;
        let first = |text: &Value| text.as_str().unwrap().lines().next().unwrap().to_owned();
        assert_eq!(first(&table), first(&file));
        first(&table)
    };
    let (id, _) = world.refresh("/").await;
    let header = csv(&id).await;
    assert!(header.ends_with("text,fields.head"), "{header}");

    let before = world.site.requests("/a");
    let other = json!({
        "type": "refresh", "url": world.site.url("/"), "lastCrawledAt": "2001-01-01T00:00:00Z",
        "config": {"fields": {"words": {"selector": "p"}}},
    });
    let (id, job) = world.run(other).await;
    let header = csv(&id).await;
    assert!(header.ends_with("text,fields.words"), "{header}");
    // Nothing was left alone or taken from before: it lacks what is asked for now.
    assert_eq!(world.site.requests("/a"), before + 1);
    assert_eq!(job["refresh"]["same"], 3, "{job}");
    for page in world.results(&id).await {
        assert!(page["fields"]["words"].is_string(), "{page}");
    }
}

#[tokio::test]
async fn what_nobody_has_refreshed_for_ninety_days_is_forgotten() {
    let world = World::start().await;
    let crawl = world.crawl().await;
    world.app.advance(Duration::from_hours(25));
    world.app.sweep().await;
    let kept = async || {
        let names = world.app.blob_names().await;
        let items = world.app.items();
        let rows = items.iter().filter(|item| item["job_id"]["S"] == *crawl);
        (names.iter().any(|name| name.contains(&crawl)), rows.count())
    };
    assert_eq!(kept().await, (true, 1));
    world.app.advance(Duration::from_hours(88 * 24));
    world.app.sweep().await;
    assert_eq!(kept().await, (true, 1));
    world.app.advance(Duration::from_hours(24));
    world.app.sweep().await;
    assert_eq!(kept().await, (false, 0));
    let (id, _) = world.refresh("/").await;
    assert_eq!(world.changes(&id).await, ["/ new"]);
}

#[tokio::test]
async fn a_refresh_of_a_crawl_that_found_nothing_finds_its_start_new() {
    let world = World::start().await;
    world.site.page("/robots.txt", Answer::status(500));
    let body = json!({"type": "full-crawl", "url": world.site.url("/"), "attempts": 1});
    let nothing = world.app.create(&body).await;
    for _ in 0..10 {
        world.app.drain(&world.scraper).await;
        world.app.advance(Duration::from_mins(5));
        world.app.sweep().await;
    }
    assert_eq!(world.app.status(&nothing).await, "failed");
    world.site.page("/robots.txt", Answer::status(404));
    // What was held against the host is over.
    world.app.advance(Duration::from_hours(1));
    let body = json!({"type": "refresh", "jobId": nothing});
    let (id, _) = world.run(body).await;
    assert_eq!(world.changes(&id).await, ["/ new"]);
}

#[tokio::test]
async fn a_site_that_is_asked_seldom_is_refreshed_page_by_page_and_by_its_sitemap() {
    let world = World::start().await;
    let sitemap = format!(
        "<urlset><url><loc>{}</loc><lastmod>2001-01-01</lastmod></url></urlset>",
        world.site.url("/b")
    );
    let sitemap = Answer::html(sitemap).header("content-type", "application/xml");
    world.site.page("/sitemap.xml", sitemap);
    let body = json!({"type": "full-crawl", "url": world.site.url("/"), "requestDelay": 30_000});
    world.run(body).await;
    let (before, sitemaps) = (
        world.site.requests("/b"),
        world.site.requests("/sitemap.xml"),
    );
    let (id, job) = world.refresh("/").await;
    assert_eq!(world.changes(&id).await, ["/ same", "/a same", "/b same"]);
    assert_eq!(world.site.requests("/b"), before, "its sitemap says enough");
    assert_eq!(world.site.requests("/sitemap.xml"), sitemaps + 1);
    assert_eq!(job["refresh"]["requestsSaved"], 1, "{job}");
}

#[tokio::test]
async fn a_page_that_is_gone_is_never_called_the_same() {
    let world = World::start().await;
    let listed = format!(
        "<urlset><url><loc>{}</loc></url></urlset>",
        world.site.url("/b")
    );
    let listed = Answer::html(listed).header("content-type", "application/xml");
    world.site.page("/sitemap.xml", listed);
    world
        .run(json!({"type": "full-crawl", "url": world.site.url("/")}))
        .await;
    world.site.page("/b", Answer::status(404));
    let (id, _) = world.refresh("/").await;
    assert_eq!(
        world.changes(&id).await,
        ["/ same", "/a same", "/b removed"]
    );
    let body = json!({
        "type": "refresh", "url": world.site.url("/"), "lastCrawledAt": "2001-01-01T00:00:00Z",
    });
    let (id, _) = world.run(body).await;
    let changes = world.changes(&id).await;
    assert!(!changes.contains(&"/b same".to_owned()), "{changes:?}");
}

#[tokio::test]
async fn where_not_all_may_be_had_a_refresh_looks_at_what_it_knows() {
    let world = World::start().await;
    world.site.page("/a", page("A", "First", &["/deep"]));
    world.site.page("/b", Answer::status(404));
    world.site.page("/deep", page("Deep", "Third", &[]));
    let url = world.site.url("/");
    let body = json!({"type": "full-crawl", "url": url, "maxPages": 3});
    world.run(body).await;
    let new = ["/n1", "/n2"].map(|path| {
        world.site.page(path, page(path, path, &[]));
        format!("<url><loc>{}</loc></url>", world.site.url(path))
    });
    let listed = Answer::html(format!("<urlset>{}</urlset>", new.concat()));
    let listed = listed.header("content-type", "application/xml");
    world.site.page("/sitemap.xml", listed);
    for _ in 0..2 {
        let (id, _) = world.refresh("/").await;
        assert_eq!(
            world.changes(&id).await,
            ["/ same", "/a same", "/deep same"]
        );
    }
}
