//! Handlers of webhooks, in the shape of the Jobs API: endpoints of a customer, and their secrets.

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobs::spec::CustomerId;
use jobs::webhook::{ChangedWebhook, NewWebhook, Secret};
use jobs::{Caller, Problem, Webhook, WebhookId};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::{Face, JobsError, Refusal, answer};
use crate::query::Query;
use crate::request::{Asked, Id};
use crate::webhook_view::{EventWord, WebhookView, WebhooksView};
use crate::{Api, reply, request};

/// Where events are to be delivered to.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code)] // its fields are read by the document alone; the domain reads the JSON itself
pub(crate) struct NewWebhookBody {
    /// An http or https address without user name or password, of at most 2048 bytes as it is sent;
    /// none that is private.
    #[schema(
        max_length = 2048,
        format = "iri",
        pattern = r"^https?://[^/?#@\\]{1,259}([/?#]|$)",
        example = "https://example.com/hook"
    )]
    url: String,
    /// The types to be told of; all but crawl.page and job.progress unless told.
    #[schema(value_type = Option<Vec<EventWord>>, max_items = 9, example = json!(["job.completed", "job.failed"]))]
    events: Option<Vec<String>>,
    /// Whose events; `default` unless told.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*$",
        example = "customer-123"
    )]
    customer_id: Option<String>,
}

/// What is to become of a webhook; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(min_properties = 1)]
#[allow(dead_code)] // its fields are read by the document alone
pub(crate) struct ChangedWebhookBody {
    /// As in a new one.
    #[schema(
        max_length = 2048,
        format = "iri",
        pattern = r"^https?://[^/?#@\\]{1,259}([/?#]|$)",
        example = "https://example.com/hook"
    )]
    url: Option<String>,
    /// As in a new one; an empty list is all but crawl.page and job.progress.
    #[schema(value_type = Option<Vec<EventWord>>, max_items = 9)]
    events: Option<Vec<String>>,
    /// False delivers nothing until it is true again, and gives up what is still to be delivered.
    enabled: Option<bool>,
}

/// The webhook that a job names itself.
#[derive(Deserialize, ToSchema)]
#[schema(as = JobWebhook)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code)] // its fields are read by the document alone
pub(crate) struct JobWebhookBody {
    /// As in a new webhook.
    #[schema(
        max_length = 2048,
        format = "iri",
        pattern = r"^https?://[^/?#@\\]{1,259}([/?#]|$)",
        example = "https://example.com/hook"
    )]
    url: String,
    /// The types to be told of; all but crawl.page and job.progress unless told.
    #[schema(value_type = Option<Vec<EventWord>>, max_items = 9, example = json!(["job.completed", "job.failed"]))]
    events: Option<Vec<String>>,
}

impl Api {
    /// What is wrong with the address in a field, where it is an address that nothing may be posted
    /// to.
    fn judged(&self, field: &str, url: Option<&Value>) -> Option<Problem> {
        let why = (self.judge)(url?.as_str()?.trim()).err()?;
        Some(Problem::new(
            field,
            format!("cannot be delivered to: {why}"),
        ))
    }

    /// Reads a body that may have a `webhook`, and says of that one as well what is wrong with it.
    pub(crate) fn with_webhook<T>(
        &self,
        body: &Value,
        parsed: Result<T, Vec<Problem>>,
    ) -> Result<T, Vec<Problem>> {
        let Some(webhook) = body.get("webhook").filter(|value| !value.is_null()) else {
            return parsed;
        };
        let mut problems: Vec<_> = if self.app.can_sign() {
            self.judged("webhook.url", webhook.get("url"))
                .into_iter()
                .collect()
        } else {
            let message = "cannot be used: this deployment has no key to sign with";
            vec![Problem::new("webhook", message)]
        };
        match parsed {
            Ok(parsed) if problems.is_empty() => Ok(parsed),
            Ok(_) => Err(problems),
            Err(mut others) => {
                // What is no address at all is said once.
                problems.retain(|it| others.iter().all(|other| other.field != it.field));
                others.extend(problems);
                Err(others)
            }
        }
    }

    fn with_url<T>(&self, body: &Value, parsed: Result<T, Vec<Problem>>) -> Result<T, Refusal> {
        let judged = self.judged("url", body.get("url"));
        let problems = match (parsed, judged) {
            (Ok(parsed), None) => return Ok(parsed),
            (Ok(_), Some(problem)) => vec![problem],
            (Err(others), judged) => {
                let said = others.iter().any(|other| other.field == "url");
                let judged = judged.filter(|_| !said);
                others.into_iter().chain(judged).collect()
            }
        };
        Err(Refusal::Invalid(problems))
    }
}

/// Deliver events of a customer to an address. The answer shows the secret once.
///
/// Each event is posted as JSON, signed after the Standard Webhooks specification, and tried ten
/// times over three days. An answer of 410 disables the webhook; redirects are not followed.
#[utoipa::path(
    post, path = "/api/webhooks", tag = "webhooks", operation_id = "createWebhook",
    request_body = NewWebhookBody,
    responses(
        (status = 201, description = "Created", body = WebhookView,
         headers(("Location" = String, description = "Path of the webhook"))),
        (status = 409, description = "The customer has as many webhooks as may be", body = JobsError),
        (status = 400, description = "Something in the body is wrong", body = JobsError),
        (status = 403, description = "The key belongs to another customer", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Asked(caller): Asked,
    request: Request,
) -> Response {
    match try_create(&api, &caller, request).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_create(api: &Api, caller: &Caller, request: Request) -> Result<Response, Refusal> {
    let body = request::json_body(request).await?;
    let new = api.with_url(&body, NewWebhook::parse(&body))?;
    let (webhook, secret) = api.app.create_webhook(caller, new).await?;
    let mut response = with_secret(api, StatusCode::CREATED, &webhook, &secret);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/webhooks/{}", webhook.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

fn with_secret(api: &Api, status: StatusCode, webhook: &Webhook, secret: &Secret) -> Response {
    let view = WebhookView::new(webhook, Some(secret), api.app.now());
    reply::secret(reply::json(status, &view))
}

/// List webhooks, newest first, without their secrets.
#[utoipa::path(
    get, path = "/api/webhooks", tag = "webhooks", operation_id = "listWebhooks",
    params(
        ("customerId" = Option<String>, Query, description = "Of this customer alone", min_length = 1, max_length = 128, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"),
        ("limit" = Option<u32>, Query, description = "Most webhooks on the page, 20 unless told", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", format = "cursor"),
    ),
    responses(
        (status = 200, description = "A page of webhooks", body = WebhooksView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 404, description = "The key belongs to another customer", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Asked(caller): Asked,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match try_list(&api, &caller, query.as_deref()).await {
        Ok(view) => reply::unless_seen(&headers, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_list(
    api: &Api,
    caller: &Caller,
    query: Option<&str>,
) -> Result<WebhooksView, Refusal> {
    let mut query = Query::new(query);
    let expected = "must have 1 to 128 characters, none of them a control character";
    let customer = query.parsed("customerId", expected, CustomerId::parse);
    let limit = query.number("limit", 1, 100, 20);
    let before = query.optional(
        "cursor",
        "must be the nextCursor of an earlier page",
        from_cursor,
    );
    query.finish()?;
    let listed = api
        .app
        .list_webhooks(caller, customer.as_ref(), before.as_ref(), limit)
        .await?;
    let now = api.app.now();
    let webhooks = listed.webhooks.iter();
    Ok(WebhooksView {
        webhooks: webhooks.map(|it| WebhookView::new(it, None, now)).collect(),
        next_cursor: listed.next.as_ref().map(to_cursor),
    })
}

fn to_cursor(before: &WebhookId) -> String {
    URL_SAFE_NO_PAD.encode(format!("w:{before}"))
}

fn from_cursor(text: &str) -> Option<WebhookId> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    WebhookId::parse(std::str::from_utf8(&bytes).ok()?.strip_prefix("w:")?)
}

/// Read a webhook, without its secret.
#[utoipa::path(
    get, path = "/api/webhooks/{id}", tag = "webhooks", operation_id = "getWebhook",
    params(("id" = String, Path, description = "Id of the webhook")),
    responses(
        (status = 200, description = "The webhook", body = WebhookView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 404, description = "No such webhook", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn webhook(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
) -> Response {
    let now = api.app.now();
    match api.app.webhook(&caller, &id).await {
        Ok(webhook) => reply::unless_seen(&headers, &WebhookView::new(&webhook, None, now)),
        Err(error) => answer(Face::Jobs, &error.into(), now),
    }
}

fn shown(api: &Api, webhook: Result<Webhook, jobs::Error>) -> Response {
    let now = api.app.now();
    match webhook {
        Ok(webhook) => reply::json(StatusCode::OK, &WebhookView::new(&webhook, None, now)),
        Err(error) => answer(Face::Jobs, &error.into(), now),
    }
}

/// Change the address or the types of a webhook, or enable or disable it.
#[utoipa::path(
    patch, path = "/api/webhooks/{id}", tag = "webhooks", operation_id = "changeWebhook",
    params(("id" = String, Path, description = "Id of the webhook")),
    request_body = ChangedWebhookBody,
    responses(
        (status = 200, description = "Changed", body = WebhookView),
        (status = 400, description = "Something in the body is wrong", body = JobsError),
        (status = 404, description = "No such webhook", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn change(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    request: Request,
) -> Response {
    match try_change(&api, &caller, &id, request).await {
        Ok(webhook) => shown(&api, Ok(webhook)),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_change(
    api: &Api,
    caller: &Caller,
    id: &str,
    request: Request,
) -> Result<Webhook, Refusal> {
    let body = request::json_body(request).await?;
    let change = api.with_url(&body, ChangedWebhook::parse(&body))?;
    Ok(api.app.change_webhook(caller, id, &change).await?)
}

/// Delete a webhook. What is still to be delivered to it is not.
#[utoipa::path(
    delete, path = "/api/webhooks/{id}", tag = "webhooks", operation_id = "deleteWebhook",
    params(("id" = String, Path, description = "Id of the webhook")),
    responses(
        (status = 200, description = "Deleted; as it was", body = WebhookView),
        (status = 404, description = "No such webhook", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn delete(State(api): State<Api>, Asked(caller): Asked, Id(id): Id) -> Response {
    let deleted = api.app.delete_webhook(&caller, &id).await;
    shown(&api, deleted)
}

/// Give a webhook another secret. The answer shows it once.
///
/// For 24 hours deliveries are signed with both, so that receivers can change over. Rotated again
/// within that time, the secret before the last one is good no more.
#[utoipa::path(
    post, path = "/api/webhooks/{id}/rotate", tag = "webhooks", operation_id = "rotateWebhook",
    params(("id" = String, Path, description = "Id of the webhook")),
    responses(
        (status = 200, description = "Rotated", body = WebhookView),
        (status = 404, description = "No such webhook", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn rotate(State(api): State<Api>, Asked(caller): Asked, Id(id): Id) -> Response {
    match api.app.rotate_webhook(&caller, &id).await {
        Ok((webhook, secret)) => with_secret(&api, StatusCode::OK, &webhook, &secret),
        Err(error) => answer(Face::Jobs, &error.into(), api.app.now()),
    }
}
