//! The table: [`Store`] on DynamoDB, one table for everything. Owns keys, conditions and the
//! number of calls; refuses to decide what a row should become.
//!
//! | item | `pk` | `sk` | written |
//! |---|---|---|---|
//! | row of a job, about 1 KB | job id | `state` | create, claim, end, sweep, control |
//! | its specification, up to 64 KB | job id | `spec` | create, once |
//! | a small result | job id | `result#FENCE` | before the end is written |
//! | owner of a fingerprint | `dedup#FINGERPRINT` | `owner` | create |
//! | counts of a customer | `customers#SHARD` | customer id | create, pause, resume, end, retry, purge |
//! | answer to a request with a key | `idem#DIGEST` of customer and key | `answer` | create |
//! | batch of more than 25 jobs | batch id | `state` | create, once per 25 jobs |
//!
//! | index (keys only) | hash | range | on |
//! |---|---|---|---|
//! | `due`, sparse | `due_list`: `work#SHARD`, `purge#SHARD` | `due_at` | rows that are owed something, unfinished batches |
//! | `by_customer` | `list_customer` | `pk` | rows |
//! | `by_time` | `list_shard` | `pk` | rows |
//!
//! | access | calls |
//! |---|---|
//! | create | one transaction of three to five writes; a `GetItem` for each owner met |
//! | create a batch | up to 25 jobs: one transaction; more: `GetItem` of the answer, `BatchGetItem` of owners and their rows, one transaction to begin and one per 25 jobs |
//! | create again | the transaction is refused with the answer; of a larger batch, its row by `GetItem` |
//! | claim | `Query` of specification and row, `PutItem` |
//! | end | `PutItem` of the result or a blob, one transaction of two writes |
//! | read one job | `GetItem`, or `Query` with the specification; consistent |
//! | list of a customer | `Query` of `by_customer`, `BatchGetItem` of the rows |
//! | list of all | `Query` of each shard of `by_time`, merged, `BatchGetItem` |
//! | sweep | `Query` of each shard of `due`, then `GetItem` and a write per row |
//! | purge | `Query`, `BatchWriteItem`, `DeleteItem` of the owner, one transaction of two |
//! | counts | `GetItem`; over all customers a `Query` of each shard |

mod batch;
mod create;
mod idempotency;
mod item;
mod keys;
mod purge;
mod read;
mod row;
mod write;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use jobs::job::DueList;
use jobs::ports::{Commit, Created, Creation, Listed, PortError, Scope, Store};
use jobs::tally::Tally;
use jobs::{Job, JobId, RowId, Spec, Timestamp};

pub use row::{decode as decode_row, encode as encode_row};

/// [`Store`] on one DynamoDB table.
#[derive(Clone, Debug)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }
}

fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::Unavailable {
        part: "table",
        source: source.into(),
    }
}

#[async_trait]
impl Store for Table {
    async fn create(&self, creation: &Creation<'_>) -> Result<Created, PortError> {
        self.create_job(creation).await
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, PortError> {
        self.read_row(id).await
    }

    async fn job_and_spec(&self, id: &JobId) -> Result<Option<(Job, Spec)>, PortError> {
        self.read_row_and_spec(id).await
    }

    async fn commit(&self, before: &Job, after: &Job) -> Result<Commit, PortError> {
        self.replace_row(before, after).await
    }

    async fn put_result(&self, id: &JobId, fence: u64, body: Vec<u8>) -> Result<(), PortError> {
        self.write_result(id, fence, body).await
    }

    async fn result(&self, id: &JobId, fence: u64) -> Result<Option<Vec<u8>>, PortError> {
        self.read_result(id, fence).await
    }

    async fn purge(&self, job: &Job) -> Result<(), PortError> {
        self.remove_job(job).await
    }

    async fn due(
        &self,
        list: DueList,
        shard: u32,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<RowId>, PortError> {
        self.read_due(list, shard, until, limit).await
    }

    async fn list(
        &self,
        scope: Scope<'_>,
        before: Option<&JobId>,
        limit: usize,
    ) -> Result<Listed, PortError> {
        self.read_list(scope, before, limit).await
    }

    async fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>, PortError> {
        self.read_rows(ids).await
    }

    async fn tally(&self, scope: Scope<'_>) -> Result<Tally, PortError> {
        self.read_tally(scope).await
    }
}
