//! The row of a job: what changes while it lives. About 1 KB, since every write bills all of it.
//! Refuses to change itself: that is [`crate::transition`].

use std::time::Duration;

use crate::crawl::Progress;
use crate::failure::Attempt;
use crate::id::{JobId, ScheduleId};
use crate::outbox::Outbox;
use crate::spec::{CustomerId, JobType, Priority};
use crate::time::Timestamp;

/// Where a job stands. What clients see is [`Status`], which also knows the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// To be worked at from [`Job::eligible_at`] on.
    Queued,
    /// A worker holds the lease.
    Active,
    /// Held back until resumed.
    Paused,
    Completed,
    Failed,
    Cancelled,
}

impl State {
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Active,
        Self::Paused,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// What clients see. `waiting` and `delayed` are one state: not started, before or after its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    Waiting,
    Delayed,
    Active,
    Completed,
    Failed,
    Paused,
    Cancelled,
}

impl Status {
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Delayed,
        Self::Active,
        Self::Completed,
        Self::Failed,
        Self::Paused,
        Self::Cancelled,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delayed => "delayed",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Where a finished page lies: in an item beside the row or in the blob store, under a name that
/// carries the fence of the claim that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultRef {
    pub fence: u64,
    pub place: Place,
    /// Size of the result's JSON, uncompressed.
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Item,
    Blob,
}

/// Which run of which schedule a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOf {
    pub schedule: ScheduleId,
    /// The instant that the run was meant for.
    pub at: Timestamp,
}

/// Which list of due rows a job stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueList {
    /// Unfinished: a message to send again, a lease to free.
    Work,
    /// Finished: to be purged when its retention ends.
    Purge,
    /// Operations on many jobs, which are few: this list has one shard.
    Operation,
    /// What refreshes compare with: to be forgotten when nobody has refreshed it for long. This
    /// list has one shard as well.
    Baseline,
    /// Deliveries to webhooks that have not ended: a message to send again, a lease to free.
    Delivery,
    /// Schedules whose timetable has something to learn, or that hold a run back: few as well, and
    /// one shard.
    Schedule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub customer: CustomerId,
    pub kind: JobType,
    /// The address as the client wrote it.
    pub url: String,
    pub priority: Priority,
    pub state: State,
    pub created_at: Timestamp,
    /// Nobody may start before this.
    pub eligible_at: Timestamp,
    /// The first claim since creation or since an explicit retry.
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub max_attempts: u8,
    /// Failed attempts, oldest first; at most `max_attempts`, or a few more where restarts of the
    /// whole service were among them.
    pub attempts: Vec<Attempt>,
    /// Grows with every claim; names what a claim writes.
    pub fence: u64,
    /// Grows with every write; every write expects the one it read.
    pub revision: u64,
    /// Random number of the last write: a write whose answer was lost knows its echo by it.
    pub nonce: u64,
    pub lease_until: Option<Timestamp>,
    /// A pause that waits for the running attempt to end.
    pub pause_requested: bool,
    /// When the sweep must look at this row at the latest. `None` where nothing can be due: a
    /// paused job.
    pub due_at: Option<Timestamp>,
    /// Messages sent again by the sweep since the job last became queued.
    pub resends: u32,
    /// The deduplication row that this job may own.
    pub fingerprint: Option<String>,
    pub result: Option<ResultRef>,
    /// How far a crawl is.
    pub crawl: Option<Box<Progress>>,
    /// What is still to be told of it, where anybody wants to hear of this job.
    pub outbox: Option<Box<Outbox>>,
    /// The run that this is, where a schedule has made it.
    pub run_of: Option<RunOf>,
}

impl Job {
    /// What a client sees at `now`.
    pub fn status(&self, now: Timestamp) -> Status {
        match self.state {
            State::Queued if self.eligible_at > now => Status::Delayed,
            State::Queued => Status::Waiting,
            State::Active => Status::Active,
            State::Paused => Status::Paused,
            State::Completed => Status::Completed,
            State::Failed => Status::Failed,
            State::Cancelled => Status::Cancelled,
        }
    }

    /// Attempts at the work: failed ones, and the one that runs or succeeded. A crawl that has pages
    /// is at its attempt while it waits for its next slice as well.
    pub fn attempts_made(&self) -> usize {
        let has_pages = || self.crawl.as_ref().is_some_and(|it| it.counters.done > 0);
        let counts = match self.state {
            State::Active | State::Completed => true,
            State::Queued | State::Paused | State::Cancelled => has_pages(),
            State::Failed => false,
        };
        self.attempts.len() + usize::from(counts)
    }

    /// `code: sentence` of the last attempt, where the job has failed.
    pub fn failed_reason(&self) -> Option<String> {
        let last = self.attempts.last()?;
        (self.state == State::Failed).then(|| last.failure.to_string())
    }

    /// Progress of the work, 0 to 100.
    pub fn percentage(&self) -> u8 {
        match self.state {
            State::Completed => 100,
            _ if self.kind.is_crawl() => self.crawl.as_ref().map_or(0, |it| it.percentage),
            State::Active => 10,
            _ => 0,
        }
    }

    /// The list in which the sweep finds this row, and from when on: what the row itself is owed, or
    /// what is to be told of it. A paused row stands in the list that nothing is counted by.
    pub fn due(&self) -> Option<(DueList, Timestamp)> {
        let list = if self.state.is_terminal() || self.state == State::Paused {
            DueList::Purge
        } else {
            DueList::Work
        };
        let tell_at = self.outbox.as_ref().and_then(|outbox| outbox.due());
        let at = match (self.due_at, tell_at) {
            (Some(own), Some(tell)) => Some(own.min(tell)),
            (own, tell) => own.or(tell),
        };
        at.map(|at| (list, at))
    }

    /// The last revision of which something is to be told.
    pub fn untold(&self) -> Option<u64> {
        self.outbox.as_ref()?.last()
    }

    /// A finished job whose retention is over: it is gone for every reader, whether or not the
    /// sweep has been here yet.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.state.is_terminal() && self.due_at.is_some_and(|at| at <= now)
    }

    /// How long until the job may start; zero where it may.
    pub fn wait(&self, now: Timestamp) -> Duration {
        self.eligible_at.since(now)
    }
}
