//! The arithmetic of what happened lately.

use super::*;

const NOW: Timestamp = Timestamp::from_millis(100 * 60_000 + 30_000);

fn totals(completed: u64, failed: u64) -> Totals {
    let errors = (failed > 0).then(|| ("http_404".to_owned(), failed));
    Totals {
        created: completed + failed,
        completed,
        failed,
        errors: errors.into_iter().collect(),
        ..Totals::default()
    }
}

/// Snapshots by minute, with completed jobs.
fn snapshots(completed: &[(i64, u64)]) -> Vec<Snapshot> {
    let snapshot = |(minute, completed): &(i64, u64)| Snapshot {
        minute: Minute(*minute),
        totals: totals(*completed, 0),
    };
    completed.iter().map(snapshot).collect()
}

fn completed(live: u64, known: &[(i64, u64)]) -> (u64, u64) {
    let recent = Recent::of(NOW, &totals(live, 0), &snapshots(known));
    (recent.last_minute.completed, recent.last_hour.completed)
}

/// The minutes in which something completed, from the beginning of the series.
fn series(live: u64, known: &[(i64, u64)]) -> Vec<(i64, u64)> {
    let recent = Recent::of(NOW, &totals(live, 0), &snapshots(known));
    assert_eq!(recent.minutes.len(), 60);
    assert_eq!(recent.minutes[59].0, Minute::of(NOW).starts_at());
    let minutes = recent.minutes.iter();
    let minutes = minutes.map(|(at, totals)| (at.as_millis() / 60_000, totals.completed));
    minutes.filter(|(_, completed)| *completed > 0).collect()
}

#[test]
fn without_a_snapshot_everything_is_recent() {
    assert_eq!(completed(7, &[]), (7, 7));
    assert_eq!(completed(0, &[]), (0, 0));
    assert_eq!(series(7, &[]), [(100, 7)]);
}

#[test]
fn in_the_first_minutes_the_first_snapshot_is_the_beginning() {
    assert_eq!(completed(9, &[(100, 4)]), (5, 5));
    assert_eq!(completed(9, &[(98, 1), (99, 2), (100, 4)]), (7, 8));
    assert_eq!(
        series(9, &[(98, 1), (99, 2), (100, 4)]),
        [(98, 1), (99, 2), (100, 5)]
    );
}

#[test]
fn the_last_minute_and_the_last_hour_begin_with_a_snapshot() {
    let every: Vec<_> = (30..=100).map(|minute| (minute, minute as u64)).collect();
    // A minute ago it was 99:30, and an hour ago 40:30.
    assert_eq!(completed(105, &every), (6, 65));
    let mut expected: Vec<_> = (41..100).map(|minute| (minute, 1)).collect();
    expected.push((100, 5));
    assert_eq!(series(105, &every), expected);
}

#[test]
fn what_happened_long_ago_is_not_recent() {
    assert_eq!(completed(50, &[(3, 50)]), (0, 0));
    assert_eq!(completed(50, &[(3, 10), (20, 50)]), (0, 0));
    assert_eq!(series(50, &[(3, 10), (20, 50)]), []);
}

#[test]
fn a_gap_counts_where_it_ends() {
    assert_eq!(completed(30, &[(20, 5), (95, 25), (100, 30)]), (5, 25));
    assert_eq!(
        series(30, &[(20, 5), (95, 25), (100, 30)]),
        [(94, 20), (99, 5)]
    );
}

#[test]
fn a_clock_that_jumped_makes_nothing_negative() {
    // Set back from 200: those snapshots are of the future.
    assert_eq!(completed(8, &[(90, 5), (200, 6), (201, 7)]), (3, 3));
    assert_eq!(completed(8, &[(200, 6), (201, 7)]), (8, 8));
    // Totals lower than a snapshot, as after a restored table.
    assert_eq!(completed(2, &[(30, 5), (99, 9)]), (0, 0));
    let restored = series(2, &[(30, 5), (99, 9), (100, 1)]);
    assert_eq!(restored, [(98, 4), (100, 1)]);
}

#[test]
fn errors_are_differences_too_and_the_most_common_comes_first() {
    let errors = |counts: &[(&str, u64)]| Totals {
        errors: counts
            .iter()
            .map(|(code, count)| ((*code).to_owned(), *count))
            .collect(),
        ..Totals::default()
    };
    let live = errors(&[("dns", 4), ("http_404", 9), ("timeout", 3), ("tls", 6)]);
    let past = errors(&[("dns", 4), ("http_404", 6), ("tls", 1)]);
    let recent = live.since(&past);
    let expected = [("tls", 5), ("http_404", 3), ("timeout", 3)];
    assert_eq!(recent.most_common_errors(9), expected);
    assert_eq!(recent.most_common_errors(1), expected[..1]);
}

#[test]
fn rates_are_parts_of_what_there_was() {
    assert_eq!(Totals::default().success_rate(), None);
    assert_eq!(totals(3, 1).success_rate(), Some(0.75));
    assert_eq!(totals(0, 1).success_rate(), Some(0.0));
    let some = Totals {
        created: 3,
        deduplicated: 1,
        ..Totals::default()
    };
    assert_eq!(some.deduplication_rate(), Some(0.25));
    assert_eq!(Totals::default().deduplication_rate(), None);
}

#[test]
fn sums_add_up_by_code() {
    let mut sum = totals(1, 2);
    sum += &totals(3, 4);
    assert_eq!(sum, totals(4, 6));
    assert_eq!(sum.sum(), 20);
}
