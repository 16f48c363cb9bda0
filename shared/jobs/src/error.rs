//! What can go wrong for a caller of [`crate::App`]: one variant per thing the caller can do about
//! it. A failed scrape is not here; it is a [`crate::Failure`] on the job.

use std::fmt;
use std::time::Duration;

use crate::id::{JobId, ScheduleId};
use crate::job::Status;
use crate::ports::PortError;

/// One thing wrong with a request, named by the field it is wrong in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path of the field, such as `config.fields.price.selector`.
    pub field: String,
    /// A sentence that says what would be right.
    pub message: String,
}

impl Problem {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.message)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is wrong; every problem is listed. Correct it.
    #[error("the request has {} problem(s)", .0.len())]
    Invalid(Vec<Problem>),
    /// What the request asks for takes more than 64 KB to write down. Send less.
    #[error("the job's specification takes {bytes} bytes, and at most {max} fit")]
    TooLarge { bytes: usize, max: usize },
    /// This caller may not do that, whatever the request says. Use another key.
    #[error("{0}")]
    Forbidden(String),
    /// No such job for this caller.
    #[error("no job found with id {0}")]
    NotFound(String),
    /// The job's state forbids it. Read the job and decide again.
    #[error("job {id} is {status}, which forbids this")]
    Conflict { id: JobId, status: Status },
    /// The job cannot start anew: an equal one that is unfinished has taken its place. Follow that
    /// one.
    #[error("job {id} cannot start anew: job {by} is equal and unfinished")]
    Taken {
        id: JobId,
        status: Status,
        by: JobId,
    },
    /// No such operation for this caller.
    #[error("no operation found with id {0}")]
    NoOperation(String),
    /// No such webhook for this caller.
    #[error("no webhook found with id {0}")]
    NoWebhook(String),
    /// No such delivery of this webhook or job.
    #[error("no delivery found with id {0}")]
    NoDelivery(String),
    /// Nothing is delivered to this webhook. Enable it first.
    #[error("webhook {0} is disabled")]
    Disabled(String),
    /// No such schedule for this caller.
    #[error("no schedule found with id {0}")]
    NoSchedule(String),
    /// The customer has as many of these as allowed. Delete one.
    #[error("this customer has {most} {what}, and may have no more")]
    TooMany { what: &'static str, most: u64 },
    /// The schedule does not let runs overlap, and one goes on. Wait for its end, or cancel it.
    #[error("schedule {id} does not overlap its runs, and job {by} is {status}")]
    Overlap {
        id: ScheduleId,
        by: JobId,
        status: Status,
    },
    /// The key was used for another request. Use a key of its own.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The same request is still being carried out. Ask again.
    #[error("the first request with this idempotency key is still being carried out")]
    Busy { retry_after: Duration },
    /// The customer has as many unfinished jobs as allowed. Come back later.
    #[error("the queue of this customer is full")]
    Full { retry_after: Duration },
    /// The customer calls more often than allowed. Come back later.
    #[error("more than {per_minute} calls a minute")]
    Limited {
        retry_after: Duration,
        per_minute: u32,
    },
    /// Table, queue or blobs cannot be reached. Try again.
    #[error("the {part} cannot be reached")]
    Unavailable {
        part: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something stored does not read back. Nobody but us can help.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
}

impl From<PortError> for Error {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Unavailable { part, source } => Self::Unavailable { part, source },
            PortError::Corrupt(what) => Self::Corrupt(what),
        }
    }
}
