//! Creating over the Jobs API, a job, one that recurs, or a batch: decode, one call, encode.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jobs::app::{Created, CreatedBatch};
use jobs::{Caller, NewBatch, NewJob, NewWork};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Face, JobsError, Refusal, UnavailableView, answer};
use crate::openapi::config::CreateBody;
use crate::openapi::words::TypeWord;
use crate::request::Asked;
use crate::schedule_view::RecurringView;
use crate::{Api, reply, request, schedules_face};

/// Create a job, with `urls` a batch, or with `cronPattern` a job that recurs.
///
/// Answers 200 with the existing job's id where an equal one is not finished yet; a batch is always
/// 201 and says so of each job. Of a job that recurs each run makes one. Repeated with the same `Idempotency-Key` and body it answers the
/// same again, for 24 hours.
#[utoipa::path(
    post, path = "/api/jobs", tag = "jobs", operation_id = "createJob",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names this request, so that it can be repeated: visible ASCII", min_length = 1, max_length = 255),
    ),
    request_body(content = CreateBody, examples(
        ("page" = (summary = "A page", value = json!({
            "type": "single-page", "url": "https://example.com", "customerId": "customer-123",
            "priority": "high", "metadata": {"source": "api", "tags": ["ecommerce"]},
        }))),
        ("fields" = (summary = "A page, and fields of your own", value = json!({
            "type": "single-page", "url": "https://example.com",
            "config": {"fields": {
                "price": {"selector": ".price", "dataType": "number"},
                "currency": {"type": "jsonld", "selector": "Product.offers.priceCurrency"},
            }},
        }))),
        ("crawl" = (summary = "A crawl", value = json!({
            "type": "full-crawl", "url": "https://example.com", "maxPages": 100, "depth": 3,
            "includeSubdomains": false, "exclude": ["/search*"], "formats": ["text", "links"],
            "customerId": "customer-123",
        }))),
        ("refresh" = (summary = "A refresh", value = json!({
            "type": "refresh", "url": "https://example.com",
            "lastCrawledAt": "2024-01-01T00:00:00.000Z", "forceRefresh": false, "fullRefresh": true,
            "customerId": "customer-123",
        }))),
        ("batch" = (summary = "A batch", value = json!({
            "type": "single-page", "customerId": "customer-123", "staggerDelay": 1000,
            "urls": ["https://example.com/page1", "https://example.com/page2"],
        }))),
        ("recurring" = (summary = "A refresh that recurs", value = json!({
            "type": "refresh", "url": "https://example.com", "cronPattern": "0 0 * * *",
            "customerId": "customer-123",
        }))),
    )),
    responses(
        (status = 201, description = "Created", body = CreatedBody,
         headers(("Location" = String, description = "Path of the job or the schedule; not of a batch"))),
        (status = 200, description = "An equal job exists already", body = CreatedView),
        (status = 400, description = "Something in the body is wrong", body = JobsError, example = json!({
            "error": "Invalid job data",
            "details": [{"field": "url", "message": "Invalid URL format"}],
        })),
        (status = 403, description = "The key belongs to another customer", body = JobsError),
        (status = 404, description = "There is no job with the `jobId` of a refresh", body = JobsError),
        (status = 409, description = "The first request with this key is still being carried out, or the customer has 1,000 schedules", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 422, description = "The key was used for another request", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Queue is full, or out of reach", body = UnavailableView,
         headers(("Retry-After" = u32, description = "Seconds"))),
    )
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Asked(caller): Asked,
    request: Request,
) -> Response {
    let now = api.app.now();
    match try_create(&api, &caller, request).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::Jobs, &refusal, now),
    }
}

async fn try_create(api: &Api, caller: &Caller, request: Request) -> Result<Response, Refusal> {
    let now = api.app.now();
    let parse = |body: &_| api.with_webhook(body, NewWork::parse(body, api.check, now));
    let (work, keyed) = request::to_create(request, "POST /api/jobs", parse).await?;
    match work {
        NewWork::Job(new) => {
            let new = api.app.addressed(caller, *new).await?;
            let created = api.app.create_once(caller, &new, keyed.as_ref()).await?;
            let secret = webhook_secret(api, caller, &new)?;
            Ok(of_job(new, &created, secret))
        }
        NewWork::Recurring(new) => {
            schedules_face::recurring(api, caller, *new, keyed.as_ref()).await
        }
        NewWork::Batch(new) => {
            let created = api.app.create_batch(caller, &new, keyed.as_ref()).await?;
            let secret = webhook_secret(api, caller, &new.first)?;
            let view = BatchView::new(*new, &created, secret);
            Ok(reply::json(StatusCode::CREATED, &view))
        }
    }
}

/// What the deliveries to a job's own webhook are verified with.
pub(crate) fn webhook_secret(
    api: &Api,
    caller: &Caller,
    new: &NewJob,
) -> Result<Option<String>, Refusal> {
    if new.spec.webhook.is_none() {
        return Ok(None);
    }
    let customer = caller.owner(new.customer.as_ref())?;
    let secret = api.app.job_webhook_secret(&customer);
    Ok(secret.map(|secret| secret.reveal()))
}

fn of_job(new: NewJob, created: &Created, secret: Option<String>) -> Response {
    let deduplicated = created.outcome.deduplicated;
    let has_secret = secret.is_some();
    let view = CreatedView::new(new, created, secret);
    if deduplicated {
        return reply::json(StatusCode::OK, &view);
    }
    let mut response = reply::json(StatusCode::CREATED, &view);
    if has_secret {
        response = reply::secret(response);
    }
    if let Ok(location) = HeaderValue::from_str(&view.status_url) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The answer to a create.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedView {
    #[schema(example = true)]
    success: bool,
    #[schema(example = "job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    job_id: String,
    #[serde(rename = "type")]
    #[schema(value_type = TypeWord, example = "single-page")]
    kind: &'static str,
    /// The address as it was sent.
    #[schema(example = "https://example.com")]
    url: String,
    #[schema(example = "Job created successfully")]
    message: &'static str,
    /// Present and true where an equal job exists already; `jobId` is that job's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deduplicated: bool,
    /// A path that answers with the job.
    #[schema(example = "/api/jobs/job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    status_url: String,
    /// What deliveries to `webhook` are verified with, where the job has one; the same for all jobs
    /// of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^whsec_[0-9A-Za-z+/]{43}=$")]
    webhook_secret: Option<String>,
    #[schema(format = DateTime)]
    timestamp: String,
}

impl CreatedView {
    fn new(new: NewJob, Created { outcome, at }: &Created, secret: Option<String>) -> Self {
        Self {
            success: true,
            job_id: outcome.job_id.to_string(),
            kind: new.spec.kind.as_str(),
            url: new.spec.url,
            message: if outcome.deduplicated {
                "Job was deduplicated (similar job already exists)"
            } else {
                "Job created successfully"
            },
            deduplicated: outcome.deduplicated,
            status_url: format!("/api/jobs/{}", outcome.job_id),
            // The equal job has its own webhook, or none.
            webhook_secret: secret.filter(|_| !outcome.deduplicated),
            timestamp: at.to_string(),
        }
    }
}

/// A job of a batch.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BatchJobView {
    /// The new job, or the equal one that exists already.
    #[schema(example = "job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    job_id: String,
    /// The address as it was sent.
    #[schema(example = "https://example.com/page1")]
    url: String,
    deduplicated: bool,
    /// A path that answers with the job.
    #[schema(example = "/api/jobs/job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    status_url: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BatchResultsView {
    /// `successful` and `deduplicated` together.
    total: usize,
    /// Jobs that were created.
    successful: usize,
    /// Those for which an equal one exists, also in the batch itself.
    deduplicated: usize,
    /// One for each address, in their order.
    jobs: Vec<BatchJobView>,
}

/// The answer to a batch.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchView {
    #[schema(example = true)]
    success: bool,
    #[schema(example = "Created 3 jobs (1 deduplicated)")]
    message: String,
    results: BatchResultsView,
    /// What deliveries to `webhook` are verified with, where the jobs have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^whsec_[0-9A-Za-z+/]{43}=$")]
    webhook_secret: Option<String>,
    #[schema(format = DateTime)]
    timestamp: String,
}

impl BatchView {
    fn new(new: NewBatch, created: &CreatedBatch, secret: Option<String>) -> Self {
        let duplicates = created.outcomes.iter().filter(|it| it.deduplicated);
        let (total, deduplicated) = (created.outcomes.len(), duplicates.count());
        let successful = total - deduplicated;
        let jobs = new.urls.into_iter().zip(&created.outcomes);
        let view = |(url, outcome): (String, &jobs::idempotency::Outcome)| BatchJobView {
            job_id: outcome.job_id.to_string(),
            url,
            deduplicated: outcome.deduplicated,
            status_url: format!("/api/jobs/{}", outcome.job_id),
        };
        Self {
            success: true,
            message: format!("Created {successful} jobs ({deduplicated} deduplicated)"),
            results: BatchResultsView {
                total,
                successful,
                deduplicated,
                jobs: jobs.map(view).collect(),
            },
            webhook_secret: secret.filter(|_| successful > 0),
            timestamp: created.at.to_string(),
        }
    }
}

/// What was created: a job, a batch, or a schedule.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code)] // read by the document alone
pub(crate) enum CreatedBody {
    Job(CreatedView),
    Batch(BatchView),
    Recurring(RecurringView),
}
