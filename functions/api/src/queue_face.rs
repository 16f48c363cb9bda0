//! Reading the state of the queue: decode, one call, encode.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jobs::Caller;

use crate::error::{Face, JobsError, Refusal, answer};
use crate::query::Query;
use crate::queue_view::QueueView;
use crate::request::Asked;
use crate::{Api, reply};

/// Read how the queue is doing.
///
/// Counts are at most five seconds old. What happened in the last hour is counted from snapshots
/// that are taken once a minute.
#[utoipa::path(
    get, path = "/api/queue", tag = "queue", operation_id = "getQueue",
    params(
        ("detailed" = Option<bool>, Query, description = "The last hour minute by minute; false unless told"),
    ),
    responses(
        (status = 200, description = "The state of the queue", body = QueueView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn queue(
    State(api): State<Api>,
    Asked(caller): Asked,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match try_queue(&api, &caller, &headers, query.as_deref()).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_queue(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response, Refusal> {
    let mut query = Query::new(query);
    let detailed = query.bool("detailed", false);
    query.finish()?;
    let state = api.app.queue(caller).await?;
    let view = QueueView::new(state, detailed, api.app.now());
    Ok(reply::unless_seen(headers, &view))
}
