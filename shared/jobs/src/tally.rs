//! How many jobs a customer has: unfinished, paused among them, and ended by outcome. Kept in the
//! customer's own item and touched in the transactions that create, pause, resume, end, revive and
//! purge a job, and nowhere else.

use crate::job::{Job, State};

/// Counts of a customer, or a change of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub unfinished: i64,
    /// Those of the unfinished that are held back: nothing is due of them, so no index shows them.
    pub paused: i64,
    pub completed: i64,
    pub failed: i64,
    pub cancelled: i64,
}

impl Tally {
    fn of(job: Option<&Job>) -> Self {
        let mut tally = Self::default();
        match job.map(|job| job.state) {
            None => {}
            Some(State::Queued | State::Active) => tally.unfinished = 1,
            Some(State::Paused) => (tally.unfinished, tally.paused) = (1, 1),
            Some(State::Completed) => tally.completed = 1,
            Some(State::Failed) => tally.failed = 1,
            Some(State::Cancelled) => tally.cancelled = 1,
        }
        tally
    }

    /// What changes when `before` becomes `after`; `None` is a job that is not there.
    pub fn between(before: Option<&Job>, after: Option<&Job>) -> Self {
        let (before, after) = (Self::of(before), Self::of(after));
        Self {
            unfinished: after.unfinished - before.unfinished,
            paused: after.paused - before.paused,
            completed: after.completed - before.completed,
            failed: after.failed - before.failed,
            cancelled: after.cancelled - before.cancelled,
        }
    }

    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.unfinished += other.unfinished;
        self.paused += other.paused;
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
    }
}
