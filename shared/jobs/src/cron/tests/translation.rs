//! The translation of patterns, and the search for their firings, beside `croner`.

use std::str::FromStr;

use chrono::{Duration, NaiveDate, NaiveDateTime};

use super::random::Random;
use super::{Cron, Timestamp, Zone, cron, scheduler};

const PATTERNS: usize = 20_000;
const FIRINGS: usize = 50;

fn instant(local: NaiveDateTime) -> Timestamp {
    Timestamp::from_millis(local.and_utc().timestamp_millis())
}

/// Some minute from 1996 to 2060.
fn some_start(random: &mut Random) -> NaiveDateTime {
    let first = NaiveDate::from_ymd_opt(1996, 1, 1).unwrap();
    let minutes = random.below(64 * 365 * 1440) as i64;
    first.and_hms_opt(0, 0, 0).unwrap() + Duration::minutes(minutes)
}

/// What `croner` says: fewer than [`FIRINGS`] where the century that Scheduler still knows ends.
fn by_croner(oracle: &croner::Cron, after: NaiveDateTime) -> Vec<NaiveDateTime> {
    let mut found = Vec::with_capacity(FIRINGS);
    let end = NaiveDate::from_ymd_opt(2200, 1, 1).unwrap();
    let mut last = after;
    while found.len() < FIRINGS {
        last = oracle.find_next_occurrence(&last, false).unwrap();
        if last.date() >= end {
            break;
        }
        found.push(last);
    }
    found
}

#[test]
fn random_patterns_fire_for_scheduler_and_here_exactly_when_croner_says() {
    let mut random = Random(5);
    let (mut accepted, mut refused) = (0, 0);
    while accepted < PATTERNS {
        let pattern = random.pattern();
        let Ok(ours) = Cron::parse(&pattern) else {
            refused += 1;
            continue;
        };
        accepted += 1;
        let oracle = croner::Cron::from_str(&pattern).unwrap();
        let after = some_start(&mut random);
        let expected = by_croner(&oracle, after);
        let scheduled = scheduler::firings(ours.expressions(), after, FIRINGS);
        assert_eq!(scheduled, expected, "{pattern} as {:?}", ours.expressions());
        let mut last = instant(after);
        for (place, local) in expected.into_iter().enumerate() {
            let next = ours.next_after(Zone::default(), last);
            assert_eq!(next, Some(instant(local)), "{pattern} after {last}");
            // Backwards as well, for some.
            if place % 10 == 0 {
                let next = instant(local);
                let latest = |until| ours.latest_between(Zone::default(), last, until);
                let before = Timestamp::from_millis(next.as_millis() - 1);
                assert_eq!(latest(next), Some(next), "{pattern} up to {next}");
                assert_eq!(latest(before), None, "{pattern} up to {before}");
            }
            last = instant(local);
        }
    }
    assert!(refused < PATTERNS / 4, "{refused} patterns were refused");
}

#[test]
fn every_random_pattern_that_is_refused_never_fires_or_is_ambiguous_or_backwards() {
    let mut random = Random(6);
    for _ in 0..PATTERNS {
        let pattern = random.pattern();
        if let Err(problem) = Cron::parse(&pattern) {
            let known = ["never fires", "Crons disagree", "backwards", "both ends"];
            assert!(
                known.iter().any(|it| problem.contains(it)),
                "{pattern}: {problem}"
            );
        }
    }
}

#[test]
fn a_pattern_is_written_as_scheduler_wants_it() {
    let cases: [(&str, &[&str]); 19] = [
        ("* * * * *", &["cron(* * * * ? *)"]),
        (
            "*/15 9-17 * * MON-FRI",
            &["cron(0,15,30,45 9-17 ? * 2-6 *)"],
        ),
        ("0 0 1,15 * *", &["cron(0 0 1,15 * ? *)"]),
        ("30 6 * * 0", &["cron(30 6 ? * 1 *)"]),
        ("30 6 * * 7", &["cron(30 6 ? * 1 *)"]),
        ("30 6 * * 5-7", &["cron(30 6 ? * 1,6,7 *)"]),
        ("30 6 * * sat-SUN", &["cron(30 6 ? * 1,7 *)"]),
        ("0 12 */10 JAN-mar *", &["cron(0 12 1,11,21,31 1-3 ? *)"]),
        (
            "0 12 13 * FRI",
            &["cron(0 12 13 * ? *)", "cron(0 12 ? * 6 *)"],
        ),
        (
            "0 12 1-31/2 * 1-7/2",
            &[
                "cron(0 12 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 * ? *)",
                "cron(0 12 ? * 1,2,4,6 *)",
            ],
        ),
        // A day field that names every day restricts nothing.
        ("0 0 1-31 * MON", &["cron(0 0 * * ? *)"]),
        ("0 0 13 * 0-6", &["cron(0 0 * * ? *)"]),
        ("0 0 */1 * *", &["cron(0 0 * * ? *)"]),
        // Nor does one that no month has add anything.
        ("0 0 31 2,4 MON", &["cron(0 0 ? 2,4 2 *)"]),
        ("0 0 29 2 *", &["cron(0 0 29 2 ? *)"]),
        ("@hourly", &["cron(0 * * * ? *)"]),
        ("@Daily", &["cron(0 0 * * ? *)"]),
        ("@weekly", &["cron(0 0 ? * 1 *)"]),
        ("@annually", &["cron(0 0 1 1 ? *)"]),
    ];
    for (pattern, expected) in cases {
        assert_eq!(cron(pattern).expressions(), expected, "{pattern}");
    }
}

#[test]
fn the_most_irregular_pattern_fits_what_scheduler_takes() {
    // Pairs with one number left out between them are the longest way to write numbers.
    let pairs = |least: usize, most: usize| {
        let numbers = (least..=most).filter(|it| (it - least) % 3 != 2);
        let numbers: Vec<_> = numbers.map(|it| it.to_string()).collect();
        numbers.join(",")
    };
    let (minutes, hours, months) = (pairs(1, 59), pairs(1, 23), pairs(2, 12));
    let days = format!("1,{}", pairs(3, 31));
    for minutes in [minutes, "1-59/3,2-59/3".to_owned()] {
        let longest = cron(&format!("{minutes} {hours} {days} {months} *"));
        assert_eq!(longest.expressions()[0].len(), 240);
    }
}

#[test]
fn a_leap_day_is_found_beyond_a_century_without_one() {
    let leap = cron("0 0 29 FEB *");
    let after = Timestamp::parse("2096-02-29T00:00:00Z").unwrap();
    let next = leap.next_after(Zone::default(), after).unwrap();
    assert_eq!(next.to_string(), "2104-02-29T00:00:00.000Z");
    let before = Timestamp::from_millis(next.as_millis() - 1);
    let latest = leap.latest_between(Zone::default(), Timestamp::from_millis(0), before);
    assert_eq!(latest, Some(after));
}

#[test]
fn the_search_ends_with_the_last_year_that_scheduler_knows() {
    let after = Timestamp::parse("2199-12-31T23:58:30Z").unwrap();
    let minutely = cron("* * * * *");
    let last = minutely.next_after(Zone::default(), after).unwrap();
    assert_eq!(last.to_string(), "2199-12-31T23:59:00.000Z");
    for late in [last.as_millis(), i64::MAX, i64::MIN] {
        let late = Timestamp::from_millis(late);
        assert_eq!(minutely.next_after(Zone::default(), late), None, "{late:?}");
    }
}
