//! How a slice publishes what it has done, and how it ends: always by one conditional write of the
//! row, under the fence of its claim.

use std::time::Duration;

use super::{LONGEST_BLIND, Slice, Stop};
use crate::app::work::TELL_ROOM;
use crate::app::{App, Settled};
use crate::error::Error;
use crate::job::{Job, State};
use crate::time::Timestamp;
use crate::transition::LONGEST_MESSAGE_DELAY;

/// How long things may begin after a look at the row that took very long.
const SHORTEST_SIGHT: Duration = Duration::from_secs(1);

impl Slice<'_> {
    /// Publishes what has changed; where nothing has, only looks whether the job is still ours.
    pub(super) async fn commit(&mut self) -> Result<Option<Stop>, Error> {
        let changed = self.frontier.has_news()
            || self.job.crawl.as_ref().map(|crawl| crawl.trial) != Some(self.progress.trial);
        if !changed {
            return self.look().await;
        }
        self.put_pack().await?;
        let looked_at = self.app.now();
        let (fence, progress, told) = (self.job.fence, &self.progress, self.told);
        let settled = self
            .app
            .settle(&self.job, |row, stamp| {
                let next = row.advance(stamp, fence, progress)?;
                Ok(next.having_told(told, stamp.now))
            })
            .await?;
        match settled {
            Settled::Written(row) => {
                // Not where the time is needed for the end.
                self.told = if self.app.now() + TELL_ROOM <= self.ends {
                    self.app.try_to_tell(&row, Some(self.spec)).await
                } else {
                    None
                };
                self.has_seen(row, looked_at).await
            }
            Settled::Refused(_) | Settled::Gone => Ok(Some(Stop::Revoked)),
        }
    }

    /// Looks whether the job is still ours.
    pub(super) async fn look(&mut self) -> Result<Option<Stop>, Error> {
        let looked_at = self.app.now();
        match self.app.ports.store.job(&self.job.id).await? {
            Some(row) if row.state == State::Active && row.fence == self.job.fence => {
                self.has_seen(Box::new(row), looked_at).await
            }
            _ => Ok(Some(Stop::Revoked)),
        }
    }

    async fn has_seen(&mut self, row: Box<Job>, at: Timestamp) -> Result<Option<Stop>, Error> {
        let pause = row.pause_requested;
        self.job = row;
        // Something begins between two looks, however long they take.
        let blind = self.app.limits.commit_every.min(LONGEST_BLIND);
        self.next_commit = (at + blind).max(self.app.now() + SHORTEST_SIGHT);
        if pause {
            return Ok(Some(Stop::Paused));
        }
        // The whole queue is held back: the next slice is begun when it is let go.
        let held = self.app.is_paused().await?;
        Ok(held.then(|| Stop::Later(self.app.now())))
    }

    /// Puts everything that changed into the blob store, and brings the progress up to date.
    pub(super) async fn put_pack(&mut self) -> Result<(), Error> {
        if self.frontier.has_news() || self.progress.manifest.is_none() {
            self.packs += 1;
            self.progress.manifest = Some(
                self.app
                    .put_pack(&self.job, &mut self.frontier, self.packs)
                    .await?,
            );
        }
        let counters = self.frontier.counters();
        self.progress.counters = counters;
        // Never back to nothing: what was told would be told again.
        if self.tells_pages {
            self.progress.segments = Some(self.frontier.segments());
        }
        self.progress.refresh = self.frontier.refresh().map(|state| state.found);
        let most = self.frontier.rules().options.max_pages;
        // A light slice does not count what its pages have led to.
        if !self.frontier.is_light() {
            self.progress.percentage = percentage(counters.done, counters.queued, most);
        }
        let took = self.app.now().since(self.began).as_millis().max(1) as u64;
        let done = u64::from(counters.done.saturating_sub(self.done_before));
        self.progress.rate = u32::try_from(done * 100_000 / took).unwrap_or(u32::MAX);
        Ok(())
    }

    pub(super) async fn stop(mut self, stop: Stop) -> Result<(), Error> {
        if matches!(stop, Stop::Revoked) {
            tracing::info!(job = %self.job.id, fence = self.job.fence, "slice ended: the claim is over");
            return Ok(());
        }
        self.put_pack().await?;
        let now = self.app.now();
        self.progress.worked_ms += now.since(self.began).as_millis() as u64;
        let (fence, progress, told) = (self.job.fence, &self.progress, self.told);
        let retention = self.app.limits.retention;
        let end = match stop {
            Stop::Over => match self.frontier.why_nothing() {
                Some(failure) => Stop::NotBegun(failure, None),
                None => Stop::Over,
            },
            other => other,
        };
        if let (Stop::Over, Some(manifest)) = (&end, progress.manifest)
            && progress.counters.done > 0
            && self.frontier.may_be_base()
        {
            self.app.swap_baseline(&self.job, manifest).await?;
        }
        let settled = self
            .app
            .settle(&self.job, |row, stamp| {
                let next = match &end {
                    Stop::Over => row.finish(stamp, fence, progress, &retention),
                    Stop::NotBegun(failure, again) => {
                        row.fail_to_begin(stamp, fence, progress, failure, *again, &retention)
                    }
                    Stop::Later(at) => row.go_on(stamp, fence, progress, *at),
                    Stop::Paused | Stop::Revoked => row.go_on(stamp, fence, progress, stamp.now),
                };
                Ok(next?.having_told(told, stamp.now))
            })
            .await?;
        let Settled::Written(row) = settled else {
            return Ok(());
        };
        let wait = row.wait(self.app.now());
        if row.state == State::Queued && wait <= LONGEST_MESSAGE_DELAY {
            self.app.send(&[App::envelope(&row, wait)]).await;
        }
        let status = row.status(self.app.now());
        let counters = self.progress.counters;
        tracing::info!(
            job = %row.id, %status, done = counters.done, queued = counters.queued,
            failed = counters.failed, skipped = counters.skipped, "slice ended"
        );
        if self.app.now() + TELL_ROOM <= self.deadline {
            self.app.tell_now(&row, Some(self.spec)).await;
        }
        Ok(())
    }
}

/// How far a crawl is, 0 to 99, as far as one can tell by what is known so far.
fn percentage(done: u32, queued: u32, most: u32) -> u8 {
    let expected = u64::from(done.saturating_add(queued).min(most)).max(1);
    (u64::from(done) * 100 / expected).min(99) as u8
}
