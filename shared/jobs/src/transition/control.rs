//! The moves that somebody asks for: pause, resume, cancel, retry, promote, and the early end of a
//! retention. Refuses what the table of moves forbids.

use crate::event::EventType;
use crate::job::{Job, State};
use crate::transition::{Move, Refusal, Retention, Stamp};

impl Job {
    /// Holds a queued job back, or asks for it where an attempt runs.
    pub fn pause(&self, stamp: Stamp) -> Result<Self, Refusal> {
        let mut next = self.permitted(Move::Pause)?;
        if self.state == State::Active {
            next.pause_requested = true;
        } else {
            next.state = State::Paused;
            next.due_at = None;
        }
        Ok(next.sealed(stamp, self))
    }

    /// Lets a paused job go on, at its original time or now where that has passed; takes back a
    /// pause that waits for the end of an attempt.
    pub fn resume(&self, stamp: Stamp) -> Result<Self, Refusal> {
        let mut next = self.permitted(Move::Resume)?;
        if self.state == State::Active {
            if !self.pause_requested {
                return Err(Refusal::Forbidden);
            }
            next.pause_requested = false;
            return Ok(next.sealed(stamp, self));
        }
        next.requeue(stamp.now, self.eligible_at);
        Ok(next.sealed(stamp, self))
    }

    /// Ends an unfinished job for good. A worker that runs it finds its word refused.
    pub fn cancel(&self, stamp: Stamp, retention: &Retention) -> Result<Self, Refusal> {
        let mut next = self.permitted(Move::Cancel)?;
        next.end(State::Cancelled, stamp.now, retention);
        Ok(next.sealed(stamp, self))
    }

    /// Starts a failed or cancelled job anew, with all its attempts.
    pub fn retry(&self, stamp: Stamp) -> Result<Self, Refusal> {
        let mut next = self.permitted(Move::Retry)?;
        next.attempts.clear();
        next.started_at = None;
        next.finished_at = None;
        next.result = None;
        next.crawl = None;
        next.requeue(stamp.now, stamp.now);
        next.note(EventType::JobRetried, stamp.now);
        Ok(next.sealed(stamp, self))
    }

    /// Lets a delayed job start now. One that waits already has nothing to be lifted over.
    pub fn promote(&self, stamp: Stamp) -> Result<Self, Refusal> {
        let mut next = self.permitted(Move::Promote)?;
        if self.eligible_at <= stamp.now {
            return Err(Refusal::Forbidden);
        }
        next.requeue(stamp.now, stamp.now);
        Ok(next.sealed(stamp, self))
    }

    /// Ends the retention of an ended job: it is gone for readers, no retry revives it, and the
    /// sweep removes it.
    pub fn expire(&self, stamp: Stamp) -> Result<Self, Refusal> {
        let mut next = self.permitted(Move::Expire)?;
        next.due_at = Some(stamp.now);
        Ok(next.sealed(stamp, self))
    }
}
