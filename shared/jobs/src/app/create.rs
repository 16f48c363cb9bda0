//! Creating a job: one transaction, then a message. Decides what is a duplicate.

use crate::app::App;
use crate::error::Error;
use crate::id::JobId;
use crate::job::{Job, State};
use crate::new_job::NewJob;
use crate::ports::{self, Created};
use crate::rate::Call;
use crate::spec::MAX_SPEC_BYTES;
use crate::transition::{LONGEST_MESSAGE_DELAY, queued_due};

/// What became of a request to create a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Creation {
    New(Box<Job>),
    /// An equal job exists already.
    Duplicate(JobId),
}

impl App {
    /// Creates a job, or finds the equal one that exists. When this answers, the job is in the
    /// table and will reach an end; whether its message was sent is the sweep's to repair.
    pub async fn create(&self, new: &NewJob) -> Result<Creation, Error> {
        self.admit(Call::Create, &new.customer).await?;
        let spec =
            serde_json::to_string(&new.spec).map_err(|error| Error::Corrupt(error.to_string()))?;
        if spec.len() > MAX_SPEC_BYTES {
            return Err(Error::TooLarge {
                bytes: spec.len(),
                max: MAX_SPEC_BYTES,
            });
        }
        let job = self.first_row(new);
        match self.write(new, &job, &spec).await? {
            Some(existing) => {
                self.count_duplicate(&new.customer).await;
                Ok(Creation::Duplicate(existing))
            }
            None => {
                let wait = job.wait(job.created_at);
                if wait <= LONGEST_MESSAGE_DELAY {
                    self.send(&[Self::envelope(&job, wait)]).await;
                }
                tracing::info!(job = %job.id, customer = %job.customer, "job created");
                Ok(Creation::New(Box::new(job)))
            }
        }
    }

    fn first_row(&self, new: &NewJob) -> Job {
        let stamp = self.stamp();
        let eligible_at = stamp.now + std::time::Duration::from_millis(new.spec.delay_ms);
        Job {
            id: JobId::new(stamp.now, self.ports.entropy.next()),
            customer: new.customer.clone(),
            kind: new.spec.kind,
            url: new.spec.url.clone(),
            priority: new.priority,
            state: State::Queued,
            created_at: stamp.now,
            eligible_at,
            started_at: None,
            finished_at: None,
            max_attempts: new.spec.attempts,
            attempts: Vec::new(),
            fence: 0,
            revision: 1,
            nonce: stamp.nonce,
            lease_until: None,
            pause_requested: false,
            due_at: Some(queued_due(stamp.now, eligible_at)),
            resends: 0,
            fingerprint: new.deduplicate.then(|| new.spec.fingerprint(&new.customer)),
            result: None,
        }
    }

    /// Writes the job, taking the deduplication row over from an owner that no longer blocks.
    /// Answers with the owner that does.
    async fn write(&self, new: &NewJob, job: &Job, spec: &str) -> Result<Option<JobId>, Error> {
        const MOST_RACES: usize = 20;
        let mut replaces: Option<JobId> = None;
        for _ in 0..MOST_RACES {
            let creation = ports::Creation {
                job,
                spec,
                replaces: replaces.as_ref(),
                max_unfinished: self.limits.max_unfinished,
            };
            match self.ports.store.create(&creation).await? {
                Created::New => return Ok(None),
                Created::Full => {
                    return Err(Error::Full {
                        retry_after: std::time::Duration::from_secs(30),
                    });
                }
                Created::Vacant => replaces = None,
                Created::Owned(owner) => {
                    if self.blocks(new, &owner).await? {
                        return Ok(Some(owner));
                    }
                    replaces = Some(owner);
                }
            }
        }
        Err(Error::Unavailable {
            part: "table",
            source: format!("deduplication changed hands {MOST_RACES} times meanwhile").into(),
        })
    }

    async fn blocks(&self, new: &NewJob, owner: &JobId) -> Result<bool, Error> {
        let now = self.now();
        Ok(match self.ports.store.job(owner).await? {
            None => false,
            Some(owner) if !owner.state.is_terminal() => true,
            Some(owner) => {
                let recent = |ended| now.since(ended) < new.deduplicate_for;
                !owner.is_expired(now) && owner.finished_at.is_some_and(recent)
            }
        })
    }
}
