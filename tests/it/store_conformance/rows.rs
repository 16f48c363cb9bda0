//! Rows to store, and the moves that the suite makes with them.

use std::time::Duration;

use jobs::extraction::Extraction;
use jobs::job::{Place, ResultRef};
use jobs::ports::Creation;
use jobs::spec::{CustomerId, JobType, Priority};
use jobs::transition::{Claim, Retention, Stamp};
use jobs::{Failure, FailureCode, Job, JobId, Spec, State, Timestamp};

pub(super) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// The `number`-th job, created so many milliseconds after the start and due a minute later.
pub(super) fn job(number: u64) -> Job {
    let created_at = START + Duration::from_millis(number);
    Job {
        id: JobId::new(created_at, u128::from(number)),
        customer: CustomerId::default(),
        kind: JobType::SinglePage,
        url: spec().url,
        priority: Priority::Normal,
        state: State::Queued,
        created_at,
        eligible_at: created_at,
        started_at: None,
        finished_at: None,
        max_attempts: 1,
        attempts: Vec::new(),
        fence: 0,
        revision: 1,
        nonce: 1_000 + number,
        lease_until: None,
        pause_requested: false,
        due_at: Some(created_at + Duration::from_mins(1)),
        resends: 0,
        fingerprint: None,
        result: None,
        crawl: None,
        outbox: None,
        run_of: None,
    }
}

/// As [`job`], taking part in deduplication.
pub(super) fn equal_job(number: u64) -> Job {
    Job {
        fingerprint: Some("equal".to_owned()),
        ..job(number)
    }
}

/// As [`job`], of another customer.
pub(super) fn job_of(number: u64, customer: &str) -> Job {
    Job {
        customer: CustomerId::parse(customer).unwrap(),
        ..job(number)
    }
}

pub(super) fn spec() -> Spec {
    Spec {
        kind: JobType::SinglePage,
        url: "http://site.example/ü".to_owned(),
        crawl: None,
        refresh: None,
        config: Extraction::default(),
        headers: vec![("x-one".to_owned(), "1".to_owned())],
        user_agent: None,
        attempts: 1,
        timeout_ms: 30_000,
        delay_ms: 0,
        metadata: None,
        page_events: false,
        webhook: None,
    }
}

pub(super) fn creation<'a>(job: &'a Job, spec: &'a str) -> Creation<'a> {
    Creation {
        job,
        spec,
        replaces: None,
        max_unfinished: 1_000,
        kept: None,
    }
}

/// A write of its own, soon after the last one.
fn stamp(job: &Job) -> Stamp {
    Stamp {
        now: job.created_at + Duration::from_secs(job.revision),
        nonce: job.nonce + 1_000,
    }
}

pub(super) fn claimed(job: &Job) -> Job {
    let lease = START + Duration::from_mins(5);
    match job.claim(stamp(job), lease, &Retention::default()) {
        Claim::Won(job) => job,
        other => panic!("{other:?}"),
    }
}

pub(super) fn completed(job: &Job) -> Job {
    let result = ResultRef {
        fence: job.fence,
        place: Place::Item,
        bytes: 3,
    };
    job.complete(stamp(job), job.fence, result, &Retention::default())
        .unwrap()
}

pub(super) fn failed(job: &Job) -> Job {
    let failure = Failure::new(FailureCode::Http(404), "not there");
    job.fail(stamp(job), job.fence, &failure, 0, &Retention::default())
        .unwrap()
}

pub(super) fn retried(job: &Job) -> Job {
    job.retry(stamp(job)).unwrap()
}
