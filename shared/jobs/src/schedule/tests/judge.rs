//! What is done about a tick: each case by itself, and what holds of all.

use proptest::prelude::*;

use super::*;

type Change = fn(Schedule) -> Schedule;

const FIRE: Verdict = Verdict::Fire { is_late: false };

fn with_limit(limit: u64, fired: u64) -> Schedule {
    Schedule {
        fired,
        ..schedule(&json!({"limit": limit}))
    }
}

#[test]
fn each_tick_is_judged_by_the_row_and_the_clock() {
    let cases: [(&str, Change, Verdict); 14] = [
        ("plain", |it| it, FIRE),
        ("paused", |it| it.paused(stamp(NOW)), Verdict::Ignore),
        (
            "resumed",
            |it| it.paused(stamp(NOW)).resumed(stamp(NOW)),
            Verdict::Ignore,
        ),
        ("deleted", |it| it.removed(stamp(NOW)), Verdict::Ignore),
        (
            "not begun",
            |_| schedule(&json!({"startDate": (MINUTE + minutes(1)).to_string()})),
            Verdict::Ignore,
        ),
        (
            "begins with it",
            |_| schedule(&json!({"startDate": MINUTE.to_string()})),
            FIRE,
        ),
        (
            "over",
            |mut it| {
                it.plan.end = Some(MINUTE - minutes(1));
                it
            },
            Verdict::Ignore,
        ),
        (
            "ends with it",
            |mut it| {
                it.plan.end = Some(MINUTE);
                it
            },
            FIRE,
        ),
        ("the last of its runs", |_| with_limit(3, 2), FIRE),
        (
            "all its runs made",
            |_| with_limit(3, 3),
            Verdict::Note(Outcome::Limit),
        ),
        (
            "another pattern that the timetable does not know",
            |it| {
                let new = request(&json!({"cronPattern": "0 0 1 1 *"}));
                Schedule {
                    since: it.since,
                    ..it.changed(stamp(NOW), &new)
                }
            },
            Verdict::Ignore,
        ),
        (
            "another pattern that has it as well",
            |it| {
                let new = request(&json!({"cronPattern": "13 22 * * *"}));
                Schedule {
                    since: it.since,
                    ..it.changed(stamp(NOW), &new)
                }
            },
            FIRE,
        ),
        (
            "caught up since",
            |it| Schedule {
                caught_up_at: Some(NOW),
                ..it
            },
            Verdict::Note(Outcome::Missed),
        ),
        (
            "a later one has fired, and this is not late",
            |it| Schedule {
                last_fired: Some(MINUTE + minutes(1)),
                ..it
            },
            FIRE,
        ),
    ];
    for (name, change, verdict) in cases {
        let row = change(schedule(&json!({})));
        assert_eq!(row.judge(MINUTE, NOW, false), verdict, "{name}");
    }
}

#[test]
fn a_run_that_goes_on_is_overlapped_as_the_plan_says() {
    let at = |overlap: &str| {
        let row = schedule(&json!({"overlap": overlap}));
        row.fired(
            stamp(NOW),
            run(MINUTE - minutes(1)),
            Trigger::Schedule,
            false,
        )
    };
    for overlap in ["skip", "queue", "cancel-previous"] {
        assert_eq!(at(overlap).judge(MINUTE, NOW, false), FIRE, "{overlap}");
    }
    let skipped = Verdict::Note(Outcome::Skipped);
    assert_eq!(at("skip").judge(MINUTE, NOW, true), skipped);
    let queue = at("queue");
    assert_eq!(
        queue.judge(MINUTE, NOW, true),
        Verdict::Hold { is_late: false }
    );
    let holding = queue.holding(stamp(NOW), MINUTE, false);
    let next = MINUTE + minutes(1);
    assert_eq!(holding.judge(next, next, true), skipped);
    assert_eq!(holding.judge(next, next, false), Verdict::ReleaseFirst);
    assert_eq!(holding.judge_request(false), Some(Verdict::ReleaseFirst));
    let cancels = at("cancel-previous");
    let job = JobId::new(MINUTE - minutes(1), 1);
    let cancel = Verdict::CancelFirst(job);
    assert_eq!(cancels.judge(MINUTE, NOW, true), cancel);
    assert_eq!(cancels.judge_request(true), Some(cancel));
    assert_eq!(queue.judge_request(true), None);
    assert_eq!(at("skip").judge_request(true), None);
    assert_eq!(at("skip").judge_request(false), Some(FIRE));
}

#[test]
fn of_many_late_ticks_one_fires_in_whatever_order_they_come() {
    let late: Vec<_> = (10..60).map(|ago| MINUTE - minutes(ago)).collect();
    for first in [0, 25, 49] {
        let row = schedule(&json!({}));
        let at = late[first];
        assert_eq!(row.judge(at, NOW, false), Verdict::Fire { is_late: true });
        let row = row.fired(stamp(NOW), run(at), Trigger::Schedule, true);
        for at in late.iter().filter(|it| **it != at) {
            assert_eq!(row.judge(*at, NOW, false), Verdict::Note(Outcome::Missed));
        }
        let next = MINUTE + minutes(1);
        assert_eq!(row.judge(next, next, false), FIRE);
    }
    // Where a later one has fired in time, none of them does.
    let row = schedule(&json!({})).fired(stamp(NOW), run(MINUTE), Trigger::Schedule, false);
    for at in late {
        assert_eq!(row.judge(at, NOW, false), Verdict::Note(Outcome::Missed));
    }
}

#[test]
fn a_run_that_a_client_asks_for_is_never_taken_for_one_of_the_plan() {
    for now in [MINUTE, NOW, Timestamp::from_millis(0)] {
        let at = Trigger::manual_at(now);
        assert_ne!(at.as_millis() % 60_000, 0);
        assert!(at >= now && at.since(now) <= Duration::from_millis(1));
    }
}

proptest! {
    #[test]
    fn no_more_runs_are_made_than_allowed_and_none_twice(
        limit in 1_u64..10,
        overlap in proptest::sample::select(&["skip", "queue", "cancel-previous"]),
        ticks in proptest::collection::vec((0_u64..40, 0_u64..20, any::<bool>()), 1..60),
    ) {
        let mut row = schedule(&json!({"limit": limit, "overlap": overlap}));
        let mut handled = std::collections::BTreeSet::new();
        let mut made = 0;
        let mut now = NOW;
        for (ago, later, is_running) in ticks {
            now = now + Duration::from_secs(later);
            let at = MINUTE - minutes(ago);
            // What the transaction sees to: a tick that is written is not written again.
            if handled.contains(&at) {
                continue;
            }
            let verdict = row.judge(at, now, is_running);
            match verdict {
                Verdict::Ignore => continue,
                Verdict::Note(_) => {}
                Verdict::Hold { is_late } => row = row.holding(stamp(now), at, is_late),
                Verdict::CancelFirst(_) | Verdict::ReleaseFirst => {
                    if let Some(held) = row.held {
                        row = row.released(stamp(now), run(held));
                        made += 1;
                    }
                    continue;
                }
                Verdict::Fire { is_late } => {
                    row = row.fired(stamp(now), run(at), Trigger::Schedule, is_late);
                    made += 1;
                }
            }
            handled.insert(at);
            prop_assert_eq!(row.fired, made);
            prop_assert!(made + u64::from(row.held.is_some()) <= limit);
        }
    }

    #[test]
    fn whatever_becomes_of_a_row_is_another_version_of_it(
        changes in proptest::collection::vec(0_u8..9, 1..30),
    ) {
        let mut row = schedule(&json!({}));
        for (step, change) in changes.into_iter().enumerate() {
            let stamp = stamp(NOW + minutes(step as u64));
            let next = match change {
                0 => row.paused(stamp),
                1 => row.resumed(stamp),
                2 => row.changed(stamp, &request(&json!({"cronPattern": "5 * * * *"}))),
                3 => row.fired(stamp, run(stamp.now), Trigger::Schedule, false),
                4 => row.holding(stamp, stamp.now, false),
                5 => row.without_held(stamp),
                6 => row.told(stamp, row.wanted),
                7 => row.untold(stamp),
                _ => row.looked_at(stamp),
            };
            prop_assert_eq!(next.revision, row.revision + 1);
            prop_assert!(next.wanted >= row.wanted);
            // What the timetable does not know the sweep looks after.
            prop_assert!(!next.is_unplaced() || next.place_at.is_some());
            prop_assert!(next.held.is_none() || next.look_at.is_some());
            row = next;
        }
    }
}
