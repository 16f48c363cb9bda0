//! What every timetable promises, as one suite that runs on each implementation. A new one needs a
//! [`Harness`] and a line at the end of this file.

mod local_ticker;
mod scheduler;

use std::collections::BTreeSet;

use async_trait::async_trait;
use jobs::ports::{Entry, Timetable};
use jobs::{Cron, ScheduleId, Timestamp, Zone};

/// A timetable, and whether it keeps the time of an entry.
#[async_trait]
trait Harness: Send {
    fn timetable(&self) -> &dyn Timetable;

    /// What time it is for the timetable.
    fn now(&self) -> Timestamp;

    /// Whether the entry will fire.
    async fn fires(&self, id: &ScheduleId) -> bool;
}

fn entry(number: u128, pattern: &str, now: Timestamp) -> Entry {
    Entry {
        id: ScheduleId::new(now, number),
        cron: Cron::parse(pattern).unwrap(),
        zone: Zone::parse("Europe/Berlin").unwrap(),
        start: None,
        end: None,
        enabled: true,
        after: now,
    }
}

/// Every entry of the timetable, from all of its pages, and how many of those there are.
async fn all(timetable: &dyn Timetable) -> (BTreeSet<ScheduleId>, usize) {
    let (mut ids, mut pages) = (BTreeSet::new(), 0);
    let mut next = None;
    loop {
        let page = timetable.placed(next.as_deref()).await.unwrap();
        ids.extend(page.ids);
        pages += 1;
        next = page.next;
        if next.is_none() {
            return (ids, pages);
        }
    }
}

async fn an_entry_that_is_placed_fires_and_may_be_placed_again(harness: &mut dyn Harness) {
    let entry = entry(1, "0 9 * * MON-FRI", harness.now());
    assert!(!harness.fires(&entry.id).await);
    for _ in 0..2 {
        harness.timetable().place(&entry).await.unwrap();
        assert!(harness.fires(&entry.id).await);
    }
    let (ids, _) = all(harness.timetable()).await;
    assert_eq!(ids, BTreeSet::from([entry.id]));
}

async fn an_entry_is_replaced_whether_it_takes_two_expressions_or_one(harness: &mut dyn Harness) {
    let now = harness.now();
    for pattern in ["0 9 13 * FRI", "0 9 * * *", "30 9 1 * MON", "@daily"] {
        let entry = entry(1, pattern, now);
        harness.timetable().place(&entry).await.unwrap();
        assert!(harness.fires(&entry.id).await, "{pattern}");
        let (ids, _) = all(harness.timetable()).await;
        assert_eq!(ids, BTreeSet::from([entry.id]), "{pattern}");
    }
}

async fn a_disabled_entry_stays_and_does_not_fire(harness: &mut dyn Harness) {
    let mut entry = entry(1, "0 9 13 * FRI", harness.now());
    harness.timetable().place(&entry).await.unwrap();
    entry.enabled = false;
    harness.timetable().place(&entry).await.unwrap();
    assert!(!harness.fires(&entry.id).await);
    let (ids, _) = all(harness.timetable()).await;
    assert_eq!(ids, BTreeSet::from([entry.id.clone()]));
    entry.enabled = true;
    harness.timetable().place(&entry).await.unwrap();
    assert!(harness.fires(&entry.id).await);
}

async fn an_entry_is_removed_once_or_twice_and_may_come_back(harness: &mut dyn Harness) {
    let now = harness.now();
    let (gone, kept) = (entry(1, "0 9 13 * FRI", now), entry(2, "@hourly", now));
    for entry in [&gone, &kept] {
        harness.timetable().place(entry).await.unwrap();
    }
    for _ in 0..2 {
        harness.timetable().remove(&gone.id).await.unwrap();
        assert!(!harness.fires(&gone.id).await);
        let (ids, _) = all(harness.timetable()).await;
        assert_eq!(ids, BTreeSet::from([kept.id.clone()]));
    }
    harness.timetable().place(&gone).await.unwrap();
    assert!(harness.fires(&gone.id).await);
}

async fn entries_are_listed_page_by_page(harness: &mut dyn Harness) {
    let now = harness.now();
    let (ids, pages) = all(harness.timetable()).await;
    assert_eq!((ids.len(), pages), (0, 1));
    let mut expected = BTreeSet::new();
    for number in 0..130 {
        let entry = entry(number, "0 9 13 * FRI", now);
        harness.timetable().place(&entry).await.unwrap();
        expected.insert(entry.id);
    }
    let (ids, pages) = all(harness.timetable()).await;
    assert_eq!(ids, expected);
    assert!(pages > 1, "{pages} pages");
}

async fn an_entry_that_has_ended_is_taken_and_does_not_fire(harness: &mut dyn Harness) {
    let now = harness.now();
    let day = std::time::Duration::from_hours(24);
    let mut entry = entry(1, "* * * * *", now);
    (entry.start, entry.end) = (Some(now - day * 2), Some(now - day));
    harness.timetable().place(&entry).await.unwrap();
    assert!(!harness.fires(&entry.id).await);
    (entry.start, entry.end) = (Some(now + day), Some(now + day * 2));
    harness.timetable().place(&entry).await.unwrap();
    assert!(harness.fires(&entry.id).await, "it has not begun yet");
}

/// Runs the suite on an implementation: `$open` opens a fresh one, or says `None` where it cannot
/// be had here.
macro_rules! conformance {
    ($implementation:ident, $open:path) => {
        mod $implementation {
            conformance!(@cases $open,
                an_entry_that_is_placed_fires_and_may_be_placed_again,
                an_entry_is_replaced_whether_it_takes_two_expressions_or_one,
                a_disabled_entry_stays_and_does_not_fire,
                an_entry_is_removed_once_or_twice_and_may_come_back,
                entries_are_listed_page_by_page,
                an_entry_that_has_ended_is_taken_and_does_not_fire,
            );
        }
    };
    (@cases $open:path, $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                if let Some(mut harness) = $open(stringify!($case)).await {
                    super::$case(&mut harness).await;
                }
            }
        )*
    };
}

conformance!(in_process, super::local_ticker::open);
conformance!(on_scheduler, super::scheduler::open);
