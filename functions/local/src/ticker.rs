//! The timetable inside the process. It forgets everything when the process ends; the sweep at the
//! next start fills it again. Refuses to fire by itself: it says what is due, and when to ask again.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jobs::ports::{Clock, Entry, Placed, PortError, Timetable};
use jobs::{ScheduleId, Timestamp};
use tokio::sync::Notify;

/// A firing that was given back is due again after this.
const AGAIN: Duration = Duration::from_secs(10);
const PAGE: usize = 100;

/// A schedule and the time for which it fires.
pub type Firing = (ScheduleId, Timestamp);

/// [`Timetable`] in memory. Cheap to clone; clones share the entries.
#[derive(Clone)]
pub struct LocalTicker {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    entries: HashMap<ScheduleId, Slot>,
    /// When each entry fires next, the earliest first.
    agenda: BTreeSet<(Timestamp, ScheduleId)>,
    /// Firings that were given back, by when they are due again.
    again: BTreeSet<(Timestamp, ScheduleId, Timestamp)>,
}

struct Slot {
    entry: Entry,
    /// Firings up to here are known.
    after: Timestamp,
    /// The first one after it.
    next: Option<Timestamp>,
}

impl LocalTicker {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Arc::default(),
            changed: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out what has come due, once: of each entry the latest firing alone.
    pub fn due(&self, now: Timestamp) -> Vec<Firing> {
        self.lock().due(now)
    }

    /// When something comes due, as far as is known now.
    pub fn next(&self) -> Option<Timestamp> {
        self.lock().next()
    }

    /// Whether this entry has a firing before it.
    pub fn keeps(&self, id: &ScheduleId) -> bool {
        let state = self.lock();
        state.entries.get(id).is_some_and(|it| it.next.is_some())
    }

    /// Takes a firing back that could not be handled; it is due again 10 seconds from now. It is
    /// forgotten where its entry is gone or disabled.
    pub fn give_back(&self, (id, at): Firing) {
        let due = self.clock.now() + AGAIN;
        {
            let mut state = self.lock();
            if state
                .entries
                .get(&id)
                .is_some_and(|slot| slot.entry.enabled)
            {
                state.again.insert((due, id, at));
            }
        }
        self.changed.notify_one();
    }

    /// Waits until something is due. For one caller at a time.
    pub async fn wait(&self) -> Vec<Firing> {
        // The clock on the wall may be set, and the machine may sleep.
        const IDLE: Duration = Duration::from_mins(1);
        loop {
            let changed = self.changed.notified();
            let now = self.clock.now();
            let (due, next) = {
                let mut state = self.lock();
                (state.due(now), state.next())
            };
            if !due.is_empty() {
                return due;
            }
            let wait = next.map_or(IDLE, |next| next.since(now).min(IDLE));
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

impl State {
    fn next(&self) -> Option<Timestamp> {
        let first = self.agenda.first().map(|(at, _)| *at);
        let again = self.again.first().map(|(at, ..)| *at);
        first.into_iter().chain(again).min()
    }

    fn due(&mut self, now: Timestamp) -> Vec<Firing> {
        let mut due = Vec::new();
        while self.again.first().is_some_and(|(at, ..)| *at <= now) {
            if let Some((_, id, at)) = self.again.pop_first() {
                due.push((id, at));
            }
        }
        while self.agenda.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, id)) = self.agenda.pop_first() else {
                break;
            };
            if let Some(slot) = self.entries.get_mut(&id) {
                due.extend(slot.fire(now).map(|at| (id.clone(), at)));
                if let Some(next) = slot.next {
                    self.agenda.insert((next, id));
                }
            }
        }
        due
    }

    fn forget(&mut self, id: &ScheduleId) {
        self.take(id);
        self.again.retain(|(_, given_back, _)| given_back != id);
    }

    fn take(&mut self, id: &ScheduleId) -> Option<Slot> {
        let slot = self.entries.remove(id)?;
        if let Some(next) = slot.next {
            self.agenda.remove(&(next, id.clone()));
        }
        Some(slot)
    }

    /// What comes before now is the old entry's, where there is one; the new one begins with now.
    fn place(&mut self, entry: &Entry, now: Timestamp) {
        let id = &entry.id;
        let mut after = entry.after;
        if let Some(mut old) = self.take(id) {
            after = after.max(now);
            if old.next.is_some_and(|next| next <= now) {
                let missed = old.fire(now);
                self.again.extend(missed.map(|at| (now, id.clone(), at)));
            }
        }
        if !entry.enabled {
            self.again.retain(|(_, given_back, _)| given_back != id);
        }
        let slot = Slot::new(entry.clone(), after);
        if let Some(next) = slot.next {
            self.agenda.insert((next, id.clone()));
        }
        self.entries.insert(id.clone(), slot);
    }
}

impl Slot {
    fn new(entry: Entry, after: Timestamp) -> Self {
        let just_before = |start: Timestamp| start - Duration::from_millis(1);
        let after = entry
            .start
            .map_or(after, |start| after.max(just_before(start)));
        let mut slot = Self {
            entry,
            after,
            next: None,
        };
        slot.look_ahead();
        slot
    }

    fn look_ahead(&mut self) {
        let entry = &self.entry;
        let next = entry.cron.next_after(entry.zone, self.after);
        let ended = |at: &Timestamp| entry.end.is_some_and(|end| *at > end);
        self.next = next.filter(|at| entry.enabled && !ended(at));
    }

    /// The latest firing up to now; from then on those after now count.
    fn fire(&mut self, now: Timestamp) -> Option<Timestamp> {
        let first = self.next?;
        let entry = &self.entry;
        let until = entry.end.map_or(now, |end| end.min(now));
        let latest = entry.cron.latest_between(entry.zone, self.after, until);
        self.after = now;
        self.look_ahead();
        Some(latest.unwrap_or(first))
    }
}

#[async_trait]
impl Timetable for LocalTicker {
    async fn place(&self, entry: &Entry) -> Result<(), PortError> {
        self.lock().place(entry, self.clock.now());
        self.changed.notify_one();
        Ok(())
    }

    async fn remove(&self, id: &ScheduleId) -> Result<(), PortError> {
        self.lock().forget(id);
        Ok(())
    }

    async fn placed(&self, after: Option<&str>) -> Result<Placed, PortError> {
        let state = self.lock();
        let ids = state.entries.keys();
        let mut ids: Vec<_> = ids
            .filter(|id| after.is_none_or(|after| id.as_str() > after))
            .cloned()
            .collect();
        ids.sort_unstable();
        let more = ids.len() > PAGE;
        ids.truncate(PAGE);
        let next = ids.last().filter(|_| more);
        Ok(Placed {
            next: next.map(|id| id.as_str().to_owned()),
            ids,
        })
    }
}

#[cfg(test)]
mod tests;
