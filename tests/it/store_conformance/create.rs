//! Creating: all of it or nothing, and what stands against it by name.

use jobs::ports::{Created, Creation, Store};

use super::rows::{claimed, creation, equal_job, failed, job, spec};
use super::stores::Opened;
use super::{commit, counts, given};

const SPEC: &str = "{}";

pub(super) async fn a_new_job_is_there_with_its_specification_and_counted(store: Opened) {
    let job = equal_job(1);
    given(&store, &[&job]).await;
    let table = &store.table;
    assert_eq!(table.job(&job.id).await.unwrap().as_ref(), Some(&job));
    let both = table.job_and_spec(&job.id).await.unwrap();
    assert_eq!(both, Some((job, spec())));
    assert_eq!(counts(&store).await, [1, 0, 0]);
}

pub(super) async fn a_job_that_is_created_twice_is_there_once(store: Opened) {
    for job in [job(1), equal_job(2)] {
        given(&store, &[&job, &job]).await;
    }
    assert_eq!(counts(&store).await, [2, 0, 0]);
}

pub(super) async fn an_equal_job_is_refused_by_the_name_of_the_owner(store: Opened) {
    let (owner, other) = (equal_job(1), equal_job(2));
    given(&store, &[&owner]).await;
    let created = store.table.create(&creation(&other, SPEC)).await.unwrap();
    assert_eq!(created, Created::Owned(owner.id.clone()));
    // Also where there would be no room: a duplicate needs none.
    let full = Creation {
        max_unfinished: 1,
        ..creation(&other, SPEC)
    };
    let created = store.table.create(&full).await.unwrap();
    assert_eq!(created, Created::Owned(owner.id));
    assert_eq!(store.table.job_and_spec(&other.id).await.unwrap(), None);
    assert_eq!(counts(&store).await, [1, 0, 0]);
}

pub(super) async fn an_owner_is_taken_over_from_by_one_alone(store: Opened) {
    let owner = equal_job(1);
    given(&store, &[&owner]).await;
    let active = claimed(&owner);
    commit(&store, &owner, &active).await;
    commit(&store, &active, &failed(&active)).await;
    let (first, second) = (equal_job(2), equal_job(3));
    let spec = serde_json::to_string(&spec()).unwrap();
    let take_over = async |job| {
        let creation = Creation {
            replaces: Some(&owner.id),
            ..creation(job, &spec)
        };
        store.table.create(&creation).await.unwrap()
    };
    assert_eq!(take_over(&first).await, Created::New);
    assert_eq!(take_over(&second).await, Created::Owned(first.id.clone()));
    assert_eq!(take_over(&first).await, Created::New, "its own echo");
    assert_eq!(counts(&store).await, [1, 0, 1]);
}

pub(super) async fn an_owner_that_left_makes_the_place_free(store: Opened) {
    let (gone, job) = (job(1), equal_job(2));
    let creation = Creation {
        replaces: Some(&gone.id),
        ..creation(&job, SPEC)
    };
    let created = store.table.create(&creation).await.unwrap();
    assert_eq!(created, Created::Vacant);
    assert_eq!(store.table.job(&job.id).await.unwrap(), None);
    assert_eq!(counts(&store).await, [0, 0, 0]);
}

pub(super) async fn a_customer_has_no_more_unfinished_jobs_than_allowed(store: Opened) {
    let (first, second) = (job(1), equal_job(2));
    let create = async |job| {
        let creation = Creation {
            max_unfinished: 1,
            ..creation(job, SPEC)
        };
        store.table.create(&creation).await.unwrap()
    };
    assert_eq!(create(&first).await, Created::New);
    assert_eq!(create(&second).await, Created::Full);
    assert_eq!(store.table.job(&second.id).await.unwrap(), None);
    let active = claimed(&first);
    commit(&store, &first, &active).await;
    assert_eq!(create(&second).await, Created::Full, "active is unfinished");
    commit(&store, &active, &failed(&active)).await;
    assert_eq!(create(&second).await, Created::New);
    assert_eq!(counts(&store).await, [1, 0, 1]);
}
