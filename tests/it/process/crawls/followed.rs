//! Crawls that a service works on, seen from the command line: a service that is busy, breaks down,
//! or knows better.

use serde_json::json;

use super::{command, tree, urls};
use crate::process::folder;
use crate::process::program::{Server, paste, run};
use crate::site::{Answer, Gate, TestSite};

pub(super) const JOB: &str = "job_01k9zq3v7m8n4r2t6w0x5y1z3b";

/// A service that says what a test has it say.
pub(super) struct Pretended {
    site: TestSite,
    address: String,
    path: String,
}

fn job(status: &str) -> Answer {
    let body = json!({
        "id": JOB, "type": "full-crawl", "url": "http://a.example/", "status": status,
        "counters": {"discovered": 1, "queued": 0, "done": 1, "failed": 0, "skipped": 0},
    });
    Answer::html(body.to_string()).header("etag", format!("W/\"{status}\""))
}

impl Pretended {
    pub(super) async fn start() -> Self {
        let site = TestSite::start().await;
        let created = json!({"success": true, "jobId": JOB});
        site.page(
            "/api/jobs",
            Answer::html(created.to_string()).with_status(201),
        );
        Self {
            address: format!("http://{}", site.address()),
            path: format!("/api/jobs/{JOB}"),
            site,
        }
    }

    /// What it says of the crawl, one after the other.
    pub(super) fn job<const N: usize>(&self, statuses: [&str; N]) {
        self.site.pages(&self.path, statuses.map(job));
    }

    fn results_are(&self, answers: impl IntoIterator<Item = Answer>) {
        self.site.pages(&format!("{}/results", self.path), answers);
    }

    pub(super) fn results(&self, lines: &str) {
        self.results_are([Answer::html(lines)]);
    }

    pub(super) fn results_held(&self, lines: &str, gate: &Gate) {
        self.results_are([Answer::html(lines).held(gate)]);
    }

    /// Waits until the results have been asked for: after the crawl was created and looked at.
    pub(super) async fn results_asked(&self) {
        self.site.arrived(3).await;
    }

    /// The words of a crawl there.
    pub(super) fn crawl(&self) -> Vec<&str> {
        vec!["crawl", "http://a.example/", "--server", &self.address]
    }
}

#[tokio::test]
async fn a_service_crawls_for_the_command_line() {
    let (folder, site) = (folder(), tree(7).await);
    let server = Server::start(folder.path(), site.address()).await;
    let service = format!("http://{}", server.address);
    let start = site.url("/");
    let ended = run(folder.path(), &["crawl", &start, "--server", &service]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(urls(&ended.stdout).len(), 7);
    let list = command(&ended, "what has become of it:");
    let listed = paste(folder.path(), &list).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert_eq!(urls(&listed.stdout).len(), 7);
}

#[tokio::test]
async fn lines_are_the_bytes_that_the_service_sends() {
    let folder = folder();
    let service = Pretended::start().await;
    service.job(["completed"]);
    let first = "{\"url\": 1.0,\"b\":\"\\u00e9\",\"a\":0}\n{}\n";
    let second = "{\"z\":0}\n";
    service.results_are([
        Answer::html(first).header("x-next-cursor", "next"),
        Answer::html(second),
    ]);
    let ended = run(folder.path(), &service.crawl()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, [first, second].concat());
}

#[tokio::test]
async fn a_service_that_is_busy_is_waited_for_and_says_only_what_is_new() {
    let folder = folder();
    let service = Pretended::start().await;
    let answers = [
        job("active"),
        job("active"),
        Answer::status(304),
        Answer::status(503).header("retry-after", "0"),
        job("completed"),
    ];
    service.site.pages(&service.path, answers);
    service.results("{}\n");
    let ended = run(folder.path(), &service.crawl()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "{}\n");
    assert!(ended.stderr.contains("answers 503"), "{ended:?}");
    let seen = service.site.seen();
    let asked = seen.iter().filter(|seen| seen.path == service.path);
    let version = |name| asked.clone().map(move |seen| seen.headers.get(name));
    let versions: Vec<_> = version("if-none-match")
        .map(|it| it.map(|it| it.to_str().unwrap()))
        .collect();
    let known = Some("W/\"active\"");
    assert_eq!(versions, [None, None, known, known, known]);
}

#[tokio::test]
async fn who_gives_up_on_a_service_says_how_to_follow_the_crawl() {
    let folder = folder();
    let service = Pretended::start().await;
    let never = Answer::status(429).header("retry-after", "86400");
    service.site.pages(&service.path, [job("active"), never]);
    let mut words = service.crawl();
    words.extend(["-o", "a b.ndjson"]);
    let ended = run(folder.path(), &words).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("answers 429"), "{ended:?}");
    service.job(["failed"]);
    service.results("{}\n");
    let ended = paste(folder.path(), &command(&ended, "Follow it:")).await;
    assert_eq!(ended.code, Some(1), "the crawl has failed: {ended:?}");
    assert!(ended.stderr.contains("has ended already"), "{ended:?}");
    let file = std::fs::read_to_string(folder.path().join("a b.ndjson")).unwrap();
    assert_eq!(file, "{}\n");
}

#[tokio::test]
async fn a_service_that_knows_better_or_is_not_there_is_not_waited_for() {
    let folder = folder();
    let service = Pretended::start().await;
    let unknown = format!("knows no {JOB}");
    for (status, part) in [(401, "HARVESTMAN_API_KEY"), (404, &unknown)] {
        service.site.page(&service.path, Answer::status(status));
        let ended = run(folder.path(), &service.crawl()).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(part), "{ended:?}");
    }
    let nowhere = ["crawl", "a.example", "--server", "http://127.0.0.1:9"];
    let ended = run(folder.path(), &nowhere).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let told = "127.0.0.1:9 cannot be asked";
    assert!(ended.stderr.contains(told), "{ended:?}");
}
