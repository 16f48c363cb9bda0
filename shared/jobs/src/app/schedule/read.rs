//! Reading schedules: one, a list, and what their ticks became. Bounded work per call; one that is
//! deleted is not there.

use std::collections::HashMap;

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::id::ScheduleId;
use crate::job::Status;
use crate::ports::Scope;
use crate::rate::Call;
use crate::schedule::{Asked, Schedule, ScheduleStatus, Tick};
use crate::spec::CustomerId;
use crate::time::Timestamp;

/// Rows that one list call looks at, at most.
const MOST_EXAMINED: usize = 1_000;
const PAGE: usize = 100;
/// Ticks that are told of a schedule.
const MOST_RUNS: usize = 100;

/// Which schedules to list.
#[derive(Clone, Debug, Default)]
pub struct ScheduleFilter {
    pub customer: Option<CustomerId>,
    pub status: Option<ScheduleStatus>,
}

impl ScheduleFilter {
    fn matches(&self, schedule: &Schedule, now: Timestamp) -> bool {
        let wanted = |status| schedule.status(now) == status;
        !schedule.deleted && self.status.is_none_or(wanted)
    }
}

/// One page of a list, newest first.
#[derive(Clone, Debug, Default)]
pub struct SchedulePage {
    pub rows: Vec<Schedule>,
    /// Go on before this one; `None` at the end.
    pub next: Option<ScheduleId>,
}

/// A tick, and where its job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledRun {
    pub tick: Tick,
    /// `None` where it has no job, or nobody knows any more.
    pub status: Option<Status>,
}

impl App {
    /// A schedule and what it asks for.
    pub async fn schedule(
        &self,
        caller: &Caller,
        id: &ScheduleId,
    ) -> Result<(Schedule, Asked), Error> {
        self.admit_caller(Call::Read, caller, None).await?;
        self.visible_schedule(caller, id).await
    }

    /// Up to `limit` schedules that match, older than `before`, newest first.
    pub async fn list_schedules(
        &self,
        caller: &Caller,
        filter: &ScheduleFilter,
        before: Option<&ScheduleId>,
        limit: usize,
    ) -> Result<SchedulePage, Error> {
        let customer = caller.scope(filter.customer.as_ref())?;
        self.admit_caller(Call::Read, caller, customer.as_ref())
            .await?;
        let now = self.now();
        let scope = Scope::of(customer.as_ref());
        let mut page = SchedulePage::default();
        let mut before = before.cloned();
        let mut examined = 0;
        while examined < MOST_EXAMINED {
            let schedules = &self.ports.schedules;
            let listed = schedules.list_schedules(scope, before.as_ref(), PAGE);
            let listed = listed.await?;
            examined += PAGE;
            for schedule in listed.schedules {
                if filter.matches(&schedule, now) {
                    if page.rows.len() == limit {
                        // One more exists: the page ends before it.
                        page.next = page.rows.last().map(|it| it.id.clone());
                        return Ok(page);
                    }
                    page.rows.push(schedule);
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

    /// The last ticks of a schedule, the latest instant first, each with where its job stands.
    pub async fn runs(&self, caller: &Caller, id: &ScheduleId) -> Result<Vec<ScheduledRun>, Error> {
        self.admit_caller(Call::Read, caller, None).await?;
        self.visible_schedule(caller, id).await?;
        let now = self.now();
        let ticks = self.ports.schedules.ticks(id, now, MOST_RUNS).await?;
        let jobs: Vec<_> = ticks.iter().filter_map(|it| it.job.clone()).collect();
        let rows = self.ports.store.jobs(&jobs).await?.into_iter();
        let there = rows.filter(|job| !job.is_expired(now));
        let standing: HashMap<_, _> = there.map(|job| (job.id.clone(), job.status(now))).collect();
        let run = |tick: Tick| {
            let now = tick.job.as_ref().and_then(|job| standing.get(job)).copied();
            ScheduledRun {
                status: now.or(tick.ended),
                tick,
            }
        };
        Ok(ticks.into_iter().map(run).collect())
    }
}
