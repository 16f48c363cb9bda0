//! The list of the Queue System API: decode, one call, encode. By the number of the page, and
//! grouped by the queues that this face shows.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jobs::app::{Filter, MOST_REACHED, NumberedPage};
use jobs::spec::JobType;
use jobs::{Caller, Job, State as Stored, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Face, Refusal, V1Error, answer};
use crate::openapi::words::{V1NameWord, V1QueueWord};
use crate::query::Query;
use crate::request::Asked;
use crate::stage::stage;
use crate::{Api, jobs_face, reply};

/// Queues that this face knows, also those of job types that are not there yet.
pub(crate) const QUEUES: [&str; 4] = [
    "scraping-jobs",
    "crawl-jobs",
    "navigation-jobs",
    "config-generation-jobs",
];
/// Names of jobs that it knows, likewise.
pub(crate) const NAMES: [&str; 5] = [
    "extract-data",
    "crawl",
    "refresh",
    "navigate",
    "generate-config",
];

/// A job in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct V1JobSummary {
    id: String,
    #[schema(example = "extract-data")]
    name: &'static str,
    #[schema(example = "completed")]
    status: &'static str,
    /// 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    progress: u8,
    /// What the worker is doing, where it is.
    detailed_status: Option<String>,
    /// When the job was created, in epoch milliseconds.
    timestamp: i64,
    /// When it ended, in epoch milliseconds.
    finished_on: Option<i64>,
    /// `code: sentence`, where the job has failed.
    failed_reason: Option<String>,
}

impl V1JobSummary {
    fn new(job: &Job, now: Timestamp) -> Self {
        Self {
            id: job.id.to_string(),
            name: job.kind.v1_name(),
            status: job.status(now).as_str(),
            progress: job.percentage(),
            detailed_status: (job.state == Stored::Active).then(|| stage(job, None, now)),
            timestamp: job.created_at.as_millis(),
            finished_on: job.finished_at.map(Timestamp::as_millis),
            failed_reason: job.failed_reason(),
        }
    }
}

/// Jobs of one queue that stand on the page.
#[derive(Serialize, ToSchema)]
pub(crate) struct V1QueueView {
    #[schema(example = "scraping-jobs")]
    queue: &'static str,
    jobs: Vec<V1JobSummary>,
}

/// Where the page stands among all.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaginationView {
    page: usize,
    limit: usize,
    /// Jobs that match, across queues; at most five seconds old.
    total_jobs: u64,
    total_pages: u64,
}

/// A list of jobs.
#[derive(Serialize, ToSchema)]
pub(crate) struct V1ListView {
    #[schema(example = true)]
    success: bool,
    #[schema(example = "Jobs retrieved")]
    message: &'static str,
    /// Only queues with a job on the page.
    data: Vec<V1QueueView>,
    pagination: PaginationView,
    #[schema(format = DateTime)]
    timestamp: String,
}

impl V1ListView {
    fn new(found: &NumberedPage, page: usize, limit: usize, now: Timestamp) -> Self {
        let mut data: Vec<V1QueueView> = Vec::new();
        for job in &found.jobs {
            let queue = job.kind.v1_queue();
            let job = V1JobSummary::new(job, now);
            match data.iter_mut().find(|group| group.queue == queue) {
                Some(group) => group.jobs.push(job),
                None => data.push(V1QueueView {
                    queue,
                    jobs: vec![job],
                }),
            }
        }
        Self {
            success: true,
            message: "Jobs retrieved",
            data,
            pagination: PaginationView {
                page,
                limit,
                total_jobs: found.total,
                total_pages: found.total.div_ceil(limit as u64),
            },
            timestamp: now.to_string(),
        }
    }
}

/// List jobs, newest first, grouped by queue.
///
/// `page` times `limit` may be at most 10,000; cursors of `GET /api/jobs` lead further.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "queue system", operation_id = "listJobsV1",
    params(
        ("page" = Option<u32>, Query, description = "Number of the page, 1 unless told; `page * limit` is at most 10,000", minimum = 1, maximum = 10_000),
        ("limit" = Option<u32>, Query, description = "Most jobs on the page, across queues; 10 unless told", minimum = 1, maximum = 100),
        ("queue" = Option<V1QueueWord>, Query, description = "Jobs of this queue alone", example = "scraping-jobs"),
        ("name" = Option<V1NameWord>, Query, description = "Jobs of this name alone", example = "extract-data"),
        ("status" = Option<String>, Query, description = "A comma-separated list of statuses", pattern = "^((waiting|delayed|active|completed|failed|paused|cancelled)(,(waiting|delayed|active|completed|failed|paused|cancelled))*)?$", example = "active,waiting"),
    ),
    responses(
        (status = 200, description = "A page of jobs", body = V1ListView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 400, description = "A parameter is wrong", body = V1Error),
        (status = 429, description = "Too many calls", body = V1Error,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = V1Error),
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
        Err(refusal) => answer(Face::V1, &refusal, api.app.now()),
    }
}

async fn try_list(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response, Refusal> {
    let mut query = Query::new(query);
    let page = query.number("page", 1, u32::MAX as usize, 1);
    let limit = query.number("limit", 1, 100, 10);
    if page.saturating_mul(limit) > MOST_REACHED {
        query.problem(
            "page",
            format!(
                "times limit must be at most {MOST_REACHED}; \
                 follow nextCursor of GET /api/jobs?cursor= to read further"
            ),
        );
    }
    let queue = one_of(&mut query, "queue", &QUEUES);
    let name = one_of(&mut query, "name", &NAMES);
    let filter = Filter {
        statuses: jobs_face::statuses(&mut query),
        ..Filter::default()
    };
    query.finish()?;
    let wanted = |kind: &JobType| {
        queue.is_none_or(|queue| kind.v1_queue() == queue)
            && name.is_none_or(|name| kind.v1_name() == name)
    };
    let kinds: Vec<_> = JobType::ALL.into_iter().filter(wanted).collect();
    let found = api
        .app
        .numbered_page(caller, &filter, &kinds, page, limit)
        .await?;
    let view = V1ListView::new(&found, page, limit, api.app.now());
    Ok(reply::unless_seen(headers, &view))
}

fn one_of(query: &mut Query, name: &str, known: &[&'static str]) -> Option<&'static str> {
    let expected = format!("must be one of: {}", known.join(", "));
    query.parsed(name, &expected, |text| {
        known.iter().find(|known| **known == text).copied()
    })
}
