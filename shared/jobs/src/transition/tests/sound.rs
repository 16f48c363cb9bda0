//! What holds of every row at every moment, and of what it notes to be told.

use super::*;

/// Each end and each beginning is noted once, in the write that makes it, where anybody hears.
pub(super) fn tells(before: &Job, after: &Job) {
    let noted: Vec<_> = after
        .outbox
        .iter()
        .flat_map(|outbox| &outbox.untold)
        .collect();
    let noted = noted.iter().filter(|it| it.revision == after.revision);
    let noted: Vec<_> = noted.map(|it| it.kind).collect();
    let ends = !before.state.is_terminal() && after.state.is_terminal();
    let begins = before.started_at.is_none() && after.started_at.is_some();
    let is_heard = after.outbox.is_some();
    let terminal = noted.iter().filter(|kind| kind.is_terminal()).count();
    assert_eq!(terminal, usize::from(ends && is_heard), "{noted:?}");
    let started = noted.iter().filter(|kind| **kind == EventType::JobStarted);
    assert_eq!(
        started.count(),
        usize::from(begins && is_heard),
        "{noted:?}"
    );
    if after.untold().is_some() {
        let due = after.outbox.as_ref().and_then(|outbox| outbox.due());
        assert!(after.due().map(|(_, at)| at) <= due, "it is told by nobody");
    }
}

/// What holds for every row at every moment.
pub(super) fn is_sound(job: &Job, now: Timestamp) {
    assert!(job.attempts.len() <= usize::from(job.max_attempts.max(MOST_RESTARTS)));
    assert_eq!(job.finished_at.is_some(), job.state.is_terminal());
    assert_eq!(job.lease_until.is_some(), job.state == State::Active);
    assert!(!job.pause_requested || job.state == State::Active);
    assert_eq!(job.result.is_some(), job.state == State::Completed);
    assert_eq!(job.due_at.is_none(), job.state == State::Paused);
    let Some(due_at) = job.due_at else { return };
    match job.state {
        State::Active => assert!(Some(due_at) <= job.lease_until, "the lease ends unseen"),
        State::Queued => {
            let latest = job.eligible_at.max(now) + Duration::from_mins(15);
            assert!(due_at <= latest, "a lost message stays lost until {due_at}");
        }
        _ => assert!(Some(due_at) >= job.finished_at),
    }
}
