//! The shape of the queue's state, from the domain to JSON. Times are ISO 8601.

use jobs::Timestamp;
use jobs::app::QueueState;
use jobs::spec::Priority;
use jobs::statistics::Totals;
use serde::Serialize;
use utoipa::ToSchema;

use crate::view::{QueueHealthView, StatsView};

/// Reasons to fail that are listed.
const MOST_ERRORS: usize = 10;

/// Jobs that completed or failed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThroughputView {
    /// Since the last snapshot that is at least a minute old.
    last_minute: u64,
    last_hour: u64,
}

/// A reason to fail.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorCountView {
    /// Stable name of the failure; rare HTTP statuses share `http_4xx`, `http_5xx`, `http_other`.
    #[schema(example = "http_404")]
    code: String,
    /// Jobs that failed so in the last hour.
    count: u64,
}

/// Creates of the last hour.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeduplicationView {
    /// Jobs that were made.
    created: u64,
    /// Creates that found an equal job.
    deduplicated: u64,
    /// The part that found one, 0 to 1; null without creates.
    rate: Option<f64>,
}

/// One minute of the last hour.
#[derive(Serialize, ToSchema)]
pub(crate) struct MinuteView {
    /// When it began.
    #[schema(format = DateTime)]
    at: String,
    created: u64,
    deduplicated: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
}

impl MinuteView {
    fn new(at: Timestamp, totals: &Totals) -> Self {
        Self {
            at: at.to_string(),
            created: totals.created,
            deduplicated: totals.deduplicated,
            completed: totals.completed,
            failed: totals.failed,
            cancelled: totals.cancelled,
        }
    }
}

/// Waiting jobs by priority.
#[derive(Serialize, ToSchema)]
pub(crate) struct DepthView {
    low: u64,
    normal: u64,
    high: u64,
    urgent: u64,
    critical: u64,
}

/// How the queue is doing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueView {
    #[schema(format = DateTime)]
    timestamp: String,
    /// Whether everything is held back.
    is_paused: bool,
    health: QueueHealthView,
    counts: StatsView,
    throughput: ThroughputView,
    /// The part of the jobs finished in the last hour that completed, 0 to 1; null where none
    /// finished.
    success_rate: Option<f64>,
    /// What jobs failed of in the last hour, the most common first.
    errors: Vec<ErrorCountView>,
    deduplication: DeduplicationView,
    /// Waiting jobs by priority.
    depth: DepthView,
    /// The last hour, oldest minute first; where `detailed` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes: Option<Vec<MinuteView>>,
}

impl QueueView {
    pub(crate) fn new(state: QueueState, detailed: bool, now: Timestamp) -> Self {
        let hour = &state.recent.last_hour;
        let error = |(code, count): (&str, u64)| ErrorCountView {
            code: code.to_owned(),
            count,
        };
        let minutes = state.recent.minutes.iter();
        let minutes = minutes.map(|(at, totals)| MinuteView::new(*at, totals));
        let depth = |priority| state.depth.get(&priority).copied().unwrap_or(0);
        Self {
            timestamp: now.to_string(),
            is_paused: state.is_paused,
            throughput: ThroughputView {
                last_minute: state.recent.last_minute.finished(),
                last_hour: hour.finished(),
            },
            success_rate: hour.success_rate().map(rounded),
            errors: hour
                .most_common_errors(MOST_ERRORS)
                .into_iter()
                .map(error)
                .collect(),
            deduplication: DeduplicationView {
                created: hour.created,
                deduplicated: hour.deduplicated,
                rate: hour.deduplication_rate().map(rounded),
            },
            depth: DepthView {
                low: depth(Priority::Low),
                normal: depth(Priority::Normal),
                high: depth(Priority::High),
                urgent: depth(Priority::Urgent),
                critical: depth(Priority::Critical),
            },
            minutes: detailed.then(|| minutes.collect()),
            health: state.health.into(),
            counts: state.stats.into(),
        }
    }
}

/// Four digits are enough to read, and an answer that says the same stays the same.
fn rounded(part: f64) -> f64 {
    (part * 10_000.0).round() / 10_000.0
}
