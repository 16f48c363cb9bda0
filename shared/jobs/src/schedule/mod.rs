//! A schedule: what is to recur, how far it is, and what its timetable still has to learn. Refuses
//! to make a job; [`crate::App`] does that, one for each tick.

mod change;
mod request;
mod tick;

use std::time::Duration;

use crate::cron::{Cron, Zone};
use crate::id::{JobId, ScheduleId};
use crate::ports::Entry;
use crate::spec::{CustomerId, JobType, Priority};
use crate::time::Timestamp;

pub(crate) use request::refuse;
pub use request::{Asked, ChangedSchedule, MAX_LIMIT, MAX_NAME, NewSchedule, Stored};
pub use tick::{KEPT, LATE, Outcome, Tick, Trigger, Verdict};

/// Most schedules of one customer.
pub const MOST_SCHEDULES: u64 = 1_000;
/// How many of the next runs are told.
pub const NEXT_RUNS: usize = 5;
/// A writer has this long to tell the timetable what it has written; then the sweep does it.
const PLACE_GRACE: Duration = Duration::from_secs(10);
const LONGEST_BACK_OFF: Duration = Duration::from_mins(15);
/// How often the sweep looks whether a run that is held can begin.
const LOOK_EVERY: Duration = Duration::from_mins(5);

/// What becomes of a run that is due while the one before has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// It is left out.
    #[default]
    Skip,
    /// One waits for the other's end; more than one are left out.
    Queue,
    /// It begins, and the one before is cancelled.
    CancelPrevious,
}

impl Overlap {
    pub const ALL: [Self; 3] = [Self::Skip, Self::Queue, Self::CancelPrevious];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Queue => "queue",
            Self::CancelPrevious => "cancel-previous",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// What clients see of where a schedule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScheduleStatus {
    Active,
    Paused,
    /// Its end has passed, or it has made as many runs as it was to make.
    Ended,
}

impl ScheduleStatus {
    pub const ALL: [Self; 3] = [Self::Active, Self::Paused, Self::Ended];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// When something recurs, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// For people.
    pub name: Option<String>,
    pub cron: Cron,
    pub zone: Zone,
    /// The first and the last instant at which it may fire.
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    /// Most runs.
    pub limit: Option<u64>,
    pub overlap: Overlap,
}

impl Plan {
    /// Whether it may fire at an instant, as far as its bounds go.
    pub fn spans(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| at >= start) && self.end.is_none_or(|end| at <= end)
    }

    /// When it fires next after an instant, within its bounds.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let before = |start: Timestamp| start - Duration::from_millis(1);
        let from = self.start.map_or(after, |start| after.max(before(start)));
        let next = self.cron.next_after(self.zone, from)?;
        self.end.is_none_or(|end| next <= end).then_some(next)
    }

    /// Up to `most` firings after an instant, within its bounds.
    pub fn runs_after(&self, after: Timestamp, most: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(after), |last| self.next_after(*last))
            .take(most)
            .collect()
    }

    /// The first runs of what is made at an instant.
    pub fn first_runs(&self, now: Timestamp) -> Vec<Timestamp> {
        let limit = self.limit.and_then(|limit| usize::try_from(limit).ok());
        self.runs_after(now, limit.unwrap_or(NEXT_RUNS).min(NEXT_RUNS))
    }

    /// Whether it fires at this very instant.
    fn fires_at(&self, at: Timestamp) -> bool {
        self.next_after(at - Duration::from_millis(1)) == Some(at)
    }
}

/// A run that has a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub job: JobId,
    /// The instant that it was meant for.
    pub at: Timestamp,
}

/// The row of a schedule. What its jobs are asked to do lies beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub id: ScheduleId,
    pub customer: CustomerId,
    pub kind: JobType,
    /// The address as the client wrote it.
    pub url: String,
    pub priority: Priority,
    pub plan: Plan,
    pub paused: bool,
    /// Gone for every reader; kept until the timetable has forgotten it.
    pub deleted: bool,
    /// Runs that the plan has made; those that somebody asked for do not count.
    pub fired: u64,
    /// The latest instant of the plan that made a run, or holds one.
    pub last_fired: Option<Timestamp>,
    /// What fires up to here is none of its business: it was made, changed or resumed then.
    pub since: Timestamp,
    /// When a tick that came late has made up for all before it.
    pub caught_up_at: Option<Timestamp>,
    /// The run that was made last, whoever asked for it.
    pub current: Option<Run>,
    /// A run that waits for the end of the current one.
    pub held: Option<Timestamp>,
    /// The version that the timetable is to have. Grows with every change that concerns it.
    pub wanted: u64,
    /// The version that the timetable is known to have; 0 is none.
    pub placed: u64,
    /// How often in a row the timetable could not be told.
    pub failures: u32,
    /// When the sweep tells the timetable, where nobody has done so before.
    pub place_at: Option<Timestamp>,
    /// When the sweep looks whether the run that is held can begin.
    pub look_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// The last change that a client asked for.
    pub updated_at: Timestamp,
    /// Grows with every write; every write expects the one it read.
    pub revision: u64,
    /// Random number of the last write: a write whose answer was lost knows its echo by it.
    pub nonce: u64,
}

impl Schedule {
    /// Whether it has made all runs that it was to make; what is held is as good as made.
    pub fn is_used_up(&self) -> bool {
        let made = self.fired + u64::from(self.held.is_some());
        self.plan.limit.is_some_and(|limit| made >= limit)
    }

    pub fn status(&self, now: Timestamp) -> ScheduleStatus {
        let is_over = || self.plan.end.is_some() && self.plan.next_after(now).is_none();
        if self.is_used_up() || is_over() {
            ScheduleStatus::Ended
        } else if self.paused {
            ScheduleStatus::Paused
        } else {
            ScheduleStatus::Active
        }
    }

    /// The next runs as far as they can be told: none of a schedule that is paused or has ended.
    pub fn next_runs(&self, now: Timestamp) -> Vec<Timestamp> {
        if self.paused || self.deleted || self.is_used_up() {
            return Vec::new();
        }
        let made = self.fired + u64::from(self.held.is_some());
        let left = self.plan.limit.map_or(u64::MAX, |limit| limit - made);
        let left = usize::try_from(left).unwrap_or(usize::MAX).min(NEXT_RUNS);
        self.plan.runs_after(now.max(self.since), left)
    }

    /// What the timetable is to hold.
    pub fn entry(&self) -> Entry {
        let known = [self.last_fired, self.caught_up_at];
        Entry {
            id: self.id.clone(),
            cron: self.plan.cron.clone(),
            zone: self.plan.zone,
            start: self.plan.start,
            end: self.plan.end,
            enabled: !self.paused && !self.is_used_up(),
            after: known.into_iter().flatten().fold(self.since, Ord::max),
        }
    }

    /// The timetable does not hold what it is to hold, as far as is known.
    pub const fn is_unplaced(&self) -> bool {
        self.wanted != self.placed
    }

    /// When the sweep must look at this row; `None` where nothing is owed to it.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.place_at.into_iter().chain(self.look_at).min()
    }
}

#[cfg(test)]
mod tests;
