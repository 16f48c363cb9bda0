//! How many jobs stand where, a job's place in its queue, and whether the service keeps up.
//! Counted from indexes alone, at most every five seconds in a process; reads no rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join;

use crate::app::App;
use crate::cached::Cached;
use crate::caller::Caller;
use crate::error::Error;
use crate::id::JobId;
use crate::job::{Job, Status};
use crate::ports::{ActiveEntry, DueEntry, Scope};
use crate::rate::Call;
use crate::spec::{CustomerId, Priority};
use crate::statistics::Recent;
use crate::time::Timestamp;

/// Counts of unfinished jobs are this old at most.
const AGE: Duration = Duration::from_secs(5);

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

impl Stats {
    /// Jobs of one status.
    pub const fn of(&self, status: Status) -> u64 {
        match status {
            Status::Waiting => self.waiting,
            Status::Delayed => self.delayed,
            Status::Active => self.active,
            Status::Paused => self.paused,
            Status::Completed => self.completed,
            Status::Failed => self.failed,
            Status::Cancelled => self.cancelled,
        }
    }
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

/// How the queue is doing.
#[derive(Clone, Debug)]
pub struct QueueState {
    /// Whether everything is held back.
    pub is_paused: bool,
    pub health: Health,
    pub stats: Stats,
    /// Waiting jobs by priority.
    pub depth: HashMap<Priority, u64>,
    pub recent: Arc<Recent>,
}

/// What the indexes say about unfinished jobs.
#[derive(Debug, Default)]
struct Open {
    by_customer: HashMap<CustomerId, Unfinished>,
    all: Unfinished,
    /// Waiting jobs by priority, in the order of their turn.
    waiting: HashMap<Priority, Vec<Turn>>,
    /// When the longest waiting job became eligible.
    oldest: Option<Timestamp>,
}

/// Unfinished jobs of somebody, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Unfinished {
    stats: Stats,
    /// Waiting ones by priority.
    depth: HashMap<Priority, u64>,
}

/// The longest waiting first; of those that wait equally long, the first created.
type Turn = (Timestamp, JobId);

#[derive(Debug)]
pub(super) struct Counts(Cached<Open>);

impl Default for Counts {
    fn default() -> Self {
        Self(Cached::new(AGE))
    }
}

impl App {
    /// Counts of one customer or of all, at most five seconds old where jobs are unfinished.
    pub async fn stats(
        &self,
        caller: &Caller,
        customer: Option<&CustomerId>,
    ) -> Result<Stats, Error> {
        let customer = caller.scope(customer)?;
        self.stats_of(customer.as_ref()).await
    }

    pub(super) async fn stats_of(&self, customer: Option<&CustomerId>) -> Result<Stats, Error> {
        let open = self.open().await?;
        let tally = self.ports.store.tally(Scope::of(customer)).await?;
        let mut stats = open.of(customer).stats;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        // The tally is of this moment, the rest may be some seconds old: no job counts twice, and
        // none is left out.
        let unfinished = count(tally.unfinished - tally.paused);
        stats.active = stats.active.min(unfinished);
        stats.delayed = stats.delayed.min(unfinished - stats.active);
        stats.waiting = unfinished - stats.active - stats.delayed;
        stats.completed = count(tally.completed);
        stats.failed = count(tally.failed);
        stats.cancelled = count(tally.cancelled);
        stats.paused = count(tally.paused);
        Ok(stats)
    }

    /// How the queue is doing, at most five seconds old: health is the service's, everything else
    /// is about what the caller may see.
    pub async fn queue(&self, caller: &Caller) -> Result<QueueState, Error> {
        let customer = caller.scope(None)?;
        self.admit_caller(Call::Read, caller, None).await?;
        let stats = self.stats_of(customer.as_ref()).await?;
        let mut health = self.health().await?;
        let open = self.open().await?;
        if customer.is_some() {
            // How much others have to do is their business.
            (health.active_workers, health.queue_size) =
                (stats.active, stats.waiting + stats.delayed);
        }
        Ok(QueueState {
            is_paused: self.is_paused().await?,
            health,
            stats,
            depth: open.of(customer.as_ref()).depth,
            recent: self.recent(customer.as_ref()).await?,
        })
    }

    /// Whether the service keeps up: fails only where the table cannot be asked.
    pub async fn health(&self) -> Result<Health, Error> {
        const MOST_WAITING: u64 = 100;
        const OLDEST: Duration = Duration::from_mins(15);
        const FEWEST_ENDED: u64 = 20;
        let (open, recent) = try_join(self.open(), self.recent(None)).await?;
        // What is held back on purpose does not wait for want of workers.
        let held = self.is_paused().await?;
        let mut issues = Vec::new();
        let hour = &recent.last_hour;
        let (ended, failed) = (hour.finished(), hour.failed);
        if ended >= FEWEST_ENDED && failed * 10 > ended {
            issues.push(format!("{failed} of the last {ended} jobs failed"));
        }
        if open.all.stats.waiting > MOST_WAITING && open.all.stats.active == 0 && !held {
            issues.push(format!(
                "{} jobs wait and none is worked on",
                open.all.stats.waiting
            ));
        }
        let age = open.oldest.map(|oldest| self.now().since(oldest));
        if let Some(age) = age.filter(|age| *age > OLDEST && !held) {
            issues.push(format!(
                "the oldest job waits for {} minutes",
                age.as_secs() / 60
            ));
        }
        Ok(Health {
            active_workers: open.all.stats.active,
            queue_size: open.all.stats.waiting + open.all.stats.delayed,
            issues,
        })
    }

    /// The place of a waiting job among those of its priority, 1 for the next; `None` for others.
    pub async fn number_in_queue(&self, job: &Job) -> Result<Option<u64>, Error> {
        if job.status(self.now()) != Status::Waiting {
            return Ok(None);
        }
        let open = self.open().await?;
        let ahead = open.waiting.get(&job.priority).map_or(0, |turns| {
            turns.partition_point(|(at, id)| (*at, id) < (job.eligible_at, &job.id))
        });
        Ok(Some(ahead as u64 + 1))
    }

    async fn open(&self) -> Result<Arc<Open>, Error> {
        let now = self.now();
        let counting = self.count_open(now);
        self.counts.0.get_for(now, Open::kept_for, counting).await
    }

    async fn count_open(&self, now: Timestamp) -> Result<Open, Error> {
        let store = &self.ports.store;
        // Together, and not one after the other: what is claimed in between is counted once, since
        // who stands among the active ones does not wait.
        let (due, active) = try_join(store.unfinished(), store.active(Scope::Everyone)).await?;
        Ok(Open::count(due, active, now))
    }
}

impl Open {
    /// What is counted in no time is counted anew for every caller.
    fn kept_for(&self) -> Duration {
        const OF_EACH: Duration = Duration::from_millis(5);
        let unfinished = self.all.stats.waiting + self.all.stats.delayed + self.all.stats.active;
        OF_EACH.saturating_mul(u32::try_from(unfinished).unwrap_or(u32::MAX))
    }

    fn of(&self, customer: Option<&CustomerId>) -> Unfinished {
        match customer {
            None => self.all.clone(),
            Some(customer) => self.by_customer.get(customer).cloned().unwrap_or_default(),
        }
    }

    /// Counts every job once, whatever the two indexes say of it at the same time.
    fn count(due: Vec<DueEntry>, active: Vec<ActiveEntry>, now: Timestamp) -> Self {
        let mut open = Self::default();
        let mut seen = HashSet::with_capacity(due.len() + active.len());
        for ActiveEntry { id, customer } in active {
            if seen.insert(id) {
                open.all.stats.active += 1;
                open.by_customer.entry(customer).or_default().stats.active += 1;
            }
        }
        for entry in due {
            let DueEntry {
                id,
                customer,
                priority,
                eligible_at,
            } = entry;
            if !seen.insert(id.clone()) {
                continue;
            }
            let own = open.by_customer.entry(customer).or_default();
            if eligible_at > now {
                open.all.stats.delayed += 1;
                own.stats.delayed += 1;
                continue;
            }
            for unfinished in [&mut open.all, own] {
                unfinished.stats.waiting += 1;
                *unfinished.depth.entry(priority).or_default() += 1;
            }
            let oldest = open.oldest.unwrap_or(eligible_at);
            open.oldest = Some(oldest.min(eligible_at));
            open.waiting
                .entry(priority)
                .or_default()
                .push((eligible_at, id));
        }
        for turns in open.waiting.values_mut() {
            turns.sort_unstable();
        }
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn id(number: i64) -> JobId {
        JobId::new(at(number), 0)
    }

    fn due(number: i64, eligible_at: i64) -> DueEntry {
        DueEntry {
            id: id(number),
            customer: CustomerId::default(),
            priority: Priority::Normal,
            eligible_at: at(eligible_at),
        }
    }

    fn active(number: i64) -> ActiveEntry {
        ActiveEntry {
            id: id(number),
            customer: CustomerId::default(),
        }
    }

    #[test]
    fn a_job_is_counted_once_whatever_the_indexes_say_of_it() {
        // 1 is met twice, 2 and 3 are active and still in the work list, 4 is in none but one.
        let due = vec![
            due(1, 10),
            due(2, 10),
            due(1, 10),
            due(3, 99),
            due(5, 51),
            due(6, 50),
        ];
        let open = Open::count(
            due,
            vec![active(2), active(3), active(4), active(4)],
            at(50),
        );
        let expected = Stats {
            waiting: 2,
            delayed: 1,
            active: 3,
            ..Stats::default()
        };
        assert_eq!(open.all.stats, expected);
        assert_eq!(open.all.depth, HashMap::from([(Priority::Normal, 2)]));
        assert_eq!(open.by_customer[&CustomerId::default()], open.all);
        assert_eq!(open.oldest, Some(at(10)));
    }

    #[test]
    fn whose_time_came_first_is_first_whenever_it_was_created() {
        let open = Open::count(vec![due(1, 30), due(2, 20), due(3, 20)], vec![], at(50));
        let turns: Vec<_> = open.waiting[&Priority::Normal]
            .iter()
            .map(|(_, id)| id)
            .collect();
        assert_eq!(turns, [&id(2), &id(3), &id(1)]);
    }
}
