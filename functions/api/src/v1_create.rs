//! Creating over the Queue System API, one path for each type of job: decode, one call, encode.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jobs::app::Created;
use jobs::{Caller, NewJob, new_job};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bodies::ScrapeBody;
use crate::error::{Face, Refusal, V1Error, answer};
use crate::jobs_create::webhook_secret;
use crate::openapi::words::TypeWord;
use crate::request::Asked;
use crate::{Api, reply, request};

/// Scrape a page.
///
/// Answers with the existing job's id where an equal one is not finished yet. Repeated with the
/// same `Idempotency-Key` and body it answers the same again, for 24 hours.
#[utoipa::path(
    post, path = "/api/v1/scrape", tag = "queue system", operation_id = "scrapeV1",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names this request, so that it can be repeated: visible ASCII", min_length = 1, max_length = 255),
    ),
    request_body = ScrapeBody,
    responses(
        (status = 202, description = "Queued", body = QueuedView),
        (status = 400, description = "Something in the body is wrong", body = V1Error),
        (status = 403, description = "The key belongs to another customer", body = V1Error),
        (status = 409, description = "The first request with this key is still being carried out", body = V1Error,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 413, description = "The body is too large", body = V1Error),
        (status = 415, description = "The body is not JSON", body = V1Error),
        (status = 422, description = "The key was used for another request", body = V1Error),
        (status = 429, description = "Too many calls", body = V1Error,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Queue is full, or out of reach", body = V1Error,
         headers(("Retry-After" = u32, description = "Seconds"))),
    )
)]
pub(crate) async fn scrape(
    State(api): State<Api>,
    Asked(caller): Asked,
    request: Request,
) -> Response {
    let now = api.app.now();
    match try_scrape(&api, &caller, request).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::V1, &refusal, now),
    }
}

async fn try_scrape(api: &Api, caller: &Caller, request: Request) -> Result<Response, Refusal> {
    let parse = |body: &_| api.with_webhook(body, NewJob::parse_scrape(body, api.check));
    let (new, keyed) = request::to_create(request, "POST /api/v1/scrape", parse).await?;
    let created = api.app.create_once(caller, &new, keyed.as_ref()).await?;
    let secret = webhook_secret(api, caller, &new)?;
    let view = QueuedView::new(new, &created, secret);
    Ok(reply::json(StatusCode::ACCEPTED, &view))
}

/// Navigate a site; not available yet.
#[utoipa::path(
    post, path = "/api/v1/navigate", tag = "queue system", operation_id = "navigateV1",
    request_body = Object,
    responses(
        (status = 400, description = "Not available yet", body = V1Error),
        (status = 413, description = "The body is too large", body = V1Error),
        (status = 415, description = "The body is not JSON", body = V1Error),
    )
)]
pub(crate) async fn navigate(State(api): State<Api>, request: Request) -> Response {
    not_yet(&api, request, "navigate").await
}

/// Find a configuration for a page; not available yet.
#[utoipa::path(
    post, path = "/api/v1/ai/generate-config", tag = "queue system", operation_id = "generateConfigV1",
    request_body = Object,
    responses(
        (status = 400, description = "Not available yet", body = V1Error),
        (status = 413, description = "The body is too large", body = V1Error),
        (status = 415, description = "The body is not JSON", body = V1Error),
    )
)]
pub(crate) async fn generate_config(State(api): State<Api>, request: Request) -> Response {
    not_yet(&api, request, "generate-config").await
}

/// Says so once the body has been read, as of every other request.
async fn not_yet(api: &Api, request: Request, kind: &str) -> Response {
    let refusal = match request::json_body(request).await {
        Ok(_) => Refusal::Invalid(vec![new_job::not_yet(kind)]),
        Err(refusal) => refusal,
    };
    answer(Face::V1, &refusal, api.app.now())
}

/// The answer to a create.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueuedView {
    #[schema(example = true)]
    success: bool,
    #[schema(example = "Job queued successfully")]
    message: &'static str,
    #[schema(example = "job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    job_id: String,
    #[serde(rename = "type")]
    #[schema(value_type = TypeWord, example = "single-page")]
    kind: &'static str,
    /// The address as it was sent.
    #[schema(example = "https://example.com")]
    url: String,
    /// A path that answers with the job.
    #[schema(example = "/api/v1/jobs/job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    status_url: String,
    /// Present and true where an equal job exists already; `jobId` is that job's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deduplicated: bool,
    /// What deliveries to `webhook` are verified with, where the job has one; the same for all jobs
    /// of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^whsec_[0-9A-Za-z+/]{43}=$")]
    webhook_secret: Option<String>,
    #[schema(format = DateTime)]
    timestamp: String,
}

impl QueuedView {
    fn new(new: NewJob, Created { outcome, at }: &Created, secret: Option<String>) -> Self {
        Self {
            success: true,
            message: "Job queued successfully",
            job_id: outcome.job_id.to_string(),
            kind: new.spec.kind.as_str(),
            url: new.spec.url,
            status_url: format!("/api/v1/jobs/{}", outcome.job_id),
            deduplicated: outcome.deduplicated,
            webhook_secret: secret.filter(|_| !outcome.deduplicated),
            timestamp: at.to_string(),
        }
    }
}
