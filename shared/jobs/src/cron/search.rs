//! The instants at which a pattern fires in a zone. Looks for local times, which the fields name,
//! and turns them into instants: in that direction the two changes of a clock are one question.

use chrono::TimeDelta;

use super::{Cron, Zone};
use crate::time::Timestamp;

const MINUTE: TimeDelta = TimeDelta::minutes(1);

impl Cron {
    /// The first firing after `after`; `None` where there is none up to [`super::LAST_YEAR`].
    ///
    /// Later local times are later instants, so that it is enough to begin with the minute after
    /// the one that the clock shows.
    pub fn next_after(&self, zone: Zone, after: Timestamp) -> Option<Timestamp> {
        let mut from = zone.minute(after)?.checked_add_signed(MINUTE)?;
        loop {
            let local = self.fields.next(from)?;
            // Not in the second run of a repeated hour: what the clock shows there is over.
            if let Some(instant) = zone.instant(local).filter(|it| *it > after) {
                return Some(instant);
            }
            from = local.checked_add_signed(MINUTE)?;
        }
    }

    /// The last firing that is later than `after` and no later than `until`, where it is within
    /// the eight years before `until`.
    pub fn latest_between(
        &self,
        zone: Zone,
        after: Timestamp,
        until: Timestamp,
    ) -> Option<Timestamp> {
        let shown = zone.minute(until)?;
        // In the second run of a repeated hour its end has been there as well.
        let first = zone.instant(shown).unwrap_or(until);
        let repeated = TimeDelta::minutes((until.since(first).as_secs() / 60) as i64);
        let mut to = shown.checked_add_signed(repeated)?;
        loop {
            let local = self.fields.previous(to)?;
            if let Some(instant) = zone.instant(local).filter(|it| *it <= until) {
                return (instant > after).then_some(instant);
            }
            to = local.checked_sub_signed(MINUTE)?;
        }
    }
}
