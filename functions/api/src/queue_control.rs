//! Handlers of what concerns many jobs: holding the whole queue back, and operations. Decode, one
//! call, encode.

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jobs::operation::{Kind, NewOperation, QueueCall};
use jobs::spec::CustomerId;
use jobs::{Caller, Error, Operation, OperationId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Face, JobsError, Refusal, answer};
use crate::openapi::config::QueueBody;
use crate::query::Query;
use crate::request::{Asked, Id};
use crate::{Api, reply, request};

/// The answer to pause and resume.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeldView {
    #[schema(example = true)]
    success: bool,
    is_paused: bool,
    message: &'static str,
    #[schema(format = DateTime)]
    timestamp: String,
}

/// The answer to what takes longer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BegunView {
    #[schema(example = true)]
    success: bool,
    #[schema(example = "op_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    operation_id: String,
    #[schema(example = "cleanup")]
    operation: &'static str,
    message: &'static str,
    /// A path that answers with the operation.
    #[schema(example = "/api/operations/op_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    status_url: String,
    #[schema(format = DateTime)]
    timestamp: String,
}

/// Why jobs that were meant were left alone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SkippedView {
    /// An equal unfinished job has taken the place.
    place_taken: u64,
    /// The customer has as many unfinished jobs as allowed.
    queue_full: u64,
    /// Not there, or not in a state that allows it.
    unfit: u64,
}

/// An operation on many jobs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OperationView {
    #[schema(example = "op_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    id: String,
    #[schema(example = "cleanup")]
    operation: &'static str,
    /// running or completed.
    #[schema(example = "running")]
    status: &'static str,
    /// Whose jobs it concerns; null is everybody's.
    customer_id: Option<String>,
    /// When it was asked for: later jobs are not touched.
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
    /// Jobs looked at so far; of an export, results.
    examined: u64,
    /// Jobs changed so far; of an export, results written.
    changed: u64,
    /// Jobs that were meant and left alone so far.
    skipped: u64,
    skipped_because: SkippedView,
}

impl From<&Operation> for OperationView {
    fn from(operation: &Operation) -> Self {
        let progress = operation.progress;
        Self {
            id: operation.id.to_string(),
            operation: operation.kind.as_str(),
            status: match operation.finished_at {
                None => "running",
                Some(_) => "completed",
            },
            customer_id: operation.customer.as_ref().map(ToString::to_string),
            created_at: operation.cutoff.to_string(),
            finished_at: operation.finished_at.map(|at| at.to_string()),
            examined: progress.examined,
            changed: progress.changed,
            skipped: progress.skipped(),
            skipped_because: SkippedView {
                place_taken: progress.taken,
                queue_full: progress.full,
                unfit: progress.unfit,
            },
        }
    }
}

/// Hold the queue back, let it go, or begin an operation on many jobs.
///
/// pause and resume concern everything and answer at once. cleanup removes ended jobs,
/// retry-failed starts failed jobs anew in place, drain cancels what has not begun, maintenance
/// sweeps all that is due: each runs in bounded steps up to the instant of the request.
#[utoipa::path(
    post, path = "/api/queue", tag = "queue", operation_id = "operateQueue",
    request_body = QueueBody,
    responses(
        (status = 200, description = "The queue is held back or let go", body = HeldView),
        (status = 202, description = "The operation has begun", body = BegunView),
        (status = 400, description = "Something in the body is wrong", body = JobsError),
        (status = 403, description = "It concerns others as well", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn operate(
    State(api): State<Api>,
    Asked(caller): Asked,
    request: Request,
) -> Response {
    match try_operate(&api, &caller, request).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_operate(api: &Api, caller: &Caller, request: Request) -> Result<Response, Refusal> {
    let body = request::json_body(request).await?;
    match QueueCall::parse(&body).map_err(Refusal::Invalid)? {
        QueueCall::Pause => {
            api.app.pause_queue(caller).await?;
            Ok(held(true, "Queue paused", api.app.now()))
        }
        QueueCall::Resume => {
            api.app.resume_queue(caller).await?;
            Ok(held(false, "Queue resumed", api.app.now()))
        }
        QueueCall::Begin(new) => begin(api, caller, &new).await,
    }
}

fn held(is_paused: bool, message: &'static str, now: Timestamp) -> Response {
    let view = HeldView {
        success: true,
        is_paused,
        message,
        timestamp: now.to_string(),
    };
    reply::json(StatusCode::OK, &view)
}

impl BegunView {
    pub(crate) fn new(operation: &Operation, message: &'static str, now: Timestamp) -> Self {
        Self {
            success: true,
            operation_id: operation.id.to_string(),
            operation: operation.kind.as_str(),
            message,
            status_url: format!("/api/operations/{}", operation.id),
            timestamp: now.to_string(),
        }
    }
}

async fn begin(api: &Api, caller: &Caller, new: &NewOperation) -> Result<Response, Refusal> {
    let operation = api.app.operate(caller, new).await?;
    let view = BegunView::new(&operation, "Operation begun", api.app.now());
    Ok(reply::json(StatusCode::ACCEPTED, &view))
}

/// Remove old jobs, or what makes equal jobs duplicates, or both.
#[utoipa::path(
    delete, path = "/api/queue", tag = "queue", operation_id = "clearQueue",
    params(
        ("operation" = String, Query, description = "old-jobs (ended at least 24 hours ago), deduplication (equal creates make new jobs) or all", pattern = "^(old-jobs|deduplication|all)$", example = "old-jobs"),
        ("customerId" = Option<String>, Query, description = "Of this customer alone", min_length = 1, max_length = 128, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"),
    ),
    responses(
        (status = 202, description = "The operation has begun", body = BegunView),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 403, description = "It concerns others as well", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn clear(
    State(api): State<Api>,
    Asked(caller): Asked,
    RawQuery(query): RawQuery,
) -> Response {
    match try_clear(&api, &caller, query.as_deref()).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_clear(api: &Api, caller: &Caller, query: Option<&str>) -> Result<Response, Refusal> {
    const KINDS: [Kind; 3] = [Kind::OldJobs, Kind::Deduplication, Kind::All];
    let expected = format!("must be one of: {}", KINDS.map(Kind::as_str).join(", "));
    let mut query = Query::new(query);
    let customer = query.parsed(
        "customerId",
        "must have 1 to 128 characters",
        CustomerId::parse,
    );
    let name = query.text("operation").unwrap_or_default();
    let kind = KINDS.into_iter().find(|kind| kind.as_str() == name);
    let Some(kind) = kind else {
        query.problem("operation", expected);
        return Err(query
            .finish()
            .err()
            .unwrap_or(Refusal::InvalidQuery(Vec::new())));
    };
    query.finish()?;
    begin(api, caller, &NewOperation::of(kind, customer)).await
}

/// Read an operation. It can be read for a day after its end.
#[utoipa::path(
    get, path = "/api/operations/{id}", tag = "queue", operation_id = "getOperation",
    params(("id" = String, Path, description = "Id of the operation")),
    responses(
        (status = 200, description = "The operation", body = OperationView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 404, description = "No such operation", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn operation(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
) -> Response {
    match find(&api, &caller, &id).await {
        Ok(operation) => {
            let version = operation.revision.to_string();
            reply::conditional(&headers, &version, || OperationView::from(&operation))
        }
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn find(api: &Api, caller: &Caller, id: &str) -> Result<Operation, Refusal> {
    let found = match OperationId::parse(id) {
        Some(id) => api.app.operation(caller, &id).await?,
        None => None,
    };
    let shown = || id.chars().take(100).collect();
    found.ok_or_else(|| Refusal::App(Error::NoOperation(shown())))
}
