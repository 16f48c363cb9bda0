//! What a scraping job is and how it lives: identifiers, specifications, states and transitions,
//! the retry policy, and [`App`], the one deep module that creates, works, sweeps and reads jobs.
//!
//! This crate knows neither AWS nor the web. What it needs from outside stands in [`ports`]; it
//! refuses to read a clock, an environment variable or a socket itself.

pub mod address;
pub mod app;
pub mod batch;
pub mod body;
mod cached;
pub mod caller;
pub mod crawl;
pub mod cron;
pub mod csv_table;
pub mod error;
pub mod event;
pub mod extraction;
pub mod failure;
pub mod hold;
pub mod id;
pub mod idempotency;
pub mod job;
pub mod key;
pub mod message;
pub mod new_batch;
mod new_crawl;
mod new_headers;
pub mod new_job;
mod new_refresh;
pub mod operation;
pub mod outbox;
pub mod page;
pub mod ports;
pub mod question;
pub mod rate;
pub mod retry;
pub mod schedule;
pub mod spec;
pub mod statistics;
pub mod tally;
pub mod time;
pub mod transition;
pub mod webhook;

pub use app::{App, Limits};
pub use batch::Batch;
pub use caller::Caller;
pub use crawl::{CrawlOptions, Formats};
pub use cron::{Cron, Zone};
pub use error::{Error, Problem};
pub use event::{Event, EventType};
pub use extraction::Extraction;
pub use failure::{Failure, FailureCode};
pub use id::{BatchId, DeliveryId, JobId, KeyId, OperationId, RowId, ScheduleId, WebhookId};
pub use idempotency::{IdempotencyKey, Keyed};
pub use job::{Job, State, Status};
pub use key::{ApiKey, Grants, KeyHash, KeyRecord, NewKey};
pub use message::{DeliveryKey, DeliveryOwner, Hint, Message};
pub use new_batch::{NewBatch, NewWork};
pub use new_job::NewJob;
pub use operation::Operation;
pub use page::Page;
pub use question::Question;
pub use schedule::{ChangedSchedule, NewSchedule, Schedule};
pub use spec::{CustomerId, JobType, Priority, Spec};
pub use time::Timestamp;
pub use webhook::{Delivery, Webhook, WebhookKey};
