//! What a crawl costs at the cloud's tariff: units of the table, requests of queue and blob store,
//! and the price of a million pages that follows. Pages answer as fast as they are told to, so that
//! the commits come as often as on a site of that speed.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jobs::page::Link;
use jobs::ports::{PageRequest, Scraper};
use jobs::{Caller, Failure, NewJob, Page};
use serde_json::json;

use crate::drain::handle;
use crate::metered::{Metered, Spent, page};
use crate::report::{Row, Section};

const PAGES: usize = 2_000;
/// What a page of an ordinary site takes to answer.
const LATENCY: Duration = Duration::from_millis(100);
const CONCURRENCY: usize = 16;

/// List prices in US dollars, us-east-1, arm64, on-demand.
const WRITE_UNIT: f64 = 0.625e-6;
const READ_UNIT: f64 = 0.125e-6;
const PUT: f64 = 5e-6;
const GET: f64 = 0.4e-6;
const QUEUE_REQUEST: f64 = 0.4e-6;
pub(crate) const INVOCATION: f64 = 0.2e-6;
pub(crate) const GIGABYTE_SECOND: f64 = 0.000_013_333_4;
pub(crate) const MEMORY_GIGABYTES: f64 = 0.5;
/// What the template gives a worker: one whole processor.
const TEMPLATE_GIGABYTES: f64 = 1.769;
const GOAL_PRICE: f64 = 0.50;
const GOAL_UNITS: f64 = 0.1;

/// What a crawl asked of the cloud's services.
pub(crate) struct Bill {
    pub(crate) writes: f64,
    pub(crate) reads: f64,
    pub(crate) puts: f64,
    pub(crate) gets: f64,
    pub(crate) queue: f64,
}

impl Bill {
    /// Since the service began, or since its meter was last asked.
    pub(crate) fn of(service: &Metered, slices: u32) -> Self {
        let mut spent = Spent::default();
        for (_, one) in service.meter.bill() {
            spent += one;
        }
        let sends = service.queue.sends.load(Ordering::SeqCst) as f64;
        Self {
            writes: spent.table_units + spent.index_units,
            reads: spent.read_units,
            puts: service.blobs.puts.load(Ordering::SeqCst) as f64,
            gets: service.blobs.gets.load(Ordering::SeqCst) as f64,
            // Receiving and deleting are Lambda's.
            queue: sends + 2.0 * f64::from(slices),
        }
    }

    /// In US dollars, without the function.
    pub(crate) fn price(&self) -> f64 {
        self.writes * WRITE_UNIT
            + self.reads * READ_UNIT
            + self.puts * PUT
            + self.gets * GET
            + self.queue * QUEUE_REQUEST
    }
}

/// A site that is a tree of pages.
struct Tree;

#[async_trait]
impl Scraper for Tree {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        tokio::time::sleep(LATENCY).await;
        let path = request.url.path().trim_start_matches('/');
        let number: usize = path.parse().unwrap_or(0);
        let link = |number: usize| Link {
            url: format!("http://site.example/{number}"),
            text: number.to_string(),
            rel: None,
        };
        let next = (1..=10).map(|child| number * 10 + child);
        let page = page(request.url.as_str());
        Ok(Page {
            links: next.filter(|next| *next < PAGES).map(link).collect(),
            // A site that says the same everywhere is a trap.
            text: format!("{number}: {}", page.text),
            ..page
        })
    }
}

pub(crate) async fn measure() -> Section {
    let service = Metered::open();
    let body = json!({
        "type": "full-crawl", "url": "http://site.example/", "maxPages": PAGES, "depth": 100,
        "maxConcurrency": CONCURRENCY, "formats": ["text", "links"],
    });
    let new = NewJob::parse(&body, |_| Vec::new()).unwrap();
    service.app.create(&Caller::Anyone, &new).await.unwrap();
    let began = Instant::now();
    let mut slices = 0;
    let mut id = None;
    while let Some(message) = service.queue.queue.try_receive() {
        handle(&service.app, &Tree, &message).await;
        slices += 1;
        id = Some(message.job_id);
    }
    let took = began.elapsed().as_secs_f64();
    let job = service.app.row(&id.unwrap()).await.unwrap().unwrap();
    let done = f64::from(job.crawl.unwrap().counters.done);
    let bill = Bill::of(&service, slices);
    let compute = took * MEMORY_GIGABYTES * GIGABYTE_SECOND + f64::from(slices) * INVOCATION;
    let price = bill.price() + compute;
    let at_template = price + took * (TEMPLATE_GIGABYTES - MEMORY_GIGABYTES) * GIGABYTE_SECOND;
    let per_page = |value: f64| value / done;
    let row = |name, value: f64| Row::new(name, "", vec![per_page(value), value]);
    Section {
        title: "Requests, units and price of a crawl",
        how: format!(
            "{done} pages of 2 KB of text, {CONCURRENCY} at once, each after {} ms; {slices} slices, {took:.0} s.\n\
             Price: write unit ${WRITE_UNIT:e}, read unit ${READ_UNIT:e}, put ${PUT:e}, get ${GET:e}, request of a\n\
             queue ${QUEUE_REQUEST:e}, invocation ${INVOCATION:e}, GB second ${GIGABYTE_SECOND:e} at {MEMORY_GIGABYTES} GB. Storage is apart.",
            LATENCY.as_millis(),
        ),
        columns: vec!["a page", "in all"],
        rows: vec![
            row("write units", bill.writes).at_most(GOAL_UNITS),
            row("read units", bill.reads),
            row("puts of blobs", bill.puts),
            row("gets of blobs", bill.gets),
            row("requests of queues", bill.queue),
            Row::new("a million pages", "$", vec![per_page(price) * 1e6, price])
                .at_most(GOAL_PRICE),
            Row::new(
                "of it the function",
                "$",
                vec![per_page(compute) * 1e6, compute],
            ),
            Row::new(
                format!("a million pages at {TEMPLATE_GIGABYTES} GB, as in template.yaml"),
                "$",
                vec![per_page(at_template) * 1e6, at_template],
            )
            .at_most(GOAL_PRICE),
        ],
    }
}
