//! One customer has ten thousand jobs, ten others have twenty each: they wait at most twice as
//! long as they would alone. Over the queue of the local process, which lets customers take turns,
//! and over one that does not, with a cap on each customer's active jobs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws::blobs::ObjectBlobs;
use jobs::app::{Limits, Ports};
use jobs::ports::{Clock, Entropy, Envelope, PageRequest, PortError, Queue, Scraper};
use jobs::{App, Caller, Failure, Message, NewJob, Page, Timestamp};
use local::queue::LocalQueue;
use object_store::memory::InMemory;
use serde_json::json;

use super::ledger::Ledger;
use super::percentile;
use super::time::Time;
use crate::app::{Anything, INVOCATION, LEASE, START, TestApp};
use crate::nothing::Nothing;
use crate::support;

const MANY: usize = 10_000;
const OTHERS: usize = 10;
const OF_EACH: usize = 20;
const PAGE_TAKES: Duration = Duration::from_secs(2);

/// The same numbers in every run.
#[derive(Default)]
pub(super) struct Numbers(pub(super) AtomicU64);

impl Entropy for Numbers {
    fn next(&self) -> u128 {
        let number = u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        number.wrapping_mul(0x2d35_8dcc_aa6c_78a5_9fb2_1c65_1e98_df25)
    }
}

/// Hands out what was sent first, whosever it is, as SQS does where nobody counts as noisy.
pub(super) struct Plain {
    time: Arc<Time>,
    messages: Mutex<BinaryHeap<Reverse<(Timestamp, u64, String)>>>,
    sent: AtomicU64,
}

#[async_trait]
impl Queue for Plain {
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<usize>, PortError> {
        for envelope in envelopes {
            let number = self.sent.fetch_add(1, Ordering::Relaxed);
            // In whole seconds, as there.
            let wait = Duration::from_secs(envelope.delay.as_millis().div_ceil(1_000) as u64);
            let from = self.time.now() + wait;
            let message = (from, number, envelope.message.encode());
            self.messages.lock().unwrap().push(Reverse(message));
        }
        Ok(Vec::new())
    }
}

impl Plain {
    pub(super) fn new(time: &Arc<Time>) -> Self {
        Self {
            time: Arc::clone(time),
            messages: Mutex::default(),
            sent: AtomicU64::new(0),
        }
    }

    pub(super) fn try_receive(&self) -> Option<Message> {
        let mut messages = self.messages.lock().unwrap();
        let Reverse((from, _, _)) = messages.peek()?;
        if *from > self.time.now() {
            return None;
        }
        let Reverse((_, _, message)) = messages.pop()?;
        Some(Message::decode(&message).unwrap())
    }
}

/// A web on which a page takes its time. Notes how long the jobs of the others waited.
struct Slow {
    time: Arc<Time>,
    waits: Mutex<Vec<Duration>>,
}

#[async_trait]
impl Scraper for Slow {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        if request.url.host_str() != Some("many.example") {
            let mut waits = self.waits.lock().unwrap();
            waits.push(self.time.passed());
            if waits.len() == OTHERS * OF_EACH {
                self.time.end();
            }
        }
        self.time.sleep(PAGE_TAKES).await;
        Ok(support::page(request.url.as_str(), START))
    }
}

type Receive = Arc<dyn Fn() -> Option<Message>>;

enum Kind {
    /// Customers take turns.
    Local,
    /// First in, first out.
    Plain,
}

/// What the others waited, in the 95th of a hundred parts, and how many jobs of one customer ran
/// at once.
fn run(kind: &Kind, many: usize, cap: u64, workers: usize) -> (Duration, u64) {
    let time = Arc::new(Time::default());
    let clock = Arc::clone(&time) as Arc<dyn Clock>;
    let local = LocalQueue::new(Arc::clone(&clock));
    let plain = Arc::new(Plain::new(&time));
    let (queue, receive): (Arc<dyn Queue>, Receive) = match kind {
        Kind::Local => {
            let receiving = local.clone();
            (Arc::new(local), Arc::new(move || receiving.try_receive()))
        }
        Kind::Plain => {
            let receiving = Arc::clone(&plain);
            (plain, Arc::new(move || receiving.try_receive()))
        }
    };
    let ledger = Arc::new(Ledger::new(&time));
    let ports = Ports {
        store: Arc::clone(&ledger) as Arc<dyn jobs::ports::Store>,
        batches: Arc::new(Nothing),
        baselines: Arc::new(Nothing),
        hosts: Arc::new(Nothing),
        webhooks: Arc::new(Nothing),
        deliveries: Arc::new(Nothing),
        schedules: Arc::new(Nothing),
        keys: Arc::new(Nothing),
        operations: Arc::new(Nothing),
        queue,
        blobs: Arc::new(ObjectBlobs::new(Arc::new(InMemory::new()))),
        bus: Arc::new(jobs::ports::NoBus),
        timetable: Arc::new(Nothing),
        clock,
        entropy: Arc::new(Numbers::default()),
    };
    let limits = Limits {
        max_unfinished: u64::MAX,
        max_active_per_customer: cap,
        ..Limits::default()
    };
    let app = App::new(ports, limits);
    fill(&app, &time, many);
    let scraper = Arc::new(Slow {
        time: Arc::clone(&time),
        waits: Mutex::default(),
    });
    let most = Arc::new(AtomicU64::new(0));
    let mut tasks: Vec<std::pin::Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for _ in 0..workers {
        let (app, time, receive) = (app.clone(), Arc::clone(&time), Arc::clone(&receive));
        let (scraper, ledger) = (Arc::clone(&scraper), Arc::clone(&ledger));
        let most = Arc::clone(&most);
        tasks.push(Box::pin(async move {
            loop {
                if let Some(message) = receive() {
                    let deadline = time.now() + INVOCATION;
                    app.work(&message, scraper.as_ref(), deadline).await;
                } else {
                    time.sleep(Duration::from_millis(20)).await;
                }
                most.fetch_max(ledger.most_active(), Ordering::Relaxed);
            }
        }));
    }
    time.run(tasks);
    let mut waits = scraper.waits.lock().unwrap().clone();
    assert_eq!(waits.len(), OTHERS * OF_EACH);
    (percentile(&mut waits, 95), most.load(Ordering::Relaxed))
}

/// Jobs of the many first, then those of the others.
fn fill(app: &App, time: &Arc<Time>, many: usize) {
    let app = app.clone();
    let create = async move |customer: String, url: String| {
        let body = json!({
            "type": "single-page", "url": url, "customerId": customer, "deduplicate": false,
        });
        let new = NewJob::parse(&body, |_| Vec::new()).unwrap();
        app.create(&Caller::Anyone, &new).await.unwrap();
    };
    time.run(vec![Box::pin(async move {
        for number in 0..many {
            create("many".to_owned(), format!("http://many.example/{number}")).await;
        }
        for number in 0..OF_EACH {
            for other in 0..OTHERS {
                create(
                    format!("other {other}"),
                    format!("http://a.example/{number}"),
                )
                .await;
            }
        }
    })]);
}

#[test]
fn ten_thousand_jobs_of_one_customer_hold_nobody_up_where_customers_take_turns() {
    const WORKERS: usize = 16;
    let (alone, _) = run(&Kind::Local, 0, 0, WORKERS);
    let (together, _) = run(&Kind::Local, MANY, 0, WORKERS);
    println!("local queue: 95% start within {alone:?} alone, {together:?} beside ten thousand");
    assert!(together <= 2 * alone, "{together:?} instead of {alone:?}");
}

#[test]
fn ten_thousand_jobs_of_one_customer_hold_nobody_up_where_each_has_a_cap() {
    const WORKERS: usize = 64;
    const CAP: u64 = 16;
    let (alone, _) = run(&Kind::Plain, 0, CAP, WORKERS);
    let (together, most) = run(&Kind::Plain, MANY, CAP, WORKERS);
    println!("plain queue: 95% start within {alone:?} alone, {together:?} beside ten thousand");
    assert!(most <= CAP, "{most} jobs of one customer at once");
    assert!(together <= 2 * alone, "{together:?} instead of {alone:?}");
    // What it would be without.
    let (without, _) = run(&Kind::Plain, MANY, 0, WORKERS);
    assert!(without > 20 * alone, "{without:?} instead of {alone:?}");
}

#[tokio::test]
async fn a_job_at_the_cap_stays_as_it_is_and_its_message_comes_back() {
    let app = TestApp::with_limits(Limits {
        max_active_per_customer: 1,
        ..Limits::default()
    });
    let running = app.create_for("http://a.example/1").await;
    drop(app.receive());
    let lease = app.app.now() + LEASE;
    app.change(&running, |job, stamp| {
        match job.claim(stamp, lease, &jobs::transition::Retention::default()) {
            jobs::transition::Claim::Won(next) => Ok(next),
            other => panic!("not claimed: {other:?}"),
        }
    })
    .await;
    let held = app.create_for("http://a.example/2").await;
    let other = json!({"type": "single-page", "url": "http://a.example/", "customerId": "other"});
    let other = app.create(&other).await;
    let before = app.row(&held).await;
    assert_eq!(app.drain(&Anything).await, 2);
    assert_eq!(app.row(&held).await, before);
    assert_eq!(app.status(&other).await, "completed");
    assert_eq!(app.queue.len(), 1);
    // One place becomes free, and one job at a time may take it.
    app.change(&running, |job, stamp| job.release(stamp, job.fence))
        .await;
    app.send_message(&running).await;
    app.advance(Duration::from_secs(5));
    assert_eq!(app.drain(&Anything).await, 2);
    for id in [running, held] {
        assert_eq!(app.status(&id).await, "completed");
        assert_eq!(app.job(&id).await["attemptsMade"], 1);
    }
}
