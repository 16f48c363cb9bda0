//! A time zone of the IANA database, by its name. Refuses names that are written otherwise than
//! there, because EventBridge Scheduler does.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, TimeZone, Timelike};
use chrono_tz::Tz;

use crate::time::Timestamp;

/// A time zone such as `Europe/Berlin`; UTC unless told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

impl Zone {
    /// Finds a zone by its name, in its own spelling; `None` for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    pub fn as_str(self) -> &'static str {
        self.0.name()
    }

    /// What a clock on the wall shows then, without the seconds; `None` far outside the calendar.
    pub(super) fn minute(self, at: Timestamp) -> Option<NaiveDateTime> {
        let instant = DateTime::from_timestamp_millis(at.as_millis())?;
        let local = instant.with_timezone(&self.0).naive_local();
        local.with_nanosecond(0)?.with_second(0)
    }

    /// When a clock on the wall shows this for the first time; `None` where it never does.
    pub(super) fn instant(self, local: NaiveDateTime) -> Option<Timestamp> {
        let first = self.0.from_local_datetime(&local).earliest()?;
        Some(Timestamp::from_millis(first.timestamp_millis()))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_by_its_own_name_alone() {
        for name in ["UTC", "Europe/Berlin", "Asia/Kolkata", "Etc/GMT+12", "CET"] {
            assert_eq!(Zone::parse(name).map(Zone::as_str), Some(name));
        }
        for name in ["", "europe/berlin", "Berlin", "+02:00", " UTC", "Mars/Base"] {
            assert_eq!(Zone::parse(name), None, "{name}");
        }
        assert_eq!(Zone::default().to_string(), "UTC");
    }
}
