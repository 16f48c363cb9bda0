//! The shapes of the Queue System API, from the domain to JSON. Times are epoch milliseconds.

use jobs::app::Health;
use jobs::{Job, Spec, State, Timestamp};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::openapi::words::{StatusWord, V1NameWord, V1QueueWord};
use crate::stage::stage;

/// An answer of this face.
#[derive(Serialize, ToSchema)]
pub(crate) struct Envelope<T> {
    #[schema(example = true)]
    success: bool,
    message: &'static str,
    data: T,
    #[schema(format = DateTime)]
    timestamp: String,
}

impl<T> Envelope<T> {
    pub(crate) fn new(message: &'static str, data: T, now: Timestamp) -> Self {
        Self {
            success: true,
            message,
            data,
            timestamp: now.to_string(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ProgressView {
    /// 0 to 100; 100 when completed.
    #[schema(minimum = 0, maximum = 100)]
    percentage: u8,
    /// What is going on, for a person.
    #[schema(example = "Fetching the page")]
    status: String,
}

/// Options the job was created with.
#[derive(Serialize, ToSchema)]
pub(crate) struct OptsView {
    attempts: u8,
    /// Milliseconds.
    delay: u64,
    /// Milliseconds.
    timeout: u64,
}

/// One job in full.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V1JobView {
    #[schema(example = "job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    id: String,
    #[schema(value_type = V1NameWord, example = "extract-data")]
    name: &'static str,
    #[schema(value_type = V1QueueWord, example = "scraping-jobs")]
    queue_name: &'static str,
    #[schema(value_type = StatusWord, example = "active")]
    status: &'static str,
    progress: ProgressView,
    /// What the worker is doing, where it is.
    #[schema(required = true)]
    detailed_status: Option<String>,
    attempts_made: usize,
    /// The page's result; `{resultsUrl}` where that is larger than 256 KB. Of crawls and refreshes
    /// that have ended their counters.
    #[schema(value_type = Option<Object>, required = true)]
    result: Option<Box<RawValue>>,
    /// The same as `result`.
    #[schema(value_type = Option<Object>, required = true)]
    return_value: Option<Box<RawValue>>,
    /// `code: sentence`, where the job has failed.
    #[schema(required = true)]
    failed_reason: Option<String>,
    /// One line per failed attempt.
    stacktrace: Vec<String>,
    opts: OptsView,
    /// When the job was created, in epoch milliseconds.
    timestamp: i64,
    /// When work on it started, in epoch milliseconds.
    #[schema(required = true)]
    processed_on: Option<i64>,
    /// When it ended, in epoch milliseconds.
    #[schema(required = true)]
    finished_on: Option<i64>,
    /// Its place among the waiting jobs of its priority, 1 for the next.
    #[schema(required = true)]
    number_in_queue: Option<u64>,
    /// What a model would cost; null for jobs that use none.
    #[schema(value_type = Option<f64>, required = true)]
    estimated_cost: Value,
}

impl V1JobView {
    pub(crate) fn new(
        job: &Job,
        spec: &Spec,
        result: Option<Box<RawValue>>,
        number_in_queue: Option<u64>,
        now: Timestamp,
    ) -> Self {
        let stage = stage(job, Some(spec), now);
        let line = |attempt: &jobs::failure::Attempt| format!("{} {}", attempt.at, attempt.failure);
        Self {
            id: job.id.to_string(),
            name: job.kind.v1_name(),
            queue_name: job.kind.v1_queue(),
            status: job.status(now).as_str(),
            detailed_status: (job.state == State::Active).then(|| stage.clone()),
            progress: ProgressView {
                percentage: job.percentage(),
                status: stage,
            },
            attempts_made: job.attempts_made(),
            return_value: result.clone(),
            result,
            failed_reason: job.failed_reason(),
            stacktrace: job.attempts.iter().map(line).collect(),
            opts: OptsView {
                attempts: spec.attempts,
                delay: spec.delay_ms,
                timeout: spec.timeout_ms,
            },
            timestamp: job.created_at.as_millis(),
            processed_on: job.started_at.map(Timestamp::as_millis),
            finished_on: job.finished_at.map(Timestamp::as_millis),
            number_in_queue,
            estimated_cost: Value::Null,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V1HealthView {
    is_healthy: bool,
    /// What is wrong, in sentences.
    issues: Vec<String>,
    #[schema(example = "0.0.0")]
    version: &'static str,
}

impl From<Health> for V1HealthView {
    fn from(health: Health) -> Self {
        Self {
            is_healthy: health.issues.is_empty(),
            issues: health.issues,
            version: crate::VERSION,
        }
    }
}
