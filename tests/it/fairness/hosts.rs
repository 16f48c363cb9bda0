//! Workers of several processes on one host: how far apart its requests are, how long it is left
//! alone when it asks for that, and how often the table is written to for it. On the real adapter
//! and an embedded database, whose calls take a moment.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws::client::{self, Connection};
use aws::table::Table;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jobs::app::{Gates, Limits, Permit, Ports};
use jobs::crawl::host::{Host, Turn};
use jobs::ports::{Clock, Entropy, HostSwap, Hosts, PortError};
use jobs::{App, Failure, FailureCode, Timestamp};
use local::embedded::{Embedded, read_request, write_response};

use super::customers::Numbers;
use super::time::Time;
use crate::nothing::Nothing;

const TABLE: &str = "hosts";
const HOST: &str = "site.example";
/// A slice that would have to wait longer ends, and comes back later.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Whoever comes back for slots comes before they begin.
const EARLY: Duration = Duration::from_millis(1_500);
const WORKERS: u64 = 8;

/// The table, and how often it is called.
struct Counted {
    table: Table,
    time: Arc<Time>,
    chance: Numbers,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl Counted {
    async fn moment(&self) {
        let millis = 1 + self.chance.next() % 8;
        self.time.sleep(Duration::from_millis(millis as u64)).await;
    }
}

#[async_trait]
impl Hosts for Counted {
    async fn host(&self, host: &str) -> Result<Option<Host>, PortError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.moment().await;
        let found = self.table.host(host).await;
        self.moment().await;
        found
    }

    async fn replace_host(
        &self,
        host: &str,
        before: Option<&Host>,
        after: &Host,
    ) -> Result<HostSwap, PortError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.moment().await;
        let swap = self.table.replace_host(host, before, after).await;
        self.moment().await;
        swap
    }
}

/// Every wait of the adapter itself is over at once.
#[derive(Debug)]
struct NoTime;

impl AsyncSleep for NoTime {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

#[derive(Debug)]
struct Connector(Database);

#[derive(Clone)]
struct Database(Embedded);

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Database")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = read_request(&request);
        let answer = answer.map(|(target, body)| self.0.0.call(&target, &body));
        HttpConnectorFuture::ready(answer.and_then(write_response))
    }
}

fn table() -> Table {
    let embedded = Embedded::in_memory().unwrap();
    local::schema::ensure_table(&embedded, TABLE).unwrap();
    let connector = SharedHttpConnector::new(Connector(Database(embedded.clone())));
    let connection = Connection {
        http: http_client_fn(move |_, _| connector.clone()),
        sleep: Some(SharedAsyncSleep::new(NoTime)),
        ..local::host::connection(&embedded)
    };
    Table::new(client::dynamodb(&connection), TABLE)
}

/// What all workers crawl, and what it has seen of them.
struct Site {
    page_takes: Duration,
    /// Pages that are left to fetch.
    left: AtomicUsize,
    starts: Mutex<Vec<Timestamp>>,
    /// This request is answered by 429.
    refuses: usize,
    refused_at: Mutex<Option<Timestamp>>,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// What the crawl of a site came to.
struct Seen {
    starts: Vec<Timestamp>,
    refused_at: Option<Timestamp>,
    most_at_once: usize,
    reads: f64,
    writes: f64,
    took: Duration,
}

#[derive(Clone, Copy)]
struct Crawl {
    workers: u64,
    pages: usize,
    page_takes: Duration,
    delay: Duration,
    refuses: usize,
}

impl Crawl {
    fn run(self) -> Seen {
        let time = Arc::new(Time::default());
        let hosts = Arc::new(Counted {
            table: table(),
            time: Arc::clone(&time),
            chance: Numbers::default(),
            reads: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
        });
        let site = Arc::new(Site {
            page_takes: self.page_takes,
            left: AtomicUsize::new(self.pages),
            starts: Mutex::default(),
            refuses: self.refuses,
            refused_at: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let mut tasks: Vec<std::pin::Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
        for who in 0..self.workers {
            let app = process(&time, &hosts, who);
            let (time, site) = (Arc::clone(&time), Arc::clone(&site));
            tasks.push(Box::pin(async move {
                time.sleep(Duration::from_millis(who * 130)).await;
                let mut turn = None;
                while let Some(back) = self.slice(&app, who, &site, &time, &mut turn).await {
                    // Messages come when they come.
                    let late = Duration::from_millis(who * 277 % 1_000);
                    time.sleep((back + late).since(time.now())).await;
                }
            }));
        }
        time.run(tasks);
        let per_page =
            |calls: &AtomicUsize| calls.load(Ordering::Relaxed) as f64 / self.pages as f64;
        let starts = site.starts.lock().unwrap().clone();
        assert_eq!(starts.len(), self.pages);
        let refused_at = *site.refused_at.lock().unwrap();
        Seen {
            took: starts[starts.len() - 1].since(starts[0]),
            starts,
            refused_at,
            most_at_once: site.most_at_once.load(Ordering::Relaxed),
            reads: per_page(&hosts.reads),
            writes: per_page(&hosts.writes),
        }
    }

    /// Works until nothing is left, or until it would have to wait: says until when.
    async fn slice(
        self,
        app: &App,
        who: u64,
        site: &Site,
        time: &Time,
        turn: &mut Option<Turn>,
    ) -> Option<Timestamp> {
        let mut gates = Gates::new(app, who, 8, self.delay);
        if let Some(turn) = turn.take() {
            gates.take_up(&turn);
        }
        let mut running: Vec<(Timestamp, bool)> = Vec::new();
        let back = loop {
            let now = time.now();
            let ended = running.extract_if(.., |(ends, _)| *ends <= now);
            for (_, refused) in ended.collect::<Vec<_>>() {
                site.under_way.fetch_sub(1, Ordering::Relaxed);
                let failure = Failure::new(FailureCode::Http(429), "Too many");
                let failure = failure.with_retry_after(Some(Duration::from_secs(10)));
                gates.ended(HOST, now, site.page_takes, refused.then_some(&failure));
                if refused {
                    *site.refused_at.lock().unwrap() = Some(now);
                }
            }
            if gates.has_news() {
                gates.tell().await.unwrap();
                continue;
            }
            let mut wakes = running.iter().map(|(ends, _)| *ends).min();
            let left = site.left.load(Ordering::Relaxed);
            if left == 0 && running.is_empty() {
                break None;
            }
            if left > 0 {
                match gates.permit(HOST, now) {
                    Permit::Now => {
                        running.push((now + site.page_takes, site.begin(now)));
                        gates.started(HOST, now);
                        continue;
                    }
                    Permit::Ask => {
                        gates.ask(HOST, left).await.unwrap();
                        continue;
                    }
                    Permit::At(at) if running.is_empty() && at.since(now) > LONGEST_WAIT => {
                        *turn = gates.keep_turn(now);
                        break Some(if turn.is_some() { at - EARLY } else { at });
                    }
                    Permit::At(at) => wakes = Some(wakes.map_or(at, |wakes| wakes.min(at))),
                }
            }
            if let Some(wakes) = wakes {
                time.sleep(wakes.since(now)).await;
            }
        };
        gates.leave().await.unwrap();
        back
    }
}

impl Site {
    /// A request arrives; says whether it is refused.
    fn begin(&self, now: Timestamp) -> bool {
        self.left.fetch_sub(1, Ordering::Relaxed);
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(under_way, Ordering::Relaxed);
        let mut starts = self.starts.lock().unwrap();
        starts.push(now);
        starts.len() == self.refuses
    }
}

/// A process of its own, which shares nothing but the table.
fn process(time: &Arc<Time>, hosts: &Arc<Counted>, number: u64) -> App {
    let ports = Ports {
        store: Arc::new(super::ledger::Ledger::new(time)),
        batches: Arc::new(Nothing),
        baselines: Arc::new(Nothing),
        hosts: Arc::clone(hosts) as _,
        webhooks: Arc::new(Nothing),
        deliveries: Arc::new(Nothing),
        schedules: Arc::new(Nothing),
        keys: Arc::new(Nothing),
        operations: Arc::new(Nothing),
        queue: Arc::new(Nothing),
        blobs: Arc::new(Nothing),
        bus: Arc::new(jobs::ports::NoBus),
        timetable: Arc::new(Nothing),
        clock: Arc::clone(time) as Arc<dyn Clock>,
        entropy: Arc::new(Numbers(AtomicU64::new(number * 1_000_000))),
    };
    App::new(ports, Limits::default())
}

impl Seen {
    fn smallest_gap(&self) -> Duration {
        let gaps = self.starts.windows(2).map(|pair| pair[1].since(pair[0]));
        gaps.min().unwrap()
    }

    fn print(&self, name: &str) {
        let (reads, writes) = (self.reads, self.writes);
        println!(
            "{name}: {} requests in {:?}, smallest gap {:?}, {} at once, per request {writes:.3} writes and {reads:.3} reads",
            self.starts.len(),
            self.took,
            self.smallest_gap(),
            self.most_at_once,
        );
    }
}

const WITH_DELAY: Crawl = Crawl {
    workers: WORKERS,
    pages: 200,
    page_takes: Duration::from_millis(150),
    delay: Duration::from_secs(1),
    refuses: 0,
};
/// As many pages a second as eight places allow: twenty.
const WITHOUT_DELAY: Crawl = Crawl {
    workers: WORKERS,
    pages: 2_000,
    page_takes: Duration::from_millis(400),
    delay: Duration::ZERO,
    refuses: 0,
};

#[test]
fn requests_of_eight_workers_to_one_host_keep_its_delay() {
    let seen = WITH_DELAY.run();
    seen.print("8 workers, delay 1 s");
    assert!(seen.smallest_gap() >= Duration::from_millis(950));
    assert!(seen.took < Duration::from_mins(5), "{:?}", seen.took);
    assert!(seen.writes < 0.5, "{} writes per request", seen.writes);
    let seen = Crawl {
        workers: 1,
        ..WITH_DELAY
    }
    .run();
    seen.print("1 worker, delay 1 s");
    assert!(seen.smallest_gap() >= Duration::from_millis(950));
    assert!(seen.took < Duration::from_secs(205), "{:?}", seen.took);
    assert!(seen.writes < 0.25, "{} writes per request", seen.writes);
}

#[test]
fn a_host_that_asks_for_ten_seconds_hears_nothing_for_ten_seconds() {
    for crawl in [WITH_DELAY, WITHOUT_DELAY] {
        let seen = Crawl {
            refuses: 50,
            ..crawl
        }
        .run();
        let refused_at = seen.refused_at.unwrap();
        // Without a delay, others hear of it within a second; all that comes after that waits.
        let heard = if crawl.delay.is_zero() {
            refused_at + Duration::from_millis(1_050)
        } else {
            refused_at
        };
        let mut after = seen.starts.iter().filter(|at| **at >= heard);
        let silence = after.next().unwrap().since(refused_at);
        println!("silence of {silence:?}");
        assert!(silence >= Duration::from_secs(10), "{silence:?}");
    }
}

#[test]
fn requests_without_a_delay_are_eight_at_once_and_hardly_write() {
    // The more share the places, the more there is to write.
    for (workers, writes) in [(1, 0.02), (WORKERS, 0.1), (2 * WORKERS, 0.1)] {
        let seen = Crawl {
            workers,
            ..WITHOUT_DELAY
        }
        .run();
        seen.print(&format!("{workers} workers without a delay"));
        assert_eq!(seen.most_at_once, 8);
        assert!(seen.writes < writes, "{} writes per request", seen.writes);
        assert!(seen.took < Duration::from_secs(150), "{:?}", seen.took);
    }
}
