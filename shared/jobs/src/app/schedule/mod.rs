//! Jobs that recur: schedules, what a tick of one makes, and what the timetable has to know. The
//! row comes first, the timetable second; what is cut short in between is the sweep's.

mod change;
mod create;
mod place;
mod read;
mod tick;

pub use create::CreatedSchedule;
pub(super) use place::Reconciled;
pub use read::{ScheduleFilter, SchedulePage, ScheduledRun};

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::id::ScheduleId;
use crate::ports::Replaced;
use crate::schedule::{Asked, Schedule};
use crate::transition::Stamp;

/// How often a row may change while it is being written.
const MOST_RACES: usize = 20;

impl App {
    /// A schedule that the caller sees, and what it asks for.
    async fn visible_schedule(
        &self,
        caller: &Caller,
        id: &ScheduleId,
    ) -> Result<(Schedule, Asked), Error> {
        let found = self.ports.schedules.schedule_and_asked(id).await?;
        let seen = |it: &Schedule| !it.deleted && caller.may_see(&it.customer);
        found
            .filter(|(schedule, _)| seen(schedule))
            .ok_or_else(|| Error::NoSchedule(id.to_string()))
    }

    /// Writes what `change` makes of the row, again on the row as it then is where another write
    /// came between; `None` where `change` has nothing to write any more, or the row is gone.
    async fn settle_schedule(
        &self,
        schedule: &Schedule,
        change: impl Fn(&Schedule, Stamp) -> Option<Schedule>,
    ) -> Result<Option<Schedule>, Error> {
        let mut current = Box::new(schedule.clone());
        for _ in 0..MOST_RACES {
            let Some(next) = change(&current, self.stamp()) else {
                return Ok(None);
            };
            let schedules = &self.ports.schedules;
            match schedules.replace(&current, &next, None).await? {
                Replaced::Written => return Ok(Some(next)),
                Replaced::Lost(Some(row)) => current = row,
                Replaced::Lost(None) => return Ok(None),
            }
        }
        Err(crowded(&schedule.id))
    }
}

fn crowded(id: &ScheduleId) -> Error {
    Error::Unavailable {
        part: "table",
        source: format!("schedule {id} changed {MOST_RACES} times meanwhile").into(),
    }
}
