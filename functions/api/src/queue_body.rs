//! Bodies of calls on the whole queue, as the document shows them: one shape per operation. Refuses
//! to read any; the domain reads the JSON itself.

#![allow(dead_code)] // read by the document alone

use serde::Deserialize;
use utoipa::ToSchema;

/// What to do with the queue.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum QueueBody {
    Everything(EverythingBody),
    Cleanup(CleanupBody),
    RetryFailed(RetryFailedBody),
    Drain(DrainBody),
}

/// pause: nothing begins any more, whoever's it is. maintenance: does at once all that the sweep
/// has to do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EverythingBody {
    #[schema(value_type = String, pattern = "^(pause|resume|maintenance)$", example = "pause")]
    operation: String,
}

/// Removes ended jobs.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CleanupBody {
    #[schema(value_type = String, pattern = "^cleanup$", example = "cleanup")]
    operation: String,
    /// Jobs that ended at least so many hours ago; 24 unless told.
    #[schema(minimum = 0, maximum = 87_600)]
    max_age_hours: Option<f64>,
    /// Any outcome unless told.
    status: Option<OutcomesBody>,
    /// Everybody's unless told.
    #[schema(min_length = 1, max_length = 128)]
    customer_id: Option<String>,
}

/// Starts failed jobs anew, in place.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RetryFailedBody {
    #[schema(value_type = String, pattern = "^retry-failed$", example = "retry-failed")]
    operation: String,
    /// These, instead of all that have failed.
    #[schema(min_items = 1, max_items = 1_000)]
    job_ids: Option<Vec<JobIdBody>>,
    /// Everybody's unless told.
    #[schema(min_length = 1, max_length = 128)]
    customer_id: Option<String>,
}

/// Cancels what has not begun.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DrainBody {
    #[schema(value_type = String, pattern = "^drain$", example = "drain")]
    operation: String,
    /// Everybody's unless told.
    #[schema(min_length = 1, max_length = 128)]
    customer_id: Option<String>,
}

/// One outcome or a list of them.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum OutcomesBody {
    One(OutcomeBody),
    Some(SomeOutcomesBody),
}

#[derive(Deserialize, ToSchema)]
#[schema(min_items = 1)]
pub(crate) struct SomeOutcomesBody(Vec<OutcomeBody>);

/// How a job has ended.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OutcomeBody {
    Completed,
    Failed,
    Cancelled,
}

/// The id of a job.
#[derive(Deserialize, ToSchema)]
#[schema(value_type = String, pattern = "^job_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
pub(crate) struct JobIdBody(String);
