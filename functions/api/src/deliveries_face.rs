//! Handlers of the log of deliveries, of a webhook or of a job that names one itself: decode, one
//! call, encode.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobs::{Caller, DeliveryId, DeliveryOwner, Error, JobId, WebhookId};

use crate::error::{Face, JobsError, Refusal, answer};
use crate::query::Query;
use crate::request::{Asked, Id, Ids};
use crate::webhook_view::{DeliveriesView, DeliveryView};
use crate::{Api, reply};

fn webhook(id: &str) -> Result<DeliveryOwner, Error> {
    let known = WebhookId::parse(id).map(DeliveryOwner::Webhook);
    known.ok_or_else(|| Error::NoWebhook(id.chars().take(100).collect()))
}

fn job(id: &str) -> Result<DeliveryOwner, Error> {
    let known = JobId::parse(id).map(DeliveryOwner::Job);
    known.ok_or_else(|| Error::NotFound(id.chars().take(100).collect()))
}

/// List what was delivered to a webhook, newest first, with every attempt.
///
/// Kept for 7 days after a delivery has ended.
#[utoipa::path(
    get, path = "/api/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "listWebhookDeliveries",
    params(
        ("id" = String, Path, description = "Id of the webhook"),
        ("limit" = Option<u32>, Query, description = "Most deliveries on the page, 20 unless told", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", format = "cursor"),
    ),
    responses(
        (status = 200, description = "A page of deliveries", body = DeliveriesView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 404, description = "No such webhook", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn of_webhook(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    list(&api, &caller, webhook(&id), &headers, query.as_deref()).await
}

/// List what was delivered to the webhook that a job names itself, newest first.
///
/// Kept for 7 days after a delivery has ended, which may be longer than the job.
#[utoipa::path(
    get, path = "/api/jobs/{id}/deliveries", tag = "webhooks", operation_id = "listJobDeliveries",
    params(
        ("id" = String, Path, description = "Id of the job"),
        ("limit" = Option<u32>, Query, description = "Most deliveries on the page, 20 unless told", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", format = "cursor"),
    ),
    responses(
        (status = 200, description = "A page of deliveries", body = DeliveriesView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 404, description = "No such job", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn of_job(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    list(&api, &caller, job(&id), &headers, query.as_deref()).await
}

async fn list(
    api: &Api,
    caller: &Caller,
    owner: Result<DeliveryOwner, Error>,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Response {
    match try_list(api, caller, owner, query).await {
        Ok(view) => reply::unless_seen(headers, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_list(
    api: &Api,
    caller: &Caller,
    owner: Result<DeliveryOwner, Error>,
    query: Option<&str>,
) -> Result<DeliveriesView, Refusal> {
    let owner = owner?;
    let mut query = Query::new(query);
    let limit = query.number("limit", 1, 100, 20);
    let expected = "must be the nextCursor of an earlier page of this list";
    let before = query.optional("cursor", expected, |text| from_cursor(&owner, text));
    query.finish()?;
    let listed = api
        .app
        .list_deliveries(caller, &owner, before.as_ref(), limit)
        .await?;
    Ok(DeliveriesView {
        deliveries: listed.deliveries.iter().map(Into::into).collect(),
        next_cursor: listed.next.map(|before| to_cursor(&owner, &before)),
    })
}

fn to_cursor(owner: &DeliveryOwner, before: &DeliveryId) -> String {
    URL_SAFE_NO_PAD.encode(format!("d:{owner}:{before}"))
}

fn from_cursor(owner: &DeliveryOwner, text: &str) -> Option<DeliveryId> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    DeliveryId::parse(text.strip_prefix(&format!("d:{owner}:"))?)
}

/// Deliver an event to a webhook again, at once and under the same `webhook-id`.
///
/// Where that fails it is tried again as a new one is.
#[utoipa::path(
    post, path = "/api/webhooks/{id}/deliveries/{deliveryId}/redeliver", tag = "webhooks", operation_id = "redeliverToWebhook",
    params(
        ("id" = String, Path, description = "Id of the webhook"),
        ("deliveryId" = String, Path, description = "Id of the delivery"),
    ),
    responses(
        (status = 202, description = "It is delivered again", body = DeliveryView),
        (status = 404, description = "No such webhook or delivery", body = JobsError),
        (status = 409, description = "The webhook is disabled", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn redeliver_of_webhook(
    State(api): State<Api>,
    Asked(caller): Asked,
    Ids(id, delivery): Ids,
) -> Response {
    redeliver(&api, &caller, webhook(&id), &delivery).await
}

/// Deliver an event to the webhook of a job again, as to a webhook.
#[utoipa::path(
    post, path = "/api/jobs/{id}/deliveries/{deliveryId}/redeliver", tag = "webhooks", operation_id = "redeliverOfJob",
    params(
        ("id" = String, Path, description = "Id of the job"),
        ("deliveryId" = String, Path, description = "Id of the delivery"),
    ),
    responses(
        (status = 202, description = "It is delivered again", body = DeliveryView),
        (status = 404, description = "No such job or delivery", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn redeliver_of_job(
    State(api): State<Api>,
    Asked(caller): Asked,
    Ids(id, delivery): Ids,
) -> Response {
    redeliver(&api, &caller, job(&id), &delivery).await
}

async fn redeliver(
    api: &Api,
    caller: &Caller,
    owner: Result<DeliveryOwner, Error>,
    delivery: &str,
) -> Response {
    let redelivered = match owner {
        Ok(owner) => api.app.redeliver(caller, owner, delivery).await,
        Err(error) => Err(error),
    };
    match redelivered {
        Ok(delivery) => reply::json(StatusCode::ACCEPTED, &DeliveryView::from(&delivery)),
        Err(error) => answer(Face::Jobs, &error.into(), api.app.now()),
    }
}
