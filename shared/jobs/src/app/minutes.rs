//! What happened lately: totals as they are, less what they were. Keeps what they are once a
//! minute, for all together and for each customer whose totals have changed. A statistic: nothing
//! here may break a sweep.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt};

use crate::app::App;
use crate::cached::Cached;
use crate::error::Error;
use crate::ports::{COUNTER_SHARDS, Counter, PortError, Scope};
use crate::spec::CustomerId;
use crate::statistics::{Minute, Recent, Snapshot, Totals};
use crate::time::Timestamp;

/// Statistics over all customers are this old at most.
const AGE: Duration = Duration::from_secs(5);
/// Customers whose totals one process keeps in a minute; the others have their turn in the next.
const MOST_CUSTOMERS: usize = 1_000;
/// Customers at once.
const CONCURRENCY: usize = 8;
/// What was kept of a customer is kept anew after this long, before it expires.
const KEPT_ANEW: i64 = 24 * 60;

#[derive(Debug)]
pub(super) struct Minutes {
    recent: Cached<Recent>,
    /// The last minute that is known to be kept, by this process or by another.
    kept: AtomicI64,
}

impl Default for Minutes {
    fn default() -> Self {
        Self {
            recent: Cached::new(AGE),
            kept: AtomicI64::new(i64::MIN),
        }
    }
}

impl App {
    /// What happened in the last hour to the jobs of one customer or of all, at most five seconds
    /// old.
    pub async fn recent(&self, customer: Option<&CustomerId>) -> Result<Arc<Recent>, Error> {
        let now = self.now();
        match customer {
            None => {
                let read = self.read_recent(now, Scope::Everyone);
                self.minutes.recent.get(now, read).await
            }
            Some(customer) => {
                let read = self.read_recent(now, Scope::Customer(customer));
                read.await.map(Arc::new)
            }
        }
    }

    async fn read_recent(&self, now: Timestamp, scope: Scope<'_>) -> Result<Recent, Error> {
        let store = &self.ports.store;
        // Snapshots first: totals that were read earlier would be less than a snapshot.
        let (from, until) = (Recent::begins(now), Minute::of(now));
        let snapshots = store.snapshots(scope, from, until).await?;
        let totals = store.totals(scope).await?;
        Ok(Recent::of(now, &totals, &snapshots))
    }

    /// Keeps what the totals are, once a minute. Whatever goes wrong is logged: the next minute
    /// comes soon.
    pub(super) async fn keep_minute(&self) {
        let minute = Minute::of(self.now());
        if self.minutes.kept.load(Ordering::Relaxed) == minute.number() {
            return;
        }
        match self.try_keep_minute(minute).await {
            Ok(()) => self.minutes.kept.store(minute.number(), Ordering::Relaxed),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "the statistics of this minute are not kept");
            }
        }
    }

    async fn try_keep_minute(&self, minute: Minute) -> Result<(), PortError> {
        let store = &self.ports.store;
        let mut sum = Totals::default();
        let mut changed = Vec::new();
        // Not always the same shard first: what there is no room for has its turn later.
        let first = minute.number().rem_euclid(i64::from(COUNTER_SHARDS)) as u8;
        for turn in 0..COUNTER_SHARDS {
            let shard = (first + turn) % COUNTER_SHARDS;
            for counter in store.counters(shard).await? {
                sum += &counter.totals;
                if changed.len() < MOST_CUSTOMERS && is_changed(&counter, minute) {
                    changed.push(counter);
                }
            }
        }
        let snapshot = Snapshot {
            minute,
            totals: sum,
        };
        if !store.keep_snapshot(Scope::Everyone, &snapshot).await? {
            // Another process was faster and does the rest.
            return Ok(());
        }
        let kept = stream::iter(changed).map(|counter| async move {
            let scope = Scope::Customer(&counter.customer);
            if counter.kept.is_none() {
                // Nothing is known of a new customer before this minute because nothing was.
                let nothing = Snapshot {
                    minute: minute.earlier(1),
                    totals: Totals::default(),
                };
                store.keep_snapshot(scope, &nothing).await?;
            }
            let snapshot = Snapshot {
                minute,
                totals: counter.totals,
            };
            store.keep_snapshot(scope, &snapshot).await.map(drop)
        });
        let kept: Vec<_> = kept.buffer_unordered(CONCURRENCY).collect().await;
        // Those that failed are still changed in the next minute.
        kept.into_iter().find(Result::is_err).unwrap_or(Ok(()))
    }

    /// Counts creates that found equal jobs. A statistic, never worth failing a create.
    pub(super) async fn count_duplicates(&self, customer: &CustomerId, number: usize) {
        if number == 0 {
            return;
        }
        let counted = self
            .ports
            .store
            .count_duplicates(customer, number as u64)
            .await;
        if let Err(error) = counted {
            let error: &dyn std::error::Error = &error;
            tracing::debug!(error, "duplicates are not counted");
        }
    }
}

fn is_changed(counter: &Counter, minute: Minute) -> bool {
    counter.kept.is_none_or(|(sum, kept)| {
        sum != counter.totals.sum() || minute.number() - kept.number() >= KEPT_ANEW
    })
}
