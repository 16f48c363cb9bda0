//! What the domain needs from outside, as traits. Each has one conformance suite that runs on
//! every implementation. Refuses SDK types in its signatures.

mod baselines;
mod batches;
mod blobs;
mod bus;
mod hosts;
mod keys;
mod operations;
mod queue;
mod schedules;
mod timetable;
mod webhooks;

use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use crate::crawl::visit::{RobotsFile, Sitemap, SitemapRequest, Visit, Visited, VisitedPage};
use crate::extraction::Extraction;
use crate::failure::{Failure, FailureCode};
use crate::hold::Hold;
use crate::id::{JobId, RowId};
use crate::idempotency::Kept;
use crate::job::{DueList, Job};
use crate::page::Page;
use crate::rate::{Bucket, Call};
use crate::spec::{CustomerId, Priority, Spec};
use crate::statistics::{Minute, Snapshot, Totals};
use crate::tally::Tally;
use crate::time::Timestamp;

pub use baselines::{Baseline, Baselines, Expired};
pub use batches::{Batches, Begun, Chunk, Chunked, Guard, NewRow, Owner};
pub use blobs::{Blobs, FileName, Files, LEAST_PART, MOST_PARTS};
pub use bus::{Bus, NoBus};
pub use hosts::{HostSwap, Hosts};
pub use keys::{Keys, ListedKeys};
pub use operations::{Advanced, DuePage, Operations};
pub use queue::{DeliveryEnvelope, Envelope, Queue};
pub use schedules::{Added, ListedSchedules, Replaced, Schedules, TickWrite, Turn, Turned};
pub use timetable::{Entry, Placed, Timetable, fire};
pub use webhooks::{
    Courier, DELIVERY_SHARDS, Deliveries, DeliverySwap, ListedDeliveries, ListedWebhooks, Post,
    Posted, WebhookSwap, Webhooks,
};

/// A port did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Nothing is known about whether the call took effect.
    #[error("the {part} cannot be reached")]
    Unavailable {
        part: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is stored does not read back.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
}

/// One page to fetch and read.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub url: Url,
    /// Sent to the host of `url` alone, never forwarded to another.
    pub headers: Vec<(String, String)>,
    pub user_agent: Option<String>,
    /// The whole attempt: connecting, reading, extracting.
    pub timeout: Duration,
    pub extraction: Extraction,
}

/// Fetches a page and reads it: the one door to the web.
#[async_trait]
pub trait Scraper: Send + Sync {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure>;

    /// Fetches and reads one page of a crawl. Unless told better, as any other page.
    async fn visit(&self, visit: &Visit) -> Result<Visited, Failure> {
        let page = self.scrape(&visit.as_request()).await?;
        let page = VisitedPage::of(page, visit.formats)?;
        if !visit.follow && page.final_url != visit.url {
            return Ok(Visited::Redirected(page.final_url));
        }
        Ok(Visited::Page(Box::new(page)))
    }

    /// Asks an origin for its `robots.txt`, following up to five redirects. Unless told better,
    /// there is none.
    async fn robots(&self, _origin: &Url, _user_agent: Option<&str>) -> RobotsFile {
        RobotsFile::Absent
    }

    /// Fetches and reads a sitemap: XML, text, RSS or Atom, compressed or not. Unless told better,
    /// there is none.
    async fn sitemap(&self, _request: &SitemapRequest) -> Result<Sitemap, Failure> {
        Err(Failure::new(FailureCode::Http(404), "There is no sitemap"))
    }
}

/// What time it is. Everything else in this crate is told.
#[async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Waits while there is nothing else to do.
    async fn sleep(&self, time: Duration);

    /// Ends after some time beside other work: when it is time to write that down.
    async fn alarm(&self, time: Duration) {
        self.sleep(time).await;
    }
}

/// Random numbers, for identifiers, echoes and jitter.
pub trait Entropy: Send + Sync {
    fn next(&self) -> u128;
}

/// A job to be written for the first time.
#[derive(Clone, Debug)]
pub struct Creation<'a> {
    pub job: &'a Job,
    /// The specification in its stored form.
    pub spec: &'a str,
    /// Where the job takes part in deduplication: the owner to take over from, if there is one.
    pub replaces: Option<&'a JobId>,
    /// Most unfinished jobs that the customer may have, this one included.
    pub max_unfinished: u64,
    /// The answer to keep with it, where the request has a key that is still free.
    pub kept: Option<&'a Kept>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    New,
    /// The deduplication row names this owner, and it is not the one to be replaced.
    Owned(JobId),
    /// The owner to be replaced is gone: the place is free.
    Vacant,
    /// The customer has as many unfinished jobs as allowed.
    Full,
    /// The request's key is not free: this was answered to it before.
    Answered(Box<Kept>),
}

/// An ended job to be started anew.
#[derive(Clone, Copy, Debug)]
pub struct Revival<'a> {
    pub before: &'a Job,
    pub after: &'a Job,
    /// Where the job takes part in deduplication: the owner to take over from, if there is one
    /// that is not the job itself.
    pub replaces: Option<&'a JobId>,
    /// Most unfinished jobs that the customer may have, this one included.
    pub max_unfinished: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revived {
    Written,
    /// The row is no longer the one that was read; this is what it is now.
    Lost(Option<Box<Job>>),
    /// The deduplication row names this owner, and it is not the one to be replaced.
    Owned(JobId),
    /// The owner to be replaced is gone: the place is free.
    Vacant,
    /// The customer has as many unfinished jobs as allowed.
    Full,
}

/// What a claim has to know.
#[derive(Debug)]
pub struct Claimable {
    pub hold: Hold,
    pub job: Result<Option<(Job, Spec)>, PortError>,
}

/// Part of a list.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Newest first. May be fewer than asked for: what was just removed is left out.
    pub jobs: Vec<Job>,
    /// Go on with what is older than this; `None` at the end.
    pub next: Option<JobId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    Written,
    /// The row is no longer the one that was read; this is what it is now.
    Lost(Option<Box<Job>>),
}

/// Which jobs a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    Everyone,
    Customer(&'a CustomerId),
}

/// An unfinished job as the index of due rows shows it, which may be a moment behind the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueEntry {
    pub id: JobId,
    pub customer: CustomerId,
    pub priority: Priority,
    pub eligible_at: Timestamp,
}

/// A job that is being worked on, as the index of those shows it, a moment behind the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveEntry {
    pub id: JobId,
    pub customer: CustomerId,
}

/// A customer's calls as the table holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateBucket {
    pub bucket: Bucket,
    /// Random number of the last write: who replaces it names the one he has read.
    pub nonce: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    Written,
    /// It is no longer what was read; this is what it is now.
    Lost(Option<RateBucket>),
}

/// What is counted of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    pub customer: CustomerId,
    pub totals: Totals,
    /// The sum of the totals when they were last kept, and when that was.
    pub kept: Option<(u64, Minute)>,
}

/// Customers' counts are spread over this many partitions.
pub const COUNTER_SHARDS: u8 = 16;

impl<'a> Scope<'a> {
    pub const fn of(customer: Option<&'a CustomerId>) -> Self {
        match customer {
            None => Self::Everyone,
            Some(customer) => Self::Customer(customer),
        }
    }
}

/// The due index is spread over this many partitions, and so are the lists over all customers.
pub const DUE_SHARDS: u32 = 8;

/// The table: the truth about every job. Each write either happens as a whole or not at all, and
/// knows its own echo: repeated after a lost answer it says that it was written.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes specification, row, deduplication owner and the customer's counts as one.
    async fn create(&self, creation: &Creation<'_>) -> Result<Created, PortError>;

    /// The row, as of the last write.
    async fn job(&self, id: &JobId) -> Result<Option<Job>, PortError>;

    /// Row and specification, as of the last write.
    async fn job_and_spec(&self, id: &JobId) -> Result<Option<(Job, Spec)>, PortError>;

    /// Row and specification as [`Store::job_and_spec`] gives them, and the hold on the whole queue
    /// with them: one call for a claim.
    async fn claimable(&self, id: &JobId) -> Result<Claimable, PortError>;

    /// Replaces `before` by `after` where the row still is `before`, and the customer's counts
    /// with it where they change.
    async fn commit(&self, before: &Job, after: &Job) -> Result<Commit, PortError>;

    /// Replaces the row of an ended job by that of a queued one where it still is `before`, takes
    /// its place in deduplication again, and changes the customer's counts, as one.
    async fn revive(&self, revival: &Revival<'_>) -> Result<Revived, PortError>;

    /// Keeps a result beside the row, under the fence of its claim.
    async fn put_result(&self, id: &JobId, fence: u64, body: Vec<u8>) -> Result<(), PortError>;

    async fn result(&self, id: &JobId, fence: u64) -> Result<Option<Vec<u8>>, PortError>;

    /// Removes a finished job with everything that belongs to it, where the row still is `job`.
    async fn purge(&self, job: &Job) -> Result<(), PortError>;

    /// Gives the job's place in deduplication up, so that an equal one can be created whatever
    /// becomes of this; `false` where it had none.
    async fn release(&self, job: &Job) -> Result<bool, PortError>;

    /// Rows in one shard of a due list that come due by `until`, earliest first.
    async fn due(
        &self,
        list: DueList,
        shard: u32,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<RowId>, PortError>;

    /// Up to `limit` rows, newest first, older than `before`; may lag behind the last writes by a
    /// moment.
    async fn list(
        &self,
        scope: Scope<'_>,
        before: Option<&JobId>,
        limit: usize,
    ) -> Result<Listed, PortError>;

    /// Rows by id, in no order; those that are gone are left out.
    async fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>, PortError>;

    /// Counts of one customer, or the sum over all.
    async fn tally(&self, scope: Scope<'_>) -> Result<Tally, PortError>;

    /// Adds to the creates of a customer that found an equal job. Tried once: a statistic.
    async fn count_duplicates(&self, customer: &CustomerId, number: u64) -> Result<(), PortError>;

    /// Everything that ever happened, to the jobs of one customer or to all.
    async fn totals(&self, scope: Scope<'_>) -> Result<Totals, PortError>;

    /// What is counted of every customer in one of [`COUNTER_SHARDS`].
    async fn counters(&self, shard: u8) -> Result<Vec<Counter>, PortError>;

    /// Keeps what the totals are for about a day; false where those of that minute are kept
    /// already. A customer's counter remembers that they were.
    async fn keep_snapshot(&self, scope: Scope<'_>, snapshot: &Snapshot)
    -> Result<bool, PortError>;

    /// What was kept in these minutes, oldest first, after the last before them.
    async fn snapshots(
        &self,
        scope: Scope<'_>,
        from: Minute,
        until: Minute,
    ) -> Result<Vec<Snapshot>, PortError>;

    /// Every job in the work lists, active ones included, in no order; one that moves meanwhile
    /// may be there twice. What is due and is no job is left out.
    async fn unfinished(&self) -> Result<Vec<DueEntry>, PortError>;

    /// Every job that is being worked on, in no order.
    async fn active(&self, scope: Scope<'_>) -> Result<Vec<ActiveEntry>, PortError>;

    /// How many jobs of a customer are being worked on.
    async fn active_count(&self, customer: &CustomerId) -> Result<u64, PortError>;

    /// What is left of a customer's calls; nothing where the bucket is full.
    async fn rate(
        &self,
        call: Call,
        customer: &CustomerId,
    ) -> Result<Option<RateBucket>, PortError>;

    /// Replaces the bucket where it still is `before`. It may be forgotten once it is full again.
    async fn replace_rate(
        &self,
        call: Call,
        customer: &CustomerId,
        before: Option<RateBucket>,
        after: RateBucket,
    ) -> Result<Swap, PortError>;
}
