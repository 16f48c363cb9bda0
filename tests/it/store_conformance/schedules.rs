//! Schedules and their ticks: written once, by those who have read the row, together with the job.

use std::collections::BTreeSet;

use jobs::idempotency::{Answer, Kept};
use jobs::job::DueList;
use jobs::ports::{Added, NewRow, Replaced, Schedules, Scope, Store, TickWrite, Turn, Turned};
use jobs::schedule::{KEPT, NewSchedule, Outcome, Run, Stored, Tick, Trigger};
use jobs::spec::CustomerId;
use jobs::transition::Stamp;
use jobs::{Job, RowId, Schedule, ScheduleId, Status, Timestamp};
use serde_json::json;

use super::counts;
use super::rows::{START, job_of};
use super::stores::{Fault, Opened};

const fn stamp(nonce: u64) -> Stamp {
    Stamp { now: START, nonce }
}

fn request() -> NewSchedule {
    let body = json!({
        "type": "single-page", "url": "http://site.example/", "cronPattern": "0 2 * * *",
        "timezone": "Europe/Berlin", "name": "x", "limit": 9, "overlap": "queue",
    });
    NewSchedule::parse(&body, |_| Vec::new(), START).unwrap()
}

fn schedule_of(number: u128, customer: &str) -> Schedule {
    let customer = CustomerId::parse(customer).unwrap();
    Schedule::new(
        ScheduleId::new(START, number),
        customer,
        stamp(1),
        &request(),
    )
}

fn stored() -> Stored {
    request().stored().unwrap()
}

async fn added(store: &Opened, schedule: &Schedule) {
    let added = store
        .table
        .add(schedule, &stored(), 10, None)
        .await
        .unwrap();
    assert_eq!(added, Added::Written);
}

fn tick(schedule: &Schedule, outcome: Outcome) -> Tick {
    Tick::new(&schedule.id, START, outcome, START)
}

/// The first run of a schedule: row, tick and job.
fn first_run(schedule: &Schedule) -> (Schedule, Tick, Job) {
    let job = job_of(1, schedule.customer.as_str());
    let run = Run {
        job: job.id.clone(),
        at: START,
    };
    let after = schedule.fired(stamp(2), run, Trigger::Schedule, false);
    let tick = Tick {
        job: Some(job.id.clone()),
        ..tick(schedule, Outcome::Fired)
    };
    (after, tick, job)
}

async fn turned(
    store: &Opened,
    before: &Schedule,
    after: &Schedule,
    tick: TickWrite<'_>,
    job: Option<(&Job, u64)>,
) -> Turned {
    let spec = stored().spec;
    let row = |(job, most)| {
        let row = NewRow {
            job,
            spec: &spec,
            replaces: None,
        };
        (row, most)
    };
    let turn = Turn {
        before,
        after,
        tick,
        job: job.map(row),
    };
    store.table.turn(&turn).await.unwrap()
}

pub(super) async fn a_schedule_is_written_once_and_reads_back(store: Opened) {
    let (table, schedule) = (&store.table, schedule_of(1, "ann"));
    assert_eq!(table.schedule(&schedule.id).await.unwrap(), None);
    assert_eq!(table.schedule_and_asked(&schedule.id).await.unwrap(), None);
    let kept = Kept {
        name: "name".to_owned(),
        request: "request".to_owned(),
        at: START,
        answer: Answer::Schedule(schedule.id.clone()),
    };
    for _ in 0..2 {
        let added = table.add(&schedule, &stored(), 10, Some(&kept)).await;
        assert_eq!(added.unwrap(), Added::Written, "the second is an echo");
    }
    let (row, asked) = table
        .schedule_and_asked(&schedule.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row, schedule);
    assert_eq!(
        (asked.spec, asked.body),
        (request().job.spec, request().body)
    );
    assert_eq!(table.schedule(&schedule.id).await.unwrap(), Some(row));
    let other = schedule_of(2, "ann");
    let added = table.add(&other, &stored(), 10, Some(&kept)).await.unwrap();
    assert_eq!(added, Added::Answered(Box::new(kept)));
    assert_eq!(table.schedule(&other.id).await.unwrap(), None);
}

pub(super) async fn a_customer_has_no_more_schedules_than_allowed(store: Opened) {
    let table = &store.table;
    let all: Vec<_> = (1..=3).map(|it| schedule_of(it, "ann")).collect();
    for schedule in &all[..2] {
        let added = table.add(schedule, &stored(), 2, None).await.unwrap();
        assert_eq!(added, Added::Written);
    }
    let full = table.add(&all[2], &stored(), 2, None).await.unwrap();
    assert_eq!(full, Added::Full);
    added(&store, &schedule_of(4, "bob")).await;
    let gone = all[0].removed(stamp(5));
    for _ in 0..2 {
        let replaced = table.replace(&all[0], &gone, None).await.unwrap();
        assert_eq!(replaced, Replaced::Written, "the second is an echo");
    }
    let added = table.add(&all[2], &stored(), 2, None).await.unwrap();
    assert_eq!(added, Added::Written);
    let full = table.add(&schedule_of(5, "ann"), &stored(), 2, None).await;
    assert_eq!(full.unwrap(), Added::Full, "it was counted out once");
}

pub(super) async fn a_schedule_is_replaced_once_by_those_who_have_read_it(store: Opened) {
    let (table, first) = (&store.table, schedule_of(1, "ann"));
    added(&store, &first).await;
    let next = first.told(stamp(2), 1);
    for _ in 0..2 {
        let replaced = table.replace(&first, &next, None).await.unwrap();
        assert_eq!(replaced, Replaced::Written, "the second is an echo");
    }
    let rival = first.paused(stamp(3));
    let lost = table.replace(&first, &rival, None).await.unwrap();
    assert_eq!(lost, Replaced::Lost(Some(Box::new(next.clone()))));
    let mut new = request();
    new.job.spec.attempts = 7;
    let changed = next.changed(stamp(4), &new);
    let asked = new.stored().unwrap();
    let replaced = table.replace(&next, &changed, Some(&asked));
    assert_eq!(replaced.await.unwrap(), Replaced::Written);
    let (row, asked) = table.schedule_and_asked(&first.id).await.unwrap().unwrap();
    assert_eq!((row, asked.spec.attempts), (changed, 7));
    let unknown = schedule_of(9, "ann");
    let lost = table
        .replace(&unknown, &unknown.paused(stamp(5)), None)
        .await;
    assert_eq!(lost.unwrap(), Replaced::Lost(None));
}

pub(super) async fn a_tick_is_written_once_with_its_row_and_its_job(store: Opened) {
    let (table, first) = (&store.table, schedule_of(1, "ann"));
    added(&store, &first).await;
    let (after, tick, job) = first_run(&first);
    let new = TickWrite::New(&tick);
    for _ in 0..2 {
        let turned = turned(&store, &first, &after, new, Some((&job, 5))).await;
        assert_eq!(turned, Turned::Written, "the second is an echo");
    }
    assert_eq!(counts(&store).await, [1, 0, 0]);
    assert_eq!(table.job(&job.id).await.unwrap(), Some(job.clone()));
    assert_eq!(
        table.schedule(&first.id).await.unwrap(),
        Some(after.clone())
    );
    assert_eq!(
        table.tick(&first.id, START).await.unwrap(),
        Some(tick.clone())
    );
    // Whoever comes with the same tick, whatever row he has read.
    let other = job_of(2, "ann");
    let again = after.fired(
        stamp(7),
        after.current.clone().unwrap(),
        Trigger::Schedule,
        false,
    );
    for before in [&first, &after] {
        let turned = turned(&store, before, &again, new, Some((&other, 5))).await;
        assert_eq!(turned, Turned::Handled);
    }
    // Another tick of one who has read an older row.
    let later = Tick {
        at: Timestamp::from_millis(START.as_millis() + 60_000),
        ..tick.clone()
    };
    let later = TickWrite::New(&later);
    let lost = turned(&store, &first, &again, later, Some((&other, 5))).await;
    assert_eq!(lost, Turned::Lost(Some(Box::new(after.clone()))));
    let full = turned(&store, &after, &again, later, Some((&other, 1))).await;
    assert_eq!(full, Turned::Full);
    assert_eq!(
        table.job(&other.id).await.unwrap(),
        None,
        "all of it or nothing"
    );
    assert_eq!(table.tick(&first.id, later.tick().at).await.unwrap(), None);
    assert_eq!(counts(&store).await, [1, 0, 0]);
}

pub(super) async fn a_lost_answer_to_a_tick_makes_no_second_job(store: Opened) {
    let first = schedule_of(1, "ann");
    store.goes_wrong([Fault::LostAnswer]);
    added(&store, &first).await;
    let (after, tick, job) = first_run(&first);
    for fault in [Fault::Conflict, Fault::LostAnswer] {
        store.goes_wrong([fault]);
        let new = TickWrite::New(&tick);
        let turned = turned(&store, &first, &after, new, Some((&job, 5))).await;
        assert_eq!(turned, Turned::Written);
    }
    assert!(store.all_went_wrong());
    assert_eq!(counts(&store).await, [1, 0, 0]);
}

pub(super) async fn a_tick_that_is_held_is_released_once(store: Opened) {
    let (table, first) = (&store.table, schedule_of(1, "ann"));
    added(&store, &first).await;
    let holding = first.holding(stamp(2), START, false);
    let held = tick(&first, Outcome::Held);
    let new = TickWrite::New(&held);
    for _ in 0..2 {
        let turned = turned(&store, &first, &holding, new, None).await;
        assert_eq!(turned, Turned::Written);
    }
    let (_, fired, job) = first_run(&first);
    let run = Run {
        job: job.id.clone(),
        at: START,
    };
    let after = holding.released(stamp(3), run.clone());
    for _ in 0..2 {
        let release = TickWrite::Held(&fired);
        let turned = turned(&store, &holding, &after, release, Some((&job, 5))).await;
        assert_eq!(turned, Turned::Written);
    }
    assert_eq!(
        table.tick(&first.id, START).await.unwrap(),
        Some(fired.clone())
    );
    let rival = after.released(stamp(4), run);
    let again = turned(&store, &after, &rival, TickWrite::Held(&fired), None).await;
    assert_eq!(again, Turned::Handled, "nothing is held any more");
}

pub(super) async fn notes_and_ends_are_kept_until_nobody_needs_them(store: Opened) {
    let (table, schedule) = (&store.table, schedule_of(1, "ann"));
    let at = |minute: i64| Timestamp::from_millis(START.as_millis() + minute * 60_000);
    // It ends nothing that is not there.
    table
        .end_tick(&schedule.id, START, Status::Failed)
        .await
        .unwrap();
    assert_eq!(table.tick(&schedule.id, START).await.unwrap(), None);
    for minute in 0..7 {
        let tick = Tick::new(&schedule.id, at(minute), Outcome::Skipped, at(minute));
        table.note(&tick).await.unwrap();
        let other = Tick {
            outcome: Outcome::Missed,
            ..tick
        };
        table.note(&other).await.unwrap();
    }
    table
        .end_tick(&schedule.id, at(6), Status::Completed)
        .await
        .unwrap();
    let ticks = table.ticks(&schedule.id, at(7), 5).await.unwrap();
    let told: Vec<_> = ticks
        .iter()
        .map(|it| (it.at, it.outcome, it.ended))
        .collect();
    let expected = (2..7).rev().map(|minute| {
        let ended = (minute == 6).then_some(Status::Completed);
        (at(minute), Outcome::Skipped, ended)
    });
    assert_eq!(told, expected.collect::<Vec<_>>());
    let ticks = table.ticks(&schedule.id, at(5) + KEPT, 5).await.unwrap();
    assert_eq!(ticks.len(), 1, "only the last is not over");
    assert_eq!(
        table
            .ticks(&schedule_of(2, "ann").id, at(7), 5)
            .await
            .unwrap(),
        []
    );
}

pub(super) async fn pages_of_schedules_hold_every_one_once_newest_first(store: Opened) {
    let table = &store.table;
    let mut all = Vec::new();
    for number in 1..=9 {
        let schedule = schedule_of(number, if number % 3 == 0 { "bob" } else { "ann" });
        added(&store, &schedule).await;
        all.push(schedule);
    }
    let gone = all[4].removed(stamp(9));
    table.replace(&all[4], &gone, None).await.unwrap();
    let [ann, bob] = ["ann", "bob"].map(|name| CustomerId::parse(name).unwrap());
    for (scope, count) in [
        (Scope::Everyone, 8),
        (Scope::Customer(&ann), 5),
        (Scope::Customer(&bob), 3),
    ] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = table
                .list_schedules(scope, before.as_ref(), 2)
                .await
                .unwrap();
            seen.extend(page.schedules.into_iter().map(|it| it.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), count);
        assert!(seen.is_sorted_by(|one, other| one > other));
    }
    // Lists of jobs have none of them.
    for scope in [Scope::Everyone, Scope::Customer(&ann)] {
        let jobs = table.list(scope, None, 10).await.unwrap();
        assert_eq!((jobs.jobs, jobs.next), (Vec::new(), None));
    }
    let ids: Vec<_> = all.iter().map(|it| it.id.clone()).collect();
    let unknown = ScheduleId::new(START, 99);
    let asked = [&ids[..], &[unknown]].concat();
    let known: BTreeSet<_> = table.known(&asked).await.unwrap().into_iter().collect();
    assert_eq!(known, ids.into_iter().collect(), "also the deleted one");
    assert_eq!(table.known(&[]).await.unwrap(), []);
}

pub(super) async fn what_is_owed_to_a_schedule_comes_due_until_it_is_removed(store: Opened) {
    let (table, first) = (&store.table, schedule_of(1, "ann"));
    added(&store, &first).await;
    let due = async |until| table.due(DueList::Schedule, 0, until, 9).await.unwrap();
    assert_eq!(due(START).await, []);
    let at = first.place_at.unwrap();
    assert_eq!(due(at).await, [RowId::Schedule(first.id.clone())]);
    let known = first.told(stamp(2), 1);
    table.replace(&first, &known, None).await.unwrap();
    assert_eq!(due(at).await, []);
    let gone = known.removed(stamp(3));
    table.replace(&known, &gone, None).await.unwrap();
    assert_eq!(due(gone.place_at.unwrap()).await.len(), 1);
    // What has been written since is not removed.
    table.remove_schedule(&known).await.unwrap();
    assert_eq!(table.schedule(&first.id).await.unwrap(), Some(gone.clone()));
    for _ in 0..2 {
        table.remove_schedule(&gone).await.unwrap();
        assert_eq!(table.schedule(&first.id).await.unwrap(), None);
        assert_eq!(table.schedule_and_asked(&first.id).await.unwrap(), None);
    }
    assert_eq!(due(gone.place_at.unwrap()).await, []);
    assert_eq!(store.partitions().len(), 1, "the customer's counts alone");
}
