//! Starting anew: row, place and counts as one, and the end of a place.

use jobs::Job;
use jobs::ports::{Created, Creation, Revival, Revived, Store};

use super::rows::{claimed, creation, equal_job, failed, retried, spec};
use super::stores::Opened;
use super::{commit, counts, given};

/// A job that has failed.
async fn ended(store: &Opened, number: u64) -> Job {
    let job = equal_job(number);
    given(store, &[&job]).await;
    end(store, &job).await
}

async fn end(store: &Opened, job: &Job) -> Job {
    let active = claimed(job);
    commit(store, job, &active).await;
    let end = failed(&active);
    commit(store, &active, &end).await;
    end
}

const fn revival<'a>(before: &'a Job, after: &'a Job) -> Revival<'a> {
    Revival {
        before,
        after,
        replaces: None,
        max_unfinished: 1_000,
    }
}

/// Creates a job in the place of an ended one.
async fn take_over(store: &Opened, job: &Job, owner: &Job) -> Created {
    let spec = serde_json::to_string(&spec()).unwrap();
    let creation = Creation {
        replaces: Some(&owner.id),
        ..creation(job, &spec)
    };
    store.table.create(&creation).await.unwrap()
}

pub(super) async fn a_job_starts_anew_once_with_its_place_and_its_count(store: Opened) {
    let before = ended(&store, 1).await;
    let after = retried(&before);
    let revival = revival(&before, &after);
    for _ in 0..2 {
        let revived = store.table.revive(&revival).await.unwrap();
        assert_eq!(revived, Revived::Written, "the second is an echo");
    }
    assert_eq!(
        store.table.job(&before.id).await.unwrap().as_ref(),
        Some(&after)
    );
    assert_eq!(counts(&store).await, [1, 0, 0]);
    let mut rival = after.clone();
    rival.nonce += 1;
    let rival = Revival {
        after: &rival,
        ..revival
    };
    let lost = store.table.revive(&rival).await.unwrap();
    assert_eq!(lost, Revived::Lost(Some(Box::new(after))));
    let other = equal_job(2);
    let created = store.table.create(&creation(&other, "{}")).await.unwrap();
    assert_eq!(created, Created::Owned(before.id));
}

pub(super) async fn a_place_that_another_has_is_named_and_taken_over_once_it_has_ended(
    store: Opened,
) {
    let before = ended(&store, 1).await;
    let other = equal_job(2);
    assert_eq!(take_over(&store, &other, &before).await, Created::New);
    let after = retried(&before);
    let revived = store.table.revive(&revival(&before, &after)).await.unwrap();
    assert_eq!(revived, Revived::Owned(other.id.clone()));
    let replacing = Revival {
        replaces: Some(&other.id),
        ..revival(&before, &after)
    };
    let revived = store.table.revive(&replacing).await.unwrap();
    assert_eq!(revived, Revived::Owned(other.id.clone()), "unfinished");
    assert_eq!(counts(&store).await, [1, 0, 1]);
    end(&store, &other).await;
    let revived = store.table.revive(&replacing).await.unwrap();
    assert_eq!(revived, Revived::Written);
    assert_eq!(counts(&store).await, [1, 0, 1]);
}

pub(super) async fn an_owner_that_has_started_anew_is_not_taken_over_from(store: Opened) {
    let before = ended(&store, 1).await;
    let after = retried(&before);
    let revived = store.table.revive(&revival(&before, &after)).await.unwrap();
    assert_eq!(revived, Revived::Written);
    // Whoever saw it ended a moment ago comes too late, though its name stands there as before.
    let other = equal_job(2);
    let created = take_over(&store, &other, &before).await;
    assert_eq!(created, Created::Owned(before.id));
    assert_eq!(counts(&store).await, [1, 0, 0]);
}

pub(super) async fn a_job_without_room_stays_ended(store: Opened) {
    let before = ended(&store, 1).await;
    let after = retried(&before);
    for (max_unfinished, expected) in [(0, Revived::Full), (1, Revived::Written)] {
        let revival = Revival {
            max_unfinished,
            ..revival(&before, &after)
        };
        assert_eq!(store.table.revive(&revival).await.unwrap(), expected);
    }
    assert_eq!(counts(&store).await, [1, 0, 0]);
}

pub(super) async fn a_released_place_is_free_and_only_its_owner_releases_it(store: Opened) {
    let (owner, other) = (equal_job(1), equal_job(2));
    given(&store, &[&owner]).await;
    assert!(!store.table.release(&other).await.unwrap());
    assert!(store.table.release(&owner).await.unwrap());
    assert!(!store.table.release(&owner).await.unwrap());
    let spec = serde_json::to_string(&spec()).unwrap();
    let created = store.table.create(&creation(&other, &spec)).await.unwrap();
    assert_eq!(created, Created::New);
    assert_eq!(counts(&store).await, [2, 0, 0]);
}
