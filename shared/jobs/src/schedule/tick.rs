//! A tick: one firing of a schedule, named by the instant that it was meant for. What becomes of
//! it is judged here, from the row and the clock alone; what became of it is kept as history.

use std::time::Duration;

use super::{Overlap, Schedule};
use crate::id::{JobId, ScheduleId};
use crate::job::Status;
use crate::time::Timestamp;

/// A tick that is handled later than this after its instant is late.
pub const LATE: Duration = Duration::from_mins(5);
/// How long ticks are kept; with them, that they have been handled.
pub const KEPT: Duration = Duration::from_hours(90 * 24);
/// Patterns fire at whole minutes.
const MINUTE_MS: i64 = 60_000;

/// What became of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It made a job.
    Fired,
    /// The run before had not ended.
    Skipped,
    /// It waits for the end of the run before.
    Held,
    /// It came late, and another run has made up for it.
    Missed,
    /// The schedule had made all its runs.
    Limit,
    /// The customer had no room for another job.
    Refused,
}

impl Outcome {
    pub const ALL: [Self; 6] = [
        Self::Fired,
        Self::Skipped,
        Self::Held,
        Self::Missed,
        Self::Limit,
        Self::Refused,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Skipped => "skipped",
            Self::Held => "held",
            Self::Missed => "missed",
            Self::Limit => "limit",
            Self::Refused => "refused",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Why there is no job, unless told better.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Fired => None,
            Self::Skipped => Some("The run before had not ended"),
            Self::Held => Some("Waits for the end of the run before"),
            Self::Missed => Some("Came too late: another run has made up for it"),
            Self::Limit => Some("The schedule had made all its runs"),
            Self::Refused => Some("The customer had as many unfinished jobs as allowed"),
        }
    }
}

/// Who asked for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The pattern.
    Schedule,
    /// A client.
    Manual,
}

impl Trigger {
    pub const ALL: [Self; 2] = [Self::Schedule, Self::Manual];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Manual => "manual",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// The instant of a run that a client asks for at `now`. It is never one of a pattern's, so
    /// that no two runs are taken for one another.
    pub fn manual_at(now: Timestamp) -> Timestamp {
        if now.as_millis() % MINUTE_MS == 0 {
            now + Duration::from_millis(1)
        } else {
            now
        }
    }
}

/// A tick that has been handled. Kept apart from its job, which it outlives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    pub schedule: ScheduleId,
    /// The instant that it was meant for, which names it.
    pub at: Timestamp,
    pub outcome: Outcome,
    pub trigger: Trigger,
    pub job: Option<JobId>,
    /// How the job ended, once it has.
    pub ended: Option<Status>,
    /// Why there is no job.
    pub reason: Option<String>,
    pub handled_at: Timestamp,
}

impl Tick {
    /// A tick that is handled at `now`.
    pub fn new(schedule: &ScheduleId, at: Timestamp, outcome: Outcome, now: Timestamp) -> Self {
        Self {
            schedule: schedule.clone(),
            at,
            outcome,
            trigger: Trigger::Schedule,
            job: None,
            ended: None,
            reason: outcome.reason().map(str::to_owned),
            handled_at: now,
        }
    }

    /// Nobody needs it any more.
    pub fn expires_at(&self) -> Timestamp {
        self.handled_at + KEPT
    }
}

/// What is to be done about a tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is none of this schedule's, or no more.
    Ignore,
    /// It makes no run, and the history says why.
    Note(Outcome),
    /// It waits for the end of the current run.
    Hold {
        is_late: bool,
    },
    /// This job has to be cancelled first; then it is judged again.
    CancelFirst(JobId),
    /// The run that is held begins first; then it is judged again.
    ReleaseFirst,
    Fire {
        is_late: bool,
    },
}

impl Schedule {
    /// What is to be done at `now` about the tick of `at`, while the current run goes on or not.
    pub fn judge(&self, at: Timestamp, now: Timestamp, is_running: bool) -> Verdict {
        if self.deleted || self.paused || at <= self.since || !self.plan.spans(at) {
            return Verdict::Ignore;
        }
        // A timetable that is behind fires what is no longer wanted.
        if self.is_foreign(at) {
            return Verdict::Ignore;
        }
        let is_late = now.since(at) > LATE;
        let has_caught_up = self.caught_up_at.is_some_and(|until| at <= until);
        let has_moved_on = is_late && self.last_fired.is_some_and(|last| at <= last);
        if has_caught_up || has_moved_on {
            return Verdict::Note(Outcome::Missed);
        }
        if self.is_used_up() {
            return Verdict::Note(Outcome::Limit);
        }
        match (self.running(is_running), self.plan.overlap) {
            (Some(_), Overlap::Skip) => Verdict::Note(Outcome::Skipped),
            (Some(_), Overlap::Queue) if self.held.is_some() => Verdict::Note(Outcome::Skipped),
            (Some(_), Overlap::Queue) => Verdict::Hold { is_late },
            (Some(_), Overlap::CancelPrevious)
                if self.last_fired.is_some_and(|last| at <= last) =>
            {
                // A later one goes on already.
                Verdict::Note(Outcome::Missed)
            }
            (Some(job), Overlap::CancelPrevious) => Verdict::CancelFirst(job),
            (None, _) if self.held.is_some() => Verdict::ReleaseFirst,
            (None, _) => Verdict::Fire { is_late },
        }
    }

    /// Whether the pattern does not fire at this instant: whoever says so has an older one.
    pub fn is_foreign(&self, at: Timestamp) -> bool {
        !self.plan.fires_at(at)
    }

    /// What is to be done about a run that a client asks for: nothing holds that back but another
    /// run. `None` where that one stands against it.
    pub fn judge_request(&self, is_running: bool) -> Option<Verdict> {
        match (self.running(is_running), self.plan.overlap) {
            (Some(_), Overlap::Skip | Overlap::Queue) => None,
            (Some(job), Overlap::CancelPrevious) => Some(Verdict::CancelFirst(job)),
            (None, _) if self.held.is_some() => Some(Verdict::ReleaseFirst),
            (None, _) => Some(Verdict::Fire { is_late: false }),
        }
    }

    fn running(&self, is_running: bool) -> Option<JobId> {
        let current = self.current.as_ref().filter(|_| is_running);
        current.map(|run| run.job.clone())
    }
}
