//! The one repair path. Takes no input: walks the due index and gives every row what it is owed,
//! a message, an end to its lease, its removal. Safe to run at any time, by several at once, and
//! to be killed anywhere.

use std::collections::HashSet;
use std::time::Duration;

use futures::stream::{self, StreamExt};

use crate::app::{App, Settled};
use crate::error::Error;
use crate::id::{JobId, RowId};
use crate::job::{DueList, Job, State};
use crate::outbox;
use crate::ports::{Commit, DUE_SHARDS, Envelope};
use crate::transition::{Mode, Sweep};

/// After a restart every row whose message a volatile queue may have lost is within this reach:
/// the longest message delay and the longest grace.
const RESTART_REACH: Duration = Duration::from_mins(35);
/// Rows read per shard and round.
const PAGE: usize = 100;
/// Rows read per shard while the queue is held back: many of them only wait.
const HELD_PAGE: usize = 500;
/// Rows worked on at once.
const CONCURRENCY: usize = 8;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Messages sent again or for the first time.
    pub sent: usize,
    /// Leases freed and rows whose due time was moved.
    pub written: usize,
    pub purged: usize,
    /// The budget ended before the work did: sweep again.
    pub more: bool,
}

impl App {
    /// Sweeps up to `budget` rows, goes on with the operations that are due, tells the timetable what
    /// it does not know yet, and forgets what refreshes compare with where nobody has refreshed it
    /// for long.
    pub async fn sweep(&self, mode: Mode, budget: usize) -> Result<Swept, Error> {
        let jobs = self.sweep_jobs(mode, budget).await;
        let mut swept = jobs
            .as_ref()
            .map_or_else(|_| Swept::default(), Clone::clone);
        let operations = self.sweep_operations(mode, &mut swept).await;
        let deliveries = self.sweep_deliveries(mode, &mut swept).await;
        let schedules = self.sweep_schedules(mode, &mut swept).await;
        let baselines = match mode {
            Mode::Routine => self.sweep_baselines(&mut swept).await,
            Mode::Restart | Mode::Shutdown => Ok(()),
        };
        jobs?;
        operations?;
        deliveries?;
        schedules?;
        baselines?;
        Ok(swept)
    }

    /// Sweeps this job alone, and removes what has expired: for a host that works on nothing else.
    pub async fn sweep_one(&self, id: &JobId, mode: Mode) -> Result<Swept, Error> {
        let held = self.is_paused().await?;
        let mut swept = Swept::default();
        let row = vec![RowId::Job(id.clone())];
        self.sweep_rows(row, mode, held, &mut swept).await?;
        if mode == Mode::Routine {
            self.keep_minute().await;
            for shard in 0..DUE_SHARDS {
                let due = self
                    .ports
                    .store
                    .due(DueList::Purge, shard, self.now(), PAGE);
                self.sweep_rows(due.await?, mode, held, &mut swept).await?;
            }
        }
        Ok(swept)
    }

    /// Sweeps up to `budget` rows of jobs.
    pub(super) async fn sweep_jobs(&self, mode: Mode, budget: usize) -> Result<Swept, Error> {
        let now = self.now();
        if mode == Mode::Routine {
            self.keep_minute().await;
        }
        // Due times are set early enough for a sweep every minute, so the routine looks at what is
        // due and no further; purging can wait until the service runs.
        let lists = match mode {
            Mode::Routine => vec![(DueList::Work, now), (DueList::Purge, now)],
            // What an earlier process has left to tell is told at once.
            Mode::Restart => vec![
                (DueList::Work, now + RESTART_REACH),
                (DueList::Purge, now + outbox::GRACE),
            ],
            Mode::Shutdown => vec![(DueList::Work, now + RESTART_REACH)],
        };
        let held = self.is_paused().await?;
        let mut swept = Swept::default();
        let mut room = budget;
        let mut first_error = None;
        // Not always the same shard first: what a budget does not reach, the next sweep does.
        let first = (now.as_millis() / 1_000) as u32 % DUE_SHARDS;
        for (list, until) in lists {
            for turn in 0..DUE_SHARDS {
                // The routine gives every shard a turn; what is left over is more work.
                let limit = if mode == Mode::Routine && held {
                    HELD_PAGE
                } else if mode == Mode::Routine {
                    room.min(PAGE)
                } else {
                    room
                };
                if limit == 0 || room == 0 {
                    swept.more = true;
                    break;
                }
                let shard = (first + turn) % DUE_SHARDS;
                let due = self.ports.store.due(list, shard, until, limit).await;
                // What cannot be helped must not keep the rest from being repaired.
                let outcome = match due {
                    Ok(ids) => {
                        swept.more |= ids.len() == limit;
                        self.sweep_due(ids, mode, held, &mut room, &mut swept).await
                    }
                    Err(error) => Err(error.into()),
                };
                if let Err(error) = outcome {
                    first_error = first_error.or(Some(error));
                }
            }
        }
        first_error.map_or(Ok(swept), Err)
    }

    async fn sweep_due(
        &self,
        mut ids: Vec<RowId>,
        mode: Mode,
        held: bool,
        room: &mut usize,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        if held {
            self.leave_held(&mut ids).await?;
        }
        *room = room.saturating_sub(ids.len());
        self.sweep_rows(ids, mode, held, swept).await
    }

    /// Takes those out that wait for the queue to be let go: they must not stand in the way of
    /// the others, such as leases that have ended.
    async fn leave_held(&self, ids: &mut Vec<RowId>) -> Result<(), Error> {
        let jobs: Vec<_> = ids.iter().filter_map(RowId::as_job).cloned().collect();
        let rows = self.ports.store.jobs(&jobs).await?;
        let now = self.now();
        let waits = |job: &&Job| job.state == State::Queued && !job.tell_is_due(now);
        let held = rows.iter().filter(waits);
        let held: HashSet<_> = held.map(|job| &job.id).collect();
        ids.retain(|id| id.as_job().is_none_or(|id| !held.contains(id)));
        Ok(())
    }

    async fn sweep_rows(
        &self,
        ids: Vec<RowId>,
        mode: Mode,
        held: bool,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let rows = stream::iter(ids)
            .map(|id| async move {
                match id {
                    RowId::Job(id) => self.sweep_row(&id, mode, held).await,
                    RowId::Batch(id) => self
                        .sweep_batch(&id, mode)
                        .await
                        .map(|more| if more { Done::Written } else { Done::Nothing }),
                    RowId::Operation(_) | RowId::Schedule(_) => Ok(Done::Nothing),
                }
            })
            .buffered(CONCURRENCY)
            .collect::<Vec<_>>()
            .await;
        let mut envelopes = Vec::new();
        let mut first_error = None;
        for row in rows {
            match row {
                Ok(Done::Nothing) => {}
                Ok(Done::Written) => swept.written += 1,
                Ok(Done::Purged) => swept.purged += 1,
                Ok(Done::Send(envelope)) => envelopes.push(envelope),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        swept.sent += envelopes.len();
        self.send(&envelopes).await;
        match first_error {
            None => Ok(()),
            Some(error @ Error::Corrupt(_)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "a row cannot be swept");
                Ok(())
            }
            Some(error) => Err(error),
        }
    }

    async fn sweep_row(&self, id: &JobId, mode: Mode, held: bool) -> Result<Done, Error> {
        let Some(job) = self.ports.store.job(id).await? else {
            return Ok(Done::Nothing);
        };
        if held && job.state == State::Queued && !job.tell_is_due(self.now()) {
            return Ok(Done::Nothing);
        }
        let (next, sent) = match job.sweep(self.stamp(), mode, &self.limits.retention) {
            Sweep::Nothing => return Ok(Done::Nothing),
            Sweep::SendOnly(delay) => return Ok(Done::Send(Self::envelope(&job, delay))),
            Sweep::Purge => {
                self.purge(&job).await?;
                return Ok(Done::Purged);
            }
            Sweep::Tell => {
                let written = self.sweep_untold(&job).await?;
                return Ok(if written {
                    Done::Written
                } else {
                    Done::Nothing
                });
            }
            Sweep::Write(next) => (next, None),
            // Nobody would begin it; it comes due by itself when the queue is let go.
            Sweep::Send(next, _) if held => (next, None),
            Sweep::Send(next, delay) => (next, Some(delay)),
        };
        match self.ports.store.commit(&job, &next).await? {
            // Somebody else moved the row; whatever is still owed comes due again.
            Commit::Lost(_) => Ok(Done::Nothing),
            Commit::Written => Ok(match sent {
                Some(delay) => Done::Send(Self::envelope(&next, delay)),
                None => Done::Written,
            }),
        }
    }

    /// What is to be told, then blobs, then the row: a purge that is cut short is found again.
    pub(super) async fn purge(&self, job: &Job) -> Result<(), Error> {
        let Some(job) = &self.told_before_purge(job).await? else {
            return Ok(());
        };
        self.drop_results(job).await?;
        Ok(self.ports.store.purge(job).await?)
    }

    /// A hint about this job went to the dead letters: make the next sweep look at it.
    pub async fn wake(&self, id: &JobId) -> Result<(), Error> {
        let Some(job) = self.ports.store.job(id).await? else {
            return Ok(());
        };
        if let Settled::Written(job) = self.settle(&job, Job::wake).await? {
            tracing::warn!(job = %job.id, "woken after its message went to the dead letters");
        }
        Ok(())
    }
}

enum Done {
    Nothing,
    Written,
    Purged,
    Send(Envelope),
}
