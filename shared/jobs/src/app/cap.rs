//! How many jobs of one customer are worked on at once, where the queue does not see to it that
//! customers take turns. A job that finds no place stays as it is; its message comes back later.
//! A bound for fairness: several processes together may exceed it by a few for a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::try_join;

use crate::app::App;
use crate::job::{Job, State};
use crate::ports::{PortError, Scope};
use crate::spec::CustomerId;
use crate::time::Timestamp;
use crate::transition::LONGEST_MESSAGE_DELAY;

/// A count is this old at most.
const AGE: Duration = Duration::from_secs(1);
/// Customers whose counts are remembered before old ones are forgotten.
const MOST_REMEMBERED: usize = 1_000;
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait, where hardly any jobs stand before it.
const LEAST_SPREAD: Duration = Duration::from_secs(5);

/// What this process knows about each customer's places.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<CustomerId, Known>>);

#[derive(Clone, Copy, Debug)]
struct Known {
    at: Timestamp,
    /// What the index said then.
    active: u64,
    /// Unfinished jobs of the customer then.
    unfinished: u64,
    /// Places that this process has taken since, less those that it has left.
    since: i64,
}

impl Known {
    fn taken(&self) -> u64 {
        self.active.saturating_add_signed(self.since)
    }
}

/// A place among the active jobs of a customer; left when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    customer: CustomerId,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(known) = self.places.lock().get_mut(&self.customer) {
            known.since -= 1;
        }
    }
}

/// Whether a job may start.
pub(super) enum Admission {
    /// It may, and holds this for as long as it runs.
    Start(Option<Place>),
    /// Too many run already: look again after this.
    Wait(Duration),
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, HashMap<CustomerId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known and not too old.
    fn known(&self, customer: &CustomerId, now: Timestamp) -> Option<Known> {
        let known = self.lock().get(customer).copied();
        known.filter(|known| now.since(known.at).max(known.at.since(now)) < AGE)
    }

    fn learn(&self, customer: &CustomerId, known: Known) {
        let mut places = self.lock();
        if places.len() >= MOST_REMEMBERED {
            places.retain(|_, other| known.at.since(other.at) < AGE);
        }
        places.insert(customer.clone(), known);
    }

    /// Takes a place where there is one; else answers with what is known.
    fn take(self: &Arc<Self>, customer: &CustomerId, most: u64) -> Result<Option<Place>, Known> {
        let mut places = self.lock();
        let Some(known) = places.get_mut(customer) else {
            return Ok(None);
        };
        if known.taken() >= most {
            return Err(*known);
        }
        known.since += 1;
        Ok(Some(Place {
            places: Arc::clone(self),
            customer: customer.clone(),
        }))
    }
}

impl App {
    /// Asks for a place for a job that is about to be claimed.
    pub(super) async fn admit_to_work(&self, job: &Job) -> Admission {
        let most = self.limits.max_active_per_customer;
        // A job whose lease ran out has a place still.
        if most == 0 || job.state != State::Queued {
            return Admission::Start(None);
        }
        let now = self.now();
        if self.places.known(&job.customer, now).is_none() {
            match self.count_places(job, now).await {
                Ok(known) => self.places.learn(&job.customer, known),
                // Fairness is not worth stopping for. A table that is away stops the claim itself.
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the active jobs of a customer are not counted");
                    return Admission::Start(None);
                }
            }
        }
        match self.places.take(&job.customer, most) {
            Ok(place) => Admission::Start(place),
            Err(known) => Admission::Wait(wait(known.unfinished, most, self.random())),
        }
    }

    async fn count_places(&self, job: &Job, now: Timestamp) -> Result<Known, PortError> {
        let store = &self.ports.store;
        let scope = Scope::Customer(&job.customer);
        let counts = try_join(store.active_count(&job.customer), store.tally(scope));
        let (active, tally) = counts.await?;
        Ok(Known {
            at: now,
            active,
            unfinished: u64::try_from(tally.unfinished).unwrap_or(0),
            since: 0,
        })
    }
}

/// When to look again: by chance, over about as long as the backlog takes where a job takes a
/// second, so that all of it does not come back at once and again and again.
fn wait(unfinished: u64, most: u64, chance: u64) -> Duration {
    let backlog = Duration::from_secs(unfinished / most.max(1));
    let longest = backlog.clamp(LEAST_SPREAD, LONGEST_MESSAGE_DELAY);
    let spread = longest.saturating_sub(SHORTEST_WAIT).as_millis() as u64;
    SHORTEST_WAIT + Duration::from_millis(chance % (spread + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_the_backlog_the_later_it_comes_back_within_bounds() {
        let bounds = |unfinished, most| {
            let waits = (0..10_000_000)
                .step_by(997)
                .map(|chance| wait(unfinished, most, chance));
            let waits: Vec<_> = waits.collect();
            let seconds = |wait: Option<&Duration>| wait.unwrap().as_secs_f64().round() as u64;
            (seconds(waits.iter().min()), seconds(waits.iter().max()))
        };
        assert_eq!(bounds(0, 40), (1, 5));
        assert_eq!(bounds(10_000, 40), (1, 250));
        assert_eq!(bounds(1_000_000, 40), (1, 900));
    }

    #[test]
    fn places_are_taken_up_to_the_bound_and_left_when_dropped() {
        let (places, customer) = (Arc::new(Places::default()), CustomerId::default());
        let at = Timestamp::from_millis(0);
        assert!(places.known(&customer, at).is_none());
        let known = Known {
            at,
            active: 1,
            unfinished: 9,
            since: 0,
        };
        places.learn(&customer, known);
        let first = places.take(&customer, 3).unwrap();
        let second = places.take(&customer, 3).unwrap();
        assert!(places.take(&customer, 3).is_err());
        drop(first);
        let third = places.take(&customer, 3).unwrap();
        assert!(third.is_some() && places.take(&customer, 3).is_err());
        // A fresh count knows of those that run; their ends are taken off it.
        places.learn(&customer, Known { active: 3, ..known });
        assert!(places.take(&customer, 3).is_err());
        drop((second, third));
        assert_eq!(places.lock()[&customer].taken(), 1);
        assert!(places.known(&customer, at + AGE).is_none());
    }
}
