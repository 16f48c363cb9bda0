//! Control of one job: pause, resume, cancel, retry, promote. What is allowed stands in the table
//! of moves; this finds the row, writes what becomes of it, and sends the message that follows.

use crate::app::tell::{has_room_to_tell, tells_of_results};
use crate::app::{App, Settled};
use crate::caller::Caller;
use crate::error::Error;
use crate::id::JobId;
use crate::job::{Job, State};
use crate::ports::{Revival, Revived};
use crate::transition::{LONGEST_MESSAGE_DELAY, Refusal, Retention, Stamp};

/// What a client can ask of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Not started yet: at once. Running: when its attempt ends.
    Pause,
    /// At its original time, or now where that has passed.
    Resume,
    /// For good; again is no mistake.
    Cancel,
    /// A failed or cancelled job, anew and in place.
    Retry,
    /// A delayed job, now.
    Promote,
}

impl Action {
    pub const ALL: [Self; 5] = [
        Self::Pause,
        Self::Resume,
        Self::Cancel,
        Self::Retry,
        Self::Promote,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Promote => "promote",
        }
    }

    fn of(self, job: &Job, stamp: Stamp, retention: &Retention) -> Result<Job, Refusal> {
        match self {
            Self::Pause => job.pause(stamp),
            Self::Resume => job.resume(stamp),
            Self::Cancel => job.cancel(stamp, retention),
            Self::Retry => job.retry(stamp),
            Self::Promote => job.promote(stamp),
        }
    }
}

impl App {
    /// Does what is asked to one job, and answers with the row as it then is. A move that the
    /// job's state forbids is a [`Error::Conflict`]; a retry may also be [`Error::Taken`] or
    /// [`Error::Full`].
    pub async fn control(&self, caller: &Caller, id: &JobId, action: Action) -> Result<Job, Error> {
        let job = self.visible(id).await?;
        let job = job.filter(|job| caller.may_see(&job.customer));
        let job = job.ok_or_else(|| Error::NotFound(id.to_string()))?;
        let row = if action == Action::Retry {
            self.retry(job).await?
        } else {
            self.change(&job, action).await?
        };
        let status = row.status(self.now());
        tracing::info!(job = %row.id, action = action.as_str(), %status, "job controlled");
        Ok(row)
    }

    async fn change(&self, job: &Job, action: Action) -> Result<Job, Error> {
        let retention = self.limits.retention;
        let settled = self.settle(job, |row, stamp| action.of(row, stamp, &retention));
        match settled.await? {
            Settled::Written(row) => {
                self.hint(&row).await;
                self.tell_now(&row, None).await;
                Ok(*row)
            }
            // To cancel what is cancelled changes nothing, which is what was asked for.
            Settled::Refused(row) if action == Action::Cancel && row.state == State::Cancelled => {
                Ok(*row)
            }
            Settled::Refused(row) => Err(self.conflict(&row)),
            Settled::Gone => Err(Error::NotFound(job.id.to_string())),
        }
    }

    /// Lets an ended crawl go on with the pages that failed, and nothing else. Any other job is
    /// retried as a whole.
    pub async fn retry_failed_pages(&self, caller: &Caller, id: &JobId) -> Result<Job, Error> {
        let job = self.visible(id).await?;
        let job = job.filter(|job| caller.may_see(&job.customer));
        let job = job.ok_or_else(|| Error::NotFound(id.to_string()))?;
        if job.kind.is_crawl() {
            self.revive(job, Job::retry_pages).await
        } else {
            self.retry(job).await
        }
    }

    /// Starts an ended job anew.
    pub(super) async fn retry(&self, job: Job) -> Result<Job, Error> {
        self.revive(job, Job::retry).await
    }

    /// Makes an ended job a queued one, where nobody has taken its place and its customer has room.
    async fn revive(
        &self,
        job: Job,
        change: impl Fn(&Job, Stamp) -> Result<Job, Refusal>,
    ) -> Result<Job, Error> {
        const MOST_RACES: usize = 20;
        let mut current = Box::new(job);
        let mut replaces: Option<JobId> = None;
        for _ in 0..MOST_RACES {
            let stamp = self.stamp();
            // What has expired is about to be removed, and gone for every reader.
            if current.is_expired(stamp.now) {
                return Err(Error::NotFound(current.id.to_string()));
            }
            has_room_to_tell(&current)?;
            // What is told of pages is read from what a new start throws away.
            if tells_of_results(&current) {
                self.tell_now(&current, None).await;
                let row = self.ports.store.job(&current.id).await?;
                let gone = || Error::NotFound(current.id.to_string());
                *current = row.ok_or_else(gone)?;
                if tells_of_results(&current) {
                    return Err(Error::Unavailable {
                        part: "event bus",
                        source: "pages of this job are not told yet".into(),
                    });
                }
            }
            let next = change(&current, stamp).map_err(|_| self.conflict(&current))?;
            let revival = Revival {
                before: &current,
                after: &next,
                replaces: replaces.as_ref(),
                max_unfinished: self.limits.max_unfinished,
            };
            match self.ports.store.revive(&revival).await? {
                Revived::Written => {
                    self.hint(&next).await;
                    return Ok(next);
                }
                Revived::Lost(Some(row)) => current = row,
                Revived::Lost(None) => return Err(Error::NotFound(current.id.to_string())),
                Revived::Full => {
                    return Err(Error::Full {
                        retry_after: std::time::Duration::from_secs(30),
                    });
                }
                Revived::Vacant => replaces = None,
                Revived::Owned(owner) => match self.ports.store.job(&owner).await? {
                    Some(by) if !by.state.is_terminal() => {
                        return Err(Error::Taken {
                            status: current.status(stamp.now),
                            id: current.id,
                            by: owner,
                        });
                    }
                    _ => replaces = Some(owner),
                },
            }
        }
        Err(Error::Unavailable {
            part: "table",
            source: format!("job {} changed {MOST_RACES} times meanwhile", current.id).into(),
        })
    }

    /// Sends the message of a row that has just become queued, where one can carry its wait.
    async fn hint(&self, job: &Job) {
        let wait = job.wait(self.now());
        if job.state == State::Queued && wait <= LONGEST_MESSAGE_DELAY {
            self.send(&[Self::envelope(job, wait)]).await;
        }
    }

    fn conflict(&self, job: &Job) -> Error {
        Error::Conflict {
            id: job.id.clone(),
            status: job.status(self.now()),
        }
    }
}
