//! Crawls by the real program: from the command line, interrupted and resumed, and under a service
//! that is killed again and again.

mod ended;
mod followed;
mod left_alone;
mod stopped;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::folder;
use super::program::{Ended, Server, run};
use crate::site::{Answer, TestSite};

/// How often a crawl is asked how far it is.
const POLL: Duration = Duration::from_millis(20);
/// A crawl that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_mins(3);
/// Pages of the crawl that is killed, and kills.
const PAGES: usize = 2_000;
const KILLS: usize = 6;

/// A page that leads to the next two of a tree.
fn leaf(page: usize, pages: usize) -> Answer {
    let link = |next: &usize| format!("<a href=\"/{next}\">{next}</a>");
    let links: Vec<_> = [2 * page + 1, 2 * page + 2]
        .iter()
        .filter(|next| **next < pages)
        .map(link)
        .collect();
    Answer::html(format!("<title>Page {page}</title>{}", links.join(" ")))
}

async fn tree(pages: usize) -> TestSite {
    let site = TestSite::start().await;
    for page in 1..pages {
        site.page(&format!("/{page}"), leaf(page, pages));
    }
    site.page("/", leaf(0, pages));
    site
}

/// The addresses of results, one JSON object a line.
fn urls(lines: &str) -> Vec<String> {
    let url = |line: &str| {
        let page: Value = serde_json::from_str(line).unwrap();
        page["url"].as_str().unwrap().to_owned()
    };
    lines.lines().map(url).collect()
}

/// The line after one that ends like this: a command that was printed to be pasted.
fn command(ended: &Ended, title: &str) -> String {
    let mut lines = ended.stderr.lines();
    let found = lines.any(|line| line.ends_with(title));
    assert!(found, "{title} {ended:?}");
    lines.next().unwrap().trim().to_owned()
}

/// The id that the program has told of its crawl.
fn told_id(ended: &Ended) -> String {
    let id = ended
        .stderr
        .split_whitespace()
        .find(|it| it.starts_with("job_"));
    id.unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

#[tokio::test]
async fn a_site_is_crawled_into_a_file_or_to_the_screen() {
    let (folder, site) = (folder(), tree(7).await);
    let targets = format!("--allow-private-targets={}", site.address());
    let start = site.url("/");
    let ended = run(
        folder.path(),
        &[
            "crawl",
            &start,
            "--in-memory",
            &targets,
            "--output",
            "out.ndjson",
        ],
    )
    .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("7 pages, 0 failed"), "{ended:?}");
    assert!(
        ended.stderr.contains("Written to out.ndjson ("),
        "{ended:?}"
    );
    // Nothing is kept, so that nothing can be said of it later.
    assert!(!ended.stderr.contains("crawl urls"), "{ended:?}");
    let file = std::fs::read_to_string(folder.path().join("out.ndjson")).unwrap();
    assert_eq!(urls(&file).len(), 7);
    let ended = run(
        folder.path(),
        &[
            "crawl",
            &start,
            "--in-memory",
            &targets,
            "--max-pages",
            "3",
            "--output",
            "-",
        ],
    )
    .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(urls(&ended.stdout).len(), 3);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_words_of_the_command_line() {
    let folder = folder();
    for (arguments, code, part) in [
        (&["crawl", "mailto:a@b.example"][..], 2, "URL"),
        (
            &["crawl", "127.0.0.1:9", "--in-memory"],
            2,
            "127.0.0.1:9 is taken for https://127.0.0.1:9; write http:// for a site without TLS",
        ),
        (
            &[
                "crawl",
                "--resume",
                "job_1",
                "--max-pages",
                "5",
                "--depth",
                "1",
            ],
            2,
            "--max-pages <N>\n  --depth <N>",
        ),
        (
            &["crawl", "http://a.example", "-o", "a/b"],
            2,
            "a/b cannot be written",
        ),
        (
            &["crawl", "http://a.example", "--max-pages", "0"],
            2,
            "--max-pages",
        ),
        (
            &["crawl", "http://127.0.0.1:9/", "--in-memory"],
            2,
            "127.0.0.1 is not a public address; --allow-private-targets=127.0.0.1:9 lets",
        ),
        (&["crawl"], 2, "URL"),
    ] {
        let ended = run(folder.path(), arguments).await;
        assert_eq!(ended.code, Some(code), "{arguments:?} {ended:?}");
        assert!(ended.stderr.contains(part), "{arguments:?} {ended:?}");
        assert_eq!(ended.stdout, "");
    }
    // Nothing was made for what could not be.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

async fn done(server: &Server, path: &str, least: u64) -> Value {
    let wait = async {
        let mut polls = tokio::time::interval(POLL);
        loop {
            polls.tick().await;
            let (_, job) = server.get(path).await;
            let counters = &job["counters"];
            let number = |name: &str| counters[name].as_u64().unwrap();
            let sum = ["queued", "done", "failed", "skipped"].map(number);
            assert_eq!(number("discovered"), sum.iter().sum::<u64>(), "{job}");
            if job["status"] == "completed" || number("done") >= least {
                return job;
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .expect("it goes on")
}

#[tokio::test]
async fn a_crawl_outlives_kills_and_has_every_page_once() {
    let (folder, site) = (folder(), tree(PAGES).await);
    let mut server = Server::start(folder.path(), site.address()).await;
    let body = json!({
        "type": "full-crawl", "url": site.url("/"), "depth": 100, "maxPages": 10_000,
        "maxConcurrency": 16, "formats": ["links"],
    });
    let (status, created) =
        local::client::call(server.address, Method::POST, "/api/jobs", Some(&body))
            .await
            .unwrap();
    assert_eq!(status, 201, "{created}");
    let path = created["statusUrl"].as_str().unwrap().to_owned();
    for kill in 1..=KILLS {
        let least = (PAGES * kill / (KILLS + 1)) as u64;
        done(&server, &path, least).await;
        server.process.kill();
        server = Server::start(folder.path(), site.address()).await;
    }
    let job = done(&server, &path, PAGES as u64 + 1).await;
    assert_eq!(job["counters"]["done"], PAGES, "{job}");
    assert_eq!(job["counters"]["failed"], 0, "{job}");
    let mut found = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = server
            .get(&format!("{path}/results?limit=1000{cursor}"))
            .await;
        for result in page["results"].as_array().unwrap() {
            let url = result["url"].as_str().unwrap().to_owned();
            *found.entry(url).or_insert(0) += 1;
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found.len(), PAGES);
    assert!(found.values().all(|times| *times == 1));
    let asked = site.seen();
    let pages = asked
        .iter()
        .filter(|seen| seen.path != "/robots.txt" && seen.path != "/sitemap.xml");
    let again = pages.count() - PAGES;
    println!("{KILLS} kills, {again} pages were fetched again");
    // What is fetched again was not published: a second's worth at each kill, at most.
    assert!(again <= KILLS * PAGES / 4, "{again}");
}
