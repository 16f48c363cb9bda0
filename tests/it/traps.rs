//! Sites without an end: twelve traps, each of which a crawl leaves within its bounds, and ordinary
//! sites that look a little like one and lose nothing.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use jobs::page::Link;
use jobs::ports::PageRequest;
use jobs::{Failure, Page};
use serde_json::{Value, json};
use url::Url;

use crate::app::{START, Scripted, TestApp};
use crate::support;

const MAX_PAGES: usize = 100;
const ROOT: &str = "http://site.example/";

/// A page with these links; relative ones are read as a browser would.
fn page(request: &PageRequest, text: &str, links: Vec<String>) -> Page {
    let link = |href: String| Link {
        url: request.url.join(&href).unwrap().to_string(),
        text: String::new(),
        rel: None,
    };
    Page {
        title: Some(request.url.to_string()),
        text: text.to_owned(),
        links: links.into_iter().map(link).collect(),
        ..support::page(request.url.as_str(), START)
    }
}

fn random(url: &Url) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.as_str().hash(&mut hasher);
    hasher.finish()
}

fn number(url: &Url, name: &str) -> u64 {
    let pairs = url.query_pairs();
    let found = pairs.into_iter().find(|(key, _)| key == name);
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

/// The links of a page of each trap.
fn trap(kind: usize, url: &Url) -> Vec<String> {
    let random = random(url);
    match kind {
        // A calendar whose next month is always there.
        0 => {
            let months = number(url, "year") * 12 + number(url, "month") + 1;
            vec![format!("/?year={}&month={}", months / 12, months % 12)]
        }
        // A session in every link.
        1 => (0..3)
            .map(|n| format!("/page{n}?sid={:x}", random ^ n))
            .collect(),
        // A session in every path.
        2 => (0..3)
            .map(|n| format!("/page{n};jsessionid={:x}", random ^ n))
            .collect(),
        // Filters that combine.
        3 => (0..20)
            .map(|n| {
                let (a, b) = ((random >> n) % 9, (random >> (n + 7)) % 9);
                format!("/?size={a}&colour={b}&sort={}", n % 4)
            })
            .collect(),
        // The same parameters in every order.
        4 => ["a=1&b=2&c=3", "b=2&a=1&c=3", "c=3&b=2&a=1", "c=3&a=1&b=2"]
            .map(|query| format!("/?{query}"))
            .into(),
        // Relative links that grow.
        5 => vec!["about/".to_owned(), "news/".to_owned()],
        // Double slashes, upper case and path parameters.
        6 => {
            let path = url.path().trim_start_matches('/');
            vec![
                format!("//site.example//{path}"),
                format!("/{path};v={random:x}"),
            ]
        }
        // Random links, as a hash or a search makes them.
        7 => (0..10)
            .map(|n| format!("/r/{:x}", random ^ (n << 8)))
            .collect(),
        // Subdomains without an end.
        8 => vec![format!("http://s{random:x}.site.example/")],
        // Redirects to themselves with another parameter, as those do that wait for a cookie: see
        // below.
        9 => (0..10).map(|n| format!("/wait/{n}")).collect(),
        // Fragments as routes.
        10 => (0..50).map(|n| format!("#/route/{n}/{random:x}")).collect(),
        // Whatever is asked for is there, and says the same.
        _ => (0..10).map(|n| format!("/wall/{:x}", random ^ n)).collect(),
    }
}

async fn crawl(
    options: &Value,
    site: impl Fn(&PageRequest) -> Result<Page, Failure> + Send + Sync,
) -> (TestApp, Value, String) {
    let app = TestApp::start();
    let mut body = json!({"type": "full-crawl", "url": ROOT, "sitemap": "skip"});
    let options = options.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(options);
    let id = app.create(&body).await;
    let scraper = Scripted(site);
    for _ in 0..50 {
        app.drain(&scraper).await;
        if app.status(&id).await == "completed" {
            break;
        }
        app.advance(std::time::Duration::from_mins(1));
        app.sweep().await;
    }
    let job = app.job(&id).await;
    (app, job, id)
}

#[tokio::test]
async fn every_trap_is_left_within_the_bounds_of_the_crawl() {
    for kind in 0..12 {
        let visits = AtomicUsize::new(0);
        let wall = "Whatever you were looking for, it is not here. Please try another address, \
                    or begin again.";
        let (app, job, id) = crawl(
            &json!({"maxPages": MAX_PAGES, "depth": 100, "includeSubdomains": true}),
            |request| {
                visits.fetch_add(1, Ordering::Relaxed);
                let mut page = page(request, "Some words", trap(kind, &request.url));
                if kind == 9 && request.url.path() != "/" {
                    let next = number(&request.url, "retry") + 1;
                    let next = format!("{}?retry={next}", request.url.path());
                    page.final_url = request.url.join(&next).unwrap().to_string();
                }
                if kind == 11 {
                    page.title = None;
                    wall.clone_into(&mut page.text);
                }
                Ok(page)
            },
        )
        .await;
        assert_eq!(job["status"], "completed", "trap {kind}: {job}");
        let done = job["counters"]["done"].as_u64().unwrap() as usize;
        assert!((1..=MAX_PAGES).contains(&done), "trap {kind}: {job}");
        let visits = visits.into_inner();
        assert!(
            visits <= 4 * MAX_PAGES + 100,
            "trap {kind}: {visits} visits"
        );
        // What a trap repeats is recognised, where anything can be.
        let most = match kind {
            0 | 3 => 45,
            1 | 2 | 4 | 10 => 8,
            5 => 80,
            9 => 1,
            // What the first ten lead to is kept, and leads no further.
            11 => MAX_PAGES,
            _ => MAX_PAGES,
        };
        assert!(done <= most, "trap {kind}: {done} pages");
        let listed = app.get(&format!("/api/jobs/{id}/urls?limit=1000")).await;
        for row in listed.json["urls"].as_array().unwrap() {
            assert!(row["url"].as_str().unwrap().len() <= 2_048);
            assert_ne!(row["state"], "queued", "trap {kind}: {row}");
        }
    }
}

#[tokio::test]
async fn an_ordinary_site_loses_nothing_to_the_signs_of_traps() {
    let options = json!({"maxPages": 10_000, "depth": 100});
    for kind in 0..4 {
        let (_app, job, _) = crawl(&options, |request| {
            let links = match kind {
                // Numbered pages.
                0 => {
                    let next = number(&request.url, "page") + 1;
                    (next < 100).then(|| format!("/list?page={next}"))
                }
                // Articles by number, beside a parameter that stays.
                1 => {
                    let next = number(&request.url, "id") + 1;
                    (next < 100).then(|| format!("/index.php?view=article&id={next}"))
                }
                // Archives by date.
                2 => {
                    let path = request.url.path().rsplit('/').next();
                    let next = path.and_then(|day| day.parse().ok()).unwrap_or(0) + 1;
                    (next < 100).then(|| format!("/{}/{}/{}", next / 10, next % 10, next))
                }
                // Leaves that all say the same few words.
                _ => None,
            };
            let mut links: Vec<_> = links.into_iter().collect();
            if kind == 3 && request.url.path() == "/" {
                links.extend((1..300).map(|leaf| format!("/leaf/{leaf}")));
            }
            let mut page = page(request, "leaf", links);
            page.title = None;
            Ok(page)
        })
        .await;
        assert_eq!(job["status"], "completed", "{job}");
        let pages = if kind == 3 { 300 } else { 100 };
        assert_eq!(job["counters"]["done"], pages, "site {kind}: {job}");
    }
}
