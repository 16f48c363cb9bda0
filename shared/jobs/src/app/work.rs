//! Working at a job: claim, scrape, commit. Whatever happens in between, the row decides; this
//! only ever writes under the fence of its own claim.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join;

use crate::app::cap::{Admission, Place};
use crate::app::{App, Settled};
use crate::error::Error;
use crate::failure::{Failure, FailureCode};
use crate::id::JobId;
use crate::job::{Job, State};
use crate::message::Message;
use crate::page::Page;
use crate::ports::{Commit, PageRequest, PortError, Scraper};
use crate::spec::Spec;
use crate::time::Timestamp;
use crate::transition::{Claim, LONGEST_MESSAGE_DELAY};

/// A lease outlives the worker's deadline by this much.
pub(super) const LEASE_MARGIN: Duration = Duration::from_secs(5);
/// What one invocation of a worker may take, in whatever host.
pub const INVOCATION: Duration = Duration::from_mins(1);
/// What a worker needs after the scrape to write it down, the result and the row: a call that takes
/// as long as a call may, and one that is repeated once.
pub const COMMIT_MARGIN: Duration = Duration::from_secs(8);

/// With less time than this the sweep tells of what has happened.
pub(super) const TELL_ROOM: Duration = Duration::from_secs(6);

/// With less time than this no scrape is begun.
const LEAST_ROOM: Duration = Duration::from_secs(1);

/// What to do with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// The row says what happens next: acknowledge.
    Done,
    /// The table could not be asked: give the message back.
    Return,
}

/// How a claim ended.
enum Claimed {
    Won(Box<Job>, Option<Box<Spec>>, Option<Place>),
    /// Nothing to do for this message.
    Over,
    /// Too early, by this much: its time has not come, or too many of the customer's jobs run.
    Early(Box<Job>, Duration),
}

impl App {
    /// Handles one message. The worker promises to have stopped by `deadline`; the lease ends
    /// five seconds later.
    pub async fn work(
        &self,
        message: &Message,
        scraper: &dyn Scraper,
        deadline: Timestamp,
    ) -> Handled {
        match self.try_work(&message.job_id, scraper, deadline).await {
            Ok(()) => Handled::Done,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(job = %message.job_id, error, "message given back");
                Handled::Return
            }
        }
    }

    async fn try_work(
        &self,
        id: &JobId,
        scraper: &dyn Scraper,
        deadline: Timestamp,
    ) -> Result<(), Error> {
        // The place is held until the outcome is written.
        let (job, spec, _place) = match self.claim(id, deadline).await? {
            Claimed::Won(job, spec, place) => (job, spec, place),
            Claimed::Over => return Ok(()),
            Claimed::Early(job, wait) => {
                let wait = wait.min(LONGEST_MESSAGE_DELAY);
                let envelope = Self::envelope(&job, wait);
                let unsent = self.ports.queue.send(&[envelope]).await?;
                return if unsent.is_empty() {
                    Ok(())
                } else {
                    Err(Error::Unavailable {
                        part: "queue",
                        source: "the message was not taken".into(),
                    })
                };
            }
        };
        let room = room(self.now(), deadline);
        if room < LEAST_ROOM {
            // What came before took all the time: that is no attempt at the work.
            return self.give_up(&job).await;
        }
        let outcome = match spec {
            Some(spec) if spec.kind.is_crawl() => {
                return self.work_slice(&job, &spec, scraper, deadline).await;
            }
            Some(spec) => {
                // That it has begun is told while the page is on its way.
                let told = self.try_to_tell(&job, Some(&spec));
                let (outcome, told) = join(scrape(&spec, scraper, room), told).await;
                return self
                    .report(&job, Some(&spec), outcome, told, deadline)
                    .await;
            }
            None => Err(Failure::new(
                FailureCode::Internal,
                "what the job was asked to do cannot be read any more",
            )),
        };
        self.report(&job, None, outcome, None, deadline).await
    }

    /// Gives a claimed job back as untried.
    async fn give_up(&self, job: &Job) -> Result<(), Error> {
        let settled = self.settle(job, |row, stamp| row.release(stamp, job.fence));
        if let Settled::Written(row) = settled.await?
            && row.state == State::Queued
        {
            tracing::warn!(job = %row.id, "given back untried: no time was left");
            self.send(&[Self::envelope(&row, Duration::ZERO)]).await;
        }
        Ok(())
    }

    async fn claim(&self, id: &JobId, deadline: Timestamp) -> Result<Claimed, Error> {
        const MOST_RACES: usize = 20;
        let (job, spec) = match self.read_unless_held(id).await? {
            Ok(None) => return Ok(Claimed::Over),
            Ok(Some((job, spec))) => (job, Some(Box::new(spec))),
            // A job whose specification is damaged still has to end.
            Err(PortError::Corrupt(what)) => {
                tracing::error!(job = %id, what, "a specification does not read");
                match self.ports.store.job(id).await? {
                    None => return Ok(Claimed::Over),
                    Some(job) => (job, None),
                }
            }
            Err(error) => return Err(error.into()),
        };
        let mut current = Box::new(job);
        let mut place = None;
        for _ in 0..MOST_RACES {
            let stamp = self.stamp();
            let lease_until = deadline.max(stamp.now) + LEASE_MARGIN;
            let claim = current.claim(stamp, lease_until, &self.limits.retention);
            let (next, won) = match claim {
                Claim::Won(next) => (next, true),
                Claim::Ended(next) => (next, false),
                Claim::Early(wait) => return Ok(Claimed::Early(current, wait)),
                Claim::Taken | Claim::Paused | Claim::Finished => return Ok(Claimed::Over),
            };
            if won && place.is_none() {
                match self.admit_to_work(&current).await {
                    Admission::Start(taken) => place = taken,
                    // Messages that the sweep has sent meanwhile come back as well: of them all,
                    // one is kept going. The row stands in the due index whatever comes of it.
                    Admission::Wait(_)
                        if !self.random().is_multiple_of(u64::from(current.resends) + 1) =>
                    {
                        return Ok(Claimed::Over);
                    }
                    Admission::Wait(wait) => return Ok(Claimed::Early(current, wait)),
                }
            }
            match self.ports.store.commit(&current, &next).await? {
                Commit::Written if won => {
                    return Ok(Claimed::Won(Box::new(next), spec, place));
                }
                Commit::Written => {
                    self.tell_now(&next, spec.as_deref()).await;
                    return Ok(Claimed::Over);
                }
                Commit::Lost(None) => return Ok(Claimed::Over),
                Commit::Lost(Some(row)) => current = row,
            }
        }
        Err(Error::Unavailable {
            part: "table",
            source: format!("job {id} changed {MOST_RACES} times meanwhile").into(),
        })
    }

    async fn report(
        &self,
        job: &Job,
        spec: Option<&Spec>,
        outcome: Result<Page, Failure>,
        told: Option<u64>,
        deadline: Timestamp,
    ) -> Result<(), Error> {
        let retention = self.limits.retention;
        let settled = match outcome {
            Ok(page) => {
                let result = self.keep_result(&job.id, job.fence, page).await?;
                self.settle(job, |row, stamp| {
                    let next = row.complete(stamp, job.fence, result, &retention)?;
                    Ok(next.having_told(told, stamp.now))
                })
                .await?
            }
            Err(failure) => {
                tracing::info!(job = %job.id, %failure, "attempt failed");
                let jitter = self.random();
                self.settle(job, |row, stamp| {
                    let next = row.fail(stamp, job.fence, &failure, jitter, &retention)?;
                    Ok(next.having_told(told, stamp.now))
                })
                .await?
            }
        };
        match settled {
            Settled::Written(row) => {
                if row.state == State::Queued {
                    let wait = row.wait(self.now());
                    if wait <= LONGEST_MESSAGE_DELAY {
                        self.send(&[Self::envelope(&row, wait)]).await;
                    }
                }
                let status = row.status(self.now());
                tracing::info!(job = %row.id, %status, attempts = row.attempts_made(), "job settled");
                // Nobody's message is worth less than that this worker ends in time.
                if self.now() + TELL_ROOM <= deadline {
                    self.tell_now(&row, spec).await;
                }
            }
            Settled::Refused(_) | Settled::Gone => {
                tracing::info!(job = %job.id, fence = job.fence, "outcome refused: the claim is over");
            }
        }
        Ok(())
    }
}

/// How long a scrape that begins now may take.
fn room(now: Timestamp, deadline: Timestamp) -> Duration {
    deadline.since(now).saturating_sub(COMMIT_MARGIN)
}

/// Scrapes within the job's own time and the worker's. A panic is a failure of this attempt, not
/// of the worker.
async fn scrape(spec: &Spec, scraper: &dyn Scraper, room: Duration) -> Result<Page, Failure> {
    let Some(url) = spec.address() else {
        return Err(Failure::new(
            FailureCode::Internal,
            "the stored address is no URL",
        ));
    };
    let request = PageRequest {
        url,
        headers: spec.headers.clone(),
        user_agent: spec.user_agent.clone(),
        timeout: spec.timeout().min(room),
        extraction: spec.config.clone(),
    };
    let outcome = AssertUnwindSafe(scraper.scrape(&request))
        .catch_unwind()
        .await;
    outcome.unwrap_or_else(|_| {
        tracing::error!("the scraper panicked");
        Err(Failure::new(
            FailureCode::Internal,
            "the page could not be worked on",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::MAX_TIMEOUT;

    #[test]
    fn the_longest_job_that_is_allowed_fits_into_one_invocation() {
        // The claim comes before the scrape and takes a part of the time as well.
        let claim = Duration::from_secs(2);
        let started = Timestamp::from_millis(1_700_000_000_000);
        assert!(room(started + claim, started + INVOCATION) >= MAX_TIMEOUT);
    }

    #[test]
    fn a_scrape_ends_early_enough_to_be_written_down() {
        let deadline = Timestamp::from_millis(1_700_000_000_000);
        for left in [0, 1, 7_999, 8_000, 8_001, 60_000] {
            let now = deadline - Duration::from_millis(left);
            let ends = now + room(now, deadline);
            let late = ends + COMMIT_MARGIN > deadline;
            assert!(!late || ends == now, "{left} ms before the deadline");
        }
    }
}
