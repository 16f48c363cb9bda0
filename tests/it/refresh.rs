//! Refreshes over the real scraper and a real site: what is asked for, what each page is said to
//! be, and what outlives the job that it was learned by.

use std::time::Duration;

use axum::http::StatusCode;
use scrape::{Targets, WebScraper};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::site::{Answer, TestSite};

fn page(title: &str, text: &str, links: &[&str]) -> String {
    let links: Vec<_> = links
        .iter()
        .map(|link| format!("<a href=\"{link}\">{link}</a>"))
        .collect();
    format!(
        "<!doctype html><title>{title}</title><body><p>{text}</p>{}",
        links.join(" ")
    )
}

struct World {
    app: TestApp,
    site: TestSite,
    scraper: WebScraper,
}

impl World {
    /// A site of four pages, one of which knows its version.
    async fn start() -> Self {
        let site = TestSite::start().await;
        site.page(
            "/",
            Answer::html(page("Home", "Welcome", &["/a", "/b", "/c"])),
        );
        site.page("/a", Answer::html(page("A", "First line", &[])));
        site.page("/b", Answer::html(page("B", "Of the second page", &[])));
        let version = Answer::html(page("C", "Third", &[])).header("etag", "\"c1\"");
        site.page("/c", version);
        Self {
            app: TestApp::start(),
            scraper: WebScraper::new(Targets::AnyAddress).unwrap(),
            site,
        }
    }

    async fn run(&self, body: Value) -> (String, Value) {
        let id = self.app.create(&body).await;
        self.app.drain(&self.scraper).await;
        let job = self.app.job(&id).await;
        assert_eq!(job["status"], "completed", "{job}");
        (id, job)
    }

    async fn crawl(&self) -> String {
        let body = json!({"type": "full-crawl", "url": self.site.url("/")});
        self.run(body).await.0
    }

    async fn refresh(&self, extra: Value) -> (String, Value) {
        let mut body = json!({"type": "refresh", "url": self.site.url("/")});
        let extra = extra.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(extra);
        self.run(body).await
    }

    /// The changes by path, in order of the paths.
    async fn changes(&self, id: &str) -> Vec<(String, String)> {
        let results = self.app.get(&format!("/api/jobs/{id}/results")).await;
        assert_eq!(results.status, StatusCode::OK);
        let results = results.json["results"].as_array().unwrap().clone();
        let origin = self.site.url("");
        let change = |page: &Value| {
            let url = page["url"].as_str().unwrap().to_owned();
            let path = url.strip_prefix(&origin).unwrap().to_owned();
            (path, page["change"].as_str().unwrap().to_owned())
        };
        let mut changes: Vec<_> = results.iter().map(change).collect();
        changes.sort();
        changes
    }
}

fn of(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(path, change): &(&str, &str)| ((*path).to_owned(), (*change).to_owned());
    changes.iter().map(owned).collect()
}

#[tokio::test]
async fn a_refresh_says_of_each_known_page_what_has_become_of_it() {
    let world = World::start().await;
    world.crawl().await;
    world
        .site
        .page("/a", Answer::html(page("A", "Another line", &[])));
    world.site.page("/b", Answer::status(404));
    world.site.page("/c", Answer::status(304));
    let (id, job) = world.refresh(json!({})).await;
    let expected = [
        ("/", "same"),
        ("/a", "changed"),
        ("/b", "removed"),
        ("/c", "same"),
    ];
    assert_eq!(world.changes(&id).await, of(&expected));
    let found = &job["refresh"];
    assert_eq!(
        (&found["same"], &found["changed"], &found["removed"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert!(found["bytesSaved"].as_u64().unwrap() > 0, "{found}");
    let results = world.app.get(&format!("/api/jobs/{id}/results")).await;
    let changed = results.json["results"].as_array().unwrap().iter();
    let changed = changed.clone().find(|page| page["change"] == "changed");
    let diff = changed.unwrap()["diff"].as_str().unwrap();
    assert!(diff.contains("-First line"), "{diff}");
    assert!(diff.contains("+Another line"), "{diff}");
    let asked = world
        .site
        .seen()
        .into_iter()
        .rfind(|seen| seen.path == "/c");
    assert_eq!(asked.unwrap().headers["if-none-match"], "\"c1\"");

    // What it has found is what the next one compares with.
    let (id, _) = world.refresh(json!({"deduplicate": false})).await;
    let expected = [("/", "same"), ("/a", "same"), ("/c", "same")];
    assert_eq!(world.changes(&id).await, of(&expected));
}

#[tokio::test]
async fn a_refresh_without_an_earlier_result_finds_a_new_page() {
    let world = World::start().await;
    let (id, _) = world.refresh(json!({})).await;
    assert_eq!(world.changes(&id).await, of(&[("/", "new")]));
    let (id, _) = world.refresh(json!({"deduplicate": false})).await;
    assert_eq!(world.changes(&id).await, of(&[("/", "same")]));
}

#[tokio::test]
async fn a_full_refresh_finds_new_pages_and_looks_at_those_that_nothing_leads_to() {
    let world = World::start().await;
    world.crawl().await;
    let home = page("Home", "Welcome", &["/a", "/d"]);
    world.site.page("/", Answer::html(home));
    world
        .site
        .page("/d", Answer::html(page("D", "Fourth", &[])));
    world.site.page("/b", Answer::status(410));
    let (id, _) = world.refresh(json!({"fullRefresh": true})).await;
    let expected = [
        ("/", "changed"),
        ("/a", "same"),
        ("/b", "removed"),
        ("/c", "same"),
        ("/d", "new"),
    ];
    assert_eq!(world.changes(&id).await, of(&expected));
}

#[tokio::test]
async fn a_refresh_of_a_job_compares_with_that_job() {
    let world = World::start().await;
    let page_job = json!({"type": "single-page", "url": world.site.url("/a")});
    let (single, _) = world.run(page_job).await;
    world
        .site
        .page("/a", Answer::html(page("A", "Another line", &[])));
    let (id, job) = world.run(json!({"type": "refresh", "jobId": single})).await;
    assert_eq!(job["url"], world.site.url("/a"));
    assert_eq!(world.changes(&id).await, of(&[("/a", "changed")]));
    let missing = json!({"type": "refresh", "jobId": "job_01hf7yat000000000000000007"});
    let refused = world.app.post("/api/jobs", &missing).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_was_seen_since_the_clients_look_is_left_alone_unless_forced() {
    let world = World::start().await;
    world.crawl().await;
    let before = world.site.seen().len();
    let long_ago = json!({"lastCrawledAt": "2001-01-01T00:00:00Z"});
    let (_, job) = world.refresh(long_ago.clone()).await;
    assert_eq!(job["refresh"]["requestsSaved"], 4);
    let pages = |seen: &[crate::site::Seen]| {
        let asked = seen.iter().map(|seen| seen.path.as_str());
        asked
            .filter(|path| ["/", "/a", "/b", "/c"].contains(path))
            .count()
    };
    assert_eq!(pages(&world.site.seen()[before..]), 0);
    let mut forced = long_ago;
    forced["forceRefresh"] = json!(true);
    let (_, job) = world.refresh(forced).await;
    assert_eq!(job["refresh"]["requestsSaved"], 0);
    assert_eq!(pages(&world.site.seen()[before..]), 4);
}

#[tokio::test]
async fn a_sitemap_that_says_nothing_has_changed_saves_the_requests() {
    let world = World::start().await;
    let list = |day: &str| {
        let entry = |path: &str| {
            format!(
                "<url><loc>{}</loc><lastmod>{day}</lastmod></url>",
                world.site.url(path)
            )
        };
        format!("<urlset>{}{}</urlset>", entry("/a"), entry("/b"))
    };
    let xml = |day| Answer::html(list(day)).header("content-type", "application/xml");
    world.site.page("/sitemap.xml", xml("2001-01-01"));
    world.crawl().await;
    let (_, job) = world.refresh(json!({})).await;
    assert_eq!(job["refresh"]["requestsSaved"], 2);
    assert_eq!(job["refresh"]["same"], 4);
}

#[tokio::test]
async fn what_a_refresh_compares_with_outlives_the_job_and_goes_when_it_is_replaced() {
    let world = World::start().await;
    let crawl = world.crawl().await;
    world.app.advance(Duration::from_hours(25));
    world.app.sweep().await;
    assert_eq!(
        world.app.get(&format!("/api/jobs/{crawl}")).await.status,
        StatusCode::NOT_FOUND
    );
    let kept = |names: &[String], id: &str| names.iter().any(|name| name.contains(id));
    assert!(kept(&world.app.blob_names().await, &crawl));
    let (refresh, _) = world.refresh(json!({})).await;
    assert_eq!(world.changes(&refresh).await.len(), 4);
    let names = world.app.blob_names().await;
    assert!(!kept(&names, &crawl), "{names:?}");
    assert!(kept(&names, &refresh), "{names:?}");
}
