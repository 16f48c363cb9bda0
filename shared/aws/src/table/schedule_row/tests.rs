//! The stored forms read back whatever they hold.

use proptest::option;
use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn times() -> impl Strategy<Value = Option<Timestamp>> {
    option::of((0..4_000_000_000_000_i64).prop_map(Timestamp::from_millis))
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000_000_i64).prop_map(Timestamp::from_millis)
}

prop_compose! {
    fn plans()(
        name in option::of("[ -~ü€]{1,100}"),
        cron in proptest::sample::select(&["* * * * *", "@daily", "0 0 1,15 * 1-5", "*/5 8-17 * JAN mon"]),
        zone in proptest::sample::select(&["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"]),
        (start, end) in (times(), times()),
        limit in option::of(1..1_000_000_u64),
        overlap in proptest::sample::select(&Overlap::ALL),
    ) -> Plan {
        Plan {
            name, start, end, limit, overlap,
            cron: Cron::parse(cron).unwrap(),
            zone: Zone::parse(zone).unwrap(),
        }
    }
}

prop_compose! {
    fn schedules()(
        plan in plans(),
        customer in "[ -~ü€]{1,128}",
        url in ".{0,200}",
        kind in proptest::sample::select(&JobType::ALL),
        priority in proptest::sample::select(&Priority::ALL),
        (paused, deleted) in any::<(bool, bool)>(),
        (fired, wanted, placed, failures, revision, nonce) in any::<(u64, u64, u64, u32, u64, u64)>(),
        (last_fired, caught_up_at, current, held, place_at, look_at)
            in (times(), times(), times(), times(), times(), times()),
        (since, created_at, updated_at) in (time(), time(), time()),
    ) -> Schedule {
        Schedule {
            id: ScheduleId::new(START, nonce.into()),
            customer: CustomerId::parse(&customer).unwrap(),
            current: current.map(|at| Run { job: JobId::new(at, 7), at }),
            plan, url, kind, priority, paused, deleted, fired, wanted, placed, failures, revision,
            nonce, last_fired, caught_up_at, held, place_at, look_at, since, created_at, updated_at,
        }
    }
}

prop_compose! {
    fn ticks()(
        (at, handled_at) in (time(), time()),
        outcome in proptest::sample::select(&Outcome::ALL),
        trigger in proptest::sample::select(&Trigger::ALL),
        job in times(),
        ended in option::of(proptest::sample::select(&Status::ALL)),
        reason in option::of(".{1,100}"),
    ) -> Tick {
        Tick {
            schedule: ScheduleId::new(START, 7),
            job: job.map(|at| JobId::new(at, 7)),
            at, handled_at, outcome, trigger, ended, reason,
        }
    }
}

proptest! {
    #[test]
    fn every_schedule_reads_back(schedule in schedules()) {
        prop_assert_eq!(decode(&encode(&schedule)).unwrap(), schedule);
    }

    #[test]
    fn every_tick_reads_back(tick in ticks()) {
        prop_assert_eq!(decode_tick(&encode_tick(&tick)).unwrap(), tick);
    }

    #[test]
    fn ticks_sort_as_their_instants_do(one in time(), other in time()) {
        let id = ScheduleId::new(START, 7);
        let key = |at| match &tick_key(&id, at)[keys::SK] {
            AttributeValue::S(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(key(one).cmp(&key(other)), one.cmp(&other));
    }
}
