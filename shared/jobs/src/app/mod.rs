//! The deep module: everything that the service does, in terms of its ports. Handlers decode, call
//! one method here, and encode. Refuses to know which host it runs in.

mod admission;
mod batch;
mod cap;
mod chunks;
mod control;
mod counts;
mod crawl;
mod create;
mod deliver;
mod hold;
mod identity;
mod listeners;
mod minutes;
mod operate;
mod pages;
mod read;
mod requested;
mod results;
mod schedule;
mod steps;
mod sweep;
mod tell;
mod webhooks;
mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

pub use batch::CreatedBatch;
pub use control::Action;
pub use counts::{Health, QueueState, Stats};
pub use crawl::{
    Download, Explained, Gates, Permit, ResultsCursor, ResultsPart, UrlFilter, UrlRow, UrlsPage,
};
pub use create::{Created, Creation};
pub use identity::KEY_MEMORY;
pub use pages::{MOST_REACHED, NumberedPage};
pub use read::{Filter, ListPage};
pub use requested::{Judge, is_event};
pub use results::ResultsPage;
pub use schedule::{CreatedSchedule, ScheduleFilter, SchedulePage, ScheduledRun};
pub use sweep::Swept;
pub use work::{COMMIT_MARGIN, Handled, INVOCATION};

use crate::batch::MOST_AT_ONCE;
use crate::error::Error;
use crate::id::JobId;
use crate::job::Job;
use crate::message::Message;
pub use crate::operation::FileForm;
use crate::ports::{
    Baselines, Batches, Blobs, Bus, Clock, Commit, Deliveries, Entropy, Envelope, Hosts, Keys,
    Operations, Queue, Schedules, Store, Timetable, Webhooks,
};
use crate::time::Timestamp;
use crate::transition::{Refusal, Retention, Stamp};

/// What a deployment allows and keeps.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most unfinished jobs of one customer.
    pub max_unfinished: u64,
    /// Most jobs of one customer that are worked on at once, to within a few; 0 is no limit.
    pub max_active_per_customer: u64,
    /// Most creates of one customer in a minute; 0 is no limit.
    pub creates_per_minute: u32,
    /// Most reads of one customer in a minute; 0 is no limit.
    pub reads_per_minute: u32,
    /// Most jobs that are created in one transaction: 1 to [`MOST_AT_ONCE`].
    pub jobs_at_once: usize,
    pub retention: Retention,
    /// How often a slice of a crawl publishes what it has done, after the first second.
    pub commit_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_unfinished: 10_000,
            max_active_per_customer: 0,
            creates_per_minute: 0,
            reads_per_minute: 0,
            jobs_at_once: MOST_AT_ONCE,
            retention: Retention::default(),
            commit_every: Duration::from_secs(4),
        }
    }
}

/// The ports of a host.
#[derive(Clone)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub operations: Arc<dyn Operations>,
    pub keys: Arc<dyn Keys>,
    pub batches: Arc<dyn Batches>,
    pub baselines: Arc<dyn Baselines>,
    pub hosts: Arc<dyn Hosts>,
    pub webhooks: Arc<dyn Webhooks>,
    pub deliveries: Arc<dyn Deliveries>,
    pub schedules: Arc<dyn Schedules>,
    pub queue: Arc<dyn Queue>,
    pub blobs: Arc<dyn Blobs>,
    pub bus: Arc<dyn Bus>,
    pub timetable: Arc<dyn Timetable>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct App {
    ports: Ports,
    limits: Limits,
    counts: Arc<counts::Counts>,
    minutes: Arc<minutes::Minutes>,
    hold: Arc<hold::HoldCache>,
    identity: Arc<identity::Identity>,
    places: Arc<cap::Places>,
    rates: Arc<admission::Rates>,
    hosts: Arc<crawl::KnownHosts>,
    webhooks: Arc<listeners::Knowledge>,
    receivers: deliver::Receivers,
    /// Until when the sweep of this process tells nothing, in milliseconds since 1970.
    untellable_until: Arc<AtomicI64>,
    reconciled: Arc<schedule::Reconciled>,
}

/// How a change of a row ended.
enum Settled {
    /// This is the row now.
    Written(Box<Job>),
    /// The row as it stands refuses the change.
    Refused(Box<Job>),
    Gone,
}

impl App {
    pub fn new(ports: Ports, limits: Limits) -> Self {
        Self {
            ports,
            limits,
            counts: Arc::default(),
            minutes: Arc::default(),
            places: Arc::default(),
            rates: Arc::default(),
            hosts: Arc::default(),
            hold: Arc::default(),
            identity: Arc::default(),
            webhooks: Arc::default(),
            receivers: deliver::Receivers::default(),
            untellable_until: Arc::default(),
            reconciled: Arc::default(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            now: self.ports.clock.now(),
            nonce: self.random(),
        }
    }

    fn random(&self) -> u64 {
        // 53 bits: the table's numbers and other people's tools keep those exactly.
        (self.ports.entropy.next() >> 75) as u64
    }

    /// Writes what `change` makes of the row. Another write that came between is no failure: the
    /// change is judged again on the row as it then is, so a request of a client never breaks a
    /// worker's commit, and a worker that lost its lease is refused by the fence.
    async fn settle(
        &self,
        job: &Job,
        change: impl Fn(&Job, Stamp) -> Result<Job, Refusal>,
    ) -> Result<Settled, Error> {
        const MOST_RACES: usize = 20;
        let mut current = Box::new(job.clone());
        for _ in 0..MOST_RACES {
            let Ok(next) = change(&current, self.stamp()) else {
                return Ok(Settled::Refused(current));
            };
            match self.ports.store.commit(&current, &next).await? {
                Commit::Written => return Ok(Settled::Written(Box::new(next))),
                Commit::Lost(Some(row)) => current = row,
                Commit::Lost(None) => return Ok(Settled::Gone),
            }
        }
        Err(Error::Unavailable {
            part: "table",
            source: format!("job {} changed {MOST_RACES} times meanwhile", job.id).into(),
        })
    }

    /// Sends messages for rows that already say what happens next. A loss is logged and left to
    /// the sweep.
    async fn send(&self, envelopes: &[Envelope]) {
        if envelopes.is_empty() {
            return;
        }
        match self.ports.queue.send(envelopes).await {
            Ok(unsent) if unsent.is_empty() => {}
            Ok(unsent) => {
                tracing::warn!(unsent = unsent.len(), "messages not taken by the queue");
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "messages not sent");
            }
        }
    }

    fn envelope(job: &Job, delay: Duration) -> Envelope {
        Envelope {
            message: Message {
                job_id: job.id.clone(),
            },
            priority: job.priority,
            delay,
            customer: job.customer.clone(),
        }
    }

    /// The row, unless it is not there for readers any more.
    async fn visible(&self, id: &JobId) -> Result<Option<Job>, Error> {
        let job = self.ports.store.job(id).await?;
        let now = self.now();
        Ok(job.filter(|job| !job.is_expired(now)))
    }
}
