//! The next runs, and where a schedule stands.

use super::*;

fn next(row: &Schedule) -> Vec<String> {
    row.next_runs(NOW).iter().map(ToString::to_string).collect()
}

#[test]
fn the_next_five_runs_are_told_within_their_bounds() {
    let nightly = schedule(&json!({"cronPattern": "0 2 * * *", "timezone": "Europe/Berlin"}));
    let all = next(&nightly);
    assert_eq!(all.len(), 5);
    assert_eq!(all[0], "2023-11-15T01:00:00.000Z");
    assert_eq!(all[4], "2023-11-19T01:00:00.000Z");
    let body = json!({
        "cronPattern": "0 2 * * *", "timezone": "Europe/Berlin",
        "startDate": "2023-11-17T01:00:00.000Z", "endDate": "2023-11-18T01:00:00.000Z",
    });
    let bounded = schedule(&body);
    assert_eq!(
        next(&bounded),
        ["2023-11-17T01:00:00.000Z", "2023-11-18T01:00:00.000Z"]
    );
    assert_eq!(bounded.plan.first_runs(NOW).len(), 2);
}

#[test]
fn a_limit_leaves_as_many_runs_as_are_not_made_or_held() {
    let row = Schedule {
        fired: 6,
        ..schedule(&json!({"limit": 10}))
    };
    assert_eq!(row.next_runs(NOW).len(), 4);
    let holding = row.holding(stamp(NOW), MINUTE, false);
    assert_eq!(holding.next_runs(NOW).len(), 3);
    let last = Schedule {
        fired: 9,
        ..holding
    };
    assert!(last.next_runs(NOW).is_empty());
    assert_eq!(last.status(NOW), ScheduleStatus::Ended);
}

#[test]
fn nothing_is_to_come_of_what_is_paused_or_has_ended() {
    let row = schedule(&json!({}));
    assert_eq!(row.status(NOW), ScheduleStatus::Active);
    let paused = row.paused(stamp(NOW));
    assert_eq!(paused.status(NOW), ScheduleStatus::Paused);
    assert!(paused.next_runs(NOW).is_empty() && !paused.entry().enabled);
    let resumed = paused.resumed(stamp(NOW));
    assert_eq!(resumed.status(NOW), ScheduleStatus::Active);
    assert_eq!(resumed.entry().after, NOW, "what it missed is nobody's");
    let mut over = row.clone();
    over.plan.end = Some(NOW);
    assert_eq!(over.status(NOW), ScheduleStatus::Ended);
    assert!(over.next_runs(NOW).is_empty());
}

#[test]
fn the_timetable_learns_what_concerns_it_and_nothing_else() {
    let row = schedule(&json!({"limit": 2}));
    assert!(!row.is_unplaced() && row.due_at().is_none());
    let named = row.changed(stamp(NOW), &request(&json!({"limit": 2, "name": "x"})));
    assert!(!named.is_unplaced());
    assert_eq!(named.since, row.since);
    let moved = row.changed(
        stamp(NOW),
        &request(&json!({"limit": 2, "timezone": "Asia/Tokyo"})),
    );
    assert!(moved.is_unplaced());
    assert_eq!(moved.since, NOW);
    let once = row.fired(stamp(NOW), run(MINUTE), Trigger::Schedule, false);
    assert!(!once.is_unplaced());
    let twice = once.fired(stamp(NOW), run(NOW), Trigger::Schedule, false);
    assert!(twice.is_unplaced() && !twice.entry().enabled);
    let more = twice.changed(stamp(NOW), &request(&json!({"limit": 3})));
    assert!(more.is_unplaced() && more.entry().enabled);
    let asked_for = once.fired(stamp(NOW), run(NOW), Trigger::Manual, false);
    assert_eq!((asked_for.fired, asked_for.last_fired), (1, Some(MINUTE)));
}

#[test]
fn an_older_version_in_the_timetable_is_told_again_and_a_deaf_one_later_and_later() {
    let row = schedule(&json!({})).paused(stamp(NOW));
    let older = row.told(stamp(NOW), 1);
    assert!(older.is_unplaced() && older.place_at.is_some());
    let known = row.told(stamp(NOW), row.wanted);
    assert!(!known.is_unplaced() && known.place_at.is_none());
    let mut deaf = row;
    let mut waits = Vec::new();
    for _ in 0..7 {
        deaf = deaf.untold(stamp(NOW));
        waits.push(deaf.place_at.unwrap().since(NOW).as_secs() / 60);
    }
    assert_eq!(waits, [1, 2, 4, 8, 15, 15, 15]);
}
