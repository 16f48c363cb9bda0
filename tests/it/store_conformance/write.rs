//! Replacing a row: compare and set, echoes, and the counts that go with it.

use jobs::ports::{Commit, Store};

use super::rows::{claimed, completed, failed, job, retried};
use super::stores::Opened;
use super::{commit, counts, given};

pub(super) async fn a_row_is_replaced_once_by_those_who_have_read_it(store: Opened) {
    let job = job(1);
    let table = &store.table;
    let next = claimed(&job);
    let missing = table.commit(&job, &next).await.unwrap();
    assert_eq!(missing, Commit::Lost(None));
    given(&store, &[&job]).await;
    commit(&store, &job, &next).await;
    assert_eq!(table.job(&job.id).await.unwrap().as_ref(), Some(&next));
    let mut rival = claimed(&job);
    rival.nonce += 1;
    let lost = table.commit(&job, &rival).await.unwrap();
    assert_eq!(lost, Commit::Lost(Some(Box::new(next.clone()))));
    // The same where the counts are part of the write.
    let end = failed(&next);
    commit(&store, &next, &end).await;
    let mut rival = completed(&next);
    rival.nonce += 1;
    let lost = table.commit(&next, &rival).await.unwrap();
    assert_eq!(lost, Commit::Lost(Some(Box::new(end))));
    assert_eq!(counts(&store).await, [0, 0, 1]);
}

pub(super) async fn a_write_that_is_repeated_knows_its_echo(store: Opened) {
    let job = job(1);
    given(&store, &[&job]).await;
    let active = claimed(&job);
    let end = completed(&active);
    for (before, after) in [(&job, &active), (&active, &end)] {
        commit(&store, before, after).await;
        commit(&store, before, after).await;
    }
    assert_eq!(store.table.job(&job.id).await.unwrap(), Some(end));
    assert_eq!(counts(&store).await, [0, 1, 0]);
}

pub(super) async fn the_counts_follow_a_job_to_its_end_and_back(store: Opened) {
    let job = job(1);
    given(&store, &[&job]).await;
    let active = claimed(&job);
    commit(&store, &job, &active).await;
    assert_eq!(counts(&store).await, [1, 0, 0]);
    let end = failed(&active);
    commit(&store, &active, &end).await;
    assert_eq!(counts(&store).await, [0, 0, 1]);
    commit(&store, &end, &retried(&end)).await;
    assert_eq!(counts(&store).await, [1, 0, 0]);
}

pub(super) async fn results_lie_under_the_fence_of_their_claim(store: Opened) {
    let id = job(1).id;
    let table = &store.table;
    assert_eq!(table.result(&id, 1).await.unwrap(), None);
    let bytes: Vec<u8> = (0..=255).collect();
    table.put_result(&id, 1, bytes.clone()).await.unwrap();
    table.put_result(&id, 2, vec![2]).await.unwrap();
    table.put_result(&id, 2, vec![3]).await.unwrap();
    assert_eq!(table.result(&id, 1).await.unwrap(), Some(bytes));
    assert_eq!(table.result(&id, 2).await.unwrap(), Some(vec![3]));
    assert_eq!(table.result(&job(2).id, 1).await.unwrap(), None);
}
