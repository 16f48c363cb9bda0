//! Creating a batch. What fits into one transaction is written by it; a larger batch is written
//! down first, then part by part (see [`super::chunks`]), so that it is created as a whole whoever
//! dies meanwhile.

use std::time::Duration;

use crate::app::App;
use crate::app::chunks::{Completed, Draft};
use crate::app::create::{Birth, MOST_RACES, full, too_many_races};
use crate::batch::{Batch, spread};
use crate::caller::Caller;
use crate::error::Error;
use crate::id::BatchId;
use crate::idempotency::{Answer, Kept, Keyed, Outcome};
use crate::new_batch::NewBatch;
use crate::ports::{Begun, Chunk, Chunked, Guard};
use crate::rate::Call;
use crate::spec::CustomerId;
use crate::time::Timestamp;
use crate::transition::Stamp;

/// How long a request waits for the first one with its key.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a client is told that asked for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedBatch {
    /// One for each address, in their order.
    pub outcomes: Vec<Outcome>,
    /// When it was answered first.
    pub at: Timestamp,
}

/// A batch that has not been written down anywhere yet.
struct Request<'a> {
    caller: &'a Caller,
    id: BatchId,
    customer: CustomerId,
    new: &'a NewBatch,
    firsts: Vec<usize>,
    keyed: Option<&'a Keyed>,
    stamp: Stamp,
}

impl Request<'_> {
    fn keep(&self, answer: Answer) -> Option<Kept> {
        let keyed = self.keyed?;
        Some(keyed.kept(self.caller, self.stamp.now, answer))
    }
}

impl App {
    /// Creates a batch of jobs as a whole, or finds the equal ones that exist. A request that names
    /// a key is answered as it was answered first; where that one has died half way, it is
    /// completed.
    pub async fn create_batch(
        &self,
        caller: &Caller,
        new: &NewBatch,
        keyed: Option<&Keyed>,
    ) -> Result<CreatedBatch, Error> {
        let customer = caller.owner(new.first.customer.as_ref())?;
        self.admit(Call::Create, &customer).await?;
        let stamp = self.stamp();
        let request = Request {
            caller,
            id: BatchId::new(stamp.now, self.ports.entropy.next()),
            firsts: new.firsts(&customer),
            customer,
            new,
            keyed,
            stamp,
        };
        let open = vec![None; new.urls.len()];
        let (id, customer) = (&request.id, &request.customer);
        let birth = Birth {
            created_at: stamp.now,
            stamp,
            heard: self.is_heard(customer, &new.first.spec).await?,
            run_of: None,
        };
        let mut drafts = Draft::all(id, customer, new, &request.firsts, &open, &birth)?;
        let mut outcomes = open;
        if drafts.len() > self.limits.jobs_at_once {
            // Asked first: what follows would be in vain, and costs more.
            if let Some(kept) = request.keep(Answer::Jobs(Vec::new())) {
                let kept = self.ports.batches.kept(&kept.name, stamp.now).await?;
                if let Some(kept) = kept {
                    return self.again(&request, &kept).await;
                }
            }
            let standings = self.resolve(&drafts, new).await?;
            Draft::settle(&mut drafts, standings, &mut outcomes);
        }
        if drafts.len() > self.limits.jobs_at_once {
            self.create_in_parts(request, drafts, outcomes).await
        } else {
            self.create_at_once(request, drafts, outcomes).await
        }
    }

    /// One transaction for all jobs, their room and the answer.
    async fn create_at_once(
        &self,
        request: Request<'_>,
        mut drafts: Vec<Draft>,
        mut outcomes: Vec<Option<Outcome>>,
    ) -> Result<CreatedBatch, Error> {
        for _ in 0..MOST_RACES {
            let outcomes_now = Draft::decided(&drafts, &outcomes, &request.firsts);
            let all: Vec<Outcome> = outcomes_now.into_iter().flatten().collect();
            let kept = request.keep(Answer::Jobs(all.clone()));
            let written = if drafts.is_empty() {
                match &kept {
                    None => Chunked::Written,
                    Some(kept) => match self.ports.batches.keep(kept).await? {
                        None => Chunked::Written,
                        Some(kept) => Chunked::Answered(Box::new(kept)),
                    },
                }
            } else {
                let guard = Guard::Room {
                    customer: &request.customer,
                    max_unfinished: self.limits.max_unfinished,
                    kept: kept.as_ref(),
                };
                let rows = drafts.iter().map(Draft::row).collect();
                self.ports.batches.write(&Chunk { rows, guard }).await?
            };
            match written {
                Chunked::Written => {
                    self.send_drafts(&drafts).await;
                    let duplicates = all.len() - drafts.len();
                    self.count_duplicates(&request.customer, duplicates).await;
                    return Ok(CreatedBatch {
                        outcomes: all,
                        at: request.stamp.now,
                    });
                }
                Chunked::Owned => {
                    let standings = self.resolve(&drafts, request.new).await?;
                    Draft::settle(&mut drafts, standings, &mut outcomes);
                }
                Chunked::Full => return Err(full()),
                Chunked::Answered(kept) => return self.again(&request, &kept).await,
                Chunked::Lost(_) => return Err(Error::Corrupt("a batch without a row".to_owned())),
            }
        }
        Err(too_many_races())
    }

    /// The batch is written down with its room and its key, then created part by part.
    async fn create_in_parts(
        &self,
        request: Request<'_>,
        drafts: Vec<Draft>,
        mut outcomes: Vec<Option<Outcome>>,
    ) -> Result<CreatedBatch, Error> {
        spread(&mut outcomes, &request.firsts);
        let kept = request.keep(Answer::Batch(request.id.clone()));
        let batch = Batch::new(
            request.id.clone(),
            request.customer.clone(),
            request.new.clone(),
            outcomes,
            request.stamp,
        );
        let jobs = drafts.len() as u64;
        let most = self.limits.max_unfinished;
        let begun = self.ports.batches.begin(&batch, jobs, most, kept.as_ref());
        match begun.await? {
            Begun::Full => Err(full()),
            Begun::Answered(kept) => self.again(&request, &kept).await,
            Begun::Written => match self.complete(batch).await? {
                Completed::Done(created) => {
                    let duplicates = created.outcomes.iter().filter(|one| one.deduplicated);
                    self.count_duplicates(&request.customer, duplicates.count())
                        .await;
                    Ok(created)
                }
                Completed::Taken => self.outcome(&request.id).await,
            },
        }
    }

    /// The answer that was given before, or is about to be, where the request is the same.
    async fn again(&self, request: &Request<'_>, kept: &Kept) -> Result<CreatedBatch, Error> {
        if !request.keyed.is_some_and(|keyed| keyed.asked_for(kept)) {
            return Err(Error::KeyReused);
        }
        match &kept.answer {
            Answer::Jobs(outcomes) => Ok(CreatedBatch {
                outcomes: outcomes.clone(),
                at: kept.at,
            }),
            Answer::Batch(id) => self.outcome(id).await,
            Answer::Job(_) | Answer::Schedule(_) => Err(Error::Corrupt(format!(
                "the answer {} is to another kind of request",
                kept.name
            ))),
        }
    }

    /// Waits for a batch that another request creates, and completes it where that one is gone.
    async fn outcome(&self, id: &BatchId) -> Result<CreatedBatch, Error> {
        let gone = || Error::Corrupt(format!("batch {id} is gone before its answer"));
        for _ in 0..MOST_RACES {
            let mut batch = self.ports.batches.batch(id).await?.ok_or_else(gone)?;
            let lease = |batch: &Batch| batch.work.as_ref().map(|work| work.lease_until);
            if lease(&batch).is_some_and(|until| until > self.now()) {
                let ended = self.ports.batches.ended(id, PATIENCE).await?;
                batch = ended.ok_or_else(gone)?;
            }
            let now = self.now();
            if let Some(until) = lease(&batch).filter(|until| *until > now) {
                return Err(Error::Busy {
                    retry_after: until.since(now),
                });
            }
            if let Completed::Done(created) = self.complete(batch).await? {
                return Ok(created);
            }
        }
        Err(too_many_races())
    }
}
