//! The stored row: what it looks like in each state, since other versions read it, and that it reads
//! back whatever it holds.

use std::time::Duration;

use jobs::outbox::{Happening, ToldFailure};
use jobs::{EventType, FailureCode};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn queued() -> Job {
    Job {
        id: JobId::new(START, 7),
        customer: CustomerId::default(),
        kind: JobType::SinglePage,
        url: "http://site.example/".to_owned(),
        priority: Priority::High,
        state: State::Queued,
        created_at: START,
        eligible_at: START + Duration::from_secs(5),
        started_at: None,
        finished_at: None,
        max_attempts: 3,
        attempts: Vec::new(),
        fence: 0,
        revision: 1,
        nonce: 42,
        lease_until: None,
        pause_requested: false,
        due_at: Some(START + Duration::from_secs(65)),
        resends: 0,
        fingerprint: None,
        result: None,
        crawl: None,
        outbox: None,
        run_of: None,
    }
}

fn attempt(code: FailureCode) -> Attempt {
    Attempt {
        at: START + Duration::from_secs(9),
        failure: Failure::new(code, "a sentence"),
    }
}

/// An item as JSON: numbers are numbers, everything else is what it is.
fn shape(item: &Item) -> Value {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(number) => json!(number.parse::<i64>().unwrap()),
        AttributeValue::Bool(bool) => json!(bool),
        AttributeValue::M(map) => shape(map),
        AttributeValue::L(list) => list
            .iter()
            .map(|value| value.as_m().map(shape).unwrap())
            .collect(),
        other => panic!("{other:?}"),
    };
    let entries = item.iter().map(|(name, it)| (name.clone(), value(it)));
    Value::Object(entries.collect::<Map<_, _>>())
}

/// What every row of these tests has, with `more`.
fn golden(more: Value) -> Value {
    let mut golden = json!({
        "pk": "job_01hf7yat000000000000000007", "sk": "state",
        "list_customer": "default", "list_shard": "0", "type": "single-page",
        "url": "http://site.example/", "priority": "high",
        "created_at": 1_700_000_000_000_i64, "eligible_at": 1_700_000_005_000_i64,
        "max_attempts": 3, "fence": 0, "revision": 1, "nonce": 42,
    });
    let Value::Object(more) = more else {
        unreachable!("an object");
    };
    golden.as_object_mut().unwrap().extend(more);
    golden
}

#[test]
fn a_row_has_one_shape_in_each_state() {
    let work = json!({"state": "queued", "due_list": "work#0", "due_at": 1_700_000_065_000_i64});
    assert_eq!(shape(&encode(&queued())), golden(work));

    let active = Job {
        state: State::Active,
        started_at: Some(START + Duration::from_secs(6)),
        lease_until: Some(START + Duration::from_secs(71)),
        fence: 2,
        attempts: vec![attempt(FailureCode::Http(503))],
        pause_requested: true,
        resends: 1,
        fingerprint: Some("f".to_owned()),
        run_of: Some(RunOf {
            schedule: ScheduleId::new(START, 9),
            at: START,
        }),
        ..queued()
    };
    let expected = json!({
        "state": "active", "due_list": "work#0", "due_at": 1_700_000_065_000_i64,
        "started_at": 1_700_000_006_000_i64, "lease_until": 1_700_000_071_000_i64, "fence": 2,
        "attempts": [
            {"at": 1_700_000_009_000_i64, "code": "http_503", "message": "a sentence"}],
        "pause_requested": true, "resends": 1, "fingerprint": "f",
        "run_of": "sch_01hf7yat000000000000000009 1700000000000",
        "active_shard": "3", "active_key": "default\u{1}job_01hf7yat000000000000000007",
    });
    assert_eq!(shape(&encode(&active)), golden(expected));

    // Nothing is due of a paused job, so that it stands in no due list.
    let paused = Job {
        state: State::Paused,
        due_at: None,
        ..queued()
    };
    assert_eq!(shape(&encode(&paused)), golden(json!({"state": "paused"})));

    let completed = Job {
        state: State::Completed,
        finished_at: Some(START + Duration::from_secs(8)),
        result: Some(ResultRef {
            fence: 1,
            place: Place::Blob,
            bytes: 9,
        }),
        ..queued()
    };
    let expected = json!({
        "state": "completed", "due_list": "purge#0", "due_at": 1_700_000_065_000_i64,
        "finished_at": 1_700_000_008_000_i64,
        "result": {"fence": 1, "place": "blob", "bytes": 9},
    });
    assert_eq!(shape(&encode(&completed)), golden(expected));

    for (state, name) in [(State::Failed, "failed"), (State::Cancelled, "cancelled")] {
        let ended = Job { state, ..queued() };
        let expected = json!({
            "state": name, "due_list": "purge#0", "due_at": 1_700_000_065_000_i64,
        });
        assert_eq!(shape(&encode(&ended)), golden(expected));
    }
}

#[test]
fn a_row_that_is_damaged_says_where() {
    let whole = encode(&queued());
    let optional = ["sk", "due_list", "due_at", "list_shard"];
    for name in whole
        .keys()
        .filter(|name| !optional.contains(&name.as_str()))
    {
        let mut missing = whole.clone();
        missing.remove(name);
        let mut other = whole.clone();
        other.insert(name.clone(), AttributeValue::Bool(true));
        for item in [missing, other] {
            let Err(PortError::Corrupt(said)) = decode(&item) else {
                panic!("{name} is not missed");
            };
            assert!(said.contains(name), "{name}: {said}");
        }
    }
}

fn times() -> impl Strategy<Value = Option<Timestamp>> {
    // Far beyond any life of a job.
    proptest::option::of((0..4_000_000_000_000_i64).prop_map(Timestamp::from_millis))
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let named = proptest::sample::select(&FailureCode::NAMED);
    let code = prop_oneof![
        named.prop_map(|(code, _)| code),
        any::<u16>().prop_map(FailureCode::Http),
    ];
    let attempt = (code, ".{0,300}").prop_map(|(code, message)| Attempt {
        at: START,
        failure: Failure::new(code, message),
    });
    proptest::collection::vec(attempt, 0..=10)
}

fn results() -> impl Strategy<Value = Option<ResultRef>> {
    let place = prop_oneof![Just(Place::Item), Just(Place::Blob)];
    let result = (any::<u64>(), place, any::<u64>());
    proptest::option::of(result.prop_map(|(fence, place, bytes)| ResultRef {
        fence,
        place,
        bytes,
    }))
}

fn outboxes() -> impl Strategy<Value = Option<Box<Outbox>>> {
    let kind = proptest::sample::select(&EventType::ALL);
    let failure = proptest::option::of(("[a-z_]{1,20}", ".{0,240}", any::<bool>()).prop_map(
        |(code, message, retryable)| ToldFailure {
            code,
            message,
            retryable,
        },
    ));
    let percentage = proptest::option::of(0_u8..100);
    let segments = proptest::option::of(any::<(u32, u32)>());
    let happening = (
        kind,
        any::<u32>(),
        0_usize..11,
        percentage,
        failure,
        segments,
    )
        .prop_map(
            |(kind, revision, attempts, percentage, failure, segments)| Happening {
                kind,
                at: START,
                revision: revision.into(),
                attempts,
                percentage,
                failure,
                segments,
            },
        );
    let untold = proptest::collection::vec(happening, 0..5);
    let outbox = (untold, any::<u32>(), any::<u8>()).prop_map(|(untold, due, tries)| {
        Box::new(Outbox {
            untold,
            due_at: Timestamp::from_millis(due.into()),
            tries,
        })
    });
    proptest::option::of(outbox)
}

prop_compose! {
    fn rows()(
        state in proptest::sample::select(&State::ALL),
        priority in proptest::sample::select(&Priority::ALL),
        customer in "[ -~ü€]{1,128}",
        url in ".{0,200}",
        (started_at, finished_at, lease_until, due_at) in (times(), times(), times(), times()),
        attempts in attempts(),
        (fence, revision, nonce, resends) in any::<(u64, u64, u64, u32)>(),
        (max_attempts, pause_requested) in any::<(u8, bool)>(),
        fingerprint in proptest::option::of("[0-9a-f]{64}"),
        result in results(),
        run_at in times(),
        outbox in outboxes(),
    ) -> Job {
        Job {
            customer: CustomerId::parse(&customer).unwrap(),
            url, priority, state, started_at, finished_at, max_attempts, attempts, fence, revision,
            nonce, lease_until, pause_requested, due_at, resends, fingerprint, result, outbox,
            run_of: run_at.map(|at| RunOf { schedule: ScheduleId::new(START, fence.into()), at }),
            ..queued()
        }
    }
}

proptest! {
    #[test]
    fn every_row_reads_back(job in rows()) {
        prop_assert_eq!(decode(&encode(&job)).unwrap(), job);
    }
}
