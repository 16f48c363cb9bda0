//! Handlers of the Queue System API: decode, one call, encode.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jobs::{Caller, Job};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use crate::crawl_view::CountersView;
use crate::error::{Face, Refusal, V1Error, answer};
use crate::request::{Asked, Id};
use crate::v1_view::{Envelope, V1HealthView, V1JobView};
use crate::{Api, jobs_face, reply};

/// A larger result is answered by its address.
const MAX_INLINE_RESULT: u64 = 256 * 1024;

/// Read one job, with its result where it is completed.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "queue system", operation_id = "getJobV1",
    params(("id" = String, Path, description = "Id of the job")),
    responses(
        (status = 200, description = "The job", body = Envelope<V1JobView>, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 404, description = "No such job", body = V1Error),
        (status = 429, description = "Too many calls", body = V1Error,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = V1Error),
    )
)]
pub(crate) async fn job(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
) -> Response {
    match try_job(&api, &caller, &id, &headers).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::V1, &refusal, api.app.now()),
    }
}

async fn try_job(
    api: &Api,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let (job, spec) = jobs_face::find(api, caller, id).await?;
    let place = api.app.number_in_queue(&job).await?;
    let result = result(api, &job).await?;
    let now = api.app.now();
    let version = format!(
        "{}-{}-{}",
        job.revision,
        job.status(now),
        place.unwrap_or(0)
    );
    Ok(reply::conditional(headers, &version, || {
        let view = V1JobView::new(&job, &spec, result, place, now);
        Envelope::new("Job status retrieved", view, now)
    }))
}

async fn result(api: &Api, job: &Job) -> Result<Option<Box<RawValue>>, Refusal> {
    if job.kind.is_crawl() {
        let counters = || to_raw_value(&CountersView::of(job)).ok();
        return Ok(job.state.is_terminal().then(counters).flatten());
    }
    match job.result {
        None => Ok(None),
        Some(result) if result.bytes > MAX_INLINE_RESULT => {
            let address = json!({"resultsUrl": format!("/api/jobs/{}/results", job.id)});
            Ok(to_raw_value(&address).ok())
        }
        Some(_) => Ok(jobs_face::raw(api.app.results(job).await?.results)?.pop()),
    }
}

/// Whether the service keeps up. Answers 200 whenever the table can be asked.
#[utoipa::path(
    get, path = "/api/v1/health", tag = "queue system", operation_id = "getHealthV1",
    responses(
        (status = 200, description = "The health; what is wrong is in the body", body = Envelope<V1HealthView>, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 503, description = "Out of reach", body = V1Error),
    )
)]
pub(crate) async fn health(State(api): State<Api>, headers: HeaderMap) -> Response {
    match api.app.health().await {
        Ok(health) => {
            let now = api.app.now();
            let view = Envelope::new("Health retrieved", V1HealthView::from(health), now);
            reply::unless_seen(&headers, &view)
        }
        Err(error) => answer(Face::V1, &error.into(), api.app.now()),
    }
}
