//! The parts of a batch: drafts of its jobs, which of them are duplicates, and one transaction
//! after the other until all are decided. Whoever holds the row can go on; the row's revision lets
//! one of them write each part.

use crate::app::App;
use crate::app::batch::CreatedBatch;
use crate::app::create::{Birth, MOST_RACES, blocks, first_row, stored, too_many_races};
use crate::batch::{Batch, spread};
use crate::error::Error;
use crate::id::{BatchId, JobId};
use crate::idempotency::Outcome;
use crate::job::Job;
use crate::new_batch::NewBatch;
use crate::ports::{Chunk, Chunked, Guard, NewRow};
use crate::spec::CustomerId;
use crate::transition::{LONGEST_MESSAGE_DELAY, Mode};

/// A job of a batch that is about to be written.
pub(super) struct Draft {
    /// Its place in the batch, counted from 0.
    index: usize,
    job: Job,
    spec: String,
    replaces: Option<JobId>,
}

/// What stands against a draft.
pub(super) enum Standing {
    Nothing,
    /// An owner that no longer blocks: it is taken over from.
    Over(JobId),
    /// An equal job: the draft is its duplicate.
    Equal(JobId),
}

/// How an attempt at completing a batch ended.
pub(super) enum Completed {
    Done(CreatedBatch),
    /// Somebody else is at it.
    Taken,
}

impl Draft {
    /// Drafts of all jobs that are neither decided nor duplicates of others in the batch.
    pub(super) fn all(
        id: &BatchId,
        customer: &CustomerId,
        new: &NewBatch,
        firsts: &[usize],
        outcomes: &[Option<Outcome>],
        birth: &Birth,
    ) -> Result<Vec<Self>, Error> {
        let mut drafts = Vec::new();
        for (index, first) in firsts.iter().enumerate() {
            if *first != index || outcomes[index].is_some() {
                continue;
            }
            let new = new.job(index);
            let id = JobId::of_batch(id, index);
            drafts.push(Self {
                index,
                job: first_row(id, customer.clone(), &new, birth.clone()),
                spec: stored(&new.spec)?,
                replaces: None,
            });
        }
        Ok(drafts)
    }

    pub(super) fn row(&self) -> NewRow<'_> {
        NewRow {
            job: &self.job,
            spec: &self.spec,
            replaces: self.replaces.as_ref(),
        }
    }

    /// What is decided once these drafts are written.
    pub(super) fn decided(
        drafts: &[Self],
        outcomes: &[Option<Outcome>],
        firsts: &[usize],
    ) -> Vec<Option<Outcome>> {
        let mut outcomes = outcomes.to_vec();
        for draft in drafts {
            outcomes[draft.index] = Some(Outcome {
                job_id: draft.job.id.clone(),
                deduplicated: false,
            });
        }
        spread(&mut outcomes, firsts);
        outcomes
    }

    /// Takes in what stands against each draft: duplicates are decided, and drafts no longer.
    pub(super) fn settle(
        drafts: &mut Vec<Self>,
        standings: Vec<Standing>,
        outcomes: &mut [Option<Outcome>],
    ) {
        let mut left = Vec::with_capacity(drafts.len());
        for (mut draft, standing) in drafts.drain(..).zip(standings) {
            draft.replaces = match standing {
                Standing::Nothing => None,
                Standing::Over(owner) => Some(owner),
                Standing::Equal(job_id) => {
                    outcomes[draft.index] = Some(Outcome {
                        job_id,
                        deduplicated: true,
                    });
                    continue;
                }
            };
            left.push(draft);
        }
        *drafts = left;
    }
}

impl App {
    /// What stands against each draft now.
    pub(super) async fn resolve(
        &self,
        drafts: &[Draft],
        new: &NewBatch,
    ) -> Result<Vec<Standing>, Error> {
        let fingerprints = drafts
            .iter()
            .filter_map(|draft| draft.job.fingerprint.as_deref());
        let fingerprints: Vec<_> = fingerprints.collect();
        // All of a batch take part in deduplication, or none.
        if fingerprints.len() < drafts.len() {
            return Ok(drafts.iter().map(|_| Standing::Nothing).collect());
        }
        let owners = self.ports.batches.owners(&fingerprints).await?;
        let now = self.now();
        let standing = |owner| match owner {
            None => Standing::Nothing,
            Some(crate::ports::Owner { id, job }) if blocks(job.as_ref(), &new.first, now) => {
                Standing::Equal(id)
            }
            Some(owner) => Standing::Over(owner.id),
        };
        Ok(owners.into_iter().map(standing).collect())
    }

    /// Messages for jobs that have just been written and start soon.
    pub(super) async fn send_drafts(&self, drafts: &[Draft]) {
        let now = self.now();
        let waits = drafts.iter().map(|draft| (&draft.job, draft.job.wait(now)));
        let soon = waits.filter(|(_, wait)| *wait <= LONGEST_MESSAGE_DELAY);
        let envelopes: Vec<_> = soon.map(|(job, wait)| Self::envelope(job, wait)).collect();
        self.send(&envelopes).await;
        if let Some(Draft { job, .. }) = drafts.first() {
            tracing::info!(first = %job.id, jobs = drafts.len(), customer = %job.customer, "jobs created");
        }
    }

    /// Completes a batch whose writer is gone. Whether there was anything to do.
    pub(super) async fn sweep_batch(&self, id: &BatchId, mode: Mode) -> Result<bool, Error> {
        let Some(batch) = self.ports.batches.batch(id).await? else {
            return Ok(false);
        };
        let Some(work) = &batch.work else {
            return Ok(false);
        };
        // After a restart, and at the end, nobody else is there.
        if mode == Mode::Routine && work.lease_until > self.now() {
            return Ok(false);
        }
        tracing::warn!(batch = %id, "a batch without a writer is completed");
        self.complete(batch).await.map(|_| true)
    }

    /// Writes what is left of a batch, part by part.
    pub(super) async fn complete(&self, mut batch: Batch) -> Result<Completed, Error> {
        while let Some(work) = &batch.work {
            let firsts = work.new.firsts(&batch.customer);
            let birth = Birth {
                created_at: batch.created_at,
                stamp: self.stamp(),
                heard: self.is_heard(&batch.customer, &work.new.first.spec).await?,
                run_of: None,
            };
            let mut drafts = Draft::all(
                &batch.id,
                &batch.customer,
                &work.new,
                &firsts,
                &batch.outcomes,
                &birth,
            )?;
            drafts.truncate(self.limits.jobs_at_once);
            match self.write_part(&batch, &work.new, drafts, &firsts).await? {
                Some(next) => batch = next,
                None => return Ok(Completed::Taken),
            }
        }
        let at = batch.created_at;
        let outcomes = batch.finished();
        let undecided = || Error::Corrupt(format!("batch {} ended undecided", batch.id));
        Ok(Completed::Done(CreatedBatch {
            outcomes: outcomes.ok_or_else(undecided)?,
            at,
        }))
    }

    /// Writes one part and the batch's next row with it; `None` where another has written that.
    async fn write_part(
        &self,
        batch: &Batch,
        new: &NewBatch,
        mut drafts: Vec<Draft>,
        firsts: &[usize],
    ) -> Result<Option<Batch>, Error> {
        let mut outcomes = batch.outcomes.clone();
        let planned = drafts.len();
        for _ in 0..MOST_RACES {
            let decided = Draft::decided(&drafts, &outcomes, firsts);
            let next = batch.with(decided, self.stamp());
            let guard = Guard::Batch {
                seen: batch,
                next: &next,
                given_back: (planned - drafts.len()) as u64,
            };
            let rows = drafts.iter().map(Draft::row).collect();
            match self.ports.batches.write(&Chunk { rows, guard }).await? {
                Chunked::Written => {
                    self.send_drafts(&drafts).await;
                    return Ok(Some(next));
                }
                Chunked::Owned => {
                    let standings = self.resolve(&drafts, new).await?;
                    Draft::settle(&mut drafts, standings, &mut outcomes);
                }
                Chunked::Lost(_) => return Ok(None),
                Chunked::Full | Chunked::Answered(_) => {
                    let what = format!("a part of batch {} was refused its room", batch.id);
                    return Err(Error::Corrupt(what));
                }
            }
        }
        Err(too_many_races())
    }
}
