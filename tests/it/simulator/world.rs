//! The simulated world of one seed: its time, its dice, its database, its queue. One thread, no
//! timers: whoever waits is asked again by the scheduler, in an order that the seed decides.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use jobs::ports::{Clock, Entropy, Envelope, PortError, Queue};
use jobs::{Job, JobId, Message, Timestamp};
use local::embedded::Embedded;

use super::bus::Events;

/// `SplitMix64`: small, seedable, good enough to choose what goes wrong.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.roll() % 100 < percent
    }
}

/// A protection that is taken away, to see that its absence is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    /// Rows are written without the condition that carries the fence.
    NoCondition,
    /// Parts of a batch are written by whoever comes.
    NoBatchCondition,
    /// Nobody sweeps.
    NoSweep,
    /// A message is acknowledged as soon as it arrives.
    EarlyAcknowledgement,
    /// What a worker puts into the blob store is named without its fence.
    NoFenceInNames,
    /// The bus loses what it says it has.
    ForgetfulBus,
}

pub(crate) struct World {
    pub(crate) planted: Planted,
    pub(crate) dice: Mutex<Dice>,
    pub(crate) now: AtomicI64,
    pub(crate) embedded: Embedded,
    /// Messages that can be received from their time on.
    pub(crate) messages: Mutex<Vec<(Timestamp, Envelope)>>,
    /// While this is off, nothing goes wrong any more.
    pub(crate) faults: AtomicBool,
    /// The rows as of the last write.
    pub(crate) rows: Mutex<BTreeMap<JobId, Job>>,
    /// Calls that the client has given up and that have yet to arrive: target and body.
    pub(crate) late: Mutex<Vec<(String, String)>>,
    /// Whether a process has ended and another taken its place.
    pub(crate) restarted: AtomicBool,
    /// Whether clients control what they have made, and whether they hold the whole queue back:
    /// not in every run, since what is held back meets fewer faults.
    pub(crate) controls: bool,
    pub(crate) holds: bool,
    /// Whether anybody has ever held the queue back or let it go.
    pub(crate) held: AtomicBool,
    /// Jobs of which somebody has asked for something.
    pub(crate) touched: Mutex<BTreeSet<JobId>>,
    /// Leases lost while an address was fetched alone, by its number in the crawl.
    pub(crate) trials: Mutex<BTreeMap<u32, u32>>,
    /// Jobs whose message a worker has sent again with a delay, whatever became of it.
    pub(crate) put_off: Mutex<BTreeSet<JobId>>,
    /// Jobs that were removed as they may be.
    pub(crate) removed: Mutex<BTreeSet<JobId>>,
    /// How often each kind of fault has struck.
    pub(crate) struck: Mutex<BTreeMap<&'static str, u64>>,
    pub(crate) events: Events,
    pub(crate) violations: Mutex<Vec<String>>,
    /// What happened, for the reader of a failing seed.
    pub(crate) journal: Mutex<Vec<String>>,
}

impl World {
    pub(crate) fn new(seed: u64, planted: Planted) -> Arc<Self> {
        let embedded = Embedded::in_memory().unwrap();
        local::schema::ensure_table(&embedded, super::TABLE).unwrap();
        Arc::new(Self {
            planted,
            dice: Mutex::new(Dice::new(seed)),
            now: AtomicI64::new(1_700_000_000_000),
            embedded,
            messages: Mutex::default(),
            faults: AtomicBool::new(true),
            rows: Mutex::default(),
            late: Mutex::default(),
            restarted: AtomicBool::new(false),
            controls: planted == Planted::Nothing && seed % 2 == 1,
            holds: planted == Planted::Nothing && seed % 8 == 1,
            held: AtomicBool::new(false),
            touched: Mutex::default(),
            trials: Mutex::default(),
            put_off: Mutex::default(),
            removed: Mutex::default(),
            struck: Mutex::default(),
            events: Events::default(),
            violations: Mutex::default(),
            journal: Mutex::default(),
        })
    }

    pub(crate) fn roll(&self) -> u64 {
        self.dice.lock().unwrap().roll()
    }

    pub(crate) fn below(&self, bound: usize) -> usize {
        self.dice.lock().unwrap().below(bound)
    }

    /// Whether a fault of this name and chance strikes now.
    pub(crate) fn strikes(&self, fault: &'static str, percent: u64) -> bool {
        let strikes =
            self.faults.load(Ordering::Relaxed) && self.dice.lock().unwrap().chance(percent);
        if strikes {
            self.count(fault);
        }
        strikes
    }

    pub(crate) fn count(&self, fault: &'static str) {
        *self.struck.lock().unwrap().entry(fault).or_default() += 1;
    }

    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.now.fetch_add(by.as_millis() as i64, Ordering::Relaxed);
    }

    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        self.journal.lock().unwrap().push(what());
    }

    pub(crate) fn violation(&self, what: String) {
        self.note(|| format!("VIOLATION {what}"));
        self.violations.lock().unwrap().push(what);
    }
}

/// A point at which the scheduler may let others run, or end this task for good.
pub(crate) async fn gate() {
    let mut passed = false;
    poll_fn(|context| {
        if passed {
            Poll::Ready(())
        } else {
            passed = true;
            // Combinators in between ask only those again who have called.
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// The SDK's waits between tries: long enough for everybody else to do something.
#[derive(Debug)]
pub(crate) struct Gates;

impl AsyncSleep for Gates {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(gate())
    }
}

pub(crate) struct WorldClock(pub(crate) Arc<World>);

#[async_trait]
impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.0.time()
    }

    /// Whoever waits moves everybody's time.
    async fn sleep(&self, time: Duration) {
        let until = self.0.time() + time;
        gate().await;
        self.0.now.fetch_max(until.as_millis(), Ordering::Relaxed);
    }

    async fn alarm(&self, time: Duration) {
        let until = self.0.time() + time;
        while self.0.time() < until {
            gate().await;
        }
    }
}

pub(crate) struct WorldEntropy(pub(crate) Arc<World>);

impl Entropy for WorldEntropy {
    fn next(&self) -> u128 {
        (u128::from(self.0.roll()) << 64) | u128::from(self.0.roll())
    }
}

/// A queue that loses, doubles and delays.
pub(crate) struct WorldQueue(pub(crate) Arc<World>);

#[async_trait]
impl Queue for WorldQueue {
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<usize>, PortError> {
        gate().await;
        let world = &self.0;
        if world.strikes("the queue is away", 5) {
            return Err(PortError::Unavailable {
                part: "queue",
                source: "simulated".into(),
            });
        }
        let mut unsent = Vec::new();
        for (index, envelope) in envelopes.iter().enumerate() {
            if !envelope.delay.is_zero() {
                let id = envelope.message.job_id.clone();
                world.put_off.lock().unwrap().insert(id);
            }
            if world.strikes("a message is not taken", 5) {
                unsent.push(index);
                continue;
            }
            let copies = if world.strikes("a message is lost", 5) {
                0
            } else if world.strikes("a message is doubled", 20) {
                2
            } else {
                1
            };
            world.note(|| {
                format!(
                    "send {} x{copies} in {:?}",
                    envelope.message.job_id, envelope.delay
                )
            });
            for _ in 0..copies {
                let late = if world.strikes("a message is late", 20) {
                    20_000
                } else {
                    0
                };
                let at = world.time() + envelope.delay + Duration::from_millis(late);
                world.messages.lock().unwrap().push((at, envelope.clone()));
            }
        }
        gate().await;
        Ok(unsent)
    }
}

/// A message on its way to a worker.
pub(crate) struct Delivery {
    pub(crate) envelope: Envelope,
}

impl Delivery {
    pub(crate) fn message(&self) -> &Message {
        &self.envelope.message
    }
}
