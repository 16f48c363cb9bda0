//! Reading jobs: one, or a list. Bounded work per call; an expired job is not there.

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::id::JobId;
use crate::job::{Job, Status};
use crate::ports::Scope;
use crate::rate::Call;
use crate::spec::{CustomerId, JobType, Spec};
use crate::time::Timestamp;

/// Rows that one list call looks at, at most.
const MOST_EXAMINED: usize = 2_000;
const PAGE: usize = 100;

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
    pub(super) fn matches(&self, job: &Job, now: Timestamp) -> bool {
        let wanted = |status| self.statuses.is_empty() || self.statuses.contains(&status);
        !job.is_expired(now)
            && wanted(job.status(now))
            && self.url.as_ref().is_none_or(|part| job.url.contains(part))
            && self.kind.is_none_or(|kind| job.kind == kind)
    }
}

/// One page of a list, newest first.
#[derive(Clone, Debug, Default)]
pub struct ListPage {
    pub jobs: Vec<Job>,
    /// Go on before this job; `None` at the end.
    pub next: Option<JobId>,
}

impl App {
    /// The job, unless it does not exist or has expired.
    pub async fn job(&self, caller: &Caller, id: &JobId) -> Result<Option<(Job, Spec)>, Error> {
        // Without keys nobody knows who asks: all readers of single jobs are one.
        self.admit_caller(Call::Read, caller, None).await?;
        let found = self.ports.store.job_and_spec(id).await?;
        let now = self.now();
        Ok(found.filter(|(job, _)| !job.is_expired(now) && caller.may_see(&job.customer)))
    }

    /// Counts a read that is about no job.
    pub async fn count_read(&self, caller: &Caller) -> Result<(), Error> {
        self.admit_caller(Call::Read, caller, None).await
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
        self.admit_caller(Call::Read, caller, customer.as_ref())
            .await?;
        let now = self.now();
        let mut page = ListPage::default();
        let mut before = before.cloned();
        let mut examined = 0;
        while examined < MOST_EXAMINED {
            let scope = Scope::of(customer.as_ref());
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
}
