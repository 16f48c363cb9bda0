//! Many jobs in one write, the parts of a batch, and the answers that are kept.

use std::time::Duration;

use jobs::batch::{Batch, LEASE};
use jobs::idempotency::{Answer, Kept, Outcome};
use jobs::ports::{Batches, Begun, Chunk, Chunked, Created, Creation, Guard, NewRow, Owner, Store};
use jobs::spec::CustomerId;
use jobs::transition::Stamp;
use jobs::{BatchId, Job, JobId, NewBatch, NewWork, Timestamp};
use serde_json::json;

use super::rows::{START, claimed, creation, failed, job};
use super::stores::{Fault, Opened};
use super::{commit, counts, given};

const SPEC: &str = "{}";
const MS: Duration = Duration::from_millis(1);
/// Calls that the SDK makes before it gives up.
const TRIES: usize = 3;

/// As [`job`], with a fingerprint of its own.
fn single(number: u64) -> Job {
    Job {
        fingerprint: Some(format!("fingerprint {number}")),
        ..job(number)
    }
}

fn rows(jobs: &[Job]) -> Vec<NewRow<'_>> {
    let row = |job| NewRow {
        job,
        spec: SPEC,
        replaces: None,
    };
    jobs.iter().map(row).collect()
}

async fn write(store: &Opened, jobs: &[Job], most: u64, kept: Option<&Kept>) -> Chunked {
    let customer = CustomerId::default();
    let guard = Guard::Room {
        customer: &customer,
        max_unfinished: most,
        kept,
    };
    let rows = rows(jobs);
    store.table.write(&Chunk { rows, guard }).await.unwrap()
}

fn kept(name: &str, at: Duration, answer: Answer) -> Kept {
    Kept {
        name: name.to_owned(),
        request: "request".to_owned(),
        at: START + at,
        answer,
    }
}

fn outcome(job: &Job, deduplicated: bool) -> Outcome {
    Outcome {
        job_id: job.id.clone(),
        deduplicated,
    }
}

fn stamp(nonce: u64) -> Stamp {
    Stamp {
        now: START + Duration::from_secs(nonce),
        nonce,
    }
}

/// A batch of three, none of which is decided.
fn batch() -> Batch {
    let body = json!({
        "type": "single-page", "urls": ["http://a.example", "http://b.example", "http://c.example"],
        "customerId": "default", "staggerDelay": 7, "deduplicateFor": 9, "priority": "high",
    });
    let new: NewBatch = match NewWork::parse(&body, |_| Vec::new(), Timestamp::default()) {
        Ok(NewWork::Batch(new)) => *new,
        other => unreachable!("{other:?}"),
    };
    let id = BatchId::new(START, 1);
    Batch::new(id, CustomerId::default(), new, vec![None; 3], stamp(1))
}

async fn begin(store: &Opened, batch: &Batch, jobs: u64, most: u64, kept: Option<&Kept>) -> Begun {
    let begun = store.table.begin(batch, jobs, most, kept).await;
    begun.unwrap()
}

async fn write_part(
    store: &Opened,
    jobs: &[Job],
    [seen, next]: [&Batch; 2],
    given_back: u64,
) -> Chunked {
    let guard = Guard::Batch {
        seen,
        next,
        given_back,
    };
    let rows = rows(jobs);
    store.table.write(&Chunk { rows, guard }).await.unwrap()
}

pub(super) async fn many_jobs_are_written_as_one_or_not_at_all(store: Opened) {
    let jobs: Vec<_> = (1..=25).map(single).collect();
    assert_eq!(write(&store, &jobs, 24, None).await, Chunked::Full);
    assert_eq!(counts(&store).await, [0, 0, 0]);
    for _ in 0..2 {
        assert_eq!(write(&store, &jobs, 25, None).await, Chunked::Written);
        assert_eq!(counts(&store).await, [25, 0, 0], "the second is an echo");
    }
    for job in &jobs {
        let row = store.table.job(&job.id).await.unwrap();
        assert_eq!(row.as_ref(), Some(job));
    }
    // One that is owned already refuses all, also where there is no room.
    let mut others: Vec<_> = (101..=105).map(single).collect();
    others[3].fingerprint.clone_from(&jobs[7].fingerprint);
    for most in [25, 1_000] {
        assert_eq!(write(&store, &others, most, None).await, Chunked::Owned);
    }
    others[3].fingerprint = None;
    assert_eq!(write(&store, &others, 29, None).await, Chunked::Full);
    assert_eq!(counts(&store).await, [25, 0, 0]);
    assert_eq!(write(&store, &others, 30, None).await, Chunked::Written);
    assert_eq!(counts(&store).await, [30, 0, 0]);
}

pub(super) async fn an_answer_is_kept_until_its_time_whoever_asks(store: Opened) {
    let day = Kept::FOR;
    let jobs = [single(1), single(2)];
    let outcomes = vec![outcome(&jobs[0], false), outcome(&jobs[1], true)];
    let first = kept("one", Duration::ZERO, Answer::Jobs(outcomes));
    let written = write(&store, &jobs, 9, Some(&first)).await;
    assert_eq!(written, Chunked::Written);
    let answered = Chunked::Answered(Box::new(first.clone()));
    // Asked again: with other ids, without room, by another kind of request.
    let others = [single(11), single(12)];
    for (most, at) in [(9, Duration::ZERO), (0, day.checked_sub(MS).unwrap())] {
        let again = kept("one", at, Answer::Jobs(Vec::new()));
        let written = write(&store, &others, most, Some(&again)).await;
        assert_eq!(written, answered);
        let begun = begin(&store, &batch(), 3, most, Some(&again)).await;
        assert_eq!(begun, Begun::Answered(Box::new(first.clone())));
        let created = Creation {
            kept: Some(&again),
            max_unfinished: most,
            ..creation(&others[0], SPEC)
        };
        let created = store.table.create(&created).await.unwrap();
        assert_eq!(created, Created::Answered(Box::new(first.clone())));
        assert_eq!(
            store.table.keep(&again).await.unwrap().as_ref(),
            Some(&first)
        );
        let read = store.table.kept("one", START + at).await.unwrap();
        assert_eq!(read.as_ref(), Some(&first));
    }
    assert_eq!(counts(&store).await, [2, 0, 0]);
    assert_eq!(store.table.kept("two", START).await.unwrap(), None);
    assert_eq!(store.table.kept("one", START + day).await.unwrap(), None);
    let next = kept("one", day, Answer::Job(outcome(&others[0], true)));
    assert_eq!(store.table.keep(&next).await.unwrap(), None, "free again");
    let read = store.table.kept("one", START + day).await.unwrap();
    assert_eq!(read, Some(next));
}

pub(super) async fn a_single_job_is_written_with_its_answer(store: Opened) {
    for (number, job) in [(1, job(1)), (2, single(2))] {
        let name = format!("key {number}");
        let answer = kept(&name, Duration::ZERO, Answer::Job(outcome(&job, false)));
        let create = async |job: &Job| {
            let creation = Creation {
                kept: Some(&answer),
                ..creation(job, SPEC)
            };
            store.table.create(&creation).await.unwrap()
        };
        for _ in 0..2 {
            assert_eq!(create(&job).await, Created::New, "the second is an echo");
        }
        let rival = Job {
            id: JobId::new(START, 99),
            ..job.clone()
        };
        let answered = Created::Answered(Box::new(answer.clone()));
        assert_eq!(create(&rival).await, answered);
        assert_eq!(store.table.job(&rival.id).await.unwrap(), None);
    }
    assert_eq!(counts(&store).await, [2, 0, 0]);
}

pub(super) async fn a_batch_begins_once_with_room_for_all(store: Opened) {
    let batch = batch();
    let answer = kept("key", Duration::ZERO, Answer::Batch(batch.id.clone()));
    let begun = begin(&store, &batch, 3, 2, Some(&answer)).await;
    assert_eq!(begun, Begun::Full);
    assert_eq!(store.table.batch(&batch.id).await.unwrap(), None);
    for _ in 0..2 {
        let begun = begin(&store, &batch, 3, 3, Some(&answer)).await;
        assert_eq!(begun, Begun::Written, "the second is an echo");
    }
    let read = store.table.batch(&batch.id).await.unwrap();
    assert_eq!(read.as_ref(), Some(&batch));
    assert_eq!(counts(&store).await, [3, 0, 0]);
    let rival = Batch {
        id: BatchId::new(START, 2),
        ..batch.clone()
    };
    let begun = begin(&store, &rival, 3, 9, Some(&answer)).await;
    assert_eq!(begun, Begun::Answered(Box::new(answer)));
    assert_eq!(counts(&store).await, [3, 0, 0]);
}

pub(super) async fn each_part_of_a_batch_is_written_by_one_alone(store: Opened) {
    let first = batch();
    assert_eq!(begin(&store, &first, 3, 9, None).await, Begun::Written);
    let jobs = [single(1), single(2)];
    let decided = vec![Some(outcome(&jobs[0], false)), None, None];
    let second = first.with(decided.clone(), stamp(2));
    let rival = first.with(decided, stamp(3));
    for _ in 0..2 {
        let written = write_part(&store, &jobs[..1], [&first, &second], 0).await;
        assert_eq!(written, Chunked::Written, "the second is an echo");
    }
    let lost = write_part(&store, &jobs[1..], [&first, &rival], 1).await;
    assert_eq!(lost, Chunked::Lost(Some(Box::new(second.clone()))));
    assert_eq!(store.table.job(&jobs[1].id).await.unwrap(), None);
    assert_eq!(counts(&store).await, [3, 0, 0]);

    // An owner that is met refuses the part; its place is given back with the next try.
    let equal = Job {
        fingerprint: jobs[0].fingerprint.clone(),
        ..job(3)
    };
    let decided = vec![
        Some(outcome(&jobs[0], false)),
        Some(outcome(&jobs[0], true)),
        Some(outcome(&jobs[1], false)),
    ];
    let last = second.with(decided.clone(), stamp(4));
    let part = [equal, jobs[1].clone()];
    let owned = write_part(&store, &part, [&second, &last], 0).await;
    assert_eq!(owned, Chunked::Owned);
    for _ in 0..2 {
        let written = write_part(&store, &jobs[1..], [&second, &last], 1).await;
        assert_eq!(written, Chunked::Written);
        assert_eq!(counts(&store).await, [2, 0, 0]);
    }
    let read = store.table.batch(&first.id).await.unwrap().unwrap();
    assert_eq!(read, last);
    assert_eq!(read.finished().unwrap().len(), 3);
    assert_eq!(read.work, None, "what is done needs nothing any more");
    assert_eq!(read.expires_at, Some(stamp(4).now + Kept::FOR));
    let gone = Batch {
        id: BatchId::new(START, 9),
        ..last.clone()
    };
    let lost = write_part(&store, &[], [&gone, &gone.with(Vec::new(), stamp(5))], 0).await;
    assert_eq!(lost, Chunked::Lost(None));
}

pub(super) async fn an_unfinished_batch_comes_due_and_a_finished_one_does_not(store: Opened) {
    let open = batch();
    begin(&store, &open, 3, 9, None).await;
    let due = async |until: Duration| {
        let mut found = Vec::new();
        for shard in 0..jobs::ports::DUE_SHARDS {
            let list = jobs::job::DueList::Work;
            let due = store.table.due(list, shard, START + until, 10).await;
            found.extend(due.unwrap());
        }
        found
    };
    let lease_ends = Duration::from_secs(1) + LEASE;
    assert_eq!(due(lease_ends.checked_sub(MS).unwrap()).await, []);
    let row = jobs::RowId::Batch(open.id.clone());
    assert_eq!(due(lease_ends).await, [row]);
    let ended = store.table.ended(&open.id, Duration::from_secs(2)).await;
    assert_eq!(ended.unwrap().as_ref(), Some(&open), "patience has an end");
    let decided = vec![Some(outcome(&job(1), true)); 3];
    let done = open.with(decided, stamp(2));
    let written = write_part(&store, &[], [&open, &done], 3).await;
    assert_eq!(written, Chunked::Written);
    assert_eq!(due(Duration::from_hours(1)).await, []);
    let ended = store.table.ended(&open.id, Duration::ZERO).await;
    assert_eq!(ended.unwrap(), Some(done));
    assert_eq!(counts(&store).await, [0, 0, 0]);
    // Lists and counts know jobs alone.
    let listed = store.table.list(jobs::ports::Scope::Everyone, None, 10);
    assert_eq!(listed.await.unwrap().jobs, []);
}

pub(super) async fn owners_are_named_with_their_rows(store: Opened) {
    let (unfinished, ended, gone) = (single(1), single(2), single(3));
    given(&store, &[&unfinished, &ended, &gone]).await;
    let active = claimed(&ended);
    commit(&store, &ended, &active).await;
    let ended = failed(&active);
    commit(&store, &active, &ended).await;
    let names = ["fingerprint 2", "fingerprint 9", "fingerprint 1"];
    let owners = store.table.owners(&names).await.unwrap();
    let owner = |job: &Job| {
        Some(Owner {
            id: job.id.clone(),
            job: Some(job.clone()),
        })
    };
    assert_eq!(owners, [owner(&ended), None, owner(&unfinished)]);
    assert_eq!(store.table.owners(&names[1..2]).await.unwrap(), [None]);
    let names: Vec<_> = (1..=100).map(|it| format!("fingerprint {it}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let owners = store.table.owners(&names).await.unwrap();
    assert_eq!(owners.iter().flatten().count(), 3);
}

pub(super) async fn a_write_of_many_that_goes_wrong_can_be_repeated(store: Opened) {
    let all_lost = || std::iter::repeat_n(Fault::LostAnswer, TRIES);
    let jobs = [single(1), single(2)];
    let answer = kept("key", Duration::ZERO, Answer::Jobs(Vec::new()));
    let customer = CustomerId::default();
    let guard = Guard::Room {
        customer: &customer,
        max_unfinished: 2,
        kept: Some(&answer),
    };
    let rows = rows(&jobs);
    let chunk = Chunk { rows, guard };
    store.goes_wrong(all_lost());
    assert!(store.table.write(&chunk).await.is_err());
    store.goes_wrong([Fault::Conflict]);
    let written = store.table.write(&chunk).await.unwrap();
    assert_eq!(written, Chunked::Written);

    let first = batch();
    store.goes_wrong([Fault::Conflict, Fault::LostAnswer]);
    assert_eq!(begin(&store, &first, 3, 9, None).await, Begun::Written);
    let decided = vec![None, Some(outcome(&job(1), true)), None];
    let second = first.with(decided, stamp(2));
    let part = [single(5)];
    store.goes_wrong([Fault::LostAnswer]);
    let written = write_part(&store, &part, [&first, &second], 1).await;
    assert_eq!(written, Chunked::Written);
    assert!(store.all_went_wrong());
    assert_eq!(counts(&store).await, [2 + 3 - 1, 0, 0]);
}
