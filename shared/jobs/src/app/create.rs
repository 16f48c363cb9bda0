//! Creating a job: one transaction, then a message. Decides what is a duplicate, and answers a
//! request that is repeated under its key as it was answered first.

use std::time::Duration;

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::event::EventType;
use crate::id::JobId;
use crate::idempotency::{Answer, Kept, Keyed, Outcome};
use crate::job::{Job, RunOf, State};
use crate::new_job::NewJob;
use crate::ports;
use crate::rate::Call;
use crate::spec::{CustomerId, MAX_SPEC_BYTES, Spec};
use crate::time::Timestamp;
use crate::transition::{LONGEST_MESSAGE_DELAY, Stamp, queued_due};

/// What became of a request to create a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Creation {
    New(Box<Job>),
    /// An equal job exists already.
    Duplicate(JobId),
}

/// What a client is told that asked for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub outcome: Outcome,
    /// When it was answered first.
    pub at: Timestamp,
}

/// How a transaction that was to create a job ended.
enum Written {
    New,
    Duplicate(JobId),
    Answered(Box<Kept>),
}

impl App {
    /// Creates a job, or finds the equal one that exists. When this answers, the job is in the
    /// table and will reach an end; whether its message was sent is the sweep's to repair.
    pub async fn create(&self, caller: &Caller, new: &NewJob) -> Result<Creation, Error> {
        let (job, spec) = self.admitted(caller, new).await?;
        match self.write(new, &job, &spec, None).await? {
            Written::Duplicate(existing) => {
                self.count_duplicates(&job.customer, 1).await;
                Ok(Creation::Duplicate(existing))
            }
            Written::New | Written::Answered(_) => {
                self.send_first(&job, Some(&new.spec)).await;
                Ok(Creation::New(Box::new(job)))
            }
        }
    }

    /// As [`App::create`]; a request that names a key is answered as it was answered first.
    pub async fn create_once(
        &self,
        caller: &Caller,
        new: &NewJob,
        keyed: Option<&Keyed>,
    ) -> Result<Created, Error> {
        let (job, spec) = self.admitted(caller, new).await?;
        let outcome = |job_id: &JobId, deduplicated| Outcome {
            job_id: job_id.clone(),
            deduplicated,
        };
        let keep = |outcome: Outcome| {
            let answer = Answer::Job(outcome);
            keyed.map(|keyed| keyed.kept(caller, job.created_at, answer))
        };
        let created = outcome(&job.id, false);
        let kept = keep(created.clone());
        let (outcome, earlier) = match self.write(new, &job, &spec, kept.as_ref()).await? {
            Written::New => {
                self.send_first(&job, Some(&new.spec)).await;
                (created, None)
            }
            Written::Duplicate(existing) => {
                let outcome = outcome(&existing, true);
                let earlier = match keep(outcome.clone()) {
                    Some(kept) => self.ports.batches.keep(&kept).await?,
                    None => None,
                };
                if earlier.is_none() {
                    self.count_duplicates(&job.customer, 1).await;
                }
                (outcome, earlier)
            }
            Written::Answered(kept) => (created, Some(*kept)),
        };
        match (earlier, keyed) {
            (Some(kept), Some(keyed)) => again(&kept, keyed),
            _ => Ok(Created {
                outcome,
                at: job.created_at,
            }),
        }
    }

    /// The first row and the specification of a job that the caller may ask for now.
    async fn admitted(&self, caller: &Caller, new: &NewJob) -> Result<(Job, String), Error> {
        let customer = caller.owner(new.customer.as_ref())?;
        self.admit(Call::Create, &customer).await?;
        let spec = stored(&new.spec)?;
        let heard = self.is_heard(&customer, &new.spec).await?;
        let stamp = self.stamp();
        let id = JobId::new(stamp.now, self.ports.entropy.next());
        let birth = Birth {
            created_at: stamp.now,
            stamp,
            heard,
            run_of: None,
        };
        Ok((first_row(id, customer, new, birth), spec))
    }

    pub(super) async fn send_first(&self, job: &Job, spec: Option<&Spec>) {
        let wait = job.wait(job.created_at);
        if wait <= LONGEST_MESSAGE_DELAY {
            self.send(&[Self::envelope(job, wait)]).await;
        }
        // Of a job that begins at once its worker tells, with the beginning.
        if !wait.is_zero() {
            self.tell_now(job, spec).await;
        }
        tracing::info!(job = %job.id, customer = %job.customer, "job created");
    }

    /// Writes the job, taking the deduplication row over from an owner that no longer blocks.
    async fn write(
        &self,
        new: &NewJob,
        job: &Job,
        spec: &str,
        kept: Option<&Kept>,
    ) -> Result<Written, Error> {
        let mut replaces: Option<JobId> = None;
        for _ in 0..MOST_RACES {
            let creation = ports::Creation {
                job,
                spec,
                replaces: replaces.as_ref(),
                max_unfinished: self.limits.max_unfinished,
                kept,
            };
            match self.ports.store.create(&creation).await? {
                ports::Created::New => return Ok(Written::New),
                ports::Created::Full => return Err(full()),
                ports::Created::Answered(kept) => return Ok(Written::Answered(kept)),
                ports::Created::Vacant => replaces = None,
                ports::Created::Owned(owner) => {
                    let row = self.ports.store.job(&owner).await?;
                    if blocks(row.as_ref(), new, self.now()) {
                        return Ok(Written::Duplicate(owner));
                    }
                    replaces = Some(owner);
                }
            }
        }
        Err(too_many_races())
    }
}

/// How often a fingerprint may change hands while a job is being written.
pub(super) const MOST_RACES: usize = 20;

pub(super) fn full() -> Error {
    Error::Full {
        retry_after: Duration::from_secs(30),
    }
}

pub(super) fn too_many_races() -> Error {
    Error::Unavailable {
        part: "table",
        source: format!("deduplication changed hands {MOST_RACES} times meanwhile").into(),
    }
}

/// The stored form of a specification, where it is small enough.
pub(super) fn stored(spec: &Spec) -> Result<String, Error> {
    let stored = serde_json::to_string(spec).map_err(|error| Error::Corrupt(error.to_string()))?;
    if stored.len() > MAX_SPEC_BYTES {
        return Err(Error::TooLarge {
            bytes: stored.len(),
            max: MAX_SPEC_BYTES,
        });
    }
    Ok(stored)
}

/// How a row comes to be.
#[derive(Clone, Debug)]
pub(super) struct Birth {
    /// When the job was asked for, which may be a while before its row is written.
    pub(super) created_at: Timestamp,
    pub(super) stamp: Stamp,
    /// Whether anybody wants to hear of it.
    pub(super) heard: bool,
    /// Which run of which schedule it is.
    pub(super) run_of: Option<RunOf>,
}

/// The first row of a job.
pub(super) fn first_row(id: JobId, customer: CustomerId, new: &NewJob, birth: Birth) -> Job {
    let Birth {
        created_at,
        stamp,
        heard,
        run_of,
    } = birth;
    let eligible_at = created_at + Duration::from_millis(new.spec.delay_ms);
    let mut job = Job {
        id,
        fingerprint: new.fingerprint(&customer),
        customer,
        kind: new.spec.kind,
        url: new.spec.url.clone(),
        priority: new.priority,
        state: State::Queued,
        created_at,
        eligible_at,
        started_at: None,
        finished_at: None,
        max_attempts: new.spec.attempts,
        attempts: Vec::new(),
        fence: 0,
        revision: 0,
        nonce: stamp.nonce,
        lease_until: None,
        pause_requested: false,
        due_at: Some(queued_due(stamp.now, eligible_at)),
        resends: 0,
        result: None,
        crawl: None,
        outbox: heard.then(Box::default),
        run_of,
    };
    let now = created_at.max(stamp.now);
    if job.run_of.is_some() {
        job.note(EventType::ScheduleFired, now);
    }
    job.note(EventType::JobCreated, now);
    job.revision = 1;
    job
}

/// Whether the owner of its fingerprint stands against a new job.
pub(super) fn blocks(owner: Option<&Job>, new: &NewJob, now: Timestamp) -> bool {
    let Some(owner) = owner else { return false };
    let recent = |ended| now.since(ended) < new.deduplicate_for;
    !owner.state.is_terminal() || (!owner.is_expired(now) && owner.finished_at.is_some_and(recent))
}

/// The answer that was given before, where the request is the same.
fn again(kept: &Kept, keyed: &Keyed) -> Result<Created, Error> {
    if !keyed.asked_for(kept) {
        return Err(Error::KeyReused);
    }
    match &kept.answer {
        Answer::Job(outcome) => Ok(Created {
            outcome: outcome.clone(),
            at: kept.at,
        }),
        Answer::Jobs(_) | Answer::Batch(_) | Answer::Schedule(_) => Err(Error::Corrupt(format!(
            "the answer {} is to another kind of request",
            kept.name
        ))),
    }
}
