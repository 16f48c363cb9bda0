//! The row of one event's delivery to one receiver, and how it may change: claimed, told how an
//! attempt ended, sent again. Everything that can interleave is decided here, from the row alone.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::schedule::wait_after;
use crate::event::{Event, EventType};
use crate::id::DeliveryId;
use crate::message::{DeliveryKey, DeliveryOwner};
use crate::spec::CustomerId;
use crate::time::Timestamp;
use crate::transition::{LONGEST_MESSAGE_DELAY, Mode, Refusal, Stamp, queued_due, sent_due};

/// Most attempts that a delivery remembers: the latest.
pub const KEPT_ATTEMPTS: usize = 20;
/// How long a delivery is kept after its end.
const KEPT_ENDED: Duration = Duration::from_hours(7 * 24);
/// How long a delivery is kept at most that has no end: longer than all waits together.
const KEPT_PENDING: Duration = Duration::from_hours(14 * 24);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    Pending,
    Delivered,
    Failed,
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// An attempt, as the log of deliveries shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub at: Timestamp,
    pub duration_ms: u64,
    /// What the receiver answered, where it did.
    pub status: Option<u16>,
    /// `code: sentence`, where it failed.
    pub error: Option<String>,
    /// How the answer to a failed attempt begins.
    pub answer: Option<String>,
}

/// What an attempt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Delivered,
    /// Another attempt may help, no earlier than the receiver asked for.
    Retry {
        retry_after: Option<Duration>,
    },
    /// No other attempt can help.
    Final,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub attempt: Attempt,
    pub ending: Ending,
}

/// The row of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub owner: DeliveryOwner,
    pub customer: CustomerId,
    /// The event's own, which the receiver knows repeated deliveries by.
    pub event_id: String,
    pub kind: EventType,
    /// What is sent, at most 64 KB: a delivery needs nothing of the job any more.
    pub body: String,
    /// Where to, where a job names that itself; an endpoint's is read when it is needed.
    pub url: Option<String>,
    pub state: DeliveryState,
    /// The latest, oldest first; at most [`KEPT_ATTEMPTS`].
    pub attempts: Vec<Attempt>,
    /// Failed attempts since it was made or asked for again.
    pub failures: u32,
    pub created_at: Timestamp,
    /// Pending: no attempt before this.
    pub next_at: Timestamp,
    /// Somebody is at it until then.
    pub lease_until: Option<Timestamp>,
    /// When the sweep must look at it; `None` once it has ended.
    pub due_at: Option<Timestamp>,
    /// Messages sent again since it last became ready for an attempt.
    pub resends: u32,
    /// Grows with every claim: only the latest may say how it ended.
    pub fence: u64,
    /// From when on it is gone for every reader.
    pub expires_at: Timestamp,
    /// Grows with every write; every write expects the one it read.
    pub revision: u64,
    /// Random number of the last write: a write whose answer was lost knows its echo by it.
    pub nonce: u64,
}

/// What a worker that holds a message may do with the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryClaim {
    /// Write this, and the attempt is yours.
    Won(Box<Delivery>),
    /// Not before this much time has passed.
    Early(Duration),
    /// Somebody is at it, or it has ended.
    Over,
}

/// What the sweep must do with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliverySweep {
    Nothing,
    /// Write this and look again when it says.
    Write(Box<Delivery>),
    /// Write this, then send the message with this delay.
    Send(Box<Delivery>, Duration),
}

impl DeliveryId {
    /// The id of an event's delivery to a receiver: always the same, and in the order of events.
    pub fn of(event: &str, at: Timestamp, owner: &DeliveryOwner) -> Self {
        let digest = Sha256::digest(format!("{event}\n{owner}").as_bytes());
        let mut random = [0; 16];
        random[6..].copy_from_slice(&digest[..10]);
        Self::new(at, u128::from_be_bytes(random))
    }
}

impl Delivery {
    /// A delivery of an event; `url` where a job names it itself.
    pub fn new(event: &Event, owner: DeliveryOwner, url: Option<String>, stamp: Stamp) -> Self {
        Self {
            id: DeliveryId::of(&event.id, event.at, &owner),
            owner,
            customer: event.customer.clone(),
            event_id: event.id.clone(),
            kind: event.kind,
            body: event.body.clone(),
            url,
            state: DeliveryState::Pending,
            attempts: Vec::new(),
            failures: 0,
            created_at: stamp.now,
            next_at: stamp.now,
            lease_until: None,
            due_at: Some(queued_due(stamp.now, stamp.now)),
            resends: 0,
            fence: 0,
            expires_at: stamp.now + KEPT_PENDING,
            revision: 1,
            nonce: stamp.nonce,
        }
    }

    pub fn key(&self) -> DeliveryKey {
        DeliveryKey {
            owner: self.owner.clone(),
            id: self.id.clone(),
        }
    }

    /// Its time is over: it is gone for every reader.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// How long until the next attempt; zero where it may begin.
    pub fn wait(&self, now: Timestamp) -> Duration {
        self.next_at.since(now)
    }

    /// The claim of a worker that has ended the attempt by `lease_until`. A lease that ended
    /// without a word is the sweep's to clear.
    pub fn claim(&self, stamp: Stamp, lease_until: Timestamp) -> DeliveryClaim {
        let ended = self.state != DeliveryState::Pending || self.is_expired(stamp.now);
        if ended || self.lease_until.is_some() {
            return DeliveryClaim::Over;
        }
        if self.next_at > stamp.now {
            return DeliveryClaim::Early(self.wait(stamp.now));
        }
        let mut next = self.sealed(stamp);
        next.fence += 1;
        next.lease_until = Some(lease_until);
        next.due_at = Some(lease_until);
        DeliveryClaim::Won(Box::new(next))
    }

    /// How the attempt under `fence` ended.
    pub fn settled(
        &self,
        stamp: Stamp,
        fence: u64,
        outcome: &Outcome,
        jitter: u64,
    ) -> Result<Self, Refusal> {
        if self.lease_until.is_none() || self.fence != fence {
            return Err(Refusal::Stale);
        }
        let mut next = self.sealed(stamp);
        next.record(stamp.now, outcome, jitter);
        Ok(next)
    }

    /// The row of a delivery that is to be made again, now; `None` where that is under way.
    pub fn asked_again(&self, stamp: Stamp) -> Option<Self> {
        if self.lease_until.is_some() {
            return None;
        }
        let mut next = self.sealed(stamp);
        if self.state != DeliveryState::Pending {
            next.failures = 0;
        }
        next.state = DeliveryState::Pending;
        next.expires_at = stamp.now + KEPT_PENDING;
        next.wait_until(stamp.now, stamp.now);
        Some(next)
    }

    /// What the sweep must do with this row, which it found in the due index.
    pub fn sweep(&self, stamp: Stamp, mode: Mode) -> DeliverySweep {
        let due = self.due_at.is_some_and(|at| at <= stamp.now);
        if self.state != DeliveryState::Pending {
            return DeliverySweep::Nothing;
        }
        let Some(until) = self.lease_until else {
            return self.sweep_waiting(stamp, mode, due);
        };
        let mut next = self.sealed(stamp);
        match mode {
            // Nobody knows whether it was posted; the receiver knows it by its id.
            Mode::Restart | Mode::Shutdown => next.wait_until(stamp.now, stamp.now),
            Mode::Routine if until > stamp.now => return DeliverySweep::Nothing,
            Mode::Routine => {
                let lost = Outcome {
                    attempt: Attempt {
                        at: until,
                        duration_ms: 0,
                        status: None,
                        error: Some(LOST.to_owned()),
                        answer: None,
                    },
                    ending: Ending::Retry { retry_after: None },
                };
                next.record(stamp.now, &lost, stamp.nonce);
            }
        }
        let wait = next.wait(stamp.now);
        let sendable = next.state == DeliveryState::Pending && wait <= LONGEST_MESSAGE_DELAY;
        if sendable && mode != Mode::Shutdown {
            DeliverySweep::Send(Box::new(next), wait)
        } else {
            DeliverySweep::Write(Box::new(next))
        }
    }

    fn sweep_waiting(&self, stamp: Stamp, mode: Mode, due: bool) -> DeliverySweep {
        let wait = self.wait(stamp.now);
        if mode == Mode::Shutdown || (mode == Mode::Routine && !due) {
            return DeliverySweep::Nothing;
        }
        let mut next = self.sealed(stamp);
        if wait > LONGEST_MESSAGE_DELAY {
            next.due_at = Some(queued_due(stamp.now, self.next_at));
            return if due {
                DeliverySweep::Write(Box::new(next))
            } else {
                DeliverySweep::Nothing
            };
        }
        // A due time before its own time says that no message was sent yet.
        if self.due_at.is_none_or(|at| at >= self.next_at) && due {
            next.resends += 1;
        }
        next.due_at = Some(sent_due(stamp.now, self.next_at, next.resends));
        DeliverySweep::Send(Box::new(next), wait)
    }

    fn record(&mut self, now: Timestamp, outcome: &Outcome, jitter: u64) {
        let surplus = (self.attempts.len() + 1).saturating_sub(KEPT_ATTEMPTS);
        self.attempts.drain(..surplus);
        self.attempts.push(outcome.attempt.clone());
        let retry_after = match outcome.ending {
            Ending::Delivered => return self.end(DeliveryState::Delivered, now),
            Ending::Final => return self.end(DeliveryState::Failed, now),
            Ending::Retry { retry_after } => retry_after,
        };
        self.failures = self.failures.saturating_add(1);
        match wait_after(self.failures, retry_after, jitter) {
            Some(wait) => self.wait_until(now, now + wait),
            None => self.end(DeliveryState::Failed, now),
        }
    }

    fn wait_until(&mut self, now: Timestamp, next_at: Timestamp) {
        self.next_at = next_at;
        self.lease_until = None;
        self.resends = 0;
        self.due_at = Some(queued_due(now, next_at));
    }

    fn end(&mut self, state: DeliveryState, now: Timestamp) {
        self.state = state;
        self.lease_until = None;
        self.due_at = None;
        self.expires_at = now + KEPT_ENDED;
    }

    fn sealed(&self, stamp: Stamp) -> Self {
        Self {
            revision: self.revision + 1,
            nonce: stamp.nonce,
            ..self.clone()
        }
    }
}

/// Written down for an attempt of which nothing more was heard.
const LOST: &str = "lease_lost: the worker stopped without saying how the attempt ended";

#[cfg(test)]
mod tests;
