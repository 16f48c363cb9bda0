//! An operation on many jobs: what was asked for, how far it is, and what it has done. Refuses to
//! touch a job; [`crate::App`] does that, in bounded steps.

mod call;
mod export;

use std::time::Duration;

use crate::id::OperationId;
use crate::job::State;
use crate::spec::CustomerId;
use crate::time::Timestamp;
use crate::transition::Stamp;

pub use call::{NewOperation, QueueCall};
pub use export::{Export, FileForm, Upload, file_prefix};

/// How long an operation that has ended can be read.
pub const KEPT: Duration = Duration::from_hours(24);

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Removes ended jobs of some age and outcome.
    Cleanup,
    /// As [`Kind::Cleanup`]: all that ended at least a day ago.
    OldJobs,
    /// Lets equal creates make new jobs, whatever exists.
    Deduplication,
    /// [`Kind::OldJobs`] and [`Kind::Deduplication`].
    All,
    /// Starts failed jobs anew, in place.
    RetryFailed,
    /// Cancels what has not begun.
    Drain,
    /// Sweeps everything that is due, to the end.
    Maintenance,
    /// Sends the messages that workers have put away while the queue was held back.
    Resume,
    /// Writes all results of a crawl into one file.
    Export,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Cleanup,
        Self::OldJobs,
        Self::Deduplication,
        Self::All,
        Self::RetryFailed,
        Self::Drain,
        Self::Maintenance,
        Self::Resume,
        Self::Export,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cleanup => "cleanup",
            Self::OldJobs => "old-jobs",
            Self::Deduplication => "deduplication",
            Self::All => "all",
            Self::RetryFailed => "retry-failed",
            Self::Drain => "drain",
            Self::Maintenance => "maintenance",
            Self::Resume => "resume",
            Self::Export => "export",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Concerns everybody, whoever asks.
    pub const fn is_for_admins(self) -> bool {
        matches!(self, Self::Maintenance | Self::Resume)
    }
}

/// What an operation has done so far. A step that was cut short and repeated counts what the
/// repetition found, so `changed` may then be less than what has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Jobs looked at; of an export, results.
    pub examined: u64,
    /// Jobs changed; of an export, results written.
    pub changed: u64,
    /// Left alone because an equal job that is unfinished has taken the place.
    pub taken: u64,
    /// Left alone because the customer has as many unfinished jobs as allowed.
    pub full: u64,
    /// Asked for by id, and not there or not in a state that allows it.
    pub unfit: u64,
}

impl Progress {
    /// Jobs that were meant and left alone.
    pub const fn skipped(&self) -> u64 {
        self.taken + self.full + self.unfit
    }
}

impl std::ops::AddAssign for Progress {
    fn add_assign(&mut self, other: Self) {
        self.examined += other.examined;
        self.changed += other.changed;
        self.taken += other.taken;
        self.full += other.full;
        self.unfit += other.unfit;
    }
}

/// The row of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub id: OperationId,
    pub kind: Kind,
    /// Whose jobs it concerns; `None` is everybody's.
    pub customer: Option<CustomerId>,
    /// Who may read it besides admins.
    pub asked_by: Option<CustomerId>,
    /// How long ago a job must have ended, where that matters.
    pub max_age: Duration,
    /// Outcomes that it concerns, where that matters.
    pub states: Vec<State>,
    /// How many jobs the request has listed; 0 where it is about all that match.
    pub listed: usize,
    /// The file that it writes, where it does that.
    pub export: Option<Export>,
    /// The instant of the request: what was created or ended later is not touched.
    pub cutoff: Timestamp,
    /// Where the next step begins, in the words of the walk; `None` at the start.
    pub cursor: Option<String>,
    pub progress: Progress,
    pub finished_at: Option<Timestamp>,
    /// Somebody is at it until then.
    pub lease_until: Option<Timestamp>,
    /// When the sweep must look at it: to go on, or to remove it.
    pub due_at: Timestamp,
    /// Grows with every write; every write expects the one it read.
    pub revision: u64,
    /// Random number of the last write: a write whose answer was lost knows its echo by it.
    pub nonce: u64,
}

/// What one step has done, and where the next one begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    pub progress: Progress,
    /// `None`: there is nothing left to do.
    pub cursor: Option<String>,
    /// Of an export: the parts of the file that are written.
    pub upload: Option<Upload>,
}

impl Operation {
    /// A new operation, held by whoever makes it until `lease_until`.
    pub fn new(
        id: OperationId,
        stamp: Stamp,
        lease_until: Timestamp,
        new: &NewOperation,
        customer: Option<CustomerId>,
        asked_by: Option<CustomerId>,
    ) -> Self {
        Self {
            id,
            kind: new.kind,
            customer,
            asked_by,
            max_age: new.max_age,
            states: new.states.clone(),
            listed: new.jobs.len(),
            export: None,
            cutoff: stamp.now,
            cursor: None,
            progress: Progress::default(),
            finished_at: None,
            lease_until: Some(lease_until),
            due_at: lease_until,
            revision: 1,
            nonce: stamp.nonce,
        }
    }

    /// The row for a runner that holds it until `lease_until`; `None` where another one does, or
    /// nothing is left to do.
    pub fn taken(&self, stamp: Stamp, lease_until: Timestamp) -> Option<Self> {
        let held = self.lease_until.is_some_and(|until| until > stamp.now);
        if held || self.finished_at.is_some() {
            return None;
        }
        let mut next = self.sealed(stamp);
        next.lease_until = Some(lease_until);
        next.due_at = lease_until;
        Some(next)
    }

    /// The row after a step of the runner, who holds it until `lease_until` or lets it go.
    #[must_use]
    pub fn advanced(&self, stamp: Stamp, step: Step, lease_until: Option<Timestamp>) -> Self {
        let mut next = self.sealed(stamp);
        next.progress += step.progress;
        next.cursor = step.cursor;
        if let Some(export) = &mut next.export {
            export.upload = step.upload;
        }
        if next.cursor.is_none() {
            next.finished_at = Some(stamp.now);
            next.lease_until = None;
            next.due_at = stamp.now + KEPT;
        } else {
            next.lease_until = lease_until;
            next.due_at = lease_until.unwrap_or(stamp.now);
        }
        next
    }

    /// The row when its runner is known to be gone; `None` where nobody held it.
    pub fn released(&self, stamp: Stamp) -> Option<Self> {
        self.lease_until?;
        let mut next = self.sealed(stamp);
        next.lease_until = None;
        next.due_at = stamp.now;
        Some(next)
    }

    /// Its time is over: it is gone for every reader.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.finished_at.is_some() && self.due_at <= now
    }

    fn sealed(&self, stamp: Stamp) -> Self {
        Self {
            revision: self.revision + 1,
            nonce: stamp.nonce,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests;
