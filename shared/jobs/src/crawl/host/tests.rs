//! The budget of a host under workers that meet at every moment.

mod turns;
mod world;

use std::time::Duration;

use proptest::prelude::*;

use super::{Gate, Host, LONGEST_HOLD, MOST_TAKERS, Permit, Seen, Taker};
use crate::failure::{Failure, FailureCode};
use crate::time::Timestamp;
use world::{START, Script, World};

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn script(seed: u64) -> Script {
    Script {
        seed,
        workers: 8,
        pages: 12,
        delay: Duration::ZERO,
        most: 8,
        takes: 900,
        deaths: 0,
        refused: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn no_two_requests_of_any_workers_are_closer_than_the_delay(
        seed: u64,
        workers in 1_usize..9,
        delay in prop_oneof![Just(100_u64), Just(1_000), Just(1_700), Just(3_000), Just(20_000)],
        deaths in prop_oneof![Just(0_u64), Just(10)],
    ) {
        let delay = Duration::from_millis(delay);
        let world = World::run(Script { workers, delay, deaths, ..script(seed) });
        prop_assert!(world.starts.len() >= workers * 12);
        let smallest = world.gaps().min().unwrap_or(delay);
        prop_assert!(smallest >= delay, "{smallest:?}");
        // Nobody waits for much more than the pages of all the others.
        if deaths == 0 {
            let fair = delay * (workers as u32 * 12 * 3) + seconds(60);
            prop_assert!(world.passed() < fair, "{:?}", world.passed());
        }
    }

    #[test]
    fn without_a_delay_no_more_are_under_way_than_there_are_places(
        seed: u64,
        workers in 1_usize..20,
        most in 1_u8..9,
        takes in prop_oneof![Just(50_u64), Just(900), Just(12_000)],
        deaths in prop_oneof![Just(0_u64), Just(10)],
    ) {
        let world = World::run(Script { workers, most, takes, deaths, ..script(seed) });
        prop_assert!(world.starts.len() >= workers * 12);
        prop_assert!(world.most_at_once <= 8, "{}", world.most_at_once);
        prop_assert!(world.is_free_after(seconds(20)));
    }

    #[test]
    fn everybody_stays_away_while_the_host_wants_it(
        seed: u64,
        delay in prop_oneof![Just(0_u64), Just(1_000)],
        refused in 0_usize..60,
    ) {
        let delay = Duration::from_millis(delay);
        let world = World::run(Script { delay, refused: Some(refused), ..script(seed) });
        let (told, until) = world.held.expect("a hold was written");
        // What had been looked at before that counts for so long, and a look takes a moment.
        let seen = if delay.is_zero() { 1_060 } else { 310 };
        let seen = told + Duration::from_millis(seen);
        let mut during = world.starts.iter().filter(|at| **at >= seen && **at < until);
        prop_assert_eq!(during.next(), None);
        prop_assert_eq!(world.starts.len(), 8 * 12);
    }
}

#[test]
fn a_worker_alone_writes_once_for_several_seconds() {
    let alone = Script {
        workers: 1,
        pages: 200,
        takes: 100,
        ..script(1)
    };
    let world = World::run(Script {
        delay: seconds(1),
        ..alone
    });
    assert!(world.writes <= 200 / 5 + 2, "{} writes", world.writes);
    assert_eq!(world.distinct_starts(), 200);
    let world = World::run(Script {
        pages: 2_000,
        ..alone
    });
    assert!(world.writes <= 20, "{} writes", world.writes);
}

fn seen(row: Host, at: Timestamp) -> Seen {
    Seen {
        row: Some(row),
        at,
        held_until: Timestamp::default(),
    }
}

fn taker(who: u64, places: u8) -> Taker {
    Taker {
        who,
        places,
        wanted: 8,
        most: 8,
        until: START + seconds(10),
    }
}

/// What a newcomer makes of the row.
fn newcomer(host: &Host, most: u8, delay: Duration, wanted: usize) -> (Gate, Host) {
    let mut gate = Gate::new(99, most, delay);
    let plan = gate.plan(START, host, wanted, 0);
    gate.apply(&plan);
    let after = plan.write.unwrap_or_else(|| host.clone());
    (gate, after)
}

#[test]
fn a_delay_that_somebody_asks_for_counts_for_everybody() {
    let (_, row) = newcomer(&Host::default(), 8, seconds(3), 5);
    let (gate, after) = newcomer(&row, 8, Duration::ZERO, 5);
    assert_eq!(
        gate.permit(START, &seen(after, START)),
        Permit::At(row.last_at + seconds(3)),
    );
    // Until nobody has asked for it for a while.
    let late = START + seconds(70);
    assert_eq!(row.mended(late).delay, Duration::ZERO);
}

#[test]
fn whoever_knows_of_no_delay_is_waited_for() {
    let row = Host {
        takers: vec![taker(1, 8)],
        ..Host::default()
    };
    let (gate, after) = newcomer(&row, 8, seconds(1), 5);
    assert_eq!(after.delay, seconds(1), "the row says so at once");
    let Permit::At(at) = gate.permit(START, &seen(after, START)) else {
        panic!("nothing is to be had");
    };
    assert!(at >= START + seconds(9), "{at}");
}

#[test]
fn a_job_that_may_have_more_places_makes_more_of_them() {
    let (_, row) = newcomer(&Host::default(), 64, Duration::ZERO, 100);
    assert_eq!(row.takers[0].places, 64);
    let (_, row) = newcomer(&Host::default(), 2, Duration::ZERO, 100);
    assert_eq!(row.takers[0].places, 2);
}

#[test]
fn the_row_has_a_bounded_number_of_takers() {
    let row = Host {
        takers: (1..=MOST_TAKERS as u64)
            .map(|who| taker(who + 100, 0))
            .collect(),
        ..Host::default()
    };
    let (gate, after) = newcomer(&row, 8, Duration::ZERO, 1);
    assert_eq!(after.takers.len(), MOST_TAKERS);
    let permit = gate.permit(START, &seen(after, START));
    assert!(matches!(permit, Permit::At(at) if at > START));
}

#[test]
fn a_clock_that_was_set_back_keeps_nobody_out() {
    let row = Host {
        last_at: START + seconds(7_200),
        held_until: START + seconds(7_200),
        limit_at: START + seconds(7_200),
        takers: vec![Taker {
            until: START + seconds(7_200),
            ..taker(1, 8)
        }],
        delay: seconds(1),
        delay_until: START + seconds(7_200),
        ..Host::default()
    };
    let row = row.mended(START);
    for delay in [Duration::ZERO, seconds(1)] {
        let (gate, after) = newcomer(&row, 8, delay, 1);
        assert_eq!(gate.permit(START, &seen(after, START)), Permit::Now);
    }
}

fn failure(code: FailureCode, retry_after: Option<u64>) -> Failure {
    Failure::new(code, "It fails").with_retry_after(retry_after.map(seconds))
}

/// How long the host is left alone after a failure.
fn hold_after(row: &Host, failure: &Failure) -> Option<Duration> {
    let mut gate = Gate::new(1, 8, Duration::ZERO);
    gate.started(START);
    let until = gate.ended(START, seconds(1), Some(failure), &seen(row.clone(), START));
    until.map(|until| until.since(START))
}

#[test]
fn a_failing_host_is_left_alone_twice_as_long_each_time_and_gets_half_the_requests() {
    let timeout = failure(FailureCode::Timeout, None);
    let mut row = Host::default();
    let mut holds = Vec::new();
    let mut places = Vec::new();
    let mut now = START;
    for _ in 0..8 {
        let hold = hold_after(&row, &timeout).unwrap();
        holds.push(hold.as_secs());
        row.hold(now, now + hold);
        // Others that were under way say the same and change nothing.
        row.hold(now, now + hold);
        places.push(row.limit.unwrap());
        now = row.held_until;
        row.held_until = START;
    }
    assert_eq!(holds, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(places, [4, 2, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn only_failures_of_the_host_keep_everybody_away() {
    let row = Host::default();
    let after = |code, asked| hold_after(&row, &failure(code, asked));
    let http = FailureCode::Http;
    assert_eq!(after(http(429), Some(10)), Some(seconds(10)));
    assert_eq!(after(http(503), Some(86_400)), Some(LONGEST_HOLD));
    for (code, asked) in [(http(429), None), (http(503), Some(0))] {
        assert_eq!(after(code, asked), Some(seconds(1)));
    }
    for code in [
        http(404),
        http(500),
        FailureCode::TooLarge,
        FailureCode::Dns,
    ] {
        assert_eq!(after(code, Some(10)), None, "{code}");
    }
}

#[test]
fn slow_answers_take_one_place_away_and_good_ones_bring_it_back() {
    let mut gate = Gate::new(99, 8, Duration::ZERO);
    let mut row = Host::default();
    let mut now = START;
    let mut limit = |took: u64| {
        gate.started(now);
        gate.ended(now, Duration::from_millis(took), None, &Seen::default());
        let plan = gate.plan(now, &row.mended(now), 8, 0);
        gate.apply(&plan);
        row = plan.write.unwrap();
        now = now + seconds(5);
        row.limit
    };
    for _ in 0..4 {
        assert_eq!(limit(300), None);
    }
    assert_eq!(limit(5_000), Some(7));
    assert_eq!(limit(9_000), Some(6));
    assert_eq!(limit(300), Some(7));
    assert_eq!(limit(300), None);
}
