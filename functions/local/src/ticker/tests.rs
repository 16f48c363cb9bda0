//! When the ticker fires, by a clock that is told.

use std::sync::atomic::{AtomicI64, Ordering};

use jobs::{Cron, Zone};

use super::*;

struct Told(AtomicI64);

#[async_trait]
impl Clock for Told {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, _: Duration) {}
}

/// A ticker whose clock shows this.
fn ticker(now: &str) -> (LocalTicker, Arc<Told>) {
    let clock = Arc::new(Told(AtomicI64::new(at(now).as_millis())));
    (
        LocalTicker::new(Arc::clone(&clock) as Arc<dyn Clock>),
        clock,
    )
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("2026-{text}Z")).unwrap()
}

fn entry(pattern: &str, after: &str) -> Entry {
    Entry {
        id: ScheduleId::new(at("01-01T00:00:00"), 1),
        cron: Cron::parse(pattern).unwrap(),
        zone: Zone::default(),
        start: None,
        end: None,
        enabled: true,
        after: at(after),
    }
}

/// The times of what is due then.
fn due(ticker: &LocalTicker, now: &str) -> Vec<String> {
    let due = ticker.due(at(now)).into_iter();
    due.map(|(_, at)| at.to_string()[5..19].to_owned())
        .collect()
}

#[tokio::test]
async fn each_time_is_handed_out_once_and_no_earlier() {
    let (ticker, _) = ticker("03-01T08:00:30");
    ticker
        .place(&entry("0 9 * * *", "03-01T08:00:30"))
        .await
        .unwrap();
    assert_eq!(ticker.next(), Some(at("03-01T09:00:00")));
    assert_eq!(due(&ticker, "03-01T08:59:59"), [""; 0]);
    assert_eq!(due(&ticker, "03-01T09:00:00"), ["03-01T09:00:00"]);
    assert_eq!(due(&ticker, "03-01T09:00:00"), [""; 0]);
    assert_eq!(ticker.next(), Some(at("03-02T09:00:00")));
    assert_eq!(due(&ticker, "03-02T09:00:07"), ["03-02T09:00:00"]);
}

#[tokio::test]
async fn of_what_an_outage_has_missed_the_latest_fires_alone() {
    let (ticker, _) = ticker("03-05T12:30:00");
    ticker
        .place(&entry("0 * * * *", "03-01T08:00:00"))
        .await
        .unwrap();
    assert_eq!(due(&ticker, "03-05T12:30:00"), ["03-05T12:00:00"]);
    assert_eq!(ticker.next(), Some(at("03-05T13:00:00")));
    // So it is where the machine has slept.
    assert_eq!(due(&ticker, "03-06T00:59:59"), ["03-06T00:00:00"]);
    assert_eq!(due(&ticker, "03-06T01:00:00"), ["03-06T01:00:00"]);
}

#[tokio::test]
async fn nothing_fires_before_the_start_and_after_the_end() {
    let (ticker, _) = ticker("03-01T08:00:00");
    let mut entry = entry("0 9 * * *", "03-01T08:00:00");
    (entry.start, entry.end) = (Some(at("03-03T09:00:00")), Some(at("03-04T09:00:00")));
    ticker.place(&entry).await.unwrap();
    assert_eq!(due(&ticker, "03-02T23:00:00"), [""; 0]);
    assert_eq!(due(&ticker, "03-03T09:00:00"), ["03-03T09:00:00"]);
    assert_eq!(due(&ticker, "03-04T09:00:00"), ["03-04T09:00:00"]);
    assert_eq!(ticker.next(), None);
}

#[tokio::test]
async fn what_was_missed_before_the_end_still_fires_once() {
    let (ticker, _) = ticker("03-08T08:00:00");
    let mut entry = entry("0 9 * * *", "03-01T08:00:00");
    entry.end = Some(at("03-04T12:00:00"));
    ticker.place(&entry).await.unwrap();
    assert_eq!(due(&ticker, "03-08T08:00:00"), ["03-04T09:00:00"]);
    assert_eq!(ticker.next(), None);
}

#[tokio::test]
async fn an_entry_that_is_replaced_begins_with_now_and_loses_nothing_that_was_due() {
    let (ticker, clock) = ticker("03-01T08:00:00");
    ticker
        .place(&entry("0 9 * * *", "03-01T08:00:00"))
        .await
        .unwrap();
    let now = at("03-01T09:00:20");
    clock.0.store(now.as_millis(), Ordering::Relaxed);
    // As old as a row may say: the ticker has kept time itself.
    ticker
        .place(&entry("*/5 * * * *", "01-01T00:00:00"))
        .await
        .unwrap();
    assert_eq!(due(&ticker, "03-01T09:00:20"), ["03-01T09:00:00"]);
    assert_eq!(due(&ticker, "03-01T09:05:00"), ["03-01T09:05:00"]);
}

#[tokio::test]
async fn a_disabled_entry_is_not_made_up_for_when_it_is_enabled() {
    let (ticker, clock) = ticker("03-01T08:00:00");
    let mut entry = entry("0 * * * *", "03-01T08:00:00");
    entry.enabled = false;
    ticker.place(&entry).await.unwrap();
    assert_eq!(ticker.next(), None);
    let now = at("03-03T10:30:00");
    clock.0.store(now.as_millis(), Ordering::Relaxed);
    entry.enabled = true;
    ticker.place(&entry).await.unwrap();
    assert_eq!(due(&ticker, "03-03T10:30:00"), [""; 0]);
    assert_eq!(due(&ticker, "03-03T11:00:00"), ["03-03T11:00:00"]);
}

#[tokio::test]
async fn a_firing_that_is_given_back_comes_again_unless_its_entry_is_gone() {
    let (ticker, clock) = ticker("03-01T08:59:00");
    let entry = entry("0 9 * * *", "03-01T08:59:00");
    ticker.place(&entry).await.unwrap();
    let now = at("03-01T09:00:00");
    clock.0.store(now.as_millis(), Ordering::Relaxed);
    for time in ["03-01T09:00:00", "03-01T09:00:10"] {
        let mut fired = ticker.due(at(time));
        assert_eq!(fired.len(), 1, "{time}");
        ticker.give_back(fired.remove(0));
        assert_eq!(ticker.next(), Some(at("03-01T09:00:10")));
    }
    // It outlives a change of its entry.
    ticker.place(&entry).await.unwrap();
    assert_eq!(ticker.next(), Some(at("03-01T09:00:10")));
    ticker.remove(&entry.id).await.unwrap();
    assert_eq!(ticker.next(), None);
    ticker.give_back((entry.id, now));
    assert_eq!(ticker.next(), None);
}

#[tokio::test]
async fn whoever_waits_hears_of_what_is_due_and_of_what_becomes_due_by_a_change() {
    let (ticker, _) = ticker("03-01T09:00:00");
    let waiting = {
        let ticker = ticker.clone();
        async move { ticker.wait().await }
    };
    let entry = entry("0 * * * *", "03-01T08:30:00");
    let placing = async {
        // After the other has begun to wait.
        tokio::task::yield_now().await;
        ticker.place(&entry).await.unwrap();
    };
    let (fired, ()) = tokio::join!(waiting, placing);
    let times: Vec<_> = fired.into_iter().map(|(_, at)| at).collect();
    assert_eq!(times, [at("03-01T09:00:00")]);
}
