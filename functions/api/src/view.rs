//! The shapes of the Jobs API, from the domain to JSON. Times are ISO 8601.

use jobs::app::{Health, ListPage, Stats};
use jobs::failure::Attempt;
use jobs::spec::{CustomerId, JobType};
use jobs::{Job, Spec, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::crawl_view::{CountersView, OptionsView, PaceView, RefreshedView};
use crate::cursor;
use crate::openapi::words::{PriorityWord, StatusWord, TypeWord};

/// A failed attempt.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttemptView {
    /// 1 for the first.
    number: usize,
    #[schema(format = DateTime)]
    at: String,
    /// Stable name of the failure.
    #[schema(example = "http_503")]
    code: String,
    message: String,
    /// Whether another attempt could help.
    retryable: bool,
}

pub(crate) fn attempts(attempts: &[Attempt]) -> Vec<AttemptView> {
    let view = |(index, attempt): (usize, &Attempt)| AttemptView {
        number: index + 1,
        at: attempt.at.to_string(),
        code: attempt.failure.code.to_string(),
        message: attempt.failure.message.clone(),
        retryable: attempt.failure.code.retryable(),
    };
    attempts.iter().enumerate().map(view).collect()
}

/// A job in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobSummary {
    #[schema(example = "job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    id: String,
    #[serde(rename = "type")]
    #[schema(value_type = TypeWord, example = "single-page")]
    kind: &'static str,
    #[schema(example = "https://example.com")]
    url: String,
    #[schema(value_type = StatusWord, example = "active")]
    status: &'static str,
    #[schema(value_type = PriorityWord, example = "normal")]
    priority: &'static str,
    #[schema(example = "default")]
    customer_id: String,
    /// 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    progress: u8,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime, required = true)]
    started_at: Option<String>,
    #[schema(format = DateTime, required = true)]
    finished_at: Option<String>,
    /// `code: sentence`, where the job has failed.
    #[schema(required = true, example = "http_404: The page answered 404 Not Found")]
    failed_reason: Option<String>,
}

impl JobSummary {
    pub(crate) fn new(job: &Job, now: Timestamp) -> Self {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            id: job.id.to_string(),
            kind: job.kind.as_str(),
            url: job.url.clone(),
            status: job.status(now).as_str(),
            priority: job.priority.as_str(),
            customer_id: job.customer.to_string(),
            progress: job.percentage(),
            created_at: job.created_at.to_string(),
            started_at: text(job.started_at),
            finished_at: text(job.finished_at),
            failed_reason: job.failed_reason(),
        }
    }
}

/// One job in full.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobView {
    #[serde(flatten)]
    summary: JobSummary,
    /// Failed attempts, oldest first.
    attempts: Vec<AttemptView>,
    /// Attempts at the work, the current one included.
    attempts_made: usize,
    #[schema(value_type = Option<Object>, required = true)]
    metadata: Option<Value>,
    options: OptionsView,
    /// How many addresses stand where; of crawls and refreshes alone. `discovered` is the sum of the
    /// others.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<CountersView>,
    /// How it goes on; of crawls and refreshes alone.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    crawl: Option<PaceView>,
    /// What a refresh has found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh: Option<RefreshedView>,
}

impl JobView {
    pub(crate) fn new(job: &Job, spec: &Spec, now: Timestamp) -> Self {
        Self {
            summary: JobSummary::new(job, now),
            attempts: attempts(&job.attempts),
            attempts_made: job.attempts_made(),
            metadata: spec.metadata.clone(),
            options: OptionsView::new(spec),
            counters: job.kind.is_crawl().then(|| CountersView::of(job)),
            crawl: job.kind.is_crawl().then(|| PaceView::new(job, spec, now)),
            refresh: (job.kind == JobType::Refresh).then(|| RefreshedView::of(job)),
        }
    }
}

/// How many jobs stand where.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatsView {
    waiting: u64,
    delayed: u64,
    active: u64,
    completed: u64,
    failed: u64,
    paused: u64,
    cancelled: u64,
}

impl From<Stats> for StatsView {
    fn from(stats: Stats) -> Self {
        Self {
            waiting: stats.waiting,
            delayed: stats.delayed,
            active: stats.active,
            completed: stats.completed,
            failed: stats.failed,
            paused: stats.paused,
            cancelled: stats.cancelled,
        }
    }
}

/// Whether the service keeps up.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueHealthView {
    is_healthy: bool,
    /// Jobs being worked on.
    active_workers: u64,
    /// Jobs that wait or are delayed.
    queue_size: u64,
    /// What is wrong, in sentences.
    issues: Vec<String>,
}

impl From<Health> for QueueHealthView {
    fn from(health: Health) -> Self {
        Self {
            is_healthy: health.issues.is_empty(),
            active_workers: health.active_workers,
            queue_size: health.queue_size,
            issues: health.issues,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct HealthView {
    queue: QueueHealthView,
}

/// A list of jobs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListView {
    #[schema(format = DateTime)]
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<StatsView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<HealthView>,
    jobs: Vec<JobSummary>,
    /// Where the next page starts; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl ListView {
    pub(crate) fn new(
        page: &ListPage,
        customer: Option<&CustomerId>,
        stats: Option<Stats>,
        health: Option<Health>,
        now: Timestamp,
    ) -> Self {
        Self {
            timestamp: now.to_string(),
            stats: stats.map(StatsView::from),
            health: health.map(|health| HealthView {
                queue: health.into(),
            }),
            jobs: page
                .jobs
                .iter()
                .map(|job| JobSummary::new(job, now))
                .collect(),
            next_cursor: page.next.as_ref().map(|id| cursor::encode(id, customer)),
        }
    }
}
