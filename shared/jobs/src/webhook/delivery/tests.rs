//! A delivery from its making to its end, on a clock of numbers.

use super::*;
use crate::id::{JobId, WebhookId};
use crate::webhook::MOST_ATTEMPTS;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LEASE: Duration = Duration::from_mins(1);

fn stamp(now: Timestamp) -> Stamp {
    Stamp { now, nonce: 0 }
}

fn event() -> Event {
    Event {
        id: "evt_01hf7yat000000000000000007".to_owned(),
        kind: EventType::JobCompleted,
        at: START,
        customer: CustomerId::default(),
        job: JobId::new(START, 7),
        body: "{}".to_owned(),
    }
}

fn owner() -> DeliveryOwner {
    DeliveryOwner::Webhook(WebhookId::new(START, 1))
}

fn delivery() -> Delivery {
    Delivery::new(&event(), owner(), None, stamp(START))
}

fn claimed(delivery: &Delivery, now: Timestamp) -> Delivery {
    match delivery.claim(stamp(now), now + LEASE) {
        DeliveryClaim::Won(next) => *next,
        other => panic!("{other:?}"),
    }
}

fn outcome(now: Timestamp, ending: Ending) -> Outcome {
    Outcome {
        attempt: Attempt {
            at: now,
            duration_ms: 5,
            status: Some(500),
            error: None,
            answer: None,
        },
        ending,
    }
}

const RETRY: Ending = Ending::Retry { retry_after: None };

fn failed(delivery: &Delivery, now: Timestamp, ending: Ending) -> Delivery {
    let row = claimed(delivery, now);
    let outcome = outcome(now, ending);
    row.settled(stamp(now), row.fence, &outcome, 0).unwrap()
}

#[test]
fn one_event_has_one_delivery_for_each_receiver() {
    let id = |event: &str, owner: &DeliveryOwner| DeliveryId::of(event, START, owner);
    let job = DeliveryOwner::Job(JobId::new(START, 7));
    assert_eq!(id("evt_1", &owner()), id("evt_1", &owner()));
    assert_ne!(id("evt_1", &owner()), id("evt_1", &job));
    assert_ne!(id("evt_1", &owner()), id("evt_2", &owner()));
    let later = DeliveryId::of("evt_0", START + Duration::from_millis(1), &owner());
    assert!(later > id("evt_1", &owner()));
    for owner in [owner(), job] {
        assert_eq!(DeliveryOwner::parse(owner.as_str()), Some(owner));
    }
}

#[test]
fn a_delivery_that_always_fails_is_tried_ten_times_and_is_kept_for_a_week() {
    let (mut row, mut now) = (delivery(), START);
    let mut waits = Vec::new();
    while row.state == DeliveryState::Pending {
        now = row.next_at;
        row = failed(&row, now, RETRY);
        waits.push(row.next_at.since(now).as_secs());
        if row.state == DeliveryState::Pending {
            assert!(row.due_at.is_some_and(|at| at >= now), "{row:?}");
        }
    }
    assert_eq!(row.attempts.len() as u32, MOST_ATTEMPTS);
    assert_eq!(waits[..4], [5, 300, 1_800, 7_200]);
    assert_eq!(row.state, DeliveryState::Failed);
    assert_eq!((row.due_at, row.lease_until), (None, None));
    assert!(!row.is_expired(now + KEPT_ENDED - Duration::from_millis(1)));
    assert!(row.is_expired(now + KEPT_ENDED));
}

#[test]
fn what_the_receiver_asks_for_counts_where_it_is_longer() {
    let asked = |seconds| Ending::Retry {
        retry_after: Some(Duration::from_secs(seconds)),
    };
    assert_eq!(
        failed(&delivery(), START, asked(1)).wait(START).as_secs(),
        5
    );
    let row = failed(&delivery(), START, asked(3_600));
    assert_eq!(row.wait(START).as_secs(), 3_600);
    // Too far for a message: the sweep looks when one can be sent.
    assert_eq!(row.due_at, Some(row.next_at - Duration::from_mins(14)));
}

#[test]
fn of_two_workers_one_has_it_and_a_late_word_does_not_count() {
    let row = claimed(&delivery(), START);
    let later = START + Duration::from_secs(1);
    assert_eq!(row.claim(stamp(later), later + LEASE), DeliveryClaim::Over);
    let lapsed = match row.sweep(stamp(START + LEASE), Mode::Routine) {
        DeliverySweep::Send(next, _) => *next,
        other => panic!("{other:?}"),
    };
    let word = outcome(later, Ending::Delivered);
    let late = lapsed.settled(stamp(later), row.fence, &word, 0);
    assert_eq!(late, Err(Refusal::Stale));
    let again = claimed(&lapsed, lapsed.next_at);
    let late = again.settled(stamp(later), row.fence, &word, 0);
    assert_eq!(late, Err(Refusal::Stale));
}

#[test]
fn an_early_message_waits_for_the_rest() {
    let row = failed(&delivery(), START, RETRY);
    let now = START + Duration::from_secs(2);
    let rest = DeliveryClaim::Early(Duration::from_secs(3));
    assert_eq!(row.claim(stamp(now), now + LEASE), rest);
}

#[test]
fn a_lost_attempt_counts_as_failed_unless_everything_was_restarted() {
    let row = claimed(&delivery(), START);
    assert_eq!(
        row.sweep(stamp(START), Mode::Routine),
        DeliverySweep::Nothing
    );
    let DeliverySweep::Send(lapsed, wait) = row.sweep(stamp(START + LEASE), Mode::Routine) else {
        panic!("a message is owed");
    };
    assert_eq!((lapsed.failures, wait.as_secs()), (1, 5));
    assert!(
        lapsed.attempts[0]
            .error
            .as_ref()
            .unwrap()
            .starts_with("lease_lost")
    );
    let DeliverySweep::Send(freed, wait) = row.sweep(stamp(START), Mode::Restart) else {
        panic!("a message is owed");
    };
    assert_eq!(
        (freed.failures, freed.lease_until, wait),
        (0, None, Duration::ZERO)
    );
    let DeliverySweep::Write(left) = row.sweep(stamp(START), Mode::Shutdown) else {
        panic!("nobody is there to read a message");
    };
    assert_eq!(left.lease_until, None);
}

#[test]
fn a_lost_message_is_sent_again_less_and_less_often() {
    let (mut row, mut gaps) = (delivery(), Vec::new());
    let mut now = START;
    for _ in 0..5 {
        let due = row.due_at.unwrap();
        assert_eq!(
            row.sweep(stamp(due - Duration::from_millis(1)), Mode::Routine),
            DeliverySweep::Nothing
        );
        gaps.push(due.since(now).as_secs());
        now = due;
        match row.sweep(stamp(now), Mode::Routine) {
            DeliverySweep::Send(next, Duration::ZERO) => row = *next,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(gaps, [60, 120, 240, 480, 900]);
}

#[test]
fn a_far_attempt_gets_its_message_when_one_can_wait_that_long() {
    let far = Ending::Retry {
        retry_after: Some(Duration::from_hours(5)),
    };
    let row = failed(&delivery(), START, far);
    let due = row.due_at.unwrap();
    match row.sweep(stamp(due), Mode::Routine) {
        DeliverySweep::Send(next, wait) => {
            assert_eq!(wait, Duration::from_mins(14));
            assert_eq!((next.resends, next.next_at), (0, row.next_at));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        row.sweep(stamp(START), Mode::Restart),
        DeliverySweep::Nothing
    );
}

#[test]
fn a_delivery_asked_for_again_has_all_its_attempts_before_it() {
    let ended = failed(&delivery(), START, Ending::Final);
    assert_eq!(ended.state, DeliveryState::Failed);
    let now = START + Duration::from_hours(1);
    let again = ended.asked_again(stamp(now)).unwrap();
    assert_eq!(
        (again.state, again.failures, again.next_at),
        (DeliveryState::Pending, 0, now)
    );
    assert_eq!(again.attempts, ended.attempts);
    let done = failed(&again, now, Ending::Delivered);
    assert_eq!(
        (done.state, done.attempts.len()),
        (DeliveryState::Delivered, 2)
    );
    assert_eq!(claimed(&again, now).asked_again(stamp(now)), None);
}

#[test]
fn only_the_latest_attempts_are_remembered() {
    let (mut row, mut now) = (delivery(), START);
    for _ in 0..30 {
        row = failed(&row, now, Ending::Final);
        now = now + Duration::from_secs(1);
        row = row.asked_again(stamp(now)).unwrap();
    }
    assert_eq!(row.attempts.len(), KEPT_ATTEMPTS);
    assert_eq!(row.attempts[19].at, now - Duration::from_secs(1));
}
