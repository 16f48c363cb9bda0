//! Changes of clocks: what EventBridge Scheduler's user guide says of them, in zones whose clocks
//! change by half an hour to two hours, at night, at midnight and a minute past it.

use std::collections::HashSet;
use std::str::FromStr;

use chrono::{DateTime, Duration, Timelike};
use chrono_tz::Tz;

use super::{Timestamp, at, cron, firings, zone};

/// A zone, the instant of a change, and by how many minutes the clock is put forward.
const CHANGES: [(&str, &str, i64); 31] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z", 60),
    ("Europe/Berlin", "2026-10-25T01:00:00Z", -60),
    ("Europe/Dublin", "2026-03-29T01:00:00Z", 60),
    ("Europe/Dublin", "2026-10-25T01:00:00Z", -60),
    ("America/New_York", "2026-03-08T07:00:00Z", 60),
    ("America/New_York", "2026-11-01T06:00:00Z", -60),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z", -30),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z", 30),
    ("Africa/Casablanca", "2026-02-15T02:00:00Z", -60),
    ("Africa/Casablanca", "2026-03-22T02:00:00Z", 60),
    ("America/Sao_Paulo", "2018-02-18T02:00:00Z", -60),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z", 60),
    ("America/St_Johns", "2010-03-14T03:31:00Z", 60),
    ("America/St_Johns", "2010-11-07T02:31:00Z", -60),
    ("Asia/Tehran", "2022-03-21T20:30:00Z", 60),
    ("Asia/Tehran", "2022-09-21T19:30:00Z", -60),
    ("Pacific/Auckland", "2026-04-04T14:00:00Z", -60),
    ("Pacific/Auckland", "2026-09-26T14:00:00Z", 60),
    ("America/Santiago", "2026-04-05T03:00:00Z", -60),
    ("America/Santiago", "2026-09-06T04:00:00Z", 60),
    ("Asia/Beirut", "2026-03-28T22:00:00Z", 60),
    ("Asia/Beirut", "2026-10-24T21:00:00Z", -60),
    ("Africa/Cairo", "2026-04-23T22:00:00Z", 60),
    ("Africa/Cairo", "2026-10-29T21:00:00Z", -60),
    ("Antarctica/Troll", "2026-03-29T01:00:00Z", 120),
    ("Antarctica/Troll", "2026-10-25T01:00:00Z", -120),
    ("Atlantic/Azores", "2026-03-29T01:00:00Z", 60),
    ("Atlantic/Azores", "2026-10-25T01:00:00Z", -60),
    ("Pacific/Apia", "2011-04-02T14:00:00Z", -60),
    ("Pacific/Apia", "2011-09-24T14:00:00Z", 60),
    // The day that Samoa left out.
    ("Pacific/Apia", "2011-12-30T10:00:00Z", 1_440),
];

/// Whether an hour and a minute are a pattern's.
type Fires = fn(u32, u32) -> bool;

/// Patterns of minutes and hours: these numbers of each.
const PATTERNS: [(&str, Fires); 5] = [
    ("* * * * *", |_, _| true),
    ("*/7 * * * *", |_, minute| minute % 7 == 0),
    ("30 0-3,23 * * *", |hour, minute| {
        minute == 30 && (hour <= 3 || hour == 23)
    }),
    ("0 * * * *", |_, minute| minute == 0),
    ("15 2 * * *", |hour, minute| (hour, minute) == (2, 15)),
];

/// The instants around a change at which a clock on the wall shows a minute that fires, for the
/// first time: found by looking at it every minute.
fn by_watching(zone: Tz, change: DateTime<Tz>, fires: Fires) -> Vec<Timestamp> {
    let mut shown = HashSet::new();
    let mut found = Vec::new();
    for minutes in -2 * 1_440..3 * 1_440 {
        let now = change + Duration::minutes(minutes);
        let minute = now.with_timezone(&zone).naive_local();
        if shown.insert(minute) && fires(minute.hour(), minute.minute()) {
            found.push(Timestamp::from_millis(now.timestamp_millis()));
        }
    }
    found
}

#[test]
fn at_changes_of_clocks_what_is_skipped_does_not_fire_and_what_is_repeated_fires_once() {
    let names: HashSet<_> = CHANGES.iter().map(|(name, ..)| name).collect();
    assert!(names.len() >= 12, "{} zones", names.len());
    for (name, change, forward) in CHANGES {
        let tz: Tz = name.parse().unwrap();
        let change = DateTime::parse_from_rfc3339(change)
            .unwrap()
            .with_timezone(&tz);
        let before = (change - Duration::seconds(1)).naive_local();
        let moved = change.naive_local() - before - Duration::seconds(1);
        assert_eq!(moved.num_minutes(), forward, "{name} at {change}");
        for (pattern, fires) in PATTERNS {
            let mut expected = by_watching(tz, change, fires);
            let ours = cron(pattern);
            // The first is where the search begins, whatever went before.
            let mut last = expected.remove(0);
            for next in expected {
                let what = format!("{pattern} in {name} after {last}");
                assert_eq!(ours.next_after(zone(name), last), Some(next), "{what}");
                for millis in [0, 1, 59_999] {
                    let until = Timestamp::from_millis(next.as_millis() + millis);
                    let latest = ours.latest_between(zone(name), last, until);
                    assert_eq!(latest, Some(next), "{what} until {until}");
                }
                let until = Timestamp::from_millis(next.as_millis() - 1);
                let latest = ours.latest_between(zone(name), last, until);
                assert_eq!(latest, None, "{what} until {until}");
                last = next;
            }
        }
    }
}

#[test]
fn a_daily_crawl_in_berlin_keeps_its_local_hour_across_both_changes() {
    assert_eq!(
        firings("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
        [
            "2026-03-28T01:30Z",
            "2026-03-30T00:30Z",
            "2026-03-31T00:30Z"
        ]
    );
    assert_eq!(
        firings("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]
    );
    assert_eq!(
        firings("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 3),
        [
            "2026-10-25T00:00Z",
            "2026-10-25T02:00Z",
            "2026-10-25T03:00Z"
        ]
    );
    assert_eq!(
        firings("0 0 * * *", "Africa/Cairo", "2026-04-22T12:00:00Z", 2),
        ["2026-04-22T22:00Z", "2026-04-24T21:00Z"]
    );
}

/// What is not ours: `croner` makes a skipped time up at the end of the gap, and repeats what has
/// a `*` in its hours.
#[test]
fn croner_has_another_rule_at_changes_of_clocks() {
    let berlin = chrono_tz::Europe::Berlin;
    let next = |pattern: &str, after: &str| {
        let cron = croner::Cron::from_str(pattern).unwrap();
        let after = DateTime::parse_from_rfc3339(after)
            .unwrap()
            .with_timezone(&berlin);
        let next = cron.find_next_occurrence(&after, false).unwrap();
        Timestamp::from_millis(next.timestamp_millis())
    };
    let skipped = next("30 2 * * *", "2026-03-28T12:00:00Z");
    assert_eq!(skipped, at("2026-03-29T01:00:00Z"));
    let repeated = next("0 * * * *", "2026-10-25T00:00:00Z");
    assert_eq!(repeated, at("2026-10-25T01:00:00Z"));
    let once = next("30 2 * * *", "2026-10-25T00:30:00Z");
    assert_eq!(once, at("2026-10-26T01:30:00Z"));
}

#[test]
fn in_the_second_run_of_a_repeated_hour_nothing_fires_and_the_first_is_remembered() {
    let (minutely, berlin) = (cron("* * * * *"), zone("Europe/Berlin"));
    let inside = at("2026-10-25T01:20:30Z");
    let next = minutely.next_after(berlin, inside).unwrap();
    assert_eq!(next, at("2026-10-25T02:00:00Z"));
    let latest = minutely.latest_between(berlin, at("2026-10-01T00:00:00Z"), inside);
    assert_eq!(latest, Some(at("2026-10-25T00:59:00Z")));
}

#[test]
fn a_range_of_time_without_firings_has_no_latest() {
    let yearly = cron("@yearly");
    let berlin = zone("Europe/Berlin");
    let (start, end) = (at("2026-01-02T00:00:00Z"), at("2026-12-31T22:59:59Z"));
    assert_eq!(yearly.latest_between(berlin, start, end), None);
    assert_eq!(yearly.latest_between(berlin, end, start), None);
    let year = at("2026-12-31T23:00:00Z");
    assert_eq!(yearly.latest_between(berlin, start, year), Some(year));
    assert_eq!(
        yearly.latest_between(berlin, year, year),
        None,
        "after is not included"
    );
}
