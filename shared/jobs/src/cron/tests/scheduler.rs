//! The six fields of EventBridge Scheduler, read and evaluated as its user guide states them:
//! `cron(minutes hours day-of-month month day-of-week year)`; `,` lists, `-` ranges, `*` all, `/`
//! increments, `?` in exactly one of the two day fields; day of week 1 to 7 is Sunday to Saturday;
//! at most 256 characters. Shares nothing with the code that writes them.

use chrono::{Datelike, NaiveDate, NaiveDateTime};

/// One expression, with a flag for every number.
pub(super) struct Expression {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days: Option<Vec<bool>>,
    months: Vec<bool>,
    weekdays: Option<Vec<bool>>,
    years: Vec<bool>,
}

impl Expression {
    pub(super) fn read(text: &str) -> Self {
        assert!(text.len() <= 256, "{text} is too long");
        let inner = text
            .strip_prefix("cron(")
            .and_then(|it| it.strip_suffix(')'));
        let inner = inner.unwrap_or_else(|| panic!("{text} is no expression"));
        let fields: Vec<&str> = inner.split(' ').collect();
        assert_eq!(fields.len(), 6, "{text}");
        let marks = [fields[2], fields[4]]
            .iter()
            .filter(|it| **it == "?")
            .count();
        assert_eq!(marks, 1, "{text} must have one ? in its day fields");
        let day_field = |field, least, most| (field != "?").then(|| flags(field, least, most));
        Self {
            minutes: numbers(fields[0], 59),
            hours: numbers(fields[1], 23),
            days: day_field(fields[2], 1, 31),
            months: flags(fields[3], 1, 12),
            weekdays: day_field(fields[4], 1, 7),
            years: flags(fields[5], 1970, 2199),
        }
    }

    fn fires_in(&self, year: i32, month: u32) -> bool {
        self.months[month as usize] && self.years[year as usize]
    }

    fn fires_on(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().number_from_sunday() as usize;
        self.fires_in(date.year(), date.month())
            && self
                .days
                .as_ref()
                .is_none_or(|days| days[date.day() as usize])
            && self.weekdays.as_ref().is_none_or(|days| days[weekday])
    }
}

/// The first `count` local times after `after` at which any of the expressions fires.
pub(super) fn firings(
    expressions: &[String],
    after: NaiveDateTime,
    count: usize,
) -> Vec<NaiveDateTime> {
    let expressions: Vec<_> = expressions.iter().map(|it| Expression::read(it)).collect();
    let mut found = Vec::new();
    let mut date = after.date();
    while found.len() < count && date.year() <= 2199 {
        let of_month = |it: &Expression| it.fires_in(date.year(), date.month());
        if !expressions.iter().any(of_month) {
            let (year, month) = (date.year(), date.month());
            let next = (year + (month / 12) as i32, month % 12 + 1);
            date = NaiveDate::from_ymd_opt(next.0, next.1, 1).unwrap();
            continue;
        }
        let mut times = Vec::new();
        for expression in expressions.iter().filter(|it| it.fires_on(date)) {
            for hour in &expression.hours {
                times.extend(expression.minutes.iter().map(|minute| (*hour, *minute)));
            }
        }
        times.sort_unstable();
        times.dedup();
        for (hour, minute) in times {
            let time = date.and_hms_opt(hour, minute, 0).unwrap();
            if time > after && found.len() < count {
                found.push(time);
            }
        }
        date = date.succ_opt().unwrap();
    }
    found
}

/// The numbers of a field that begin at 0.
fn numbers(field: &str, most: usize) -> Vec<u32> {
    let flags = flags(field, 0, most);
    (0..=most as u32).filter(|it| flags[*it as usize]).collect()
}

fn flags(field: &str, least: usize, most: usize) -> Vec<bool> {
    let mut flags = vec![false; most + 1];
    for item in field.split(',') {
        let (range, step) = match item.split_once('/') {
            None => (item, None),
            Some((range, step)) => (range, Some(number(step))),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (value(from), value(to)),
            None if range == "*" => (least, most),
            // An increment goes on to the end.
            None if step.is_some() => (value(range), most),
            None => (value(range), value(range)),
        };
        assert!(least <= from && from <= to && to <= most, "{field}");
        for at in (from..=to).step_by(step.unwrap_or(1)) {
            flags[at] = true;
        }
    }
    flags
}

fn number(text: &str) -> usize {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no number"))
}

fn value(text: &str) -> usize {
    const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    const MONTHS: [&str; 12] = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ];
    let place = |names: &[&str]| names.iter().position(|name| *name == text);
    let named = place(&DAYS).or_else(|| place(&MONTHS));
    named.map_or_else(|| number(text), |place| place + 1)
}

#[test]
fn the_examples_of_the_user_guide_are_read_as_it_says() {
    let after = NaiveDate::from_ymd_opt(2022, 11, 1).unwrap();
    let after = after.and_hms_opt(0, 0, 0).unwrap();
    let first = |expression: &str| {
        let found = firings(&[expression.to_owned()], after, 3);
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        first("cron(15 12 * * ? *)"),
        [
            "2022-11-01 12:15:00",
            "2022-11-02 12:15:00",
            "2022-11-03 12:15:00"
        ]
    );
    assert_eq!(
        first("cron(0 18 ? * MON-FRI *)"),
        [
            "2022-11-01 18:00:00",
            "2022-11-02 18:00:00",
            "2022-11-03 18:00:00"
        ]
    );
    assert_eq!(
        first("cron(0/15 * ? * 1 2023)"),
        [
            "2023-01-01 00:00:00",
            "2023-01-01 00:15:00",
            "2023-01-01 00:30:00"
        ]
    );
    assert_eq!(
        first("cron(0 8 1 * ? *)"),
        [
            "2022-11-01 08:00:00",
            "2022-12-01 08:00:00",
            "2023-01-01 08:00:00"
        ]
    );
}
