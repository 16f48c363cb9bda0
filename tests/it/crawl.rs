//! Crawls over the real scraper and a real site: what belongs to a site, what is left out and why,
//! how failures end, and what clients may do to a crawl that runs.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use jobs::Caller;
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

async fn crawl(app: &TestApp, site: &TestSite, options: Value) -> String {
    let mut body = json!({"type": "full-crawl", "url": site.url("/")});
    let options = options.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(options);
    let id = app.create(&body).await;
    app.drain(&scraper()).await;
    id
}

/// Lets time pass until what has to wait has been tried again.
async fn see_through(app: &TestApp, id: &str) {
    for _ in 0..20 {
        if app.status(id).await == "completed" {
            return;
        }
        app.advance(Duration::from_mins(1));
        app.sweep().await;
        app.drain(&scraper()).await;
    }
    panic!("the crawl does not end");
}

/// State and reason of every address, by what follows the site's origin.
async fn urls(app: &TestApp, site: &TestSite, id: &str) -> BTreeMap<String, String> {
    let listed = app.get(&format!("/api/jobs/{id}/urls?limit=1000")).await;
    assert_eq!(listed.status, StatusCode::OK, "{listed:?}");
    let origin = site.url("");
    let standing = |row: &Value| {
        let url = row["url"].as_str().unwrap();
        let path = url.strip_prefix(&origin).unwrap_or(url).to_owned();
        let state = row["state"].as_str().unwrap();
        let standing = match row["reason"].as_str() {
            Some(reason) => format!("{state} {reason}"),
            None => state.to_owned(),
        };
        (path, standing)
    };
    let rows = listed.json["urls"].as_array().unwrap();
    rows.iter().map(standing).collect()
}

fn is(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(path, standing): &(&str, &str)| ((*path).to_owned(), (*standing).to_owned());
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn every_address_of_a_site_stands_somewhere_for_a_reason() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    let robots = "User-agent: *\nDisallow: /private\n";
    site.page(
        "/robots.txt",
        Answer::html(robots).header("content-type", "text/plain"),
    );
    site.page(
        "/",
        page(
            "<a href='/base'>1</a> <a href='/private/x'>2</a> <a href='/old'>3</a> \
             <a href='http://elsewhere.example/'>4</a> <a rel=nofollow href='/hidden'>5</a> \
             <a href='/picture.png'>6</a> <a href='/gone'>7</a> <a href='/away'>8</a> \
             <a href='/copy?b=2&a=1'>9</a> <a href='/copy?a=1&b=2'>10</a> \
             <a href='/print'>11</a> <a href='/sale'>12</a> <a href='mailto:a@b.example'>13</a>",
        ),
    );
    site.page("/base", page("<base href='/deep/'><a href='page'>in</a>"));
    site.page("/deep/page", page("<a href='/deep/too/far'>on</a>"));
    let moved = Answer::status(301).header("location", "/new");
    site.page("/old", moved);
    site.page("/new", page("New place"));
    let away = Answer::status(302).header("location", "http://127.0.0.2:9/");
    site.page("/away", away);
    let picture = Answer::html("x").header("content-type", "image/png");
    site.page("/picture.png", picture);
    site.page("/copy", page("A copy"));
    site.page("/print", page("<link rel=canonical href='/new'>To print"));
    let id = crawl(&app, &site, json!({"depth": 2, "exclude": ["/sale*"]})).await;
    see_through(&app, &id).await;
    let mut found = urls(&app, &site, &id).await;
    // Nobody is there, so that nobody can say where it would lead.
    let away = found.remove("/away").unwrap();
    assert!(
        away.starts_with("skipped off_scope") || away.starts_with("failed"),
        "{away}"
    );
    let expected = [
        ("/", "done"),
        ("/base", "done"),
        ("/private/x", "skipped robots"),
        ("/old", "skipped redirect"),
        ("/new", "done"),
        ("http://elsewhere.example/", "skipped off_scope"),
        ("/hidden", "skipped nofollow"),
        ("/picture.png", "skipped wrong_type"),
        ("/gone", "failed http_404"),
        ("/copy?b=2&a=1", "done"),
        ("/copy?a=1&b=2", "skipped duplicate"),
        ("/print", "skipped canonical"),
        ("/sale", "skipped pattern"),
        ("/deep/page", "done"),
        ("/deep/too/far", "skipped depth"),
    ];
    assert_eq!(found, is(&expected));
    assert_eq!(site.requests("/private/x"), 0);
    let job = app.job(&id).await;
    let counters = &job["counters"];
    assert_eq!(counters["discovered"], 16, "{job}");
    assert_eq!(counters["queued"], 0);

    // One address, asked for alone.
    let explain = |url: String| json!({"jobId": id, "url": url});
    let told = app
        .post("/api/explain", &explain(site.url("/private/x")))
        .await;
    assert_eq!(told.json["reason"], "robots", "{told:?}");
    assert_eq!(told.json["detail"], "line 2: Disallow: /private");
    let told = app.post("/api/explain", &explain(site.url("/never"))).await;
    assert_eq!(told.json["state"], "queued", "{told:?}");
}

#[tokio::test]
async fn the_start_decides_whether_a_crawl_fails() {
    for (answer, status, code) in [
        (Answer::status(404), "failed", "http_404"),
        (
            Answer::html("x").header("content-type", "image/png"),
            "",
            "",
        ),
        (page("alone"), "completed", ""),
    ] {
        let (app, site) = (TestApp::start(), TestSite::start().await);
        site.page("/", answer);
        let id = crawl(&app, &site, json!({})).await;
        let job = app.job(&id).await;
        if !status.is_empty() {
            assert_eq!(job["status"], status, "{job}");
        }
        if !code.is_empty() {
            let reason = job["failedReason"].as_str().unwrap();
            assert!(reason.starts_with(code), "{reason}");
            assert_eq!(job["attempts"].as_array().unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_start_that_is_busy_is_tried_again_as_an_attempt() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.pages("/", [Answer::status(503), page("<a href='/a'>a</a>")]);
    site.page("/a", page("a"));
    let id = crawl(&app, &site, json!({})).await;
    let job = app.job(&id).await;
    assert_eq!(job["status"], "delayed", "{job}");
    assert_eq!(job["attempts"][0]["code"], "http_503", "{job}");
    app.advance(Duration::from_mins(2));
    app.sweep().await;
    app.drain(&scraper()).await;
    let job = app.job(&id).await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(job["counters"]["done"], 2);
}

#[tokio::test]
async fn a_page_that_is_busy_is_tried_again_within_the_crawl() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/", page("<a href='/a'>a</a> <a href='/b'>b</a>"));
    site.pages("/a", [Answer::status(500), page("a")]);
    site.page("/b", Answer::status(500));
    let id = crawl(&app, &site, json!({})).await;
    see_through(&app, &id).await;
    let expected = [("/", "done"), ("/a", "done"), ("/b", "failed http_500")];
    assert_eq!(urls(&app, &site, &id).await, is(&expected));
    assert_eq!(site.requests("/b"), 3);
    assert_eq!(app.job(&id).await["attemptsMade"], 1);

    // What has failed, alone.
    site.page("/b", page("b"));
    let path = format!("/api/jobs/{id}/retry");
    let retried = app.post(&path, &json!({"only": "failed"})).await;
    assert_eq!(retried.status, StatusCode::OK, "{retried:?}");
    app.drain(&scraper()).await;
    let expected = [("/", "done"), ("/a", "done"), ("/b", "done")];
    assert_eq!(urls(&app, &site, &id).await, is(&expected));
    assert_eq!((site.requests("/"), site.requests("/b")), (1, 4));
    let results = app.get(&format!("/api/jobs/{id}/results")).await;
    assert_eq!(results.json["results"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn max_pages_and_depth_are_kept_to_the_page() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    for number in 0..30 {
        let links = format!("<a href='/{}'>on</a>", number + 1);
        let path = if number == 0 {
            "/".to_owned()
        } else {
            format!("/{number}")
        };
        site.page(&path, page(&links));
    }
    for (options, done) in [
        (json!({"maxPages": 5, "depth": 100}), 5),
        (json!({"depth": 0}), 1),
        (json!({"depth": 7}), 8),
        (json!({"maxPages": 1}), 1),
    ] {
        let id = crawl(&app, &site, options.clone()).await;
        let job = app.job(&id).await;
        assert_eq!(job["status"], "completed", "{options} {job}");
        assert_eq!(job["counters"]["done"], done, "{options}");
        assert_eq!(job["progress"], 100);
    }
}

#[tokio::test]
async fn sitemaps_lead_to_pages_that_nothing_links_to() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/", page("<a href='/linked'>x</a>"));
    site.page("/linked", page("linked"));
    site.page("/listed", page("listed"));
    let xml = format!(
        "<urlset><url><loc>{}</loc></url><url><loc>http://other.example/</loc></url></urlset>",
        site.url("/listed")
    );
    let xml = Answer::html(xml).header("content-type", "application/xml");
    site.page("/sitemap.xml", xml);
    for (mode, done) in [("include", 3), ("skip", 2), ("only", 2)] {
        let id = crawl(&app, &site, json!({"sitemap": mode})).await;
        let job = app.job(&id).await;
        assert_eq!(job["counters"]["done"], done, "{mode} {job}");
    }
}

#[tokio::test]
async fn a_robots_txt_that_forbids_the_start_fails_the_crawl_and_can_be_ignored() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/robots.txt", Answer::html("User-agent: *\nDisallow: /\n"));
    site.page("/", page("x"));
    let id = crawl(&app, &site, json!({})).await;
    let reason = app.job(&id).await["failedReason"].clone();
    assert!(
        reason.as_str().unwrap().starts_with("robots_denied"),
        "{reason}"
    );
    assert_eq!(site.requests("/"), 0);
    let id = crawl(&app, &site, json!({"respectRobots": false})).await;
    assert_eq!(app.status(&id).await, "completed");
}

#[tokio::test]
async fn a_cancelled_crawl_asks_for_nothing_more_and_keeps_what_it_has() {
    let (app, site) = (TestApp::start(), TestSite::start().await);
    site.page("/", page("<a href='/a'>a</a>"));
    site.page("/a", page("a"));
    let body = json!({"type": "full-crawl", "url": site.url("/")});
    let id = app.create(&body).await;
    let cancelled = app
        .call(
            Caller::Anyone,
            Method::DELETE,
            &format!("/api/jobs/{id}"),
            &Value::Null,
        )
        .await;
    assert_eq!(cancelled.status, StatusCode::OK);
    app.drain(&scraper()).await;
    assert_eq!(site.seen().len(), 0);
    assert_eq!(app.status(&id).await, "cancelled");
}
