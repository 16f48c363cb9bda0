//! What a large crawl takes: memory of the whole process, and units of the table. Pages answer at
//! once, so that nothing but our own work is measured. Refuses to fetch or to parse: that a page
//! costs the same whatever its number.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jobs::page::Link;
use jobs::ports::{PageRequest, Scraper};
use jobs::{Caller, Failure, NewJob, Page};
use serde_json::json;

use crate::crawl::Bill;
use crate::drain::handle_until;
use crate::metered::{Metered, page};
use crate::report::{Row, Section};

const PAGES: usize = 100_000;
const CHILDREN: usize = 10;
/// Links of each page to pages that others lead to as well.
const CROSS_LINKS: usize = 40;
const CONCURRENCY: usize = 16;
/// What an invocation may take; a slice ends eight seconds earlier.
const SLICE: Duration = Duration::from_secs(13);
const GOAL_MB: f64 = 256.0;
/// For a thousand pages.
const GOAL_UNITS: f64 = 100.0;

/// A site whose pages are a tree, with many links across.
struct Site;

fn address(number: usize) -> String {
    let section = number % 97;
    format!("http://site.example/section-{section}/a-title-of-some-words-{number}")
}

#[async_trait]
impl Scraper for Site {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        // Answers come from elsewhere: others have their turn.
        tokio::task::yield_now().await;
        let number = request.url.path().rsplit('-').next();
        let number: usize = number.and_then(|it| it.parse().ok()).unwrap_or(0);
        let children = (1..=CHILDREN).map(|child| number * CHILDREN + child);
        let across = (1..=CROSS_LINKS).map(|step| (number * 7_919 + step * 104_729) % PAGES);
        let links = children.chain(across).filter(|next| *next < PAGES);
        let link = |number| Link {
            url: address(number),
            text: format!("page {number}"),
            rel: None,
        };
        let page = page(request.url.as_str());
        Ok(Page {
            links: links.map(link).collect(),
            // A site that says the same everywhere is a trap.
            title: Some(format!("Page {number}")),
            text: words(number),
            ..page
        })
    }
}

/// Some 2 KB that no other page says.
fn words(number: usize) -> String {
    let mut text = String::new();
    let mut state = number as u64 + 1;
    while text.len() < 2_048 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // Words of a language come again: a few thousand of them.
        let _ = write!(text, "word{} ", (state >> 52) * (state >> 60));
    }
    text
}

pub(crate) async fn measure() -> Section {
    let folder = tempfile::tempdir().unwrap();
    let service = Metered::lean(folder.path());
    let body = json!({
        "type": "full-crawl", "url": address(0), "maxPages": PAGES, "depth": 100,
        "maxConcurrency": CONCURRENCY, "formats": ["text", "links"], "timeout": 3_600_000,
    });
    let new = NewJob::parse(&body, |_| Vec::new()).unwrap();
    service.app.create(&Caller::Anyone, &new).await.unwrap();
    let before = resident("VmRSS");
    // From here on the highest figure is this crawl's.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let began = Instant::now();
    let (mut slices, mut id) = (0, None);
    while !service.queue.queue.is_empty() {
        let Some(message) = service.queue.queue.try_receive() else {
            // The next slice comes by a message that is a moment late.
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        handle_until(&service.app, &Site, &message, SLICE).await;
        slices += 1;
        id = Some(message.job_id);
    }
    let took = began.elapsed().as_secs_f64();
    let peak = resident("VmHWM");
    let job = service.app.row(&id.unwrap()).await.unwrap().unwrap();
    let counters = job.crawl.unwrap().counters;
    let bill = Bill::of(&service, slices);
    let done = f64::from(counters.done);
    let row = |name, unit, value| Row::new(name, unit, vec![value]);
    Section {
        title: "A large crawl",
        how: format!(
            "{done} pages of 2 KB of text and {} links, {CONCURRENCY} at once, answered at once;\n\
             {} addresses known, {slices} slices, state {:?}. The table is in this process as well.\n\
             Before: {before:.0} MB.",
            CHILDREN + CROSS_LINKS,
            counters.discovered(),
            job.state,
        ),
        columns: vec!["in all"],
        rows: vec![
            row("highest resident memory", "MB", peak).at_most(GOAL_MB),
            row("write units a thousand pages", "", bill.writes / done * 1e3).at_most(GOAL_UNITS),
            row("puts of blobs", "", bill.puts),
            row("gets of blobs", "", bill.gets),
            row("pages", "/s", done / took),
        ],
    }
}

/// A figure of this process's memory, in MB.
fn resident(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kilobytes: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|it| it.parse().ok())
        .unwrap();
    kilobytes / 1_000.0
}
