//! What happened lately, from totals that only grow and from what they were each minute: sums and
//! differences, nothing else. Refuses to know where totals are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::failure::FailureCode;
use crate::job::{Job, State};
use crate::time::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR_IN_MINUTES: i64 = 60;

/// Everything that ever happened to the jobs of a customer, or a part of it. Grows with the writes
/// that create and end a job, and with every duplicate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub created: u64,
    /// Creates that found an equal job.
    pub deduplicated: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
    /// Failed jobs by what they finally failed of, as [`FailureCode::counted_as`] names it.
    pub errors: BTreeMap<String, u64>,
}

impl Totals {
    /// What a write adds that makes `after` of `before`; `None` is a job that was not there.
    pub fn between(before: Option<&Job>, after: &Job) -> Self {
        let mut added = Self::default();
        let Some(before) = before else {
            added.created = 1;
            return added;
        };
        if before.state.is_terminal() {
            return added;
        }
        match after.state {
            State::Completed => added.completed = 1,
            State::Failed => {
                added.failed = 1;
                let last = after.attempts.last().map(|attempt| attempt.failure.code);
                let code = last.unwrap_or(FailureCode::Internal).counted_as();
                added.errors.insert(code, 1);
            }
            State::Cancelled => added.cancelled = 1,
            State::Queued | State::Active | State::Paused => {}
        }
        added
    }

    /// A number that grows with each of them.
    pub fn sum(&self) -> u64 {
        self.created + self.deduplicated + self.completed + self.failed + self.cancelled
    }

    /// Jobs that reached an end of their own.
    pub fn finished(&self) -> u64 {
        self.completed + self.failed
    }

    /// The part of the finished jobs that completed, 0 to 1; `None` where none finished.
    pub fn success_rate(&self) -> Option<f64> {
        part(self.completed, self.finished())
    }

    /// The part of the creates that found an equal job, 0 to 1; `None` without creates.
    pub fn deduplication_rate(&self) -> Option<f64> {
        part(self.deduplicated, self.created + self.deduplicated)
    }

    /// The most common reasons to fail, the most common first.
    pub fn most_common_errors(&self, most: usize) -> Vec<(&str, u64)> {
        let errors = self
            .errors
            .iter()
            .map(|(code, count)| (code.as_str(), *count));
        let mut errors: Vec<_> = errors.collect();
        errors.sort_by(|(one, ones), (other, others)| others.cmp(ones).then(one.cmp(other)));
        errors.truncate(most);
        errors
    }

    /// What was added since they were `earlier`; nothing where they were more.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let error = |(code, count): (&String, &u64)| {
            let before = earlier.errors.get(code).copied().unwrap_or(0);
            let added = count.saturating_sub(before);
            (added > 0).then(|| (code.clone(), added))
        };
        Self {
            created: self.created.saturating_sub(earlier.created),
            deduplicated: self.deduplicated.saturating_sub(earlier.deduplicated),
            completed: self.completed.saturating_sub(earlier.completed),
            failed: self.failed.saturating_sub(earlier.failed),
            cancelled: self.cancelled.saturating_sub(earlier.cancelled),
            errors: self.errors.iter().filter_map(error).collect(),
        }
    }
}

fn part(count: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| count as f64 / of as f64)
}

impl std::ops::AddAssign<&Self> for Totals {
    fn add_assign(&mut self, other: &Self) {
        self.created += other.created;
        self.deduplicated += other.deduplicated;
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        for (code, count) in &other.errors {
            *self.errors.entry(code.clone()).or_default() += count;
        }
    }
}

/// A minute, counted from the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(i64);

impl Minute {
    pub fn of(now: Timestamp) -> Self {
        Self(now.as_millis().div_euclid(60_000))
    }

    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    pub const fn number(self) -> i64 {
        self.0
    }

    pub fn starts_at(self) -> Timestamp {
        Timestamp::from_millis(self.0.saturating_mul(60_000))
    }

    /// The minute so many minutes earlier.
    #[must_use]
    pub const fn earlier(self, minutes: i64) -> Self {
        Self(self.0.saturating_sub(minutes))
    }
}

/// What the totals were when a minute began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub minute: Minute,
    pub totals: Totals,
}

/// What happened in the last hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// In the last minute, or since the last snapshot before it: 60 to 120 seconds.
    pub last_minute: Totals,
    /// In the last hour, likewise: 60 to 61 minutes.
    pub last_hour: Totals,
    /// By minute, oldest first; the last one is the minute that runs. What happened while no
    /// snapshot was taken belongs to the last minute of that time.
    pub minutes: Vec<(Timestamp, Totals)>,
}

impl Recent {
    /// The minute from which on snapshots are needed, with the last one before it.
    pub fn begins(now: Timestamp) -> Minute {
        Minute::of(now).earlier(HOUR_IN_MINUTES)
    }

    /// From the totals as they are, and snapshots in the order of their minutes.
    pub fn of(now: Timestamp, live: &Totals, snapshots: &[Snapshot]) -> Self {
        // A clock that was set back has left snapshots of a time that is yet to come.
        let known = snapshots.partition_point(|it| it.minute <= Minute::of(now));
        let past = Past(&snapshots[..known]);
        let zero = Totals::default();
        let since = |ago| live.since(past.at(Minute::of(now - ago), now - ago).unwrap_or(&zero));
        let this = Minute::of(now);
        let began = |minute: Minute| past.at(minute, minute.starts_at()).unwrap_or(&zero);
        let minutes = (0..HOUR_IN_MINUTES).rev().map(|ago| {
            let minute = this.earlier(ago);
            let ended = if ago == 0 {
                live
            } else {
                began(this.earlier(ago - 1))
            };
            (minute.starts_at(), ended.since(began(minute)))
        });
        Self {
            last_minute: since(MINUTE),
            last_hour: since(MINUTE * HOUR_IN_MINUTES as u32),
            minutes: minutes.collect(),
        }
    }
}

struct Past<'a>(&'a [Snapshot]);

impl Past<'_> {
    /// The totals at a time: the last snapshot before it. Where the first one is later, nothing is
    /// known of what was before it, and it stands for the beginning.
    fn at(&self, minute: Minute, time: Timestamp) -> Option<&Totals> {
        let before = self
            .0
            .partition_point(|it| it.minute <= minute && it.minute.starts_at() <= time);
        let found = self.0.get(before.saturating_sub(1));
        found.map(|snapshot| &snapshot.totals)
    }
}

#[cfg(test)]
mod tests;
