//! What the world is told about jobs: the types of events and their one JSON shape, which is the
//! detail on the bus and the body of a webhook alike. Refuses to decide who hears of it.

mod body;

use serde_json::Value;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::id::JobId;
use crate::job::Job;
use crate::outbox::Happening;
use crate::spec::{CustomerId, Spec};
use crate::time::Timestamp;

/// Who sends them, on the bus.
pub const SOURCE: &str = "harvestman";
/// Pages in one event: an event stays below 64 KB, however long their addresses are.
pub const PAGES_AT_ONCE: usize = 10;
/// Type of the events on the bus that ask for a job.
pub const REQUESTED: &str = "job.requested";

/// What an event says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum EventType {
    #[serde(rename = "job.created")]
    JobCreated,
    /// The first attempt has begun, since the job was created or started anew.
    #[serde(rename = "job.started")]
    JobStarted,
    /// A crawl has passed a quarter of its way; three times at most.
    #[serde(rename = "job.progress")]
    JobProgress,
    #[serde(rename = "job.completed")]
    JobCompleted,
    #[serde(rename = "job.failed")]
    JobFailed,
    #[serde(rename = "job.cancelled")]
    JobCancelled,
    /// An attempt has failed and another follows, or somebody has started the job anew.
    #[serde(rename = "job.retried")]
    JobRetried,
    /// Pages that a crawl has fetched, by the dozen; only where somebody asks for it.
    #[serde(rename = "crawl.page")]
    CrawlPage,
    /// A job was made by its schedule.
    #[serde(rename = "schedule.fired")]
    ScheduleFired,
}

impl EventType {
    pub const ALL: [Self; 9] = [
        Self::JobCreated,
        Self::JobStarted,
        Self::JobProgress,
        Self::JobCompleted,
        Self::JobFailed,
        Self::JobCancelled,
        Self::JobRetried,
        Self::CrawlPage,
        Self::ScheduleFired,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JobCreated => "job.created",
            Self::JobStarted => "job.started",
            Self::JobProgress => "job.progress",
            Self::JobCompleted => "job.completed",
            Self::JobFailed => "job.failed",
            Self::JobCancelled => "job.cancelled",
            Self::JobRetried => "job.retried",
            Self::CrawlPage => "crawl.page",
            Self::ScheduleFired => "schedule.fired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Says that the job has ended.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::JobCompleted | Self::JobFailed | Self::JobCancelled
        )
    }
}

impl std::fmt::Display for EventType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An event, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `evt_...`: always the same for the same change of a row, however often it is told.
    pub id: String,
    pub kind: EventType,
    /// When it happened.
    pub at: Timestamp,
    pub customer: CustomerId,
    pub job: JobId,
    /// The JSON of it, less than 64 KB.
    pub body: String,
}

impl Event {
    /// What a row has to tell of one change of it.
    pub fn of(job: &Job, spec: Option<&Spec>, happening: &Happening) -> Self {
        let id = id(job, happening);
        let data = body::data(job, spec, happening);
        Self::new(id, happening.kind, happening.at, job, &data)
    }

    /// What a row has to tell of pages that its crawl has published: `lines` are their results.
    /// The same lines make the same events.
    pub fn of_pages(job: &Job, happening: &Happening, lines: &[Value]) -> Vec<Self> {
        let parts = lines.chunks(PAGES_AT_ONCE).enumerate();
        let event = |(number, lines): (usize, &[Value])| {
            let id = numbered_id(job, happening, number as u32);
            let data = body::pages(job, lines);
            Self::new(id, happening.kind, happening.at, job, &data)
        };
        parts.map(event).collect()
    }

    fn new(id: String, kind: EventType, at: Timestamp, job: &Job, data: &Value) -> Self {
        let body = serde_json::json!({
            "id": id, "type": kind.as_str(), "timestamp": at.to_string(),
            "customerId": job.customer.as_str(), "jobId": job.id.as_str(), "data": data,
        });
        Self {
            id,
            kind,
            at,
            customer: job.customer.clone(),
            job: job.id.clone(),
            body: body.to_string(),
        }
    }
}

/// A row has each revision once, and tells of each kind once in it.
fn id(job: &Job, happening: &Happening) -> String {
    numbered_id(job, happening, 0)
}

fn numbered_id(job: &Job, happening: &Happening, number: u32) -> String {
    let mut hash = Sha256::new();
    hash.update(job.id.as_str());
    hash.update(happening.revision.to_be_bytes());
    hash.update(happening.kind.as_str());
    hash.update(number.to_be_bytes());
    let mut random = [0; 16];
    random.copy_from_slice(&hash.finalize()[..16]);
    let millis = u64::try_from(happening.at.as_millis()).unwrap_or(0);
    let ulid = Ulid::from_parts(millis, u128::from_be_bytes(random)).to_string();
    format!("evt_{}", ulid.to_ascii_lowercase())
}
