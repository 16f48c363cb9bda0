//! Totals that only grow, and what they were when minutes began.

use jobs::ports::{COUNTER_SHARDS, Scope, Store};
use jobs::spec::CustomerId;
use jobs::statistics::{Minute, Snapshot, Totals};

use super::rows::{claimed, completed, failed, job, job_of, retried};
use super::stores::Opened;
use super::{commit, given};

pub(super) async fn totals_are_added_to_by_creates_ends_and_duplicates(store: Opened) {
    let (one, other) = (job(1), job_of(2, "other"));
    given(&store, &[&one, &other, &one]).await;
    let active = claimed(&one);
    commit(&store, &one, &active).await;
    let end = failed(&active);
    // The second is the echo of the first.
    for _ in 0..2 {
        commit(&store, &active, &end).await;
    }
    let again = retried(&end);
    commit(&store, &end, &again).await;
    commit(&store, &again, &claimed(&again)).await;
    commit(&store, &claimed(&again), &completed(&claimed(&again))).await;
    let table = &store.table;
    table.count_duplicates(&one.customer, 2).await.unwrap();
    table.count_duplicates(&one.customer, 1).await.unwrap();
    let expected = Totals {
        created: 1,
        deduplicated: 3,
        completed: 1,
        failed: 1,
        cancelled: 0,
        errors: [("http_404".to_owned(), 1)].into(),
    };
    let totals = table.totals(Scope::Customer(&one.customer)).await.unwrap();
    assert_eq!(totals, expected);
    let all = table.totals(Scope::Everyone).await.unwrap();
    assert_eq!((all.created, all.deduplicated), (2, 3));
    let nobody = CustomerId::parse("nobody").unwrap();
    let totals = table.totals(Scope::Customer(&nobody)).await.unwrap();
    assert_eq!(totals, Totals::default());
}

pub(super) async fn snapshots_are_kept_once_and_read_with_the_last_before_them(store: Opened) {
    let job = job_of(1, "ann");
    given(&store, &[&job]).await;
    let table = &store.table;
    let scopes = [Scope::Everyone, Scope::Customer(&job.customer)];
    let snapshot = |minute, completed| Snapshot {
        minute: Minute::from_number(minute),
        totals: Totals {
            completed,
            errors: [("dns".to_owned(), 1)].into(),
            ..Totals::default()
        },
    };
    let kept = [9, 10, 99, 100, 1_000].map(|minute| snapshot(minute, minute as u64));
    for scope in scopes {
        for snapshot in &kept {
            assert!(table.keep_snapshot(scope, snapshot).await.unwrap());
        }
        assert!(!table.keep_snapshot(scope, &snapshot(10, 7)).await.unwrap());
        let read = async |from, until| {
            let (from, until) = (Minute::from_number(from), Minute::from_number(until));
            table.snapshots(scope, from, until).await.unwrap()
        };
        assert_eq!(read(99, 100).await, kept[1..4], "{scope:?}");
        assert_eq!(read(0, 9).await, kept[..1]);
        assert_eq!(read(0, 8).await, []);
        assert_eq!(read(50, 60).await, kept[1..2]);
        assert_eq!(read(2_000, 3_000).await, kept[4..]);
    }
    let mut counters = Vec::new();
    for shard in 0..COUNTER_SHARDS {
        counters.extend(table.counters(shard).await.unwrap());
    }
    assert_eq!(counters.len(), 1);
    assert_eq!(counters[0].customer, job.customer);
    assert_eq!(counters[0].totals.created, 1);
    let last = snapshot(10, 7);
    assert_eq!(counters[0].kept, Some((last.totals.sum(), last.minute)));
}
