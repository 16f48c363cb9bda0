//! How a job may change: one table of moves, and one pure function per move. Everything that can
//! interleave is decided here, from the row alone; refuses to do input or output.
//!
//! ```text
//!            claim             complete
//!  Queued ----------> Active ----------> Completed
//!    ^  ^              | | |
//!    |  +--------------+ | +-----------> Failed ----> (retry) Queued
//!    |   fail, lapse,    |  fail, lapse
//!    |   release         | fail, lapse where a pause is asked for
//!    +----- Paused <-----+
//!    resume   ^
//!             +-- Queued (pause)          any unfinished -- cancel --> Cancelled
//! ```

mod control;
mod crawl;
mod due;
mod table;
mod tell;

use std::time::Duration;

use crate::event::EventType;
use crate::failure::{Attempt, Failure, FailureCode};
use crate::job::{Job, ResultRef, State};
use crate::retry;
use crate::time::Timestamp;

pub use due::{LONGEST_MESSAGE_DELAY, queued_due};
pub use table::{Move, allowed};

pub(crate) use due::sent_due;

/// A restart under way is no fault of the job: it is taken up again, however few attempts it may
/// have, unless it has been there each of this many times.
const MOST_RESTARTS: u8 = 3;

/// When a write happens and the random number by which it knows its echo.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub now: Timestamp,
    pub nonce: u64,
}

/// How long ended jobs are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Completed and cancelled jobs.
    pub completed: Duration,
    pub failed: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            completed: Duration::from_hours(24),
            failed: Duration::from_hours(7 * 24),
        }
    }
}

/// Why a move was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another claim has taken over, or the job has ended: this worker's word no longer counts.
    Stale,
    /// The table forbids the move from this state.
    Forbidden,
}

/// What a worker that holds a message may do with the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Write this, and the work is yours.
    Won(Job),
    /// Write this: the lost lease was the last attempt, and the job has ended (or is paused).
    Ended(Job),
    /// Not before this much time has passed.
    Early(Duration),
    /// Another worker holds a live lease.
    Taken,
    Paused,
    Finished,
}

/// What the sweep must do with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Not yet.
    Nothing,
    /// Write this and look again when it says.
    Write(Job),
    /// Write this, then send the message with this delay.
    Send(Job, Duration),
    /// Send the message with this delay; the row is right as it is.
    SendOnly(Duration),
    /// Remove the job and everything of it.
    Purge,
    /// Tell what is to be told of it; whatever else is owed comes due by itself.
    Tell,
}

/// What a sweep may assume about leases and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Leases count; messages may be on their way.
    Routine,
    /// Nothing of an earlier process lives: every lease is void, every message is lost.
    Restart,
    /// Every worker has stopped without a word: give their jobs back as untried.
    Shutdown,
}

impl Job {
    /// The claim of a worker that can hold the job until `lease_until`.
    pub fn claim(&self, stamp: Stamp, lease_until: Timestamp, retention: &Retention) -> Claim {
        match self.state {
            State::Paused => return Claim::Paused,
            State::Completed | State::Failed | State::Cancelled => return Claim::Finished,
            State::Queued if self.eligible_at > stamp.now => {
                return Claim::Early(self.wait(stamp.now));
            }
            State::Active if self.lease_until.is_some_and(|until| until > stamp.now) => {
                return Claim::Taken;
            }
            State::Queued | State::Active => {}
        }
        let mut next = self.clone();
        if self.state == State::Active {
            // Whoever claims now is the next attempt: there is nothing to wait for.
            next.record_lapse(stamp, Duration::ZERO, self.max_attempts, retention);
            if next.state != State::Queued {
                next.seal(stamp, self);
                return Claim::Ended(next);
            }
        }
        next.state = State::Active;
        next.fence += 1;
        if next.started_at.is_none() {
            next.started_at = Some(stamp.now);
            next.note(EventType::JobStarted, stamp.now);
        }
        next.lease_until = Some(lease_until);
        // A due time that comes before the lease ends may stay: the sweep then looks once for
        // nothing, which is rarer than a write to the index for every claim.
        next.due_at = match self.due_at {
            Some(at) if at <= lease_until => Some(at),
            _ => Some(lease_until),
        };
        next.seal(stamp, self);
        Claim::Won(next)
    }

    /// The work under `fence` is done and its result lies at `result`.
    pub fn complete(
        &self,
        stamp: Stamp,
        fence: u64,
        result: ResultRef,
        retention: &Retention,
    ) -> Result<Self, Refusal> {
        let mut next = self.held_by(fence)?;
        next.result = Some(result);
        next.end(State::Completed, stamp.now, retention);
        Ok(next.sealed(stamp, self))
    }

    /// The attempt under `fence` failed. Leads to another attempt where one can help and is left.
    pub fn fail(
        &self,
        stamp: Stamp,
        fence: u64,
        failure: &Failure,
        jitter: u64,
        retention: &Retention,
    ) -> Result<Self, Refusal> {
        let mut next = self.held_by(fence)?;
        let failed = self.attempts.len() + 1;
        let wait = retry::wait_after(failed, failure.retry_after, jitter);
        next.record_failure(stamp, failure, wait, retention);
        Ok(next.sealed(stamp, self))
    }

    /// The worker under `fence` stops without having tried: no attempt is counted.
    pub fn release(&self, stamp: Stamp, fence: u64) -> Result<Self, Refusal> {
        let mut next = self.held_by(fence)?;
        next.requeue(stamp.now, stamp.now);
        Ok(next.sealed(stamp, self))
    }

    /// What the sweep must do with this row, which it found in the due index.
    pub fn sweep(&self, stamp: Stamp, mode: Mode, retention: &Retention) -> Sweep {
        // After a restart what waits for nothing else is told at once; of the others their workers
        // tell.
        let stands = self.state.is_terminal() || self.state == State::Paused;
        let left = mode == Mode::Restart && stands && self.untold().is_some();
        if left || mode == Mode::Routine && self.tell_is_due(stamp.now) {
            return Sweep::Tell;
        }
        let due = self.due_at.is_some_and(|at| at <= stamp.now);
        match self.state {
            State::Paused => Sweep::Nothing,
            State::Completed | State::Failed | State::Cancelled if due && mode == Mode::Routine => {
                Sweep::Purge
            }
            State::Completed | State::Failed | State::Cancelled => Sweep::Nothing,
            State::Queued => self.sweep_queued(stamp, mode, due),
            State::Active if mode == Mode::Shutdown => match self.release(stamp, self.fence) {
                Ok(next) => Sweep::Write(next),
                Err(_) => Sweep::Nothing,
            },
            State::Active => {
                let live = self.lease_until.is_some_and(|until| until > stamp.now);
                if live && mode == Mode::Routine {
                    return if due {
                        let mut next = self.clone();
                        next.due_at = self.lease_until;
                        Sweep::Write(next.sealed(stamp, self))
                    } else {
                        Sweep::Nothing
                    };
                }
                let mut next = self.clone();
                // Jobs that one of them took down with it part ways by their waits. After a
                // restart nobody knows who it was, and everybody is waiting.
                let (wait, most) = match mode {
                    Mode::Restart => (Duration::ZERO, self.max_attempts.max(MOST_RESTARTS)),
                    _ => {
                        let wait = retry::wait_after(self.attempts.len() + 1, None, stamp.nonce);
                        (wait, self.max_attempts)
                    }
                };
                next.record_lapse(stamp, wait, most, retention);
                let queued = next.state == State::Queued;
                let wait = next.wait(stamp.now);
                let next = next.sealed(stamp, self);
                if queued && wait <= LONGEST_MESSAGE_DELAY {
                    Sweep::Send(next, wait)
                } else {
                    Sweep::Write(next)
                }
            }
        }
    }

    fn sweep_queued(&self, stamp: Stamp, mode: Mode, due: bool) -> Sweep {
        let wait = self.wait(stamp.now);
        let sendable = wait <= LONGEST_MESSAGE_DELAY;
        // A due time before the job's own time says that no message was sent yet.
        let unsent = self.due_at.is_some_and(|at| at < self.eligible_at);
        match mode {
            Mode::Shutdown => Sweep::Nothing,
            Mode::Restart if sendable && !unsent && !due => Sweep::SendOnly(wait),
            _ if sendable && (unsent || due) => {
                let mut next = self.clone();
                if !unsent {
                    next.resends += 1;
                }
                next.due_at = Some(sent_due(stamp.now, self.eligible_at, next.resends));
                Sweep::Send(next.sealed(stamp, self), wait)
            }
            _ if due => {
                let mut next = self.clone();
                next.due_at = Some(queued_due(stamp.now, self.eligible_at));
                Sweep::Write(next.sealed(stamp, self))
            }
            _ => Sweep::Nothing,
        }
    }

    /// Makes the next sweep look at a queued job and send its message: a hint about it went to
    /// the dead letters.
    pub fn wake(&self, stamp: Stamp) -> Result<Self, Refusal> {
        let mut next = self.permitted(Move::Defer)?;
        if self.state != State::Queued || self.eligible_at > stamp.now {
            return Err(Refusal::Forbidden);
        }
        next.due_at = Some(stamp.now);
        Ok(next.sealed(stamp, self))
    }

    fn permitted(&self, by: Move) -> Result<Self, Refusal> {
        if allowed(self.state, by).is_empty() {
            return Err(Refusal::Forbidden);
        }
        Ok(self.clone())
    }

    /// The fence: only the latest claim of an active job may write.
    fn held_by(&self, fence: u64) -> Result<Self, Refusal> {
        if self.state != State::Active || self.fence != fence {
            return Err(Refusal::Stale);
        }
        Ok(self.clone())
    }

    /// A lease was lost without a word.
    fn record_lapse(&mut self, stamp: Stamp, wait: Duration, most: u8, retention: &Retention) {
        match self.lapse(most) {
            Some(most) => self.record(stamp, &lease_lost(), wait, most, retention),
            None => self.requeue(stamp.now, stamp.now + wait),
        }
    }

    fn record_failure(
        &mut self,
        stamp: Stamp,
        failure: &Failure,
        wait: Duration,
        retention: &Retention,
    ) {
        self.record(stamp, failure, wait, self.max_attempts, retention);
    }

    fn record(
        &mut self,
        stamp: Stamp,
        failure: &Failure,
        wait: Duration,
        most: u8,
        retention: &Retention,
    ) {
        self.attempts.push(Attempt {
            at: stamp.now,
            failure: failure.clone(),
        });
        let left = self.attempts.len() < usize::from(most);
        if failure.code.retryable() && left {
            self.requeue(stamp.now, stamp.now + wait);
            self.note_failure(EventType::JobRetried, stamp.now, failure);
        } else {
            self.end(State::Failed, stamp.now, retention);
        }
    }

    fn requeue(&mut self, now: Timestamp, eligible_at: Timestamp) {
        self.eligible_at = eligible_at;
        self.lease_until = None;
        self.resends = 0;
        if self.pause_requested {
            self.pause_requested = false;
            self.state = State::Paused;
            self.due_at = None;
        } else {
            self.state = State::Queued;
            self.due_at = Some(queued_due(now, eligible_at));
        }
    }

    fn end(&mut self, state: State, now: Timestamp, retention: &Retention) {
        let kept = if state == State::Failed {
            retention.failed
        } else {
            retention.completed
        };
        self.state = state;
        self.lease_until = None;
        self.pause_requested = false;
        self.finished_at = Some(now);
        self.due_at = Some(now + kept);
        match state {
            State::Completed => self.note(EventType::JobCompleted, now),
            State::Cancelled => self.note(EventType::JobCancelled, now),
            _ => match self.attempts.last().map(|last| last.failure.clone()) {
                Some(failure) => self.note_failure(EventType::JobFailed, now, &failure),
                None => self.note(EventType::JobFailed, now),
            },
        }
    }

    fn seal(&mut self, stamp: Stamp, before: &Self) {
        self.revision = before.revision + 1;
        self.nonce = stamp.nonce;
    }

    fn sealed(mut self, stamp: Stamp, before: &Self) -> Self {
        self.seal(stamp, before);
        self
    }
}

fn lease_lost() -> Failure {
    Failure::new(
        FailureCode::LeaseLost,
        "the worker stopped without reporting a result",
    )
}

#[cfg(test)]
mod tests;
