//! What all workers together know of one host of the web, and how it is changed: the budget of
//! requests that every crawl of every customer draws from. Pure: where the row lies, who asks for it
//! and what time it is are not known here.
//!
//! A host is in one of two regimes. With a delay, requests have slots, one after the other, and a
//! worker takes a block of them ([`slots`]). Without, requests have places, so many at once, and a
//! worker takes some for a few seconds ([`places`]). A hold stops both.

pub mod experience;
pub mod gate;
pub mod permit;
pub mod places;
pub mod slots;
#[cfg(test)]
mod tests;
mod turn;

use std::time::Duration;

pub use experience::Experience;
pub use gate::Gate;
pub use permit::{Permit, Plan, Seen};
pub use turn::Turn;

use crate::time::Timestamp;

/// Requests to a host at once, over all jobs, unless one of them asks for more.
pub const DEFAULT_PLACES: u8 = 8;
/// Most jobs that share the places of a host; those beyond try again later.
pub const MOST_TAKERS: usize = 64;
/// No server keeps us away for longer.
pub const LONGEST_HOLD: Duration = Duration::from_hours(1);
/// No site has us wait for longer between two requests.
pub const LONGEST_DELAY: Duration = Duration::from_hours(1);
/// Places are never taken for longer ahead: what is, was written by a wrong clock.
const AHEAD: Duration = Duration::from_mins(1);
/// Nor are slots, which jobs that take turns have for the next time that they come.
const SLOTS_AHEAD: Duration = Duration::from_mins(2);
/// How long a delay counts for everybody after somebody has asked for it, besides itself.
const REMEMBERED: Duration = Duration::from_mins(1);
/// The first hold on a host that fails; each further failure doubles it.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
const LONGEST_BACK_OFF: Duration = Duration::from_mins(1);
/// The number of places changes no more often, up or down, unless the host fails.
const ADAPTED_EVERY: Duration = Duration::from_secs(5);

/// One host, named by its authority, as the table holds it. A row that is not there says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Random number of the last write: who replaces the row names the one he has read.
    pub nonce: u64,
    /// The longest delay that somebody has lately asked for; counts until `delay_until`.
    pub delay: Duration,
    pub delay_until: Timestamp,
    /// No request may start sooner than the delay after this: the end of the last block.
    pub last_at: Timestamp,
    /// No request may start before this.
    pub held_until: Timestamp,
    /// Failures one after the other, each after the hold that the one before it had caused.
    pub failures: u32,
    /// Fewer places than there might be, because the host was slow or failed; at least 1.
    pub limit: Option<u8>,
    pub limit_at: Timestamp,
    /// Who has places, or waits for some; at most [`MOST_TAKERS`].
    pub takers: Vec<Taker>,
}

/// Who has places of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker {
    pub who: u64,
    /// None of them: it waits.
    pub places: u8,
    /// How many it has use for.
    pub wanted: u8,
    /// Most that its job may have.
    pub most: u8,
    /// Counts until then, whatever becomes of it.
    pub until: Timestamp,
}

impl Host {
    /// The row as it counts at `now`: without what is over, and without what lies so far ahead
    /// that a wrong clock must have written it.
    #[must_use]
    pub fn mended(&self, now: Timestamp) -> Self {
        let mut host = self.clone();
        host.takers
            .retain(|taker| taker.until > now && taker.until <= now + AHEAD);
        if host.last_at > now + SLOTS_AHEAD {
            host.last_at = Timestamp::default();
        }
        if host.held_until > now + LONGEST_HOLD + AHEAD {
            host.held_until = Timestamp::default();
        }
        if host.limit_at > now + AHEAD {
            host.limit_at = Timestamp::default();
        }
        let remembered = remembered(host.delay) + AHEAD;
        if host.delay_until <= now || host.delay_until > now + remembered {
            host.delay = Duration::ZERO;
        }
        host
    }

    /// From when on the row says nothing but what was learned of the host.
    pub fn quiet_at(&self) -> Timestamp {
        let takers = self.takers.iter().map(|taker| taker.until);
        let times = [
            self.delay_until,
            self.last_at,
            self.held_until,
            self.limit_at,
        ];
        takers.chain(times).max().unwrap_or_default()
    }

    /// Keeps everybody away until then. Where nobody was kept away yet, the host has failed once
    /// more, and has half the places from now on.
    pub fn hold(&mut self, now: Timestamp, until: Timestamp) {
        if self.held_until <= now {
            self.failures = self.failures.saturating_add(1);
            self.limit = Some((self.places(DEFAULT_PLACES) / 2).max(1));
            self.limit_at = now;
        }
        self.held_until = self.held_until.max(until.min(now + LONGEST_HOLD));
    }

    /// How long a host is left alone that fails now and does not say how long.
    pub fn back_off(&self) -> Duration {
        let doubled = FIRST_BACK_OFF.saturating_mul(1 << self.failures.min(10));
        doubled.min(LONGEST_BACK_OFF)
    }

    /// Writes down what was learned since the last write of the same worker.
    fn adapt(&mut self, now: Timestamp, most: u8, learned: &Experience) {
        if learned.has_worked() {
            self.failures = 0;
        }
        if now.since(self.limit_at) < ADAPTED_EVERY {
            return;
        }
        let (places, cap) = (self.places(most), self.cap(most));
        if learned.was_slow() {
            self.limit = Some((places - 1).max(1));
            self.limit_at = now;
        } else if learned.has_worked() && self.limit.is_some() {
            let more = places + 1;
            self.limit = (more < cap).then_some(more);
            self.limit_at = now;
        }
    }
}

/// How long a delay counts after it was asked for.
fn remembered(delay: Duration) -> Duration {
    REMEMBERED + delay
}
