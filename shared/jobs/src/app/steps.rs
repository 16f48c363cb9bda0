//! What a step of an operation does: which jobs it looks at, and what becomes of each. Bounded by
//! a number of jobs, and safe to be repeated from its beginning.

use std::time::Duration;

use futures::stream::{self, StreamExt};

use crate::app::{App, Settled};
use crate::error::Error;
use crate::id::{JobId, RowId};
use crate::job::{Job, State};
use crate::operation::{Kind, Operation, Progress, Step};
use crate::ports::{DUE_SHARDS, Scope};
use crate::transition::{LONGEST_MESSAGE_DELAY, Mode, Refusal};

/// Jobs that one step looks at.
const STEP: usize = 100;
/// Jobs worked on at once.
const CONCURRENCY: usize = 8;
/// Rows of one round of maintenance.
const BUDGET: usize = 500;
/// Whatever waits for a message comes due within this: the longest message delay and the longest
/// grace.
const REACH: Duration = Duration::from_mins(35);

impl App {
    pub(super) async fn step(&self, operation: &Operation) -> Result<Step, Error> {
        match operation.kind {
            Kind::Maintenance => self.sweep_step().await,
            Kind::Resume => self.resume_step(operation).await,
            Kind::Export => self.export_step(operation).await,
            _ if operation.listed > 0 => self.listed_step(operation).await,
            _ => self.walk_step(operation).await,
        }
    }

    /// The next jobs of everybody or one customer, from the instant of the request back.
    async fn walk_step(&self, operation: &Operation) -> Result<Step, Error> {
        let before = match &operation.cursor {
            None => JobId::new(operation.cutoff + Duration::from_millis(1), 0),
            Some(cursor) => JobId::parse(cursor).ok_or_else(|| damaged(operation))?,
        };
        let customer = operation.customer.as_ref();
        let scope = customer.map_or(Scope::Everyone, Scope::Customer);
        let listed = self.ports.store.list(scope, Some(&before), STEP).await?;
        Ok(Step {
            progress: self.treat_all(operation, listed.jobs).await?,
            cursor: listed.next.map(|id| id.to_string()),
            ..Step::default()
        })
    }

    /// The next jobs of those that the request has listed.
    async fn listed_step(&self, operation: &Operation) -> Result<Step, Error> {
        let from: usize = match &operation.cursor {
            None => 0,
            Some(cursor) => cursor.parse().map_err(|_| damaged(operation))?,
        };
        let all = self.ports.operations.listed(&operation.id).await?;
        let ids: Vec<_> = all.iter().skip(from).take(STEP).cloned().collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        let mut jobs = self.ports.store.jobs(&unique).await?;
        // Somebody else's job is not there.
        jobs.retain(|job| {
            let customer = operation.customer.as_ref();
            customer.is_none_or(|customer| *customer == job.customer)
        });
        let mut progress = self.treat_all(operation, jobs).await?;
        progress.examined = ids.len() as u64;
        progress.unfit = progress.examined - progress.changed - progress.taken - progress.full;
        let next = from + ids.len();
        Ok(Step {
            progress,
            cursor: (next < all.len()).then(|| next.to_string()),
            ..Step::default()
        })
    }

    async fn treat_all(&self, operation: &Operation, jobs: Vec<Job>) -> Result<Progress, Error> {
        let treated = stream::iter(jobs)
            .map(|job| self.treat(operation, job))
            .buffer_unordered(CONCURRENCY)
            .collect::<Vec<_>>()
            .await;
        let mut progress = Progress::default();
        let mut first_error = None;
        for treated in treated {
            match treated {
                Ok(one) => progress += one,
                // One bad row must not stop an operation for ever.
                Err(error @ Error::Corrupt(_)) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(operation = %operation.id, error, "a job is left alone");
                    progress.examined += 1;
                    progress.unfit += 1;
                }
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(progress), Err)
    }

    async fn treat(&self, operation: &Operation, job: Job) -> Result<Progress, Error> {
        let mut progress = Progress {
            examined: 1,
            ..Progress::default()
        };
        if job.created_at > operation.cutoff || job.is_expired(self.now()) {
            return Ok(progress);
        }
        let changed = match operation.kind {
            Kind::Cleanup | Kind::OldJobs => self.discard(operation, &job).await?,
            Kind::Deduplication => self.release(&job).await?,
            // Nothing is left of a job that is discarded, its place included.
            Kind::All => self.discard(operation, &job).await? || self.release(&job).await?,
            Kind::Drain => self.cancel_unbegun(&job).await?,
            Kind::RetryFailed => match self.retry_failed(operation, job).await {
                Err(Error::Taken { .. }) => {
                    progress.taken = 1;
                    false
                }
                Err(Error::Full { .. }) => {
                    progress.full = 1;
                    false
                }
                // It has moved on meanwhile.
                Err(Error::Conflict { .. } | Error::NotFound(_)) => false,
                other => other?,
            },
            Kind::Maintenance | Kind::Resume | Kind::Export => false,
        };
        progress.changed = u64::from(changed);
        Ok(progress)
    }

    /// Removes a job that ended in one of the outcomes and long enough ago.
    async fn discard(&self, operation: &Operation, job: &Job) -> Result<bool, Error> {
        let latest = operation.cutoff - operation.max_age;
        let meant = |row: &Job| {
            operation.states.contains(&row.state) && row.finished_at.is_some_and(|at| at <= latest)
        };
        // Expired first, so that nobody revives what is being removed, and the sweep goes on with
        // it if this is cut short.
        let settled = self.settle(job, |row, stamp| {
            if meant(row) {
                row.expire(stamp)
            } else {
                Err(Refusal::Forbidden)
            }
        });
        let Settled::Written(row) = settled.await? else {
            return Ok(false);
        };
        self.purge(&row).await?;
        Ok(true)
    }

    async fn release(&self, job: &Job) -> Result<bool, Error> {
        Ok(job.fingerprint.is_some() && self.ports.store.release(job).await?)
    }

    async fn cancel_unbegun(&self, job: &Job) -> Result<bool, Error> {
        let retention = self.limits.retention;
        let settled = self.settle(job, |row, stamp| match row.state {
            State::Queued | State::Paused => row.cancel(stamp, &retention),
            _ => Err(Refusal::Forbidden),
        });
        Ok(matches!(settled.await?, Settled::Written(_)))
    }

    /// Starts a job anew that had failed by the instant of the request, and not since: a repeated
    /// step does not retry what it has retried before.
    async fn retry_failed(&self, operation: &Operation, job: Job) -> Result<bool, Error> {
        let by_then = job.finished_at.is_some_and(|at| at <= operation.cutoff);
        if job.state != State::Failed || !by_then {
            return Ok(false);
        }
        self.retry(job).await.map(|_| true)
    }

    async fn sweep_step(&self) -> Result<Step, Error> {
        let swept = self.sweep_jobs(Mode::Routine, BUDGET).await?;
        let changed = (swept.sent + swept.written + swept.purged) as u64;
        let progress = Progress {
            examined: changed,
            changed,
            ..Progress::default()
        };
        // A round that changed nothing found only rows that it cannot help.
        let more = swept.more && changed > 0;
        Ok(Step {
            progress,
            cursor: more.then(|| "on".to_owned()),
            ..Step::default()
        })
    }

    /// Sends messages for queued rows of the due index, shard by shard; nothing is written.
    async fn resume_step(&self, operation: &Operation) -> Result<Step, Error> {
        let mut progress = Progress::default();
        // Held back again: a later end of that has an operation of its own.
        if self.is_paused().await? {
            return Ok(Step::default());
        }
        let cursor = operation.cursor.as_deref().unwrap_or("0");
        let (shard, after) = cursor.split_once(' ').unzip();
        let mut shard: u32 = shard
            .unwrap_or(cursor)
            .parse()
            .map_err(|_| damaged(operation))?;
        let mut after = after.map(str::to_owned);
        while shard < DUE_SHARDS && progress.examined < STEP as u64 {
            let until = operation.cutoff + REACH;
            let operations = &self.ports.operations;
            let page = operations
                .due_from(shard, until, after.as_deref(), STEP)
                .await?;
            let ids: Vec<_> = page.ids.iter().filter_map(RowId::as_job).cloned().collect();
            let now = self.now();
            let jobs = self.ports.store.jobs(&ids).await?;
            let queued = jobs.iter().filter(|job| job.state == State::Queued);
            let ready = queued.filter(|job| job.wait(now) <= LONGEST_MESSAGE_DELAY);
            let envelopes: Vec<_> = ready
                .map(|job| Self::envelope(job, job.wait(now)))
                .collect();
            self.send(&envelopes).await;
            progress.examined += page.ids.len() as u64;
            progress.changed += envelopes.len() as u64;
            after = page.next;
            if after.is_none() {
                shard += 1;
            }
        }
        let cursor = match after {
            Some(after) => Some(format!("{shard} {after}")),
            None => (shard < DUE_SHARDS).then(|| shard.to_string()),
        };
        Ok(Step {
            progress,
            cursor,
            ..Step::default()
        })
    }
}

fn damaged(operation: &Operation) -> Error {
    Error::Corrupt(format!("the cursor of {}", operation.id))
}
