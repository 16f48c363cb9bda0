//! The five fields as sets of numbers, and the local times that they name, one after the other or
//! backwards. Refuses to know of zones and instants.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use croner::parser::{CronParser, Seconds, Year};

use super::LAST_YEAR;

/// Years of which at least one has a 29 February.
const LEAP_YEARS_APART: u32 = 8;
/// The days of each month, in a leap year.
const MONTH_DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Which days fire, in the months that do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayRule {
    Every,
    OfMonth(Set),
    /// 0 is Sunday.
    OfWeek(Set),
    /// A day of the month, a weekday; one of them is enough.
    Either(Set, Set),
}

/// Numbers below 64, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set(u64);

impl Set {
    fn of(values: &[u16]) -> Self {
        Self(values.iter().fold(0, |set, value| set | 1 << value))
    }

    pub(super) fn has(self, value: u32) -> bool {
        self.0 >> value & 1 == 1
    }

    /// The least number that is `from` or more.
    pub(super) fn next(self, from: u32) -> Option<u32> {
        let rest = self.0.checked_shr(from)?;
        (rest != 0).then(|| from + rest.trailing_zeros())
    }

    /// The greatest number that is `to` or less.
    fn last(self, to: u32) -> Option<u32> {
        let rest = self.0 << (63 - to);
        (rest != 0).then(|| to - rest.leading_zeros())
    }

    fn is_all(self, mut values: std::ops::RangeInclusive<u32>) -> bool {
        values.all(|value| self.has(value))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) minutes: Set,
    pub(super) hours: Set,
    pub(super) days: DayRule,
    pub(super) months: Set,
}

impl Fields {
    /// Reads five checked fields.
    pub(super) fn read(five: &str) -> Result<Self, String> {
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser.parse(five);
        let read = cron.map_err(|error| format!("The pattern cannot be read: {error}"))?;
        let read = read.pattern;
        let months = Set::of(&read.months.values());
        let days = DayRule::of(
            (!read.is_dom_wildcard()).then(|| Set::of(&read.days.values())),
            (!read.is_dow_wildcard()).then(|| Set::of(&read.days_of_week.values())),
        );
        let fields = Self {
            minutes: Set::of(&read.minutes.values()),
            hours: Set::of(&read.hours.values()),
            days: days.within(months)?,
            months,
        };
        Ok(fields)
    }

    /// The first local time that fires, at or after this minute, within the calendar.
    pub(super) fn next(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut date = from.date();
        if self.fires_on(date)
            && let Some(time) = self.time_from(from.hour(), from.minute())
        {
            return Some(date.and_time(time));
        }
        let end = date.checked_add_months(Months::new(12 * LEAP_YEARS_APART + 1))?;
        date = date.succ_opt()?;
        while date <= end && date.year() <= LAST_YEAR {
            if !self.months.has(date.month()) {
                date = date.with_day(1)?.checked_add_months(Months::new(1))?;
            } else if self.fires_on(date) {
                return Some(date.and_time(self.time_from(0, 0)?));
            } else {
                date = date.succ_opt()?;
            }
        }
        None
    }

    /// The last local time that fires, at or before this minute, of the last eight years.
    pub(super) fn previous(&self, to: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut date = to.date();
        if self.fires_on(date)
            && let Some(time) = self.time_to(to.hour(), to.minute())
        {
            return Some(date.and_time(time));
        }
        let end = date.checked_sub_months(Months::new(12 * LEAP_YEARS_APART + 1))?;
        date = date.pred_opt()?;
        while date >= end {
            if !self.months.has(date.month()) {
                date = date.with_day(1)?.checked_sub_days(Days::new(1))?;
            } else if self.fires_on(date) {
                return Some(date.and_time(self.time_to(23, 59)?));
            } else {
                date = date.pred_opt()?;
            }
        }
        None
    }

    fn fires_on(&self, date: NaiveDate) -> bool {
        self.months.has(date.month()) && date.year() <= LAST_YEAR && self.days.fires_on(date)
    }

    fn time_from(&self, hour: u32, minute: u32) -> Option<NaiveTime> {
        let of = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0);
        if self.hours.has(hour)
            && let Some(minute) = self.minutes.next(minute)
        {
            return of(hour, minute);
        }
        of(self.hours.next(hour + 1)?, self.minutes.next(0)?)
    }

    fn time_to(&self, hour: u32, minute: u32) -> Option<NaiveTime> {
        let of = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0);
        if self.hours.has(hour)
            && let Some(minute) = self.minutes.last(minute)
        {
            return of(hour, minute);
        }
        of(
            self.hours.last(hour.checked_sub(1)?)?,
            self.minutes.last(59)?,
        )
    }
}

impl DayRule {
    fn of(of_month: Option<Set>, of_week: Option<Set>) -> Self {
        let of_month = of_month.map(|days| (days, days.is_all(1..=31)));
        let of_week = of_week.map(|days| (days, days.is_all(0..=6)));
        match (of_month, of_week) {
            (None, None) | (Some((_, true)), _) | (_, Some((_, true))) => Self::Every,
            (Some((days, _)), None) => Self::OfMonth(days),
            (None, Some((days, _))) => Self::OfWeek(days),
            (Some((of_month, _)), Some((of_week, _))) => Self::Either(of_month, of_week),
        }
    }

    /// The rule without days that none of these months has.
    fn within(self, months: Set) -> Result<Self, String> {
        let comes = |days: Set| {
            let lengths = MONTH_DAYS.into_iter().zip(1..);
            let mut mine = lengths.filter(|(_, month)| months.has(*month));
            mine.any(|(length, _)| days.last(length).is_some())
        };
        match self {
            Self::OfMonth(days) if !comes(days) => {
                Err("The pattern never fires: none of its months has one of its days.".to_owned())
            }
            Self::Either(of_month, of_week) if !comes(of_month) => Ok(Self::OfWeek(of_week)),
            rule => Ok(rule),
        }
    }

    fn fires_on(self, date: NaiveDate) -> bool {
        let of_month = |days: Set| days.has(date.day());
        let of_week = |days: Set| days.has(date.weekday().num_days_from_sunday());
        match self {
            Self::Every => true,
            Self::OfMonth(days) => of_month(days),
            Self::OfWeek(days) => of_week(days),
            Self::Either(month, week) => of_month(month) || of_week(week),
        }
    }
}
