//! The moves of a job whose work is done in slices: a slice publishes, ends for now, or ends the
//! job. Progress starts the count of failed attempts anew; a lease that is lost twice in a row makes
//! the next slice fetch one address at a time, so that the culprit fails alone.

use std::time::Duration;

use crate::crawl::Progress;
use crate::crawl::progress::Trial;
use crate::event::EventType;
use crate::failure::{Attempt, Failure};
use crate::job::{Job, State};
use crate::outbox::MOST_UNTOLD;
use crate::time::Timestamp;
use crate::transition::{MOST_RESTARTS, Move, Refusal, Retention, Stamp};

/// Leases lost in a row from which on a crawl is careful.
const CAREFUL_AFTER: u8 = 2;
/// Addresses that a careful crawl fetches one by one: those that were under way are among them.
const CAREFUL_FOR: u16 = 80;

impl Job {
    /// The slice under `fence` has published its progress and goes on.
    pub fn advance(&self, stamp: Stamp, fence: u64, progress: &Progress) -> Result<Self, Refusal> {
        let mut next = self.held_by(fence)?;
        next.publish(stamp, progress);
        Ok(next.sealed(stamp, self))
    }

    /// The slice under `fence` ends with this progress; another goes on at `eligible_at`.
    pub fn go_on(
        &self,
        stamp: Stamp,
        fence: u64,
        progress: &Progress,
        eligible_at: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut next = self.held_by(fence)?;
        next.publish(stamp, progress);
        next.requeue(stamp.now, eligible_at.max(stamp.now));
        Ok(next.sealed(stamp, self))
    }

    /// The crawl is done.
    pub fn finish(
        &self,
        stamp: Stamp,
        fence: u64,
        progress: &Progress,
        retention: &Retention,
    ) -> Result<Self, Refusal> {
        let mut next = self.held_by(fence)?;
        next.publish(stamp, progress);
        next.end(State::Completed, stamp.now, retention);
        Ok(next.sealed(stamp, self))
    }

    /// The crawl could not even begin: its start failed. Another attempt follows after `again`,
    /// where there is one.
    pub fn fail_to_begin(
        &self,
        stamp: Stamp,
        fence: u64,
        progress: &Progress,
        failure: &Failure,
        again: Option<Duration>,
        retention: &Retention,
    ) -> Result<Self, Refusal> {
        let mut next = self.held_by(fence)?;
        next.crawl = Some(Box::new(progress.clone()));
        next.attempts.push(Attempt {
            at: stamp.now,
            failure: failure.clone(),
        });
        // Leases that were lost before count as well.
        let most = self.max_attempts.max(MOST_RESTARTS);
        let left = next.attempts.len() < usize::from(most);
        match again.filter(|_| left) {
            Some(wait) => {
                next.requeue(stamp.now, stamp.now + wait);
                next.note_failure(EventType::JobRetried, stamp.now, failure);
            }
            None => next.end(State::Failed, stamp.now, retention),
        }
        Ok(next.sealed(stamp, self))
    }

    /// Lets an ended crawl go on with its failed pages and with what they lead to, but not with what
    /// was left when it ended. One that had not begun is retried as a whole.
    pub fn retry_pages(&self, stamp: Stamp) -> Result<Self, Refusal> {
        let mut next = self.permitted(Move::RetryPages)?;
        // A start that was only asked for its rules has not begun.
        let has_begun = |crawl: &Progress| {
            crawl.manifest.is_some() && crawl.counters.done + crawl.counters.failed > 0
        };
        let Some(crawl) = next.crawl.as_mut().filter(|it| has_begun(it)) else {
            return self.retry(stamp);
        };
        if self.state == State::Completed && crawl.counters.failed == 0 {
            return Err(Refusal::Forbidden);
        }
        crawl.retry_failed = true;
        crawl.percentage = 0;
        next.attempts.clear();
        next.finished_at = None;
        next.requeue(stamp.now, stamp.now);
        next.note(EventType::JobRetried, stamp.now);
        Ok(next.sealed(stamp, self))
    }

    fn publish(&mut self, stamp: Stamp, progress: &Progress) {
        let mut progress = progress.clone();
        let before = self.crawl.as_ref().map_or(0, |crawl| crawl.percentage);
        progress.percentage = progress.percentage.max(before);
        self.note_progress(before, progress.percentage, stamp.now);
        let before = self.crawl.as_ref().and_then(|crawl| crawl.segments);
        // Where too much is untold already, the next note covers these pages as well.
        let untold = self.outbox.as_ref().map_or(0, |outbox| outbox.untold.len());
        if untold < MOST_UNTOLD {
            self.note_pages(before, progress.segments, stamp.now);
        } else {
            progress.segments = before;
        }
        progress.lapses = 0;
        let before = self.crawl.as_ref().map(|it| it.counters);
        if before.is_some_and(|before| before != progress.counters) {
            self.attempts.clear();
        }
        self.crawl = Some(Box::new(progress));
    }

    /// A lease was lost. Says how many attempts the job may have, or nothing where it is no
    /// attempt of the job but the fault of one address.
    pub(super) fn lapse(&mut self, most: u8) -> Option<u8> {
        if !self.kind.is_crawl() {
            return Some(most);
        }
        let crawl = self.crawl.get_or_insert_default();
        // Where the address has been found guilty already, the next slice has not even come so far
        // as to say so: something else is the matter.
        if let Some(Trial { lapses, .. }) = &mut crawl.trial
            && *lapses < Trial::GUILTY
        {
            *lapses += 1;
            return None;
        }
        crawl.lapses = crawl.lapses.saturating_add(1);
        if crawl.lapses >= CAREFUL_AFTER {
            crawl.careful = CAREFUL_FOR;
        }
        // One more than it takes to become careful.
        Some(most.max(MOST_RESTARTS))
    }
}
