//! Measures what visiting the pages of a site costs: follows its links from the first page on,
//! some at a time, as a crawl does that keeps nothing. Prints pages and processor seconds.
//!
//! `visit_speed URL CONCURRENCY [FORMAT,...] [PAGES] [OUTPUT]`: formats as in a crawl (`text,links`
//! if not told, `all` for every one), at most so many pages, their JSON a line each into a file.

use std::collections::{HashSet, VecDeque};
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jobs::crawl::Formats;
use jobs::crawl::visit::{Visit, Visited};
use jobs::ports::Scraper as _;
use jobs::{Extraction, Failure};
use scrape::{Targets, WebScraper};
use tokio::task::JoinSet;
use url::Url;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let start = arguments.next().unwrap_or_default();
    let start = Url::parse(&start)?;
    let concurrency = arguments.next().map_or(Ok(16), |text| text.parse())?;
    let names = arguments.next().unwrap_or_else(|| "text,links".to_owned());
    let formats = match names.as_str() {
        "all" => Formats::named(Formats::NAMES),
        names => Formats::named(names.split(',')),
    };
    let formats = formats.ok_or("an unknown format")?;
    let most: usize = arguments
        .next()
        .map_or(Ok(usize::MAX), |text| text.parse())?;
    let mut output = arguments.next().map(std::fs::File::create).transpose()?;

    let scraper = Arc::new(WebScraper::new(Targets::AnyAddress)?);
    let visit = |url: Url| Visit {
        url,
        headers: Arc::new([]),
        user_agent: None,
        timeout: Duration::from_secs(30),
        extraction: Arc::new(Extraction::default()),
        formats,
        known: None,
        follow: true,
    };
    let origin = start.origin();
    let mut seen = HashSet::from([start.to_string()]);
    let mut queue = VecDeque::from([start]);
    let mut visits: JoinSet<Result<Visited, Failure>> = JoinSet::new();
    let (began, mut pages, mut failures, mut bytes) = (Instant::now(), 0, 0, 0);
    loop {
        while visits.len() < concurrency && pages + visits.len() < most {
            let Some(url) = queue.pop_front() else { break };
            let (scraper, visit) = (Arc::clone(&scraper), visit(url));
            visits.spawn(async move { scraper.visit(&visit).await });
        }
        let Some(ended) = visits.join_next().await else {
            break;
        };
        let page = match ended? {
            Ok(Visited::Page(page)) => page,
            Ok(Visited::Unchanged | Visited::Redirected(_)) => continue,
            Err(failure) => {
                eprintln!("{failure}");
                failures += 1;
                continue;
            }
        };
        pages += 1;
        bytes += page.json.len();
        if let Some(output) = &mut output {
            output.write_all(&page.json)?;
            output.write_all(b"\n")?;
        }
        for link in page.links {
            if seen.contains(&link.url) {
                continue;
            }
            let url = Url::parse(&link.url)?;
            if url.origin() == origin {
                seen.insert(link.url);
                queue.push_back(url);
            }
        }
    }
    let (seconds, processor, memory) = (began.elapsed().as_secs_f64(), processor(), memory());
    println!(
        "{}: {pages} pages, {failures} failures, {} MB of JSON, {:.0} pages/s, {:.3} processor \
         seconds per 1,000 pages, {memory} at most",
        formats.names().join(","),
        bytes / 1_000_000,
        f64::from(pages as u32) / seconds,
        processor.as_secs_f64() * 1_000.0 / f64::from(pages as u32),
    );
    Ok(())
}

/// Processor time of this process so far.
fn processor() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), spent.tv_nsec as u32)
}

/// The most memory that was in use, as Linux writes it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown memory", str::trim).to_owned()
}
