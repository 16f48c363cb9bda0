//! Lists by the number of the page, for clients that count pages. Bounded: whoever wants more than
//! the newest ten thousand follows cursors.

use crate::app::{App, Filter};
use crate::caller::Caller;
use crate::error::Error;
use crate::job::{Job, Status};
use crate::ports::Scope;
use crate::rate::Call;
use crate::spec::{CustomerId, JobType};

/// Pages reach this many jobs back: number of the page times jobs on it.
pub const MOST_REACHED: usize = 10_000;
/// Rows that one call looks at, at most.
const MOST_EXAMINED: usize = MOST_REACHED;
const PAGE: usize = 100;

/// One page of a list, newest first, and how many jobs there are on all of them.
#[derive(Clone, Debug, Default)]
pub struct NumberedPage {
    pub jobs: Vec<Job>,
    /// Jobs that match. Where only some types are asked for, those among the newest ten thousand
    /// rows; else at most five seconds old.
    pub total: u64,
}

impl App {
    /// The `page`-th page, from 1, of the jobs that match `filter` and are of one of `kinds`.
    pub async fn numbered_page(
        &self,
        caller: &Caller,
        filter: &Filter,
        kinds: &[JobType],
        page: usize,
        limit: usize,
    ) -> Result<NumberedPage, Error> {
        let customer = caller.scope(filter.customer.as_ref())?;
        self.admit_caller(Call::Read, caller, customer.as_ref())
            .await?;
        if kinds.is_empty() {
            return Ok(NumberedPage::default());
        }
        let every_kind = JobType::ALL.iter().all(|kind| kinds.contains(kind));
        let countable = every_kind && filter.url.is_none() && filter.kind.is_none();
        let now = self.now();
        let skipped = page.saturating_sub(1).saturating_mul(limit);
        let mut found = NumberedPage::default();
        let (mut matched, mut examined, mut before) = (0, 0, None);
        loop {
            let scope = Scope::of(customer.as_ref());
            let listed = self.ports.store.list(scope, before.as_ref(), PAGE).await?;
            examined += PAGE;
            let of_kind = |job: &Job| kinds.contains(&job.kind) && filter.matches(job, now);
            for job in listed.jobs.into_iter().filter(of_kind) {
                if matched >= skipped && found.jobs.len() < limit {
                    found.jobs.push(job);
                }
                matched += 1;
            }
            found.total = matched as u64;
            before = listed.next;
            if before.is_none() || examined >= MOST_EXAMINED {
                break;
            }
            if countable && found.jobs.len() == limit {
                // The rest is counted already, if not to the second.
                found.total = found
                    .total
                    .max(self.count(customer.as_ref(), filter).await?);
                break;
            }
        }
        Ok(found)
    }

    /// Jobs of these statuses, from the counts.
    async fn count(&self, customer: Option<&CustomerId>, filter: &Filter) -> Result<u64, Error> {
        let stats = self.stats_of(customer).await?;
        let wanted =
            |status: &Status| filter.statuses.is_empty() || filter.statuses.contains(status);
        Ok(Status::ALL
            .iter()
            .filter(|status| wanted(status))
            .map(|status| stats.of(*status))
            .sum())
    }
}
