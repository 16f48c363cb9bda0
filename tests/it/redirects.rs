//! Redirects of a crawl: where they lead is judged like any address before anybody asks for it.

use std::time::Duration;

use scrape::{Targets, WebScraper};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::site::{Answer, TestSite};

fn page(title: &str, links: &[&str]) -> Answer {
    let links = links.iter().map(|link| format!("<a href='{link}'>on</a> "));
    let links: String = links.collect();
    Answer::html(format!(
        "<!doctype html><title>{title}</title>{title} {links}"
    ))
}

fn moved(target: impl Into<String>) -> Answer {
    Answer::status(302).header("location", target)
}

struct World {
    app: TestApp,
    site: TestSite,
    scraper: WebScraper,
}

impl World {
    async fn start() -> Self {
        Self {
            app: TestApp::start(),
            site: TestSite::start().await,
            scraper: WebScraper::new(Targets::AnyAddress).unwrap(),
        }
    }

    async fn run(&self, body: Value) -> (String, Value) {
        let id = self.app.create(&body).await;
        self.app.drain(&self.scraper).await;
        for _ in 0..20 {
            if ["completed", "failed"].contains(&self.app.status(&id).await.as_str()) {
                break;
            }
            self.app.advance(Duration::from_mins(1));
            self.app.sweep().await;
            self.app.drain(&self.scraper).await;
        }
        let job = self.app.job(&id).await;
        (id, job)
    }

    async fn crawl(&self) -> (String, Value) {
        let body = json!({"type": "full-crawl", "url": self.site.url("/"), "sitemap": "skip"});
        self.run(body).await
    }

    /// What is said of the address with this path.
    async fn row(&self, id: &str, path: &str) -> Value {
        let url = self.site.url(path);
        let path = format!("/api/jobs/{id}/urls?limit=1000");
        let listed = self.app.get(&path).await;
        let rows = listed.json["urls"].as_array().unwrap().clone();
        let found = rows.into_iter().find(|row| row["url"] == *url);
        found.unwrap_or_else(|| panic!("{url} is not listed"))
    }

    async fn results(&self, id: &str) -> Vec<(String, String)> {
        let results = self.app.get(&format!("/api/jobs/{id}/results")).await;
        let results = results.json["results"].as_array().unwrap().clone();
        let origin = self.site.url("");
        let text = |value: &Value| value.as_str().unwrap().replace(&origin, "");
        let pages = results
            .iter()
            .map(|page| (text(&page["url"]), text(&page["finalUrl"])));
        let mut pages: Vec<_> = pages.collect();
        pages.sort();
        pages
    }
}

fn is(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(url, to): &(&str, &str)| ((*url).to_owned(), (*to).to_owned());
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn a_redirect_that_leaves_the_site_sends_no_request_there() {
    let (world, foreign) = (World::start().await, TestSite::start().await);
    foreign.everywhere(page("Foreign", &[]));
    world.site.page("/", page("Home", &["/away"]));
    world.site.page("/away", moved(foreign.url("/x")));
    let (id, job) = world.crawl().await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!((foreign.seen().len(), foreign.connections()), (0, 0));
    let row = world.row(&id, "/away").await;
    assert_eq!(
        (&row["state"], &row["reason"]),
        (&json!("skipped"), &json!("off_scope"))
    );
    assert_eq!(row["finalUrl"], *foreign.url("/x"));
    assert_eq!(world.results(&id).await, is(&[("/", "/")]));
}

#[tokio::test]
async fn a_start_that_leads_to_another_site_fails_the_crawl_without_a_request_there() {
    let (world, foreign) = (World::start().await, TestSite::start().await);
    foreign.everywhere(page("Foreign", &[]));
    world.site.page("/", moved(foreign.url("/")));
    let (_, job) = world.crawl().await;
    assert_eq!(job["status"], "failed", "{job}");
    let reason = job["failedReason"].as_str().unwrap();
    assert!(reason.starts_with("redirects: "), "{reason}");
    assert_eq!(foreign.connections(), 0);
}

#[tokio::test]
async fn where_robots_txt_or_a_pattern_keeps_us_out_a_redirect_does_not_let_us_in() {
    let world = World::start().await;
    let robots = "User-agent: *\nDisallow: /private\nDisallow: /*?sid=\n";
    let robots = Answer::html(robots).header("content-type", "text/plain");
    world.site.page("/robots.txt", robots);
    let links = ["/one", "/two", "/session"];
    world.site.page("/", page("Home", &links));
    world.site.page("/one", moved("/private/a"));
    world.site.page("/private/a", page("Private", &[]));
    world.site.page("/two", moved("/sale/b"));
    world.site.page("/sale/b", page("Sale", &[]));
    world.site.page("/session", moved("/session?sid=1"));
    let body = json!({
        "type": "full-crawl", "url": world.site.url("/"), "sitemap": "skip",
        "exclude": ["/sale/*"],
    });
    let (id, job) = world.run(body).await;
    assert_eq!(job["status"], "completed", "{job}");
    for path in ["/private/a", "/sale/b"] {
        assert_eq!(world.site.requests(path), 0, "{path}");
    }
    // Of the page with a session in its address only the one without was asked for.
    assert_eq!(world.site.requests("/session"), 1);
    for (path, reason, target) in [
        ("/one", "redirect", "/private/a"),
        ("/private/a", "robots", ""),
        ("/two", "redirect", "/sale/b"),
        ("/sale/b", "pattern", ""),
        ("/session", "robots", ""),
    ] {
        let row = world.row(&id, path).await;
        assert_eq!(row["reason"], reason, "{row}");
        if !target.is_empty() {
            assert_eq!(row["finalUrl"], *world.site.url(target), "{row}");
        }
    }
    let row = world.row(&id, "/private/a").await;
    assert_eq!(row["detail"], "line 2: Disallow: /private");
    assert_eq!(world.results(&id).await, is(&[("/", "/")]));
}

#[tokio::test]
async fn redirects_within_the_site_lead_to_one_result_however_many_they_are() {
    let world = World::start().await;
    world
        .site
        .page("/", page("Home", &["/one", "/other", "/three"]));
    world.site.page("/one", moved("/two#part"));
    world.site.page("/two", moved("/three"));
    world.site.page("/other", moved("/three"));
    world.site.page("/three", page("Three", &["/deep"]));
    world.site.page("/deep", page("Deep", &[]));
    let (id, job) = world.crawl().await;
    assert_eq!(job["status"], "completed", "{job}");
    let expected = [("/", "/"), ("/deep", "/deep"), ("/three", "/three")];
    assert_eq!(world.results(&id).await, is(&expected));
    for path in ["/one", "/two", "/other", "/three"] {
        assert_eq!(world.site.requests(path), 1, "{path}");
    }
    for (path, target) in [("/one", "/two"), ("/two", "/three"), ("/other", "/three")] {
        let row = world.row(&id, path).await;
        assert_eq!(
            (&row["state"], &row["reason"]),
            (&json!("skipped"), &json!("redirect"))
        );
        assert_eq!(row["finalUrl"], *world.site.url(target), "{row}");
    }
    assert_eq!(world.row(&id, "/three").await["depth"], 1);
}

#[tokio::test]
async fn a_page_that_adds_a_session_to_its_address_is_read_under_that_one() {
    let world = World::start().await;
    world.site.page("/", page("Home", &["/shop"]));
    world
        .site
        .pages("/shop", [moved("/shop?sid=7"), page("Shop", &[])]);
    let (id, _) = world.crawl().await;
    let expected = [("/", "/"), ("/shop?sid=7", "/shop?sid=7")];
    assert_eq!(world.results(&id).await, is(&expected));
    let row = world.row(&id, "/shop").await;
    assert_eq!(row["state"], "done");
    assert_eq!(row["finalUrl"], *world.site.url("/shop?sid=7"));
}

#[tokio::test]
async fn redirects_in_a_circle_or_without_an_end_end() {
    let world = World::start().await;
    world
        .site
        .page("/", page("Home", &["/a", "/self", "/n/0", "/cookie"]));
    world.site.page("/a", moved("/b"));
    world.site.page("/b", moved("/c"));
    world.site.page("/c", moved("/a"));
    world.site.page("/self", moved("/self"));
    for number in 0..50 {
        let next = format!("/n/{}", number + 1);
        world.site.page(&format!("/n/{number}"), moved(next));
    }
    // It waits for a cookie that never comes.
    world.site.page("/cookie", moved("/cookie?sid=1"));
    let (id, job) = world.crawl().await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(world.results(&id).await, is(&[("/", "/")]));
    for path in ["/a", "/b", "/c", "/self"] {
        assert_eq!(world.site.requests(path), 1, "{path}");
    }
    for (path, reason) in [
        ("/a", "redirect"),
        ("/c", "redirects"),
        ("/self", "redirects"),
    ] {
        assert_eq!(world.row(&id, path).await["reason"], reason, "{path}");
    }
    // As many as are followed for any page.
    assert_eq!(world.row(&id, "/n/4").await["reason"], "redirect");
    assert_eq!(world.row(&id, "/n/5").await["reason"], "redirects");
    assert_eq!(world.site.requests("/n/6"), 0);
    assert_eq!(world.row(&id, "/cookie").await["reason"], "redirects");
    assert!(world.site.requests("/cookie") <= 6);
}

#[tokio::test]
async fn where_the_start_leads_is_the_start_whatever_the_patterns_say() {
    let world = World::start().await;
    world.site.page("/", moved("/en/"));
    world.site.page("/en/", moved("/en/home"));
    world
        .site
        .page("/en/home", page("Home", &["/en/a", "/shop/b"]));
    world.site.page("/shop/b", page("B", &[]));
    let body = json!({
        "type": "full-crawl", "url": world.site.url("/"), "sitemap": "skip",
        "include": ["/shop/*"],
    });
    let (id, job) = world.run(body).await;
    assert_eq!(job["status"], "completed", "{job}");
    let expected = [("/en/home", "/en/home"), ("/shop/b", "/shop/b")];
    assert_eq!(world.results(&id).await, is(&expected));
    assert_eq!(world.row(&id, "/en/a").await["reason"], "pattern");

    // A refresh of it knows that.
    let (id, job) = world
        .run(json!({"type": "refresh", "url": world.site.url("/")}))
        .await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(world.results(&id).await, is(&expected));
    assert_eq!(job["refresh"]["same"], 2, "{job}");
}

#[tokio::test]
async fn a_start_that_is_busy_behind_a_redirect_is_tried_as_often_as_any() {
    let world = World::start().await;
    world.site.page("/", moved("/home"));
    world.site.page("/home", Answer::status(503));
    let (_, job) = world.crawl().await;
    assert_eq!(job["status"], "failed", "{job}");
    let codes: Vec<_> = job["attempts"].as_array().unwrap().iter().collect();
    assert_eq!(codes.len(), 3, "{job}");
    assert!(codes.iter().all(|attempt| attempt["code"] == "http_503"));
    assert_eq!(world.site.requests("/"), 1);
}

#[tokio::test]
async fn a_refresh_of_one_page_follows_it_wherever_it_leads() {
    let (world, foreign) = (World::start().await, TestSite::start().await);
    foreign.everywhere(page("Foreign", &[]));
    world.site.page("/", moved(foreign.url("/")));
    let refresh = json!({
        "type": "refresh", "url": world.site.url("/"), "deduplicate": false,
    });
    for change in ["new", "same"] {
        let (id, job) = world.run(refresh.clone()).await;
        assert_eq!(job["status"], "completed", "{job}");
        assert_eq!(job["refresh"][change], 1, "{job}");
        let results = world.results(&id).await;
        assert_eq!(results, is(&[("/", &foreign.url("/"))]));
    }
}

#[tokio::test]
async fn a_redirect_to_an_address_without_end_is_kept_nowhere() {
    let world = World::start().await;
    world.site.page("/", page("Home", &["/long", "/away"]));
    let long = "x".repeat(5_000);
    world.site.page("/long", moved(format!("/{long}")));
    world
        .site
        .page("/away", moved(format!("http://elsewhere.example/{long}")));
    let (id, job) = world.crawl().await;
    assert_eq!(job["status"], "completed", "{job}");
    for path in ["/long", "/away"] {
        let row = world.row(&id, path).await;
        assert_eq!(row["state"], "failed", "{row}");
        assert_eq!(row["reason"], "redirects");
        assert_eq!(row["finalUrl"], Value::Null);
    }
}
