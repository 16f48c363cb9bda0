//! The queue inside the process: five levels that share the workers by weight, and within a level
//! customers that take turns. Deliveries have a lane of their own: receivers that are slow never hold
//! a job up. It forgets everything when the process ends; the sweep at the next start refills it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jobs::ports::{Clock, DeliveryEnvelope, Envelope, PortError, Queue};
use jobs::spec::{CustomerId, Priority};
use jobs::{DeliveryKey, Message, Timestamp};
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
    jobs: Lane<Message>,
    deliveries: Lane<DeliveryKey>,
}

impl LocalQueue {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            jobs: Lane::new(Arc::clone(&clock)),
            deliveries: Lane::new(clock),
        }
    }

    /// The next message of a job whose time has come, if there is one.
    pub fn try_receive(&self) -> Option<Message> {
        self.jobs.try_receive()
    }

    /// Waits for the next message of a job. Safe to cancel: a message that was not handed out stays.
    pub async fn receive(&self) -> Message {
        self.jobs.receive().await
    }

    /// As [`LocalQueue::try_receive`], for deliveries.
    pub fn try_receive_delivery(&self) -> Option<DeliveryKey> {
        self.deliveries.try_receive()
    }

    /// As [`LocalQueue::receive`], for deliveries.
    pub async fn receive_delivery(&self) -> DeliveryKey {
        self.deliveries.receive().await
    }

    /// Messages of jobs that are here, delayed ones included.
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Messages of one kind.
struct Lane<M> {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State<M>>>,
    changed: Arc<Notify>,
}

impl<M> Clone for Lane<M> {
    fn clone(&self) -> Self {
        Self {
            clock: Arc::clone(&self.clock),
            state: Arc::clone(&self.state),
            changed: Arc::clone(&self.changed),
        }
    }
}

struct Waiting<M> {
    priority: Priority,
    customer: CustomerId,
    message: M,
}

struct State<M> {
    levels: BTreeMap<Priority, Level<M>>,
    /// Messages that wait for their time, the earliest first.
    delayed: BinaryHeap<Reverse<(Timestamp, u64)>>,
    waiting: HashMap<u64, Waiting<M>>,
    next: u64,
}

/// The messages of one priority, by customer; whose turn it is stands in front.
struct Level<M> {
    /// Credit of smooth weighted round robin.
    credit: i64,
    turns: VecDeque<CustomerId>,
    messages: HashMap<CustomerId, VecDeque<M>>,
}

impl<M> Lane<M> {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State {
            levels: BTreeMap::new(),
            delayed: BinaryHeap::new(),
            waiting: HashMap::new(),
            next: 0,
        };
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
            changed: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_receive(&self) -> Option<M> {
        let now = self.clock.now();
        let mut state = self.lock();
        state.release_delayed(now);
        state.take()
    }

    async fn receive(&self) -> M {
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

    fn len(&self) -> usize {
        let state = self.lock();
        let ready = state
            .levels
            .values()
            .flat_map(|level| level.messages.values());
        ready.map(VecDeque::len).sum::<usize>() + state.waiting.len()
    }

    fn send(&self, messages: impl IntoIterator<Item = (Duration, Waiting<M>)>) {
        let now = self.clock.now();
        {
            let mut state = self.lock();
            for (delay, message) in messages {
                if delay.is_zero() {
                    state.push(message);
                } else {
                    let number = state.next;
                    state.next += 1;
                    state.delayed.push(Reverse((now + delay, number)));
                    state.waiting.insert(number, message);
                }
            }
        }
        self.changed.notify_one();
    }
}

impl<M> State<M> {
    fn release_delayed(&mut self, now: Timestamp) {
        while let Some(Reverse((at, number))) = self.delayed.peek().copied() {
            if at > now {
                return;
            }
            self.delayed.pop();
            if let Some(message) = self.waiting.remove(&number) {
                self.push(message);
            }
        }
    }

    fn push(&mut self, waiting: Waiting<M>) {
        let level = self.levels.entry(waiting.priority);
        let level = level.or_insert_with(|| Level {
            credit: 0,
            turns: VecDeque::new(),
            messages: HashMap::new(),
        });
        let messages = level.messages.entry(waiting.customer.clone()).or_default();
        if messages.is_empty() {
            level.turns.push_back(waiting.customer);
        }
        messages.push_back(waiting.message);
    }

    /// Smooth weighted round robin over the levels that have messages.
    fn take(&mut self) -> Option<M> {
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

impl<M> Level<M> {
    fn take(&mut self) -> Option<M> {
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
        self.jobs.send(envelopes.iter().map(|envelope| {
            let waiting = Waiting {
                priority: envelope.priority,
                customer: envelope.customer.clone(),
                message: envelope.message.clone(),
            };
            (envelope.delay, waiting)
        }));
        Ok(Vec::new())
    }

    async fn send_deliveries(
        &self,
        envelopes: &[DeliveryEnvelope],
    ) -> Result<Vec<usize>, PortError> {
        self.deliveries.send(envelopes.iter().map(|envelope| {
            let waiting = Waiting {
                priority: Priority::Normal,
                customer: envelope.customer.clone(),
                message: envelope.key.clone(),
            };
            (envelope.delay, waiting)
        }));
        Ok(Vec::new())
    }
}
