//! Crawls that have ended: what is said of them, of each of their addresses, and how it is had again.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::Value;

use super::{command, told_id, tree, urls};
use crate::process::program::{Server, paste, run};
use crate::process::{assert_refused, folder};
use crate::site::{Answer, TestSite};

/// A site with a page, a broken link, two that robots.txt forbids, and one that leads away.
async fn flawed() -> TestSite {
    let site = TestSite::start().await;
    let robots = Answer::html("User-agent: *\nDisallow: /private");
    site.page("/robots.txt", robots);
    let away = "http://elsewhere.example/";
    let links = ["/gone", "/private/a", "/private/b", away];
    let links = links.map(|to| format!("<a href=\"{to}\">it</a>"));
    site.page("/", Answer::html(links.concat()));
    site
}

/// State and reason of each address that is listed.
fn reasons(lines: &str) -> BTreeMap<String, String> {
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        let why = format!("{} {}", text("state"), text("reason"));
        (text("url"), why)
    };
    lines.lines().map(row).collect()
}

#[tokio::test]
async fn a_crawl_says_in_the_end_what_is_missing_and_why() {
    let (folder, site) = (folder(), flawed().await);
    let (start, gone) = (site.url("/"), site.url("/gone"));
    let targets = format!("--allow-private-targets={}", site.address());
    let place = ["--data-dir", "a b", "-o", "out"];
    let words = [&["crawl", &start, &targets][..], &place].concat();
    let ended = run(folder.path(), &words).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "");
    let told = |part: &str| assert!(ended.stderr.contains(part), "{part} {ended:?}");
    told("1 page, 1 failed, 3 skipped; ");
    told("\nSkipped: 2 robots, 1 off_scope\n");
    told(&format!("\nFailed: 1 http_404\n  http_404 {gone}\n"));

    let list = command(&ended, "what has become of it:");
    let listed = paste(folder.path(), &list).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let all = reasons(&listed.stdout);
    assert_eq!(all.len(), 5);
    assert_eq!(all[&start], "done -");
    assert_eq!(all[&gone], "failed http_404");
    assert_eq!(all["http://elsewhere.example/"], "skipped off_scope");
    let filters = [
        ("--state failed", 1),
        ("--reason robots", 2),
        ("--state done", 1),
    ];
    for (filter, count) in filters {
        let listed = paste(folder.path(), &format!("{list} {filter}")).await;
        let lines = listed.stdout.lines().count();
        assert_eq!(lines, count, "{filter} {listed:?}");
    }
    let listed = paste(folder.path(), &format!("{list} -o listed")).await;
    assert_eq!((listed.code, listed.stdout.as_str()), (Some(0), ""));
    let file = std::fs::read_to_string(folder.path().join("listed")).unwrap();
    assert_eq!(reasons(&file), all);
    let refused = paste(folder.path(), &format!("{list} --state lost")).await;
    let sentence = "--state must be one of: queued, done, failed, skipped";
    assert_refused(&refused, sentence);

    // The same lines, to the byte, from a service on the same data.
    let server = Server::start_with(folder.path(), &["--data-dir", "a b"]).await;
    let service = format!("http://{}", server.address);
    let id = told_id(&ended);
    let words = ["crawl", "urls", &id, "--server", &service];
    assert_eq!(run(folder.path(), &words).await.stdout, file);
    let words = ["crawl", "--resume", &id, "--server", &service];
    let pages = run(folder.path(), &words).await;
    let written = std::fs::read_to_string(folder.path().join("out")).unwrap();
    assert_eq!(pages.stdout, written);
}

#[tokio::test]
async fn a_crawl_that_has_ended_is_written_again_and_told_as_it_ended() {
    let (folder, site) = (folder(), tree(7).await);
    let targets = format!("--allow-private-targets={}", site.address());
    let first = run(folder.path(), &["crawl", &site.url("/"), &targets]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    let asked = site.seen().len();
    let words = ["crawl", "--resume", &told_id(&first), "-o", "out.ndjson"];
    let again = run(folder.path(), &words).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    let told = "has ended already\n7 pages, 0 failed, 0 skipped\n";
    assert!(again.stderr.contains(told), "{again:?}");
    let file = std::fs::read_to_string(folder.path().join("out.ndjson")).unwrap();
    assert_eq!(file, first.stdout);
    assert_eq!(urls(&file).len(), 7);
    assert_eq!(site.seen().len(), asked);

    let away = Answer::status(302).header("location", "http://elsewhere.example/");
    site.page("/away", away);
    let failed = run(folder.path(), &["crawl", &site.url("/away"), &targets]).await;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let words = ["crawl", "--resume", &told_id(&failed)];
    let again = run(folder.path(), &words).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("did not complete: "), "{again:?}");
    assert!(again.stderr.contains("crawl urls"), "{again:?}");
}

#[tokio::test]
async fn where_nothing_could_be_fetched_no_page_is_given_up() {
    let (folder, site) = (folder(), tree(7).await);
    let hint = format!(
        "--allow-private-targets={} lets it be fetched",
        site.address()
    );
    let refused = run(folder.path(), &["crawl", &site.url("/")]).await;
    assert_refused(&refused, &hint);
    let scraped = run(folder.path(), &["scrape", &site.url("/")]).await;
    assert!(scraped.stderr.contains(&hint), "{scraped:?}");

    // One that was begun with the flag, and is taken up without it: what is left of it is not lost.
    let server = Server::start(folder.path(), site.address()).await;
    let body = serde_json::json!({"type": "full-crawl", "url": site.url("/"), "delay": 3_600_000});
    let call = local::client::call(server.address, Method::POST, "/api/jobs", Some(&body));
    let (_, created) = call.await.unwrap();
    let id = created["jobId"].as_str().unwrap().to_owned();
    drop(server);
    let resumed = run(folder.path(), &["crawl", "--resume", &id]).await;
    assert_refused(&resumed, &hint);
    assert_eq!(site.seen().len(), 0);
}

#[tokio::test]
async fn what_is_no_crawl_of_the_folder_cannot_be_resumed_or_listed() {
    const UNKNOWN: &str = "job_01k9zq3v7m8n4r2t6w0x5y1z3b";
    const COMMANDS: [[&str; 2]; 2] = [["crawl", "--resume"], ["crawl", "urls"]];
    let (folder, site) = (folder(), TestSite::start().await);
    for command in COMMANDS {
        let of = |id| [&command[..], &[id]].concat();
        let refused = run(folder.path(), &of("job_1")).await;
        assert_refused(&refused, "\"job_1\" is no id of a crawl, such as job_");
        let refused = run(folder.path(), &of(UNKNOWN)).await;
        assert_refused(&refused, "there is no data in .harvestman");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let server = Server::start(folder.path(), site.address()).await;
    let id = server.accept(&site.url("/")).await;
    let service = format!("http://{}", server.address);
    let wrong_type = format!("{id} is no crawl, its type is single-page");
    for command in COMMANDS {
        let there = |id| [&command[..], &[id, "--server", &service]].concat();
        let refused = run(folder.path(), &there(&id)).await;
        assert_refused(&refused, &wrong_type);
        let refused = run(folder.path(), &there(UNKNOWN)).await;
        assert_refused(&refused, &format!("{service} knows no {UNKNOWN}"));
        let refused = run(folder.path(), &[&command[..], &[&id]].concat()).await;
        assert_refused(&refused, "ask it with --server http://127.0.0.1:PORT");
    }
    server.process.kill();
    for command in COMMANDS {
        let of = |id| [&command[..], &[id]].concat();
        let refused = run(folder.path(), &of(&id)).await;
        assert_refused(&refused, &wrong_type);
        let refused = run(folder.path(), &of(UNKNOWN)).await;
        let sentence = format!("there is no {UNKNOWN} in .harvestman");
        assert_refused(&refused, &sentence);
    }
}
