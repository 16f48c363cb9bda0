//! A way to the table that goes wrong: nothing is written twice, and nothing is said to be lost
//! that was written.

use jobs::ports::{Commit, Created, PortError, Store};

use super::rows::{claimed, completed, creation, equal_job, spec};
use super::stores::{Fault, Opened};
use super::{commit, counts, given};

/// Calls that the SDK makes before it gives up.
const TRIES: usize = 3;

/// Takes a job from its creation to its end and away, with `fault` at every write.
async fn live(store: &Opened, fault: impl Fn() -> Fault) {
    let job = equal_job(1);
    store.goes_wrong([fault()]);
    given(store, &[&job]).await;
    assert_eq!(counts(store).await, [1, 0, 0]);
    let active = claimed(&job);
    if let Fault::LostAnswer = fault() {
        store.goes_wrong([fault()]);
    }
    commit(store, &job, &active).await;
    assert_eq!(counts(store).await, [1, 0, 0]);
    let end = completed(&active);
    store.goes_wrong([fault()]);
    commit(store, &active, &end).await;
    assert_eq!(counts(store).await, [0, 1, 0]);
    let row = store.table.job(&job.id).await.unwrap();
    assert_eq!(row.as_ref(), Some(&end));
    store.goes_wrong([fault()]);
    store.table.purge(&end).await.unwrap();
    assert_eq!(counts(store).await, [0, 0, 0]);
    assert!(store.all_went_wrong());
}

pub(super) async fn a_transaction_in_the_way_is_waited_for(store: Opened) {
    live(&store, || Fault::Conflict).await;
}

pub(super) async fn a_lost_answer_is_no_second_write(store: Opened) {
    live(&store, || Fault::LostAnswer).await;
}

pub(super) async fn a_write_that_seemed_to_fail_can_be_repeated(store: Opened) {
    let all_lost = || std::iter::repeat_n(Fault::LostAnswer, TRIES);
    let (job, table) = (equal_job(1), &store.table);
    let spec = serde_json::to_string(&spec()).unwrap();
    store.goes_wrong(all_lost());
    let created = table.create(&creation(&job, &spec)).await;
    assert!(matches!(created, Err(PortError::Unavailable { .. })));
    let created = table.create(&creation(&job, &spec)).await.unwrap();
    assert_eq!(created, Created::New);
    let active = claimed(&job);
    let end = completed(&active);
    for (before, after) in [(&job, &active), (&active, &end)] {
        store.goes_wrong(all_lost());
        let written = table.commit(before, after).await;
        assert!(matches!(written, Err(PortError::Unavailable { .. })));
        let written = table.commit(before, after).await.unwrap();
        assert_eq!(written, Commit::Written);
    }
    assert!(store.all_went_wrong());
    assert_eq!(counts(&store).await, [0, 1, 0]);
}
