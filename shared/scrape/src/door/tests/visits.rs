//! Visits of a crawl, from the request to the result.

use std::sync::Arc;
use std::time::Duration;

use jobs::crawl::Formats;
use jobs::crawl::visit::{FoundLink, Validators, Visit, Visited, VisitedPage};
use jobs::ports::Scraper as _;
use jobs::{Extraction, Failure, FailureCode};
use serde_json::{Value, json};
use url::Url;

use super::site::{Site, answer, page, path, redirect};
use crate::{Targets, WebScraper};

const PAGE: &str = "<!doctype html><html lang=en><title>A page</title>\
    <link rel=canonical href=/one><meta property=og:title content=Open>\
    <h1>Words</h1><p>Some words,\nand <a href=/a#b>a link</a>, <a href=/b rel='x UGC'>another</a>.";

fn a_visit(url: Url, formats: &[&str]) -> Visit {
    Visit {
        url,
        headers: Arc::new([]),
        user_agent: None,
        timeout: Duration::from_secs(20),
        extraction: Arc::new(Extraction::default()),
        formats: Formats::named(formats.iter().copied()).unwrap(),
        known: None,
        follow: false,
    }
}

async fn visit(visit: &Visit) -> Result<Visited, Failure> {
    let scraper = WebScraper::new(Targets::AnyAddress).unwrap();
    scraper.visit(visit).await
}

async fn visited(asked: &Visit) -> (VisitedPage, Value) {
    let Visited::Page(page) = visit(asked).await.unwrap() else {
        panic!("there is no page");
    };
    assert!(!page.json.contains(&b'\n'));
    let json = serde_json::from_slice(&page.json).unwrap();
    (*page, json)
}

fn link(site: &Site, path: &str, nofollow: bool) -> FoundLink {
    FoundLink {
        url: site.url(path).into(),
        nofollow,
    }
}

#[tokio::test]
async fn a_visit_gives_the_result_and_what_a_crawl_goes_on_with() {
    let headers = [
        "Content-Type: text/html",
        "ETag: \"1\"",
        "Last-Modified: then",
    ];
    let site = Site::start(move |head| match path(head) {
        "/" => redirect(302, "/page"),
        _ => answer("200 OK", &headers, PAGE.as_bytes()),
    })
    .await;
    let asked = Visit {
        follow: true,
        ..a_visit(site.url("/"), &["text", "links"])
    };
    let (page, json) = visited(&asked).await;
    assert_eq!(page.final_url, site.url("/page"));
    assert_eq!(
        page.links,
        [link(&site, "/a", false), link(&site, "/b", true)]
    );
    assert_eq!(page.canonical, Some(site.url("/one")));
    assert_eq!(page.text, "Words\nSome words, and a link, another.");
    assert_eq!(page.bytes, PAGE.len() as u64);
    assert!(!page.nofollow && page.digest != 0);
    let validators = Validators {
        etag: Some("\"1\"".to_owned()),
        last_modified: Some("then".to_owned()),
    };
    assert_eq!(page.validators, validators);
    assert_eq!(json["url"], site.url("/").as_str());
    assert_eq!(json["finalUrl"], page.final_url.as_str());
    assert_eq!(json["title"], "A page");
    assert_eq!(json["text"], page.text);
    assert_eq!(json["contentHash"], page.content_hash);
    assert_eq!(json["headings"], json!([{"level": 1, "text": "Words"}]));
    assert_eq!(
        json["links"][1],
        json!({"url": page.links[1].url, "text": "another", "rel": "x UGC"})
    );
    for absent in ["markdown", "metadata", "html"] {
        assert_eq!(json.get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn a_page_says_the_same_in_whatever_forms_it_is_kept() {
    let site = Site::start(|_| page(PAGE)).await;
    let (plain, _) = visited(&a_visit(site.url("/"), &[])).await;
    let (full, json) = visited(&a_visit(site.url("/"), &Formats::NAMES)).await;
    assert_eq!(json["html"], PAGE);
    assert_eq!(json["metadata"]["openGraph"], json!({"title": "Open"}));
    assert!(json["markdown"].as_str().unwrap().starts_with("# Words"));
    assert_eq!((plain.text, plain.digest), (full.text, full.digest));
    assert_eq!((plain.links, plain.canonical), (full.links, full.canonical));
}

#[tokio::test]
async fn selected_fields_are_read_without_markdown_as_well() {
    let site = Site::start(|_| page(PAGE)).await;
    let config = json!({"fields": {"word": {"selector": "h1"}}});
    let asked = Visit {
        extraction: Arc::new(Extraction::parse(&config).0),
        ..a_visit(site.url("/"), &["text"])
    };
    let (page, json) = visited(&asked).await;
    assert_eq!(json["fields"], json!({"word": "Words"}));
    assert_eq!(page.text, "Words\nSome words, and a link, another.");
}

#[tokio::test]
async fn a_large_document_is_kept_in_part() {
    let site = Site::start(|_| page(&"<p>ä".repeat(600_000))).await;
    let (page, json) = visited(&a_visit(site.url("/"), &["html"])).await;
    assert_eq!(json["html"].as_str().unwrap().len(), 2 * 1024 * 1024);
    assert_eq!(json["truncated"], true);
    assert_eq!(page.bytes, 3_000_000);
}

#[tokio::test]
async fn a_page_that_is_what_it_was_is_not_sent_again() {
    let site = Site::start(|head| {
        let known =
            head.contains("if-none-match: \"1\"") && head.contains("if-modified-since: then");
        if known && path(head) == "/" {
            answer("304 Not Modified", &[], b"")
        } else {
            page(PAGE)
        }
    })
    .await;
    let known = Some(Validators {
        etag: Some("\"1\"".to_owned()),
        last_modified: Some("then".to_owned()),
    });
    let asked = |path, known| Visit {
        known,
        ..a_visit(site.url(path), &["text"])
    };
    assert_eq!(
        visit(&asked("/", known.clone())).await,
        Ok(Visited::Unchanged)
    );
    visited(&asked("/", None)).await;
    visited(&asked("/changed", known)).await;
}

#[tokio::test]
async fn a_visit_ends_at_a_redirect_without_asking_where_it_leads() {
    let other = Site::start(|_| page(PAGE)).await;
    let target = other.url("/x#y").to_string();
    let site = Site::start(move |head| match path(head) {
        "/self" => redirect(302, "/self#again"),
        "/down" => redirect(302, "ftp://127.0.0.1/"),
        "/none" => answer("302 Found", &[], b""),
        _ => redirect(301, &target),
    })
    .await;
    let ended = visit(&a_visit(site.url("/"), &["text"])).await;
    assert_eq!(ended, Ok(Visited::Redirected(other.url("/x"))));
    assert_eq!(other.connections(), 0);
    let ended = visit(&a_visit(site.url("/down"), &["text"])).await;
    let elsewhere = Url::parse("ftp://127.0.0.1/").unwrap();
    assert_eq!(ended, Ok(Visited::Redirected(elsewhere)));
    for path in ["/self", "/none"] {
        let failure = visit(&a_visit(site.url(path), &["text"])).await;
        assert_eq!(failure.unwrap_err().code, FailureCode::Redirects, "{path}");
    }
}

#[tokio::test]
async fn what_is_known_of_a_page_is_not_told_to_another_origin() {
    let other = Site::start(|_| answer("304 Not Modified", &[], b"")).await;
    let target = other.url("/").to_string();
    let site = Site::start(move |_| redirect(302, &target)).await;
    let asked = Visit {
        known: Some(Validators {
            etag: Some("\"1\"".to_owned()),
            last_modified: None,
        }),
        headers: Arc::new([("X-Secret".to_owned(), "s".to_owned())]),
        follow: true,
        ..a_visit(site.url("/"), &["text"])
    };
    let failure = visit(&asked).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Http(304));
    assert!(site.seen()[0].contains("if-none-match"));
    assert!(!other.seen()[0].contains("if-none-match") && !other.seen()[0].contains("x-secret"));
}

#[tokio::test]
async fn a_page_may_forbid_to_follow_its_links_in_its_markup_or_in_a_header() {
    let site = Site::start(|head| match path(head) {
        "/meta" => page("<meta name=robots content='noindex, nofollow'><a href=/a>a</a>"),
        "/header" => answer(
            "200 OK",
            &[
                "Content-Type: text/html",
                "X-Robots-Tag: noindex",
                "X-Robots-Tag: none",
            ],
            PAGE.as_bytes(),
        ),
        _ => page(PAGE),
    })
    .await;
    for (path, expected) in [("/meta", true), ("/header", true), ("/", false)] {
        for formats in [&["text"][..], &["markdown"]] {
            let (page, _) = visited(&a_visit(site.url(path), formats)).await;
            assert_eq!(page.nofollow, expected, "{path}");
        }
    }
}
