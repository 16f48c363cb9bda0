//! Slots that are kept for the next slice, and the first request to a host of which nothing is known.

use std::time::Duration;

use super::world::START;
use super::{seconds, seen, taker};
use crate::crawl::host::{Gate, Host, Permit, Turn};
use crate::time::Timestamp;

const DELAY: Duration = Duration::from_secs(1);

fn ask(gate: &mut Gate, row: &Host, wanted: usize, now: Timestamp) -> Host {
    let plan = gate.plan(now, &row.mended(now), wanted, 0);
    gate.apply(&plan);
    plan.write.unwrap_or_else(|| row.clone())
}

/// A turn of four slots behind one of others, the row with it, and when it begins.
fn kept() -> (Turn, Host, Timestamp) {
    let (mut first, mut second) = (Gate::new(1, 8, DELAY), Gate::new(2, 8, DELAY));
    let row = ask(&mut first, &Host::default(), 8, START);
    let row = ask(&mut second, &row, 4, START);
    let begins = second.next_slot(START).unwrap();
    let turn = second.keep_turn("site.example", START).unwrap();
    assert_eq!(turn.begins(), begins);
    // It is not given back.
    assert!(!second.has_taken(START));
    (turn, row, begins)
}

fn taken_up(turn: &Turn, now: Timestamp) -> Gate {
    let mut gate = Gate::new(2, 8, DELAY);
    gate.take_up(turn, now);
    gate
}

#[test]
fn a_turn_that_is_kept_begins_behind_that_of_the_others_and_at_its_time() {
    let (turn, row, begins) = kept();
    assert!(begins >= START + seconds(8), "{begins}");
    let early = begins - seconds(1);
    let gate = taken_up(&turn, early);
    assert_eq!(
        gate.permit(early, &seen(row.clone(), START)),
        Permit::At(begins)
    );
    assert_eq!(gate.permit(begins, &seen(row, begins)), Permit::Now);
}

#[test]
fn whoever_comes_late_for_its_turn_keeps_the_delay_from_what_may_have_been_begun() {
    let (turn, row, begins) = kept();
    let late = begins + Duration::from_millis(300);
    let gate = taken_up(&turn, late);
    assert_eq!(
        gate.permit(late, &seen(row, late)),
        Permit::At(late + DELAY)
    );
}

#[test]
fn a_turn_that_is_over_or_far_away_counts_for_nothing() {
    let (turn, row, begins) = kept();
    for now in [begins + seconds(10), START - seconds(7_200)] {
        let gate = taken_up(&turn, now);
        assert_eq!(gate.permit(now, &seen(row.clone(), now)), Permit::Ask);
    }
}

#[test]
fn whoever_asks_for_the_rules_of_a_host_is_alone_there_until_they_are_read() {
    let (mut first, mut second) = (Gate::new(1, 8, seconds(0)), Gate::new(2, 64, seconds(0)));
    first.explore(true);
    let row = ask(&mut first, &Host::default(), 2, START);
    assert_eq!(first.permit(START, &seen(row.clone(), START)), Permit::Now);
    first.started(START);
    let row = ask(&mut second, &row, 100, START);
    let waits = second.permit(START, &seen(row.clone(), START));
    assert!(matches!(waits, Permit::At(at) if at > START), "{waits:?}");
    // There is no delay: it takes what it has use for, and others have the rest.
    let now = START + Duration::from_millis(200);
    first.ended(now, seconds(0), None, &seen(row.clone(), now));
    first.explore(false);
    assert_eq!(first.permit(now, &seen(row.clone(), now)), Permit::Ask);
    let row = ask(&mut first, &row, 2, now);
    assert_eq!(first.permit(now, &seen(row.clone(), now)), Permit::Now);
    let later = START + seconds(5);
    ask(&mut second, &row, 100, later);
    let row = ask(&mut second, &row, 100, later);
    assert_eq!(second.permit(later, &seen(row, later)), Permit::Now);
}

#[test]
fn the_first_page_keeps_the_delay_that_the_rules_have_named() {
    let mut gate = Gate::new(1, 8, seconds(0));
    gate.explore(true);
    let row = ask(&mut gate, &Host::default(), 2, START);
    gate.started(START);
    let now = START + Duration::from_millis(200);
    gate.ended(now, seconds(0), None, &seen(row.clone(), now));
    gate.explore(false);
    gate.keep_delay(DELAY);
    let row = ask(&mut gate, &row, 2, now);
    assert_eq!(gate.permit(now, &seen(row, now)), Permit::At(START + DELAY));
}

#[test]
fn where_others_are_at_a_host_its_rules_are_asked_for_beside_them() {
    let row = Host {
        takers: vec![taker(1, 3)],
        ..Host::default()
    };
    let mut gate = Gate::new(2, 8, seconds(0));
    gate.explore(true);
    let row = ask(&mut gate, &row, 2, START);
    assert_eq!(row.takers[1].places, 2);
    assert_eq!(gate.permit(START, &seen(row, START)), Permit::Now);
}
