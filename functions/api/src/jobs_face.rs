//! Handlers of the Jobs API: decode, one call, encode.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jobs::app::Filter;
use jobs::spec::{CustomerId, JobType};
use jobs::{Caller, Error, JobId, Status};
use serde_json::value::RawValue;

use crate::error::{Face, JobsError, Refusal, answer};
use crate::openapi::words::TypeWord;
use crate::query::Query;
use crate::request::{Asked, Id};
use crate::view::{JobView, ListView};
use crate::{Api, cursor, reply};

/// List jobs, newest first, with counts and health.
#[utoipa::path(
    get, path = "/api/jobs", tag = "jobs", operation_id = "listJobs",
    params(
        ("customerId" = Option<String>, Query, description = "Jobs of this customer alone", min_length = 1, max_length = 128, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"),
        ("status" = Option<String>, Query, description = "A comma-separated list of statuses", pattern = "^((waiting|delayed|active|completed|failed|paused|cancelled)(,(waiting|delayed|active|completed|failed|paused|cancelled))*)?$", example = "active,waiting"),
        ("url" = Option<String>, Query, description = "A part of the address"),
        ("type" = Option<TypeWord>, Query, description = "Type of the jobs", example = "single-page"),
        ("limit" = Option<u32>, Query, description = "Most jobs on the page, 10 unless told", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before, with the same `customerId`", format = "cursor"),
        ("includeStats" = Option<bool>, Query, description = "Counts by status; true unless told"),
        ("includeHealth" = Option<bool>, Query, description = "Health of the queue; false unless told"),
    ),
    responses(
        (status = 200, description = "A page of jobs", body = ListView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 404, description = "The key belongs to another customer", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Asked(caller): Asked,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match try_list(&api, &caller, &headers, query.as_deref()).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_list(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response, Refusal> {
    let mut query = Query::new(query);
    let types = JobType::ALL.map(JobType::as_str).join(", ");
    let expected_type = format!("must be one of: {types}");
    let filter = Filter {
        customer: query.parsed(
            "customerId",
            "must have 1 to 128 printable characters",
            CustomerId::parse,
        ),
        statuses: statuses(&mut query),
        url: query.text("url"),
        kind: query.parsed("type", &expected_type, JobType::parse),
    };
    let limit = query.number("limit", 1, 100, 10);
    let before = query.optional(
        "cursor",
        "must be the nextCursor of an earlier page with the same customerId",
        |text| cursor::decode(text, filter.customer.as_ref()),
    );
    let with_stats = query.bool("includeStats", true);
    let with_health = query.bool("includeHealth", false);
    query.finish()?;

    let page = api
        .app
        .list(caller, &filter, before.as_ref(), limit)
        .await?;
    let mut stats = None;
    if with_stats {
        stats = Some(api.app.stats(caller, filter.customer.as_ref()).await?);
    }
    let mut health = None;
    if with_health {
        health = Some(api.app.health().await?);
    }
    let customer = filter.customer.as_ref();
    let view = ListView::new(&page, customer, stats, health, api.app.now());
    Ok(reply::unless_seen(headers, &view))
}

/// Any of some statuses; none means all.
pub(crate) fn statuses(query: &mut Query) -> Vec<Status> {
    let known = Status::ALL.map(Status::as_str).join(", ");
    let expected = format!("must be a comma-separated list of: {known}");
    let parse = |list: &str| {
        list.split(',')
            .map(|name| Status::parse(name.trim()))
            .collect()
    };
    query
        .optional("status", &expected, parse)
        .unwrap_or_default()
}

/// Read one job.
#[utoipa::path(
    get, path = "/api/jobs/{id}", tag = "jobs", operation_id = "getJob",
    params(("id" = String, Path, description = "Id of the job")),
    responses(
        (status = 200, description = "The job", body = JobView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 404, description = "No such job", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn job(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
) -> Response {
    match find(&api, &caller, &id).await {
        Ok((job, spec)) => {
            let now = api.app.now();
            let version = format!("{}-{}", job.revision, job.status(now));
            reply::conditional(&headers, &version, || JobView::new(&job, &spec, now))
        }
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

/// The job of a path, or 404.
pub(crate) async fn find(
    api: &Api,
    caller: &Caller,
    id: &str,
) -> Result<(jobs::Job, jobs::Spec), Refusal> {
    let found = match JobId::parse(id) {
        Some(id) => api.app.job(caller, &id).await?,
        None => None,
    };
    let shown = || id.chars().take(100).collect();
    found.ok_or_else(|| Refusal::App(Error::NotFound(shown())))
}

/// Stored JSON, to be answered as it is.
pub(crate) fn raw(results: Vec<String>) -> Result<Vec<Box<RawValue>>, Refusal> {
    let raw: Result<_, _> = results.into_iter().map(RawValue::from_string).collect();
    raw.map_err(|error: serde_json::Error| Refusal::App(Error::Corrupt(error.to_string())))
}
