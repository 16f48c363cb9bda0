//! What this process knows of hosts: the rows that its slices have last read or written, and the
//! holds that the web has told them of, which count for all of them at once. Refuses to decide
//! anything by it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::crawl::host::{Host, Seen};
use crate::time::Timestamp;

/// Hosts remembered before those that were not looked at for a while are forgotten.
const MOST_REMEMBERED: usize = 1_000;
/// A while.
const REMEMBERED: Duration = Duration::from_mins(1);
/// What is as new as this is not read again before it is replaced.
const FRESH: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub(in crate::app) struct KnownHosts(Mutex<HashMap<String, Known>>);

#[derive(Debug, Default)]
struct Known {
    seen: Seen,
    /// When the call began that the row is from: what began before it is older.
    began: Timestamp,
}

impl KnownHosts {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what is known; where that is nothing, at something that is very old.
    pub(super) fn with<T>(&self, host: &str, look: impl FnOnce(&Seen) -> T) -> T {
        match self.lock().get(host) {
            Some(known) => look(&known.seen),
            None => look(&Seen::default()),
        }
    }

    pub(super) fn is_fresh(&self, host: &str, now: Timestamp) -> bool {
        let at = self.with(host, |seen| seen.at);
        now.since(at).max(at.since(now)) < FRESH
    }

    /// Keeps what a call said that lasted from `began` to `at`, unless a later one has said more.
    /// What is known from a time to come is not later: the clock was set back.
    pub(super) fn learn(&self, host: &str, row: Option<Host>, began: Timestamp, at: Timestamp) {
        let mut hosts = self.lock();
        let known = Self::entry(&mut hosts, host, at);
        if known.began <= began || known.began > at {
            known.began = began;
            known.seen.row = row;
            known.seen.at = at;
        }
    }

    /// Keeps everybody in this process away until then.
    pub(super) fn hold(&self, host: &str, now: Timestamp, until: Timestamp) {
        let mut hosts = self.lock();
        let known = Self::entry(&mut hosts, host, now);
        known.seen.held_until = known.seen.held_until.max(until);
    }

    fn entry<'a>(
        hosts: &'a mut HashMap<String, Known>,
        host: &str,
        now: Timestamp,
    ) -> &'a mut Known {
        if hosts.len() >= MOST_REMEMBERED && !hosts.contains_key(host) {
            hosts.retain(|_, known| {
                now.since(known.seen.at) < REMEMBERED || known.seen.held_until > now
            });
            // All of them in use: whoever needs one that is forgotten reads it again.
            if hosts.len() >= MOST_REMEMBERED {
                hosts.clear();
            }
        }
        hosts.entry(host.to_owned()).or_default()
    }
}
