//! Handlers of the control of one job, on both faces: decode, one call, encode.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jobs::app::Action;
use jobs::body::Reader;
use jobs::{Caller, Error, Job, JobId, Status, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::{Face, JobsError, Refusal, V1Error, answer};
use crate::request::{Asked, Id};
use crate::{Api, reply, request};

/// Where a job is read on the Jobs API.
const JOBS: &str = "/api/jobs";

/// What to do with a job.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // read by the document alone
pub(crate) struct ActionBody {
    #[schema(value_type = String, pattern = "^(pause|resume|cancel|retry|promote)$", example = "pause")]
    action: String,
}

/// What to do again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // read by the document alone
pub(crate) struct RetryBody {
    /// The failed pages of a crawl alone.
    #[schema(value_type = Option<String>, pattern = "^failed$", example = "failed")]
    only: Option<String>,
}

/// The answer to a control call.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ControlledView {
    #[schema(example = true)]
    success: bool,
    #[schema(example = "job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    job_id: String,
    /// Where the job stands now.
    #[schema(example = "paused")]
    status: &'static str,
    #[schema(example = "Job paused")]
    message: &'static str,
    /// A path that answers with the job.
    #[schema(example = "/api/jobs/job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    status_url: String,
    #[schema(format = DateTime)]
    timestamp: String,
}

impl ControlledView {
    fn new(job: &Job, action: Action, jobs_path: &str, now: Timestamp) -> Self {
        let status = job.status(now);
        Self {
            success: true,
            job_id: job.id.to_string(),
            status: status.as_str(),
            message: match (action, status) {
                (Action::Pause, Status::Active) => "Job pauses at its next safe point",
                (Action::Pause, _) => "Job paused",
                (Action::Resume, _) => "Job resumed",
                (Action::Cancel, _) => "Job cancelled",
                (Action::Retry, _) => "Job will be tried again",
                (Action::Promote, _) => "Job promoted",
            },
            status_url: format!("{jobs_path}/{}", job.id),
            timestamp: now.to_string(),
        }
    }
}

/// Pause, resume, cancel, retry or promote one job.
///
/// A running job pauses when its attempt ends. A resumed job goes on at its original time. A retry
/// starts a failed or cancelled job anew, in place. Only a delayed job can be promoted.
#[utoipa::path(
    put, path = "/api/jobs/{id}", tag = "jobs", operation_id = "controlJob",
    params(("id" = String, Path, description = "Id of the job")),
    request_body = ActionBody,
    responses(
        (status = 200, description = "Done, or asked of the worker that runs it", body = ControlledView),
        (status = 400, description = "Something in the body is wrong", body = JobsError),
        (status = 404, description = "No such job", body = JobsError),
        (status = 409, description = "Its status forbids it; the body says which it is", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Queue is full, or out of reach", body = V1Error,
         headers(("Retry-After" = u32, description = "Seconds"))),
    )
)]
pub(crate) async fn control(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    request: Request,
) -> Response {
    let action = async {
        let body = request::json_body(request).await?;
        action(&body)
    };
    let action = action.await;
    respond(&api, &caller, &id, action, Face::Jobs).await
}

/// Cancel one job. To cancel it again changes nothing.
#[utoipa::path(
    delete, path = "/api/jobs/{id}", tag = "jobs", operation_id = "cancelJob",
    params(("id" = String, Path, description = "Id of the job")),
    responses(
        (status = 200, description = "The job is cancelled; it can still be read", body = ControlledView),
        (status = 404, description = "No such job", body = JobsError),
        (status = 409, description = "It has ended otherwise; the body says how", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn cancel(State(api): State<Api>, Asked(caller): Asked, Id(id): Id) -> Response {
    respond(&api, &caller, &id, Ok(Action::Cancel), Face::Jobs).await
}

/// Cancel one job. To cancel it again changes nothing.
#[utoipa::path(
    delete, path = "/api/v1/jobs/{id}", tag = "queue system", operation_id = "cancelJobV1",
    params(("id" = String, Path, description = "Id of the job")),
    responses(
        (status = 200, description = "The job is cancelled; it can still be read", body = ControlledView),
        (status = 404, description = "No such job", body = V1Error),
        (status = 409, description = "It has ended otherwise; the body says how", body = V1Error),
        (status = 429, description = "Too many calls", body = V1Error,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = V1Error),
    )
)]
pub(crate) async fn cancel_v1(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
) -> Response {
    respond(&api, &caller, &id, Ok(Action::Cancel), Face::V1).await
}

/// Try a failed or cancelled job again, in place.
///
/// With `only` a crawl or a refresh fetches again those of its pages that have failed, and what these
/// lead to that was not known, but no other; for any other job it changes nothing.
#[utoipa::path(
    post, path = "/api/jobs/{id}/retry", tag = "jobs", operation_id = "retryJob",
    params(("id" = String, Path, description = "Id of the job")),
    request_body = Option<RetryBody>,
    responses(
        (status = 200, description = "The job waits for a worker again", body = ControlledView),
        (status = 400, description = "Something in the body is wrong", body = JobsError),
        (status = 404, description = "No such job", body = JobsError),
        (status = 409, description = "It has not failed, or an equal job has taken its place", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Queue is full, or out of reach", body = V1Error,
         headers(("Retry-After" = u32, description = "Seconds"))),
    )
)]
pub(crate) async fn retry(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    request: Request,
) -> Response {
    let asked = async {
        let body = request::optional_json_body(request).await?;
        // `null` is absent, here too.
        let body = body.filter(|body| !body.is_null());
        let only_failed = body.as_ref().map_or(Ok(false), only_failed)?;
        let id = known(&id)?;
        let job = if only_failed {
            api.app.retry_failed_pages(&caller, &id).await?
        } else {
            api.app.control(&caller, &id, Action::Retry).await?
        };
        Ok(ControlledView::new(
            &job,
            Action::Retry,
            JOBS,
            api.app.now(),
        ))
    };
    match asked.await {
        Ok(view) => reply::json(StatusCode::OK, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

fn action(body: &Value) -> Result<Action, Refusal> {
    let known = Action::ALL.map(|action| (action.as_str(), action));
    let mut reader = Reader::new("", body);
    if body.is_object() && reader.value("action").is_none() {
        let names = Action::ALL.map(Action::as_str).join(", ");
        reader.problem("action", format!("is required; one of: {names}"));
    }
    let action = reader.one_of("action", &known);
    let problems = reader.finish();
    action
        .filter(|_| problems.is_empty())
        .ok_or(Refusal::Invalid(problems))
}

/// Whether the failed pages alone are meant.
fn only_failed(body: &Value) -> Result<bool, Refusal> {
    let mut reader = Reader::new("", body);
    let only = reader.one_of("only", &[("failed", ())]);
    let problems = reader.finish();
    if problems.is_empty() {
        Ok(only.is_some())
    } else {
        Err(Refusal::Invalid(problems))
    }
}

async fn respond(
    api: &Api,
    caller: &Caller,
    id: &str,
    action: Result<Action, Refusal>,
    face: Face,
) -> Response {
    match try_control(api, caller, id, action, face).await {
        Ok(view) => reply::json(StatusCode::OK, &view),
        Err(refusal) => answer(face, &refusal, api.app.now()),
    }
}

async fn try_control(
    api: &Api,
    caller: &Caller,
    id: &str,
    action: Result<Action, Refusal>,
    face: Face,
) -> Result<ControlledView, Refusal> {
    let action = action?;
    let id = known(id)?;
    let job = api.app.control(caller, &id, action).await?;
    let path = match face {
        Face::Jobs => JOBS,
        Face::V1 => "/api/v1/jobs",
    };
    Ok(ControlledView::new(&job, action, path, api.app.now()))
}

/// The id of a path, where it can be one.
fn known(id: &str) -> Result<JobId, Error> {
    let shown = || id.chars().take(100).collect();
    JobId::parse(id).ok_or_else(|| Error::NotFound(shown()))
}
