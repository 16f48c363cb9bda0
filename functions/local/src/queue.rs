//! The queue inside the process: five levels that share the workers by weight, and within a level
//! customers that take turns. It forgets everything when the process ends; the sweep at the next
//! start refills it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jobs::ports::{Clock, Envelope, PortError, Queue};
use jobs::spec::{CustomerId, Priority};
use jobs::{Message, Timestamp};
use tokio::sync::Notify;

/// How often a level is served while all have messages. Lowest of all: one in nineteen.
const fn weight(priority: Priority) -> i64 {
    match priority {
        Priority::Critical => 8,
        Priority::Urgent => 5,
        Priority::High => 3,
        Priority::Normal => 2,
        Priority::Low => 1,
    }
}

/// [`Queue`] in memory. Cheap to clone; clones share the messages.
#[derive(Clone)]
pub struct LocalQueue {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct State {
    levels: BTreeMap<Priority, Level>,
    /// Messages that wait for their time, the earliest first.
    delayed: BinaryHeap<Reverse<(Timestamp, u64)>>,
    waiting: HashMap<u64, Envelope>,
    next: u64,
}

/// The messages of one priority, by customer; whose turn it is stands in front.
#[derive(Default)]
struct Level {
    /// Credit of smooth weighted round robin.
    credit: i64,
    turns: VecDeque<CustomerId>,
    messages: HashMap<CustomerId, VecDeque<Message>>,
}

impl LocalQueue {
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

    /// The next message whose time has come, if there is one.
    pub fn try_receive(&self) -> Option<Message> {
        let now = self.clock.now();
        let mut state = self.lock();
        state.release_delayed(now);
        state.take()
    }

    /// Waits for the next message. Safe to cancel: a message that was not handed out stays.
    pub async fn receive(&self) -> Message {
        loop {
            let changed = self.changed.notified();
            if let Some(message) = self.try_receive() {
                // There may be more than one; let another worker look.
                self.changed.notify_one();
                return message;
            }
            let wait = self.next_in();
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn next_in(&self) -> Duration {
        const IDLE: Duration = Duration::from_mins(1);
        let now = self.clock.now();
        let earliest = self.lock().delayed.peek().map(|Reverse((at, _))| *at);
        earliest.map_or(IDLE, |at| at.since(now).min(IDLE))
    }

    /// Messages that are here, delayed ones included.
    pub fn len(&self) -> usize {
        let state = self.lock();
        let ready = state
            .levels
            .values()
            .flat_map(|level| level.messages.values());
        ready.map(VecDeque::len).sum::<usize>() + state.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl State {
    fn release_delayed(&mut self, now: Timestamp) {
        while let Some(Reverse((at, number))) = self.delayed.peek().copied() {
            if at > now {
                return;
            }
            self.delayed.pop();
            if let Some(envelope) = self.waiting.remove(&number) {
                self.push(envelope);
            }
        }
    }

    fn push(&mut self, envelope: Envelope) {
        let level = self.levels.entry(envelope.priority).or_default();
        let messages = level.messages.entry(envelope.customer.clone()).or_default();
        if messages.is_empty() {
            level.turns.push_back(envelope.customer);
        }
        messages.push_back(envelope.message);
    }

    /// Smooth weighted round robin over the levels that have messages.
    fn take(&mut self) -> Option<Message> {
        let mut total = 0;
        let mut best: Option<(i64, Priority)> = None;
        for (priority, level) in &mut self.levels {
            if level.turns.is_empty() {
                level.credit = 0;
                continue;
            }
            level.credit += weight(*priority);
            total += weight(*priority);
            if best.is_none_or(|(credit, _)| level.credit >= credit) {
                best = Some((level.credit, *priority));
            }
        }
        let level = self.levels.get_mut(&best?.1)?;
        level.credit -= total;
        level.take()
    }
}

impl Level {
    fn take(&mut self) -> Option<Message> {
        let customer = self.turns.pop_front()?;
        let messages = self.messages.get_mut(&customer)?;
        let message = messages.pop_front();
        if messages.is_empty() {
            self.messages.remove(&customer);
        } else {
            self.turns.push_back(customer);
        }
        message
    }
}

#[async_trait]
impl Queue for LocalQueue {
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<usize>, PortError> {
        let now = self.clock.now();
        {
            let mut state = self.lock();
            for envelope in envelopes {
                if envelope.delay.is_zero() {
                    state.push(envelope.clone());
                } else {
                    let number = state.next;
                    state.next += 1;
                    state.delayed.push(Reverse((now + envelope.delay, number)));
                    state.waiting.insert(number, envelope.clone());
                }
            }
        }
        self.changed.notify_one();
        Ok(Vec::new())
    }
}
