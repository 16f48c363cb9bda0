//! Reading jobs: one, a list, the counts, the state of health. Bounded work per call; an expired
//! job is not there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::id::{JobId, RowId};
use crate::job::{DueList, Job, State, Status};
use crate::ports::{DUE_SHARDS, Scope};
use crate::rate::Call;
use crate::spec::{CustomerId, JobType, Priority, Spec};
use crate::time::Timestamp;

/// Rows that one list call looks at, at most.
const MOST_EXAMINED: usize = 2_000;
const PAGE: usize = 100;
/// Counts of unfinished jobs are this old at most.
const STATS_AGE: Duration = Duration::from_secs(5);

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub customer: Option<CustomerId>,
    /// Any of these; empty means any at all.
    pub statuses: Vec<Status>,
    /// A part of the address.
    pub url: Option<String>,
    pub kind: Option<JobType>,
}

impl Filter {
    fn matches(&self, job: &Job, now: Timestamp) -> bool {
        let wanted = |status| self.statuses.is_empty() || self.statuses.contains(&status);
        !job.is_expired(now)
            && wanted(job.status(now))
            && self.url.as_ref().is_none_or(|part| job.url.contains(part))
            && self.kind.is_none_or(|kind| job.kind == kind)
    }
}

fn scope(customer: Option<&CustomerId>) -> Scope<'_> {
    customer.map_or(Scope::Everyone, Scope::Customer)
}

/// One page of a list, newest first.
#[derive(Clone, Debug, Default)]
pub struct ListPage {
    pub jobs: Vec<Job>,
    /// Go on before this job; `None` at the end.
    pub next: Option<JobId>,
}

/// How many jobs stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub waiting: u64,
    pub delayed: u64,
    pub active: u64,
    pub paused: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
}

/// Whether the service keeps up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub active_workers: u64,
    /// Jobs that wait or are delayed.
    pub queue_size: u64,
    /// Sentences; healthy means none.
    pub issues: Vec<String>,
}

/// What the due index says about unfinished jobs, kept for a few seconds.
#[derive(Debug, Default)]
struct Open {
    by_customer: HashMap<CustomerId, Stats>,
    all: Stats,
    /// Waiting jobs by priority, oldest first.
    waiting: HashMap<Priority, Vec<JobId>>,
    /// When the longest waiting job became eligible.
    oldest: Option<Timestamp>,
    /// Ended jobs among the newest ones of the last hour: all, and failed.
    recent: (u64, u64),
}

#[derive(Debug, Default)]
pub(super) struct StatsCache(Mutex<Option<(Timestamp, Arc<Open>)>>);

impl App {
    /// The job, unless it does not exist or has expired.
    pub async fn job(&self, caller: &Caller, id: &JobId) -> Result<Option<(Job, Spec)>, Error> {
        // Without keys nobody knows who asks: all readers of single jobs are one.
        self.admit(Call::Read, &caller.payer())?;
        let found = self.ports.store.job_and_spec(id).await?;
        let now = self.now();
        Ok(found.filter(|(job, _)| !job.is_expired(now) && caller.may_see(&job.customer)))
    }

    /// The row alone, for callers who only follow it.
    pub async fn row(&self, id: &JobId) -> Result<Option<Job>, Error> {
        self.visible(id).await
    }

    /// Up to `limit` jobs that match, older than `before`, newest first.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &Filter,
        before: Option<&JobId>,
        limit: usize,
    ) -> Result<ListPage, Error> {
        let customer = caller.scope(filter.customer.as_ref())?;
        self.admit(Call::Read, &customer.clone().unwrap_or_default())?;
        let now = self.now();
        let mut page = ListPage::default();
        let mut before = before.cloned();
        let mut examined = 0;
        while examined < MOST_EXAMINED {
            let scope = scope(customer.as_ref());
            let listed = self.ports.store.list(scope, before.as_ref(), PAGE).await?;
            examined += PAGE;
            for job in listed.jobs {
                if filter.matches(&job, now) {
                    if page.jobs.len() == limit {
                        // One more exists: the page ends before it.
                        page.next = page.jobs.last().map(|job| job.id.clone());
                        return Ok(page);
                    }
                    page.jobs.push(job);
                }
            }
            before = listed.next;
            if before.is_none() {
                return Ok(page);
            }
        }
        page.next = before;
        Ok(page)
    }

    /// Counts of one customer or of all, at most five seconds old where jobs are unfinished.
    pub async fn stats(
        &self,
        caller: &Caller,
        customer: Option<&CustomerId>,
    ) -> Result<Stats, Error> {
        let customer = caller.scope(customer)?;
        let open = self.open().await?;
        let tally = self.ports.store.tally(scope(customer.as_ref())).await?;
        let mut stats = match &customer {
            None => open.all,
            Some(customer) => open.by_customer.get(customer).copied().unwrap_or_default(),
        };
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        stats.completed = count(tally.completed);
        stats.failed = count(tally.failed);
        stats.cancelled = count(tally.cancelled);
        stats.paused = count(tally.paused);
        Ok(stats)
    }

    /// Whether the service keeps up: fails only where the table cannot be asked.
    pub async fn health(&self) -> Result<Health, Error> {
        const MOST_WAITING: u64 = 100;
        const OLDEST: Duration = Duration::from_mins(15);
        let open = self.open().await?;
        let mut issues = Vec::new();
        let (ended, failed) = open.recent;
        if ended >= 20 && failed * 10 > ended {
            issues.push(format!("{failed} of the last {ended} jobs failed"));
        }
        if open.all.waiting > MOST_WAITING && open.all.active == 0 {
            issues.push(format!(
                "{} jobs wait and none is worked on",
                open.all.waiting
            ));
        }
        let age = open.oldest.map(|oldest| self.now().since(oldest));
        if let Some(age) = age.filter(|age| *age > OLDEST) {
            issues.push(format!(
                "the oldest job waits for {} minutes",
                age.as_secs() / 60
            ));
        }
        Ok(Health {
            active_workers: open.all.active,
            queue_size: open.all.waiting + open.all.delayed,
            issues,
        })
    }

    /// The place of a waiting job among those of its priority, 1 for the next; `None` for others.
    pub async fn number_in_queue(&self, job: &Job) -> Result<Option<u64>, Error> {
        if job.status(self.now()) != Status::Waiting {
            return Ok(None);
        }
        let open = self.open().await?;
        let ahead = open.waiting.get(&job.priority);
        let ahead = ahead.map_or(0, |ids| ids.partition_point(|id| *id < job.id));
        Ok(Some(ahead as u64 + 1))
    }

    async fn open(&self) -> Result<Arc<Open>, Error> {
        let now = self.now();
        let lock = || self.stats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, open)) = lock().as_ref()
            && now.since(*at) < STATS_AGE
        {
            return Ok(Arc::clone(open));
        }
        let open = Arc::new(self.count_open(now).await?);
        *lock() = Some((now, Arc::clone(&open)));
        Ok(open)
    }

    async fn count_open(&self, now: Timestamp) -> Result<Open, Error> {
        let mut open = Open::default();
        for shard in 0..DUE_SHARDS {
            let end_of_time = Timestamp::from_millis(i64::MAX);
            let store = &self.ports.store;
            let due = store
                .due(DueList::Work, shard, end_of_time, usize::MAX)
                .await?;
            let mut ids: Vec<_> = due.iter().filter_map(RowId::as_job).cloned().collect();
            // A row that moved while the index was read may have been met twice.
            ids.sort_unstable();
            ids.dedup();
            for job in store.jobs(&ids).await? {
                open.count(job, now);
            }
        }
        for ids in open.waiting.values_mut() {
            ids.sort_unstable();
        }
        open.recent = self.recent_outcomes(now).await?;
        Ok(open)
    }

    /// Outcomes of the last hour among the newest jobs.
    async fn recent_outcomes(&self, now: Timestamp) -> Result<(u64, u64), Error> {
        const NEWEST: usize = 500;
        let newest = self.ports.store.list(Scope::Everyone, None, NEWEST).await?;
        let hour = Duration::from_hours(1);
        let ended: Vec<_> = newest
            .jobs
            .iter()
            .filter(|job| job.finished_at.is_some_and(|at| now.since(at) < hour))
            .collect();
        let failed = ended
            .iter()
            .filter(|job| job.state == State::Failed)
            .count();
        Ok((ended.len() as u64, failed as u64))
    }
}

impl Open {
    fn count(&mut self, job: Job, now: Timestamp) {
        let status = job.status(now);
        for stats in [
            &mut self.all,
            self.by_customer.entry(job.customer).or_default(),
        ] {
            match status {
                Status::Waiting => stats.waiting += 1,
                Status::Delayed => stats.delayed += 1,
                Status::Active => stats.active += 1,
                // Held back or ended since the index was read.
                _ => {}
            }
        }
        if status == Status::Waiting {
            let oldest = self.oldest.unwrap_or(job.eligible_at);
            self.oldest = Some(oldest.min(job.eligible_at));
            self.waiting.entry(job.priority).or_default().push(job.id);
        }
    }
}
