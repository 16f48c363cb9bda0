//! The indexes: what is due, and lists of jobs and counts.

use std::time::Duration;

use jobs::job::DueList;
use jobs::ports::{ActiveEntry, DUE_SHARDS, DueEntry, Scope, Store};
use jobs::spec::CustomerId;
use jobs::{Job, JobId, RowId};

use super::rows::{START, claimed, completed, job, job_of};
use super::stores::Opened;
use super::{commit, counts, given};

/// Jobs of one shard.
fn in_shard(shard: u32) -> impl Iterator<Item = Job> {
    let jobs = (1..).map(job);
    jobs.filter(move |job| job.id.shard(DUE_SHARDS) == shard)
}

pub(super) async fn what_is_due_comes_earliest_first_up_to_the_limit(store: Opened) {
    // Due in another order than created.
    let minutes = [5, 1, 4, 2, 3];
    let jobs = in_shard(3).zip(minutes).map(|(job, minutes)| Job {
        due_at: Some(START + Duration::from_mins(minutes)),
        ..job
    });
    let mut jobs: Vec<_> = jobs.collect();
    let elsewhere = in_shard(4).next().unwrap();
    given(&store, &jobs.iter().chain([&elsewhere]).collect::<Vec<_>>()).await;
    jobs.sort_by_key(|job| job.due_at);
    let ids: Vec<_> = jobs.into_iter().map(|job| RowId::Job(job.id)).collect();
    let due = async |minutes, limit| {
        let until = START + Duration::from_mins(minutes);
        let due = store.table.due(DueList::Work, 3, until, limit).await;
        due.unwrap()
    };
    assert_eq!(due(0, 9).await, []);
    assert_eq!(due(3, 9).await, ids[..3], "up to that very moment");
    assert_eq!(due(9, 9).await, ids);
    assert_eq!(due(9, 2).await, ids[..2]);
    assert_eq!(due(9, usize::MAX).await, ids);
}

pub(super) async fn a_row_stands_in_one_due_list_or_in_none(store: Opened) {
    let job = in_shard(0).next().unwrap();
    given(&store, &[&job]).await;
    let places = async || {
        let until = START + Duration::from_hours(24 * 365);
        let work = store.table.due(DueList::Work, 0, until, 9).await.unwrap();
        let purge = store.table.due(DueList::Purge, 0, until, 9).await.unwrap();
        (work, purge)
    };
    let here = vec![RowId::Job(job.id.clone())];
    assert_eq!(places().await, (here.clone(), vec![]));
    let active = claimed(&job);
    commit(&store, &job, &active).await;
    let nothing_due = Job {
        due_at: None,
        revision: active.revision + 1,
        ..active.clone()
    };
    commit(&store, &active, &nothing_due).await;
    assert_eq!(places().await, (vec![], vec![]));
    commit(&store, &nothing_due, &completed(&nothing_due)).await;
    assert_eq!(places().await, (vec![], here));
}

pub(super) async fn pages_of_a_list_hold_every_job_once_newest_first(store: Opened) {
    let mine = CustomerId::parse("mine").unwrap();
    let customer = |number| if number % 3 == 0 { "mine" } else { "theirs" };
    let jobs = (0..40).map(|number| job_of(number, customer(number)));
    let mut jobs: Vec<_> = jobs.collect();
    given(&store, &jobs.iter().collect::<Vec<_>>()).await;
    jobs.reverse();
    let of_mine = jobs.iter().filter(|job| job.customer == mine);
    let of_mine: Vec<_> = of_mine.cloned().collect();
    for (scope, expected) in [(Scope::Everyone, &jobs), (Scope::Customer(&mine), &of_mine)] {
        // 7 divides both, so that one page ends where the list does.
        for limit in [1, 7, 10, 100] {
            let mut listed = Vec::new();
            let mut before: Option<JobId> = None;
            loop {
                let list = store.table.list(scope, before.as_ref(), limit);
                let page = list.await.unwrap();
                assert!(page.jobs.len() <= limit);
                listed.extend(page.jobs);
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(&listed, expected, "{scope:?} by {limit}");
        }
    }
}

pub(super) async fn rows_are_read_by_their_ids_however_many(store: Opened) {
    let jobs: Vec<_> = (0..120).map(job).collect();
    given(&store, &jobs.iter().collect::<Vec<_>>()).await;
    let gone = job(999).id;
    let ids: Vec<_> = jobs.iter().map(|job| job.id.clone()).collect();
    let wanted: Vec<_> = ids.iter().cloned().chain([gone]).collect();
    let mut found = store.table.jobs(&wanted).await.unwrap();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(found, jobs);
    assert_eq!(store.table.jobs(&[]).await.unwrap(), []);
}

pub(super) async fn unfinished_jobs_are_counted_from_indexes_by_customer(store: Opened) {
    // One name begins with the other.
    let jobs = (0..12).map(|number| job_of(number, ["ann", "anna"][number as usize % 2]));
    let jobs: Vec<_> = jobs.collect();
    given(&store, &jobs.iter().collect::<Vec<_>>()).await;
    let (ended, active) = (&jobs[0], &jobs[1..5]);
    for job in active.iter().chain([ended]) {
        commit(&store, job, &claimed(job)).await;
    }
    commit(&store, &claimed(ended), &completed(&claimed(ended))).await;
    let mut unfinished = store.table.unfinished().await.unwrap();
    unfinished.sort_by(|one, other| one.id.cmp(&other.id));
    let due = |job: &Job| DueEntry {
        id: job.id.clone(),
        customer: job.customer.clone(),
        priority: job.priority,
        eligible_at: job.eligible_at,
    };
    assert_eq!(unfinished, jobs[1..].iter().map(due).collect::<Vec<_>>());
    let entry = |job: &Job| ActiveEntry {
        id: job.id.clone(),
        customer: job.customer.clone(),
    };
    let ann = CustomerId::parse("ann").unwrap();
    let of_ann = active.iter().filter(|job| job.customer == ann);
    for (scope, expected) in [
        (
            Scope::Everyone,
            active.iter().map(entry).collect::<Vec<_>>(),
        ),
        (Scope::Customer(&ann), of_ann.map(entry).collect()),
    ] {
        let mut found = store.table.active(scope).await.unwrap();
        found.sort_by(|one, other| one.id.cmp(&other.id));
        assert_eq!(found, expected, "{scope:?}");
    }
    for (customer, expected) in [("ann", 2), ("anna", 2), ("an", 0)] {
        let customer = CustomerId::parse(customer).unwrap();
        let count = store.table.active_count(&customer).await.unwrap();
        assert_eq!(count, expected, "{customer}");
    }
}

pub(super) async fn counts_over_all_are_the_sum_of_the_customers(store: Opened) {
    let jobs: Vec<_> = (0..30)
        .map(|number| job_of(number, &format!("customer {}", number % 10)))
        .collect();
    given(&store, &jobs.iter().collect::<Vec<_>>()).await;
    let active = claimed(&jobs[0]);
    commit(&store, &jobs[0], &active).await;
    commit(&store, &active, &completed(&active)).await;
    assert_eq!(counts(&store).await, [29, 1, 0]);
    let scope = Scope::Customer(&jobs[0].customer);
    let tally = store.table.tally(scope).await.unwrap();
    assert_eq!((tally.unfinished, tally.completed), (2, 1));
    let nobody = CustomerId::parse("nobody").unwrap();
    let tally = store.table.tally(Scope::Customer(&nobody)).await.unwrap();
    assert!(tally.is_zero());
}
