//! A batch that takes more than one transaction to create: what is left to do, and what became of
//! each job. Written before the first of its jobs, so that whoever comes after a writer that died
//! can complete it; refuses to do anything itself.

use std::time::Duration;

use crate::id::{BatchId, JobId};
use crate::idempotency::{Kept, Outcome};
use crate::new_batch::NewBatch;
use crate::spec::CustomerId;
use crate::time::Timestamp;
use crate::transition::Stamp;

/// Most jobs of one transaction, which may have 100 parts and 4 MB: four of each job that takes over
/// from an ended one, and three beside them.
pub const MOST_AT_ONCE: usize = 24;
/// How long a writer has the batch to itself after each of its writes: longer than a write may
/// take. Only to save others the trouble; a writer that is late is refused by the revision.
pub const LEASE: Duration = Duration::from_secs(10);
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub id: BatchId,
    pub customer: CustomerId,
    pub created_at: Timestamp,
    /// One for each address, in their order; `None` until it is decided.
    pub outcomes: Vec<Option<Outcome>>,
    /// What is left to do; `None` once everything is done.
    pub work: Option<Work>,
    /// Grows with every write; every write expects the one it read.
    pub revision: u64,
    /// Random number of the last write: a write whose answer was lost knows its echo by it.
    pub nonce: u64,
    /// Once everything is done: until when it is kept, as long as the answer that points to it.
    pub expires_at: Option<Timestamp>,
}

/// What a batch takes to be completed.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    pub new: NewBatch,
    /// Nobody else need look before.
    pub lease_until: Timestamp,
}

impl Batch {
    pub fn new(
        id: BatchId,
        customer: CustomerId,
        new: NewBatch,
        outcomes: Vec<Option<Outcome>>,
        stamp: Stamp,
    ) -> Self {
        Self {
            id,
            customer,
            created_at: stamp.now,
            outcomes,
            work: Some(Work {
                new,
                lease_until: stamp.now + LEASE,
            }),
            revision: 1,
            nonce: stamp.nonce,
            expires_at: None,
        }
    }

    /// The row after some of the open jobs were decided. With the last one nothing is left to do.
    #[must_use]
    pub fn with(&self, outcomes: Vec<Option<Outcome>>, stamp: Stamp) -> Self {
        let done = outcomes.iter().all(Option::is_some);
        let lease_until = stamp.now + LEASE;
        let work = self.work.clone().filter(|_| !done);
        Self {
            id: self.id.clone(),
            customer: self.customer.clone(),
            created_at: self.created_at,
            outcomes,
            work: work.map(|work| Work {
                lease_until,
                ..work
            }),
            revision: self.revision + 1,
            nonce: stamp.nonce,
            expires_at: done.then(|| stamp.now + Kept::FOR),
        }
    }

    /// What became of each job, once that is decided for all.
    pub fn finished(&self) -> Option<Vec<Outcome>> {
        self.outcomes.iter().cloned().collect()
    }

    /// The id of a job of this batch: whoever completes it names it the same.
    pub fn job_id(&self, index: usize) -> JobId {
        JobId::of_batch(&self.id, index)
    }
}

/// Decides what a first means for its duplicates: they are answered with its job.
pub fn spread(outcomes: &mut [Option<Outcome>], firsts: &[usize]) {
    for index in 0..outcomes.len() {
        let first = firsts[index];
        if first != index {
            outcomes[index] = outcomes[first].as_ref().map(|first| Outcome {
                job_id: first.job_id.clone(),
                deduplicated: true,
            });
        }
    }
}
