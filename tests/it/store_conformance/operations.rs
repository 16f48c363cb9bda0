//! Rows of operations, pages of the due index, and the hold on the queue.

use std::collections::BTreeSet;

use jobs::hold::Hold;
use jobs::operation::{Kind, NewOperation, Operation, Step};
use jobs::ports::{Advanced, DUE_SHARDS, Operations};
use jobs::transition::Stamp;
use jobs::{OperationId, RowId, Timestamp};

use super::given;
use super::rows::{START, job};
use super::stores::Opened;

const fn stamp(nonce: u64) -> Stamp {
    Stamp { now: START, nonce }
}

fn operation() -> Operation {
    let new = NewOperation::of(Kind::Drain, None);
    let id = OperationId::new(START, 1);
    Operation::new(id, stamp(1), START, &new, None, None)
}

pub(super) async fn an_operation_is_advanced_once_by_those_who_have_read_it(store: Opened) {
    let (table, first) = (&store.table, operation());
    assert_eq!(table.operation(&first.id).await.unwrap(), None);
    for _ in 0..2 {
        table.begin(&first, &[]).await.unwrap();
    }
    let step = Step {
        cursor: Some("on".to_owned()),
        ..Step::default()
    };
    let next = first.advanced(stamp(2), step.clone(), None);
    for _ in 0..2 {
        let advanced = table.advance(&first, &next).await.unwrap();
        assert_eq!(advanced, Advanced::Written, "the second is an echo");
    }
    let rival = first.advanced(stamp(3), step, None);
    let lost = table.advance(&first, &rival).await.unwrap();
    assert_eq!(lost, Advanced::Lost(Some(Box::new(next.clone()))));
    assert_eq!(table.operation(&first.id).await.unwrap(), Some(next));
}

pub(super) async fn a_removed_operation_leaves_nothing(store: Opened) {
    let (table, ids) = (&store.table, [job(1).id, job(2).id]);
    let operation = Operation {
        listed: ids.len(),
        ..operation()
    };
    table.begin(&operation, &ids).await.unwrap();
    assert_eq!(table.listed(&operation.id).await.unwrap(), ids);
    let stale = Operation {
        revision: 9,
        ..operation.clone()
    };
    table.remove(&stale).await.unwrap();
    assert_eq!(store.partitions().len(), 2, "it is another by now");
    for _ in 0..2 {
        table.remove(&operation).await.unwrap();
        assert_eq!(store.partitions(), Vec::<String>::new());
    }
    assert_eq!(table.listed(&operation.id).await.unwrap(), []);
}

pub(super) async fn pages_of_the_due_index_hold_every_row_once(store: Opened) {
    // All due at the same instant: the place in between is more than a time.
    let mut jobs = Vec::new();
    for number in 1..=60 {
        let mut job = job(number);
        job.due_at = Some(START);
        jobs.push(job);
    }
    given(&store, &jobs.iter().collect::<Vec<_>>()).await;
    let mut found = BTreeSet::new();
    let mut pages = 0;
    for shard in 0..DUE_SHARDS {
        let mut after: Option<String> = None;
        loop {
            let page = store.table.due_from(shard, START, after.as_deref(), 3);
            let page = page.await.unwrap();
            pages += 1;
            for id in page.ids {
                assert!(found.insert(id.clone()), "{id:?} comes twice");
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    assert!(pages > 20);
    let all: BTreeSet<_> = jobs.into_iter().map(|job| RowId::Job(job.id)).collect();
    assert_eq!(found, all);
    let earlier = Timestamp::from_millis(START.as_millis() - 1);
    let none = store.table.due_from(0, earlier, None, 3).await.unwrap();
    assert_eq!(none.ids, []);
}

pub(super) async fn the_hold_is_set_once_by_those_who_have_read_it(store: Opened) {
    let table = &store.table;
    let free = table.hold().await.unwrap();
    assert_eq!(free, Hold::default());
    let held = free.set(stamp(1), true);
    for _ in 0..2 {
        assert!(table.set_hold(&free, &held).await.unwrap());
    }
    assert!(
        !table
            .set_hold(&free, &free.set(stamp(2), true))
            .await
            .unwrap()
    );
    assert_eq!(table.hold().await.unwrap(), held);
    let again = held.set(stamp(3), false);
    assert!(table.set_hold(&held, &again).await.unwrap());
    assert_eq!(table.hold().await.unwrap(), again);
}
