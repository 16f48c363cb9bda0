//! Who may go on with an operation, and when it is over.

use super::*;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LEASE: Duration = Duration::from_mins(1);

fn stamp(now: Timestamp) -> Stamp {
    Stamp { now, nonce: 7 }
}

fn begun() -> Operation {
    let new = NewOperation::of(Kind::Drain, None);
    let id = OperationId::new(START, 1);
    Operation::new(id, stamp(START), START + LEASE, &new, None, None)
}

fn step(cursor: Option<&str>) -> Step {
    let progress = Progress {
        examined: 3,
        changed: 1,
        taken: 1,
        full: 1,
        unfit: 0,
    };
    Step {
        progress,
        cursor: cursor.map(str::to_owned),
        upload: None,
    }
}

#[test]
fn one_runner_goes_on_and_after_its_lease_another() {
    let operation = begun();
    let (soon, later) = (START + LEASE / 2, START + LEASE);
    assert_eq!(operation.taken(stamp(soon), soon + LEASE), None);
    let taken = operation.taken(stamp(later), later + LEASE).unwrap();
    assert_eq!(taken.due_at, later + LEASE);
    assert_eq!(taken.revision, operation.revision + 1);
    let released = operation.released(stamp(soon)).unwrap();
    assert!(released.taken(stamp(soon), soon + LEASE).is_some());
    assert_eq!(released.released(stamp(soon)), None);
}

#[test]
fn an_operation_without_a_next_step_has_ended_and_goes_a_day_later() {
    let operation = begun();
    let on = operation.advanced(stamp(START), step(Some("there")), None);
    assert_eq!((on.due_at, on.finished_at), (START, None));
    assert_eq!(on.cursor.as_deref(), Some("there"));
    let end = on.advanced(stamp(START), step(None), Some(START + LEASE));
    assert_eq!((end.finished_at, end.lease_until), (Some(START), None));
    assert_eq!((end.progress.examined, end.progress.skipped()), (6, 4));
    assert_eq!(end.taken(stamp(START), START + LEASE), None);
    assert!(!end.is_expired(START) && end.is_expired(START + KEPT));
    assert!(!on.is_expired(START + KEPT));
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::parse("explode"), None);
}
