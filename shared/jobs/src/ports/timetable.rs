//! The port through which schedules fire: entries that something else keeps the time for, and the
//! body that it sends to the scheduler when one fires.

use std::fmt::Display;

use async_trait::async_trait;

use super::PortError;
use crate::cron::{Cron, Zone};
use crate::id::ScheduleId;
use crate::time::Timestamp;

/// A schedule as the timetable knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: ScheduleId,
    pub cron: Cron,
    pub zone: Zone,
    /// It does not fire before this.
    pub start: Option<Timestamp>,
    /// It does not fire after this.
    pub end: Option<Timestamp>,
    pub enabled: bool,
    /// Firings up to here are known. A timetable that has not kept time while it was away fires the
    /// latest one after it that it has missed, and no other.
    pub after: Timestamp,
}

/// A page of what the timetable has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// In no order. One may stand on two pages.
    pub ids: Vec<ScheduleId>,
    /// Go on with this; `None` at the end.
    pub next: Option<String>,
}

/// What keeps the time. Fires an entry at least once for each time that its pattern names.
#[async_trait]
pub trait Timetable: Send + Sync {
    /// Writes an entry, over the one of that id where there is one. May be repeated.
    async fn place(&self, entry: &Entry) -> Result<(), PortError>;

    /// Removes an entry, where there is one. May be repeated.
    async fn remove(&self, id: &ScheduleId) -> Result<(), PortError>;

    /// The entries, enabled or not, page by page.
    async fn placed(&self, after: Option<&str>) -> Result<Placed, PortError>;
}

/// What is sent to the scheduler when a schedule fires at `at`: an instant in ISO 8601, or what a
/// timetable replaces by one.
pub fn fire(id: &ScheduleId, at: impl Display) -> String {
    format!(r#"{{"tick":"fire","scheduleId":"{id}","at":"{at}"}}"#)
}
