//! The table: [`Store`] on DynamoDB, one table for everything. Owns keys, conditions and the
//! number of calls; refuses to decide what a row should become.
//!
//! | item | `pk` | `sk` | written |
//! |---|---|---|---|
//! | row of a job, about 1 KB | job id | `state` | create, claim, end, sweep, control |
//! | its specification, up to 64 KB | job id | `spec` | create, once |
//! | a small result | job id | `result#FENCE` | before the end is written |
//! | counts and totals of a customer | `customers#SHARD` | customer id | create, pause, resume, end, retry, purge; once a minute |
//! | totals as they were | `minutes#all`, `minutes#CUSTOMER_DIGEST` | minute | the sweep, once a minute where they changed |
//! | owner of a fingerprint | `dedup#FINGERPRINT` | `owner` | create, retry |
//! | a schedule, about 700 bytes | schedule id | `schedule` | create, change, each run, once the timetable knows it |
//! | what it asks for, and the request itself | schedule id | `spec` | create, change |
//! | a tick of it, for 90 days | schedule id | `tick#MILLISECONDS` | the tick, the end of its job |
//! | an operation on many jobs | operation id | `operation` | its request, every step |
//! | jobs that its request has listed | operation id | `listed` | its request, once |
//! | the hold on the whole queue | `control` | `queue` | pause and resume of everything |
//! | a caller's key, by its secret | `key#HASH` | `key` | create and revoke a key |
//! | the same, by its id | `keys` | key id | with the former |
//! | answer to a request with a key | `idem#DIGEST` of customer and key | `answer` | create |
//! | batch of more than 24 jobs | batch id | `state` | create, once per 24 jobs |
//! | what a refresh compares with | `baseline#CUSTOMER_DIGEST` | digest of the address | the end of a crawl or refresh |
//! | calls left to a customer | `rate#CALL#CUSTOMER_DIGEST` | `bucket` | a block of calls |
//! | an endpoint that events are delivered to | webhook id | `webhook` | create, change, rotate, a 410 |
//! | an event's delivery, up to 100 KB | `deliveries#` and webhook id or job id | delivery id | the event, claim and outcome of each attempt, sweep, redeliver |
//! | budget of a host, about 500 bytes | `host#AUTHORITY` | `budget` | a block of slots, a term of places, a hold |
//!
//! | index (keys only, but for `due`) | hash | range | on |
//! |---|---|---|---|
//! | `due`, sparse, with `eligible_at`, `list_customer`, `priority` | `due_list`: `work#SHARD`, `purge#SHARD`, `operation#0`, `delivery#SHARD`, `schedule#0` | `due_at` | rows that are owed something, unfinished batches, deliveries under way, schedules |
//! | `active`, sparse | `active_shard`: that of the customer | `active_key`: customer, U+0001, job id | rows in state active |
//! | `by_customer` | `list_customer`: customer; of endpoints and schedules U+0001, `webhooks` or `schedules`, U+0001, customer | `pk` | rows, endpoints, schedules |
//! | `by_time` | `list_shard`: shard; of endpoints `webhooks`, of schedules `schedules` | `pk` | rows, endpoints, schedules |
//!
//! | access | calls |
//! |---|---|
//! | create | one transaction of three to five writes; a `GetItem` for each owner met |
//! | create a batch | up to 24 jobs: one transaction; more: `GetItem` of the answer, `BatchGetItem` of owners and their rows, one transaction to begin and one per 24 jobs |
//! | create again | the transaction is refused with the answer; of a larger batch, its row by `GetItem` |
//! | a block of calls | `PutItem`; before the first one of a process `GetItem` |
//! | a block of slots of a host, or some of its places | `GetItem`, consistent, where what is known is too old; `PutItem` |
//! | claim | `Query` of specification and row, once a second `BatchGetItem` of the hold with them; `PutItem`; where customers have a cap, a `Query` of `active` that counts and a `GetItem`, once a second |
//! | end | `PutItem` of the result or a blob, one transaction of two writes |
//! | read one job | `GetItem`, or `Query` with the specification; consistent |
//! | list of a customer | `Query` of `by_customer`, `BatchGetItem` of the rows |
//! | list of all | `Query` of each shard of `by_time`, merged, `BatchGetItem` |
//! | sweep | `Query` of each shard of `due`, then `GetItem` and a write per row |
//! | counts by outcome | `GetItem`; over all customers a `Query` of each shard |
//! | statistics | two `Query` of `minutes#`, and the totals as counts by outcome |
//! | keep a minute | a `Query` of each shard of customers, `PutItem`; for each that changed `PutItem`, `UpdateItem` |
//! | counts of what is unfinished | a `Query` of each shard of `due` (work) and of `active`; no row |
//! | purge | `Query`, `BatchWriteItem`, one transaction of four |
//! | retry | `GetItem`, one transaction of two or three writes; a `GetItem` for each owner met |
//! | create a schedule | one transaction of three or four writes, `PutItem` once the timetable knows it |
//! | tick | `Query` of row and specification, `GetItem` of the job before, one transaction of five writes, or `PutItem` of a tick that makes no job |
//! | end of a run | `UpdateItem` of the tick, `GetItem` of the schedule |
//! | list of schedules | `Query` of `by_customer` or `by_time`, `BatchGetItem` of the rows |
//! | its runs | `Query` of its ticks, `BatchGetItem` of their jobs |
//! | step of an operation | a list of 100, what becomes of each, `PutItem` |
//! | sweep | besides: `GetItem` of the hold, at most once a second |
//! | refresh | `GetItem` of the baseline, `PutItem` at the end; so does the end of a crawl |
//! | who is asking | `GetItem`, consistent; remembered for 30 s |
//! | create or revoke a key | one transaction of two, after a `GetItem` to revoke; list: `Query` |
//! | who is told of an event | `Query` of `by_customer`, `BatchGetItem`; `PutItem` for each delivery |
//! | attempt of a delivery | `GetItem`; `PutItem` to claim; `GetItem` of the endpoint; `PutItem` of the outcome |
//! | log of deliveries | `Query` |

mod baselines;
mod batch;
mod callers;
mod counts;
mod create;
mod deliveries;
mod delivery_row;
mod expired;
mod hold;
mod hosts;
mod idempotency;
mod item;
mod keys;
mod operation;
mod operation_row;
mod purge;
mod quota;
mod rates;
mod read;
mod remove;
mod revive;
mod row;
mod schedule_row;
mod schedules;
mod ticks;
mod totals;
mod webhooks;
mod write;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use jobs::hold::Hold;
use jobs::job::DueList;
use jobs::ports::{
    ActiveEntry, Advanced, Baseline, Baselines, Claimable, Commit, Counter, Created, Creation,
    DueEntry, DuePage, Expired, Listed, Operations, PortError, RateBucket, Revival, Revived, Scope,
    Store, Swap,
};
use jobs::rate::Call;
use jobs::spec::CustomerId;
use jobs::statistics::{Minute, Snapshot, Totals};
use jobs::tally::Tally;
use jobs::{Job, JobId, Operation, OperationId, RowId, Spec, Timestamp};

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

    async fn claimable(&self, id: &JobId) -> Result<Claimable, PortError> {
        self.read_claimable(id).await
    }

    async fn commit(&self, before: &Job, after: &Job) -> Result<Commit, PortError> {
        self.replace_row(before, after).await
    }

    async fn revive(&self, revival: &Revival<'_>) -> Result<Revived, PortError> {
        self.revive_job(revival).await
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

    async fn release(&self, job: &Job) -> Result<bool, PortError> {
        self.release_place(job).await
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

    async fn count_duplicates(&self, customer: &CustomerId, number: u64) -> Result<(), PortError> {
        self.add_duplicates(customer, number).await
    }

    async fn totals(&self, scope: Scope<'_>) -> Result<Totals, PortError> {
        self.read_totals(scope).await
    }

    async fn counters(&self, shard: u8) -> Result<Vec<Counter>, PortError> {
        self.read_counters(shard).await
    }

    async fn keep_snapshot(
        &self,
        scope: Scope<'_>,
        snapshot: &Snapshot,
    ) -> Result<bool, PortError> {
        self.write_snapshot(scope, snapshot).await
    }

    async fn snapshots(
        &self,
        scope: Scope<'_>,
        from: Minute,
        until: Minute,
    ) -> Result<Vec<Snapshot>, PortError> {
        self.read_snapshots(scope, from, until).await
    }

    async fn unfinished(&self) -> Result<Vec<DueEntry>, PortError> {
        self.read_unfinished().await
    }

    async fn active(&self, scope: Scope<'_>) -> Result<Vec<ActiveEntry>, PortError> {
        self.read_active(scope).await
    }

    async fn active_count(&self, customer: &CustomerId) -> Result<u64, PortError> {
        self.count_active(customer).await
    }

    async fn rate(
        &self,
        call: Call,
        customer: &CustomerId,
    ) -> Result<Option<RateBucket>, PortError> {
        self.read_rate(call, customer).await
    }

    async fn replace_rate(
        &self,
        call: Call,
        customer: &CustomerId,
        before: Option<RateBucket>,
        after: RateBucket,
    ) -> Result<Swap, PortError> {
        self.swap_rate(call, customer, before, after).await
    }
}

#[async_trait]
impl Baselines for Table {
    async fn baseline(
        &self,
        customer: &CustomerId,
        url: &str,
    ) -> Result<Option<Baseline>, PortError> {
        self.read_baseline(customer, url).await
    }

    async fn put_baseline(
        &self,
        customer: &CustomerId,
        url: &str,
        baseline: &Baseline,
    ) -> Result<(), PortError> {
        self.write_baseline(customer, url, baseline).await
    }

    async fn expired(&self, until: Timestamp, limit: usize) -> Result<Vec<Expired>, PortError> {
        self.read_expired(until, limit).await
    }

    async fn forget(&self, expired: &Expired) -> Result<(), PortError> {
        self.remove_expired(expired).await
    }
}

#[async_trait]
impl Operations for Table {
    async fn begin(&self, operation: &Operation, listed: &[JobId]) -> Result<(), PortError> {
        self.begin_operation(operation, listed).await
    }

    async fn operation(&self, id: &OperationId) -> Result<Option<Operation>, PortError> {
        self.read_operation(id).await
    }

    async fn listed(&self, id: &OperationId) -> Result<Vec<JobId>, PortError> {
        self.read_listed(id).await
    }

    async fn advance(&self, before: &Operation, after: &Operation) -> Result<Advanced, PortError> {
        self.advance_operation(before, after).await
    }

    async fn remove(&self, operation: &Operation) -> Result<(), PortError> {
        self.remove_operation(operation).await
    }

    async fn due_from(
        &self,
        shard: u32,
        until: Timestamp,
        after: Option<&str>,
        limit: usize,
    ) -> Result<DuePage, PortError> {
        self.read_due_from(shard, until, after, limit).await
    }

    async fn hold(&self) -> Result<Hold, PortError> {
        self.read_hold().await
    }

    async fn set_hold(&self, before: &Hold, after: &Hold) -> Result<bool, PortError> {
        self.write_hold(before, after).await
    }
}
