//! Removing: everything of a job that nobody uses any more, and nothing of one that somebody does.

use jobs::job::DueList;
use jobs::ports::{Created, Creation, DUE_SHARDS, Scope, Store};
use jobs::{Job, Timestamp};

use super::rows::{claimed, creation, equal_job, failed, retried, spec};
use super::stores::Opened;
use super::{commit, counts, given};

/// A failed job with results of many claims, more than go at once.
async fn ended(store: &Opened) -> Job {
    let job = equal_job(1);
    given(store, &[&job]).await;
    let active = claimed(&job);
    commit(store, &job, &active).await;
    for fence in 1..=30 {
        let put = store.table.put_result(&job.id, fence, vec![0; 100]);
        put.await.unwrap();
    }
    let end = failed(&active);
    commit(store, &active, &end).await;
    end
}

pub(super) async fn a_purge_leaves_nothing_but_the_counts(store: Opened) {
    let job = ended(&store).await;
    store.table.purge(&job).await.unwrap();
    assert_eq!(store.table.job_and_spec(&job.id).await.unwrap(), None);
    let left = store.partitions();
    assert!(
        left.len() == 1 && left[0].starts_with("customers#"),
        "{left:?}"
    );
    assert_eq!(counts(&store).await, [0, 0, 0]);
    let listed = store.table.list(Scope::Everyone, None, 9).await.unwrap();
    assert_eq!(listed.jobs, []);
    let shard = job.id.shard(DUE_SHARDS);
    let end_of_time = Timestamp::from_millis(i64::MAX);
    let due = store.table.due(DueList::Purge, shard, end_of_time, 9).await;
    assert_eq!(due.unwrap(), []);
    // Another sweep may come to it as well.
    store.table.purge(&job).await.unwrap();
    assert_eq!(counts(&store).await, [0, 0, 0]);
    given(&store, &[&equal_job(2)]).await;
}

pub(super) async fn a_purge_takes_nothing_from_a_job_that_was_retried(store: Opened) {
    let end = ended(&store).await;
    let again = retried(&end);
    commit(&store, &end, &again).await;
    store.table.purge(&end).await.unwrap();
    let both = store.table.job_and_spec(&end.id).await.unwrap();
    assert_eq!(both, Some((again, spec())));
    assert!(store.table.result(&end.id, 1).await.unwrap().is_some());
    let other = equal_job(2);
    let created = store.table.create(&creation(&other, "{}")).await.unwrap();
    assert_eq!(created, Created::Owned(end.id));
    assert_eq!(counts(&store).await, [1, 0, 0]);
}

pub(super) async fn a_later_owner_keeps_its_place(store: Opened) {
    let (first, later, third) = (equal_job(1), equal_job(2), equal_job(3));
    given(&store, &[&first]).await;
    let active = claimed(&first);
    commit(&store, &first, &active).await;
    let end = failed(&active);
    commit(&store, &active, &end).await;
    let spec = serde_json::to_string(&spec()).unwrap();
    let take_over = Creation {
        replaces: Some(&first.id),
        ..creation(&later, &spec)
    };
    let created = store.table.create(&take_over).await.unwrap();
    assert_eq!(created, Created::New);
    store.table.purge(&end).await.unwrap();
    let created = store.table.create(&creation(&third, &spec)).await.unwrap();
    assert_eq!(created, Created::Owned(later.id));
    assert_eq!(counts(&store).await, [1, 0, 0]);
}
