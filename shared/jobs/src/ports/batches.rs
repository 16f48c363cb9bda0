//! Writing many jobs as one, a batch's next part or all of it, and the answers that are kept for
//! requests with a key.

use std::time::Duration;

use async_trait::async_trait;

use super::PortError;
use crate::batch::Batch;
use crate::id::{BatchId, JobId};
use crate::idempotency::Kept;
use crate::job::Job;
use crate::spec::CustomerId;
use crate::time::Timestamp;

/// One of the jobs of a [`Chunk`].
#[derive(Clone, Copy, Debug)]
pub struct NewRow<'a> {
    pub job: &'a Job,
    /// The specification in its stored form.
    pub spec: &'a str,
    /// Where the job takes part in deduplication: the owner to take over from, if there is one.
    pub replaces: Option<&'a JobId>,
}

/// Jobs of one customer to be written as one; none at all is allowed.
#[derive(Clone, Debug)]
pub struct Chunk<'a> {
    pub rows: Vec<NewRow<'a>>,
    pub guard: Guard<'a>,
}

/// On what condition a chunk is written.
#[derive(Clone, Copy, Debug)]
pub enum Guard<'a> {
    /// There is room for all of it, and the request's key is free where it has one.
    Room {
        customer: &'a CustomerId,
        /// Most unfinished jobs that the customer may have, these included.
        max_unfinished: u64,
        kept: Option<&'a Kept>,
    },
    /// It is the next part of a batch, whose room is taken already.
    Batch {
        seen: &'a Batch,
        next: &'a Batch,
        /// Places that duplicates leave free.
        given_back: u64,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Chunked {
    Written,
    /// Other jobs own fingerprints of these, and they are not the ones to be replaced; or those
    /// are gone.
    Owned,
    /// The customer has no room for so many.
    Full,
    /// The request's key is not free: this was answered to it before.
    Answered(Box<Kept>),
    /// The batch is no longer the one that was read; this is what it is now.
    Lost(Option<Box<Batch>>),
}

/// How the beginning of a batch ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    Written,
    Full,
    Answered(Box<Kept>),
}

/// Who owns a fingerprint.
#[derive(Clone, Debug, PartialEq)]
pub struct Owner {
    pub id: JobId,
    /// As of the last write; `None` where it is gone.
    pub job: Option<Job>,
}

/// Jobs by the dozen, and answers by key. As with [`super::Store`], each write happens as a whole
/// or not at all and knows its own echo.
#[async_trait]
pub trait Batches: Send + Sync {
    /// Writes jobs with specifications and owners, and what their guard stands for, as one. At
    /// most [`crate::batch::MOST_AT_ONCE`] jobs.
    async fn write(&self, chunk: &Chunk<'_>) -> Result<Chunked, PortError>;

    /// Writes the row of a batch, takes room for `jobs` more and keeps the answer, as one.
    async fn begin(
        &self,
        batch: &Batch,
        jobs: u64,
        max_unfinished: u64,
        kept: Option<&Kept>,
    ) -> Result<Begun, PortError>;

    /// The row of a batch, as of the last write.
    async fn batch(&self, id: &BatchId) -> Result<Option<Batch>, PortError>;

    /// As [`Batches::batch`], asking again for a while until nothing is left to do.
    async fn ended(&self, id: &BatchId, patience: Duration) -> Result<Option<Batch>, PortError>;

    /// Owners of fingerprints, in their order, as of the last write. At most 100.
    async fn owners(&self, fingerprints: &[&str]) -> Result<Vec<Option<Owner>>, PortError>;

    /// Keeps an answer where its key is free; otherwise says what was answered before.
    async fn keep(&self, kept: &Kept) -> Result<Option<Kept>, PortError>;

    /// What was answered to a key, unless it is free again at `now`.
    async fn kept(&self, name: &str, now: Timestamp) -> Result<Option<Kept>, PortError>;
}
