//! Schedules and the history of their ticks.

use async_trait::async_trait;

use super::{NewRow, PortError, Scope};
use crate::id::ScheduleId;
use crate::idempotency::Kept;
use crate::job::Status;
use crate::schedule::{Asked, Schedule, Stored, Tick};
use crate::time::Timestamp;

/// How the creation of a schedule ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Added {
    Written,
    /// The customer has as many schedules as allowed.
    Full,
    /// The request's key is not free: this was answered to it before.
    Answered(Box<Kept>),
}

/// How the replacement of a row ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Replaced {
    Written,
    /// The row is no longer the one that was read; this is what it is now.
    Lost(Option<Box<Schedule>>),
}

/// What is written about a tick.
#[derive(Clone, Copy, Debug)]
pub enum TickWrite<'a> {
    /// It has not been handled before.
    New(&'a Tick),
    /// It was held until now.
    Held(&'a Tick),
}

impl<'a> TickWrite<'a> {
    pub const fn tick(self) -> &'a Tick {
        match self {
            Self::New(tick) | Self::Held(tick) => tick,
        }
    }
}

/// What becomes of a tick, of its schedule and, where it makes one, of its job: all as one.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    pub before: &'a Schedule,
    pub after: &'a Schedule,
    pub tick: TickWrite<'a>,
    /// The job, and the most unfinished ones that the customer may have, it included.
    pub job: Option<(NewRow<'a>, u64)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Turned {
    Written,
    /// The tick has been handled before, or is not held any more.
    Handled,
    /// The customer has as many unfinished jobs as allowed.
    Full,
    /// The row is no longer the one that was read; this is what it is now.
    Lost(Option<Box<Schedule>>),
}

/// A page of schedules.
#[derive(Clone, Debug, Default)]
pub struct ListedSchedules {
    /// Newest first. May be fewer than asked for: what was just removed is left out.
    pub schedules: Vec<Schedule>,
    /// Go on with what is older than this; `None` at the end.
    pub next: Option<ScheduleId>,
}

/// Rows of schedules, what they ask for, and their ticks. As with [`super::Store`], each write
/// happens as a whole or not at all and knows its own echo.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// Writes a new schedule and what it asks for, where the customer has fewer than `most`, and
    /// keeps the answer, as one.
    async fn add(
        &self,
        schedule: &Schedule,
        asked: &Stored,
        most: u64,
        kept: Option<&Kept>,
    ) -> Result<Added, PortError>;

    /// The row, as of the last write.
    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, PortError>;

    /// Row and what is asked for, as of the last write.
    async fn schedule_and_asked(
        &self,
        id: &ScheduleId,
    ) -> Result<Option<(Schedule, Asked)>, PortError>;

    /// Replaces `before` by `after` where the row still is `before`, and what it asks for where
    /// that is new. One that is deleted counts no more among those of its customer.
    async fn replace(
        &self,
        before: &Schedule,
        after: &Schedule,
        asked: Option<&Stored>,
    ) -> Result<Replaced, PortError>;

    /// Writes what becomes of a tick, where the row still is the one that was read.
    async fn turn(&self, turn: &Turn<'_>) -> Result<Turned, PortError>;

    /// Writes that a tick makes no run, unless it has been handled before.
    async fn note(&self, tick: &Tick) -> Result<(), PortError>;

    /// The tick of an instant, as of the last write.
    async fn tick(&self, id: &ScheduleId, at: Timestamp) -> Result<Option<Tick>, PortError>;

    /// Says how the job of a tick ended. Nothing where the tick is not kept any more.
    async fn end_tick(
        &self,
        id: &ScheduleId,
        at: Timestamp,
        status: Status,
    ) -> Result<(), PortError>;

    /// The latest ticks, the last instant first, those left out that nobody needs at `now`.
    async fn ticks(
        &self,
        id: &ScheduleId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Tick>, PortError>;

    /// Up to `limit` schedules, newest first, older than `before`; may lag behind the last writes
    /// by a moment.
    async fn list_schedules(
        &self,
        scope: Scope<'_>,
        before: Option<&ScheduleId>,
        limit: usize,
    ) -> Result<ListedSchedules, PortError>;

    /// Which of at most 100 schedules have a row, deleted ones included, as of the last write.
    async fn known(&self, ids: &[ScheduleId]) -> Result<Vec<ScheduleId>, PortError>;

    /// Removes a deleted schedule and what it asked for, where the row still is that.
    async fn remove_schedule(&self, schedule: &Schedule) -> Result<(), PortError>;
}
