//! The program `harvestman` from outside: what it prints, how it ends, and what outlives a kill.

mod crawls;
mod held;
mod idempotency;
mod keys;
mod program;

use std::collections::BTreeSet;

use serde_json::Value;
use tempfile::TempDir;

use program::{Ended, Process, Server, run};

use crate::site::{Answer, Gate, TestSite};

/// Jobs that the program works at once unless told.
const CONCURRENCY: usize = 16;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Ended for a reason that lies outside, told in one line.
fn assert_refused(ended: &Ended, part: &str) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.stdout, "");
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{ended:?}");
    assert!(lines[0].starts_with("harvestman: "), "{ended:?}");
    assert!(lines[0].contains(part), "{ended:?}");
}

#[tokio::test]
async fn jobs_outlive_a_kill_and_go_on_at_the_next_start() {
    const JOBS: usize = 30;
    let (folder, site) = (folder(), TestSite::start().await);
    let gate = Gate::closed();
    site.everywhere(Answer::html("never").held(&gate));
    let server = Server::start(folder.path(), site.address()).await;
    let mut ids = BTreeSet::new();
    for n in 0..JOBS {
        ids.insert(server.accept(&site.url(&format!("/{n}"))).await);
    }
    site.arrived(CONCURRENCY).await;
    server.process.kill();
    assert_eq!(site.seen().len(), CONCURRENCY);
    site.everywhere(Answer::html("<title>Back</title>"));
    gate.open();

    // Leases last a minute, so that only the start itself can have taken the jobs up this soon.
    let server = Server::start(folder.path(), site.address()).await;
    site.arrived(CONCURRENCY + JOBS).await;
    server.listed("completed", JOBS).await;
    let (_, list) = server.get("/api/jobs?limit=100").await;
    let listed: Vec<_> = list["jobs"].as_array().unwrap().iter().collect();
    let listed: Vec<_> = listed
        .iter()
        .map(|job| job["id"].as_str().unwrap())
        .collect();
    assert_eq!(listed.len(), JOBS, "each once");
    assert!(listed.iter().all(|id| ids.contains(*id)));
    let mut interrupted = 0;
    for id in &ids {
        let (_, job) = server.get(&format!("/api/jobs/{id}")).await;
        let attempts = job["attempts"].as_array().unwrap();
        assert!(
            attempts
                .iter()
                .all(|attempt| attempt["code"] == "lease_lost")
        );
        interrupted += attempts.len();
        let (_, results) = server.get(&format!("/api/jobs/{id}/results")).await;
        let results = results["results"].as_array().unwrap();
        assert_eq!(results.len(), 1);
        assert_eq!(results[0]["title"], "Back");
        assert_eq!(results[0]["url"], job["url"]);
    }
    assert_eq!(interrupted, CONCURRENCY);
    assert_eq!(site.seen().len(), CONCURRENCY + JOBS, "none twice");
}

#[tokio::test]
async fn a_job_that_waits_for_its_time_outlives_a_kill() {
    let (folder, site) = (folder(), TestSite::start().await);
    let server = Server::start(folder.path(), site.address()).await;
    let body = serde_json::json!({
        "type": "single-page", "url": site.url("/"), "delay": 3_600_000, "metadata": {"a": 1},
    });
    let post = axum::http::Method::POST;
    let created = local::client::call(server.address, post, "/api/jobs", Some(&body)).await;
    let path = created.unwrap().1["statusUrl"].as_str().unwrap().to_owned();
    let (_, before) = server.get(&path).await;
    server.process.kill();
    let server = Server::start(folder.path(), site.address()).await;
    let (_, after) = server.get(&path).await;
    assert_eq!(after, before);
    assert_eq!(after["status"], "delayed");
    let (status, again) = server.create(&site.url("/")).await;
    assert_eq!((status, &again["deduplicated"]), (200, &Value::Bool(true)));
    assert_eq!(site.connections(), 0);
}

#[tokio::test]
async fn a_signal_ends_the_program_and_gives_its_jobs_back_untried() {
    for signal in ["INT", "TERM"] {
        let (folder, site) = (folder(), TestSite::start().await);
        let gate = Gate::closed();
        site.everywhere(Answer::html("never").held(&gate));
        let server = Server::start(folder.path(), site.address()).await;
        let url = site.url("/");
        let id = server.accept(&url).await;
        site.arrived(1).await;
        server.process.signal(signal);
        let ended = server.process.end().await;
        assert_eq!(ended.code, Some(0), "{signal}: {ended:?}");
        assert!(ended.stdout.contains("Ended"), "{ended:?}");
        assert_eq!(ended.stderr, "");
        site.everywhere(Answer::html("<title>Back</title>"));
        gate.open();

        let server = Server::start(folder.path(), site.address()).await;
        server.listed("completed", 1).await;
        let (_, job) = server.get(&format!("/api/jobs/{id}")).await;
        assert_eq!(job["attempts"], serde_json::json!([]), "{signal}");
        assert_eq!(job["attemptsMade"], 1);
        assert_eq!(site.requests("/"), 2);
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_told_so() {
    let (folder, site) = (folder(), TestSite::start().await);
    let server = Server::start(folder.path(), site.address()).await;
    let second = run(folder.path(), &["serve", "--port", "0"]).await;
    assert_refused(&second, "in use by another process");
    assert_eq!(
        server.get("/api/v1/health").await.0,
        200,
        "the first goes on"
    );
    server.process.kill();
    Server::start(folder.path(), site.address()).await;
}

#[tokio::test]
async fn what_keeps_the_service_from_starting_is_one_sentence() {
    let (folder, site) = (folder(), TestSite::start().await);
    let port = site.address().port().to_string();
    std::fs::write(folder.path().join("file"), "not a folder").unwrap();
    for (arguments, part) in [
        (vec!["serve", "--port", &port], port.as_str()),
        (vec!["serve", "--port", &port, "--in-memory"], "--port"),
        (vec!["demo", "--port", &port], port.as_str()),
        (vec!["serve", "--port", "0", "--data-dir", "file"], "file"),
        (
            vec!["serve", "--port", "0", "--data-dir", "file/below"],
            "file/below",
        ),
        (
            vec!["serve", "--allow-private-targets=localhost"],
            "HOST:PORT",
        ),
        (vec!["serve", "--allow-private-targets="], "HOST:PORT"),
        (vec!["scrape", "nonsense"], "Invalid URL format"),
        (vec!["scrape", "ftp://a.example/"], "http"),
    ] {
        let ended = run(folder.path(), &arguments).await;
        assert_refused(&ended, part);
    }
}

#[tokio::test]
async fn a_command_line_that_cannot_be_read_is_refused() {
    let folder = folder();
    for arguments in [
        vec!["--nonsense"],
        vec!["nonsense"],
        vec!["serve", "--port", "65536"],
        vec!["serve", "--port", "x"],
        vec!["serve", "--concurrency", "0"],
        vec!["serve", "--concurrency", "257"],
        vec!["serve", "--max-unfinished-jobs", "-1"],
        vec!["serve", "--in-memory", "--data-dir", "x"],
        vec!["scrape"],
    ] {
        let ended = run(folder.path(), &arguments).await;
        assert_eq!(ended.code, Some(2), "{arguments:?} {ended:?}");
        assert!(
            ended.stderr.starts_with("error: "),
            "{arguments:?} {ended:?}"
        );
    }
    for arguments in [["--help"], ["--version"]] {
        let ended = run(folder.path(), &arguments).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains("arvest"), "{ended:?}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "nothing was started: {left:?}");
}

#[tokio::test]
async fn private_targets_stay_closed_on_lambda() {
    let folder = folder();
    let lambda = [("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")];
    for arguments in [
        ["serve", "--port=0", "--allow-private-targets"],
        ["serve", "--port=0", "--allow-private-targets=localhost:80"],
        ["scrape", "http://localhost/", "--allow-private-targets"],
    ] {
        let ended = Process::start_with(folder.path(), &arguments, &lambda);
        assert_refused(&ended.end().await, "refused on AWS Lambda");
    }
}

#[tokio::test]
async fn the_settings_of_serve_hold() {
    let (folder, site) = (folder(), TestSite::start().await);
    let gate = Gate::closed();
    site.everywhere(Answer::html("<title>Page</title>").held(&gate));
    let allowed = format!("--allow-private-targets={}", site.address());
    let arguments = ["--in-memory", "--max-unfinished-jobs", "1", &allowed];
    let server = Server::start_with(folder.path(), &arguments).await;
    server.accept(&site.url("/a")).await;
    let (status, full) = server.create(&site.url("/b")).await;
    assert_eq!(
        (status, &full["message"]),
        (503, &Value::from("Queue is full"))
    );
    gate.open();
    server.listed("completed", 1).await;
    server.accept(&site.url("/b")).await;
    server.listed("completed", 2).await;
    drop(server);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "kept in memory: {left:?}");
}

#[tokio::test]
async fn only_the_targets_that_are_named_are_fetched() {
    let (folder, site, other) = (folder(), TestSite::start().await, TestSite::start().await);
    other.everywhere(Answer::html("<title>Secret</title>"));
    site.page("/", Answer::status(302).header("location", other.url("/")));
    let server = Server::start(folder.path(), site.address()).await;
    for url in [other.url("/direct"), site.url("/")] {
        server.accept(&url).await;
    }
    for job in server.listed("failed", 2).await {
        let reason = job["failedReason"].as_str().unwrap();
        assert!(reason.starts_with("address_refused: "), "{reason}");
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn scrape_prints_a_page_or_writes_it_to_a_file() {
    let (folder, site) = (folder(), TestSite::start().await);
    site.page("/", Answer::html("<title>Tea \u{1f375}</title><p>Hot."));
    let url = site.url("/");
    let allowed = "--allow-private-targets";
    let printed = run(folder.path(), &["scrape", &url, allowed]).await;
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert_eq!(printed.stderr, "");
    let page: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(page["title"], "Tea \u{1f375}");
    assert_eq!(page["url"], url);

    let arguments = ["scrape", &url, allowed, "--output", "page.json"];
    let written = run(folder.path(), &arguments).await;
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""));
    let text = std::fs::read_to_string(folder.path().join("page.json")).unwrap();
    let page: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(page["title"], "Tea \u{1f375}");
    let arguments = ["scrape", &url, allowed, "--output", "no/such/folder.json"];
    let ended = run(folder.path(), &arguments).await;
    assert_refused(&ended, "no/such/folder.json");
}

#[tokio::test]
async fn scrape_says_in_one_line_why_a_page_failed() {
    let (folder, site) = (folder(), TestSite::start().await);
    site.page("/busy", Answer::status(503));
    let connections = site.connections();
    for (arguments, code) in [
        (vec![site.url("/")], "address_refused: "),
        (
            vec![
                site.url("/"),
                "--allow-private-targets=localhost:1".to_owned(),
            ],
            "address_refused: ",
        ),
        (
            vec![site.url("/gone"), "--allow-private-targets".to_owned()],
            "http_404: ",
        ),
        (
            vec![site.url("/busy"), "--allow-private-targets".to_owned()],
            "http_503: ",
        ),
    ] {
        let mut all = vec!["scrape"];
        all.extend(arguments.iter().map(String::as_str));
        let ended = run(folder.path(), &all).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(ended.stdout, "");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        assert!(ended.stderr.starts_with(code), "{ended:?}");
        if code.starts_with("address") {
            assert_eq!(site.connections(), connections);
        }
    }
}

#[tokio::test]
async fn the_demo_shows_a_job_from_its_creation_to_its_result() {
    let folder = folder();
    let ended = run(folder.path(), &["demo", "--once", "--port", "0"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    let title = ended.stdout.lines().find(|line| line.starts_with("Title "));
    let title = title
        .expect("the title is printed")
        .trim_start_matches("Title")
        .trim();
    assert!(!title.is_empty(), "{}", ended.stdout);
    assert!(ended.stdout.contains("POST /api/jobs"));
    assert!(ended.stdout.contains("completed (100%)"));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_reader_who_leaves_is_no_failure() {
    let (folder, site) = (folder(), TestSite::start().await);
    site.page("/", Answer::html("<title>Unread</title>"));
    let url = site.url("/");
    for arguments in [
        vec!["scrape", &url, "--allow-private-targets"],
        vec!["demo", "--once", "--port", "0"],
    ] {
        let ended = Process::start_unread(folder.path(), &arguments).end().await;
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[tokio::test]
async fn a_client_that_sends_far_too_much_hears_why_it_is_refused() {
    let (folder, site) = (folder(), TestSite::start().await);
    let server = Server::start(folder.path(), site.address()).await;
    let (status, refused) = server.create(&" ".repeat(30_000_000)).await;
    assert_eq!(status, 413, "{refused}");
    assert_eq!(refused["error"], "Request body too large");
}
