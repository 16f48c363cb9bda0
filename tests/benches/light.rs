//! What a page costs on a site that wants to be asked seldom: one slice each, which comes back by a
//! message. Time passes by itself, so that nobody waits for it. Refuses to time anything but our own
//! processor time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jobs::app::Creation;
use jobs::crawl::visit::RobotsFile;
use jobs::page::Link;
use jobs::ports::{Clock, PageRequest, Scraper};
use jobs::{Caller, Failure, NewJob, Page, Timestamp};
use serde_json::json;
use url::Url;

use crate::crawl::{Bill, GIGABYTE_SECOND, INVOCATION, MEMORY_GIGABYTES};
use crate::drain::handle;
use crate::metered::{Metered, page};
use crate::report::{Row, Section};

/// What the site asks for between two requests.
const CRAWL_DELAY: Duration = Duration::from_secs(10);
/// Pages that the site has, all of them linked from the first one.
const KNOWN: [usize; 2] = [1_000, 10_000];
/// Pages that are visited.
const VISITED: u32 = 200;
/// What a page of an ordinary site takes to answer.
const LATENCY: Duration = Duration::from_millis(100);

/// A clock that goes on where somebody waits for it.
struct Patient(AtomicI64);

impl Patient {
    fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for Patient {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, time: Duration) {
        self.pass(time);
    }

    async fn alarm(&self, _: Duration) {
        // Beside something that answers at once.
        std::future::pending::<()>().await;
    }
}

struct Shy(Arc<Patient>, usize);

#[async_trait]
impl Scraper for Shy {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        self.0.pass(LATENCY);
        let number: usize = request.url.path()[1..].parse().unwrap_or(0);
        let count = if number == 0 { self.1 } else { 0 };
        let link = |number: usize| Link {
            url: format!("http://shy.example/{number}"),
            text: number.to_string(),
            rel: None,
        };
        let page = page(request.url.as_str());
        Ok(Page {
            links: (1..=count).map(link).collect(),
            // A site that says the same everywhere is a trap.
            text: format!("{number}: {}", page.text),
            ..page
        })
    }

    async fn robots(&self, _: &Url, _: Option<&str>) -> RobotsFile {
        let delay = CRAWL_DELAY.as_secs();
        RobotsFile::Found(format!("User-agent: *\nCrawl-delay: {delay}\n").into_bytes())
    }
}

pub(crate) async fn measure() -> Section {
    let mut columns = Vec::new();
    for known in KNOWN {
        columns.push(crawl(known).await);
    }
    let names = [
        ("slices a page", ""),
        ("write units a page", ""),
        ("read units a page", ""),
        ("puts of blobs a page", ""),
        ("gets of blobs a page", ""),
        ("requests of queues a page", ""),
        ("a million such pages", "$"),
    ];
    let rows = names.iter().enumerate().map(|(at, (name, unit))| {
        Row::new(
            *name,
            unit,
            columns.iter().map(|column| column[at]).collect(),
        )
    });
    Section {
        title: "A page on a site with a Crawl-delay",
        how: format!(
            "The first {VISITED} pages, {} s apart, of a site whose first page leads to all others.\n\
             The function is counted with {} ms a slice beside the {} ms of the page.",
            CRAWL_DELAY.as_secs(),
            OVERHEAD.as_millis(),
            LATENCY.as_millis(),
        ),
        columns: vec!["of 1,000 known", "of 10,000 known"],
        rows: rows.collect(),
    }
}

/// What a slice takes beside the page, with every call to the cloud.
const OVERHEAD: Duration = Duration::from_millis(100);

async fn crawl(known: usize) -> Vec<f64> {
    let clock = Arc::new(Patient(AtomicI64::new(1_790_000_000_000)));
    let service = Metered::timed(Arc::clone(&clock) as _);
    let body = json!({
        "type": "full-crawl", "url": "http://shy.example/", "maxPages": known, "depth": 2,
        "timeout": 3_600_000, "formats": ["text", "links"],
    });
    let new = NewJob::parse(&body, |_| Vec::new()).unwrap();
    let created = service.app.create(&Caller::Anyone, &new).await.unwrap();
    let Creation::New(job) = created else {
        panic!("the table was not empty");
    };
    let id = job.id;
    let scraper = Shy(Arc::clone(&clock), known);
    let mut slices = 0;
    let mut done = 0;
    while done < VISITED {
        let Some(message) = service.queue.queue.try_receive() else {
            clock.pass(Duration::from_millis(100));
            continue;
        };
        slices += 1;
        handle(&service.app, &scraper, &message).await;
        let job = service.app.row(&id).await.unwrap().unwrap();
        done = job.crawl.map_or(0, |crawl| crawl.counters.done);
    }
    let bill = Bill::of(&service, slices);
    let time = (LATENCY + OVERHEAD).as_secs_f64() * f64::from(slices);
    let compute = time * MEMORY_GIGABYTES * GIGABYTE_SECOND + f64::from(slices) * INVOCATION;
    let price = (bill.price() + compute) * 1e6;
    let all = [
        f64::from(slices),
        bill.writes,
        bill.reads,
        bill.puts,
        bill.gets,
        bill.queue,
        price,
    ];
    all.map(|it| it / f64::from(done)).to_vec()
}
