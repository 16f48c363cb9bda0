//! Handlers of the keys, in the shape of the Jobs API; for admins alone.

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jobs::{ApiKey, Caller, Grants, KeyId, KeyRecord, NewKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Face, JobsError, Refusal, answer};
use crate::query::Query;
use crate::request::{Asked, Id};
use crate::{Api, reply, request};

/// A key to make: either a customer's or an admin's.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code)] // its fields are read by the document alone; the domain reads the JSON itself
pub(crate) struct NewKeyBody {
    /// Whose key it is; not together with `admin`.
    #[schema(min_length = 1, max_length = 128, example = "customer-123")]
    customer_id: Option<String>,
    /// True for a key that sees and may do everything.
    admin: Option<bool>,
    /// A name for people.
    #[schema(min_length = 1, max_length = 128, example = "nightly import")]
    label: Option<String>,
}

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyView {
    #[schema(example = "key_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    id: String,
    /// The secret; in the answer to a create and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^hm_[0-9a-z]{52}$")]
    key: Option<String>,
    /// Whose key it is, where it is no admin's.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    /// Present and true for an admin's key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    admin: bool,
    label: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Present where the key is good no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

impl KeyView {
    fn new(key: KeyRecord, secret: Option<&ApiKey>) -> Self {
        let (customer_id, admin) = match key.grants {
            Grants::Admin => (None, true),
            Grants::Customer(customer) => (Some(customer.to_string()), false),
        };
        Self {
            id: key.id.to_string(),
            key: secret.map(|secret| secret.reveal().to_owned()),
            customer_id,
            admin,
            label: key.label,
            created_at: key.created_at.to_string(),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// A page of keys.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeysView {
    /// Newest first.
    keys: Vec<KeyView>,
    /// Goes on after this page; null at the end.
    next_cursor: Option<String>,
}

/// Make a key. The answer shows it once.
#[utoipa::path(
    post, path = "/api/keys", tag = "keys", operation_id = "createKey",
    request_body = NewKeyBody,
    responses(
        (status = 201, description = "Created", body = KeyView),
        (status = 400, description = "Something in the body is wrong", body = JobsError),
        (status = 403, description = "Not an admin's key", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
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
    let new = NewKey::parse(&body).map_err(Refusal::Invalid)?;
    let (key, secret) = api.app.create_key(caller, new).await?;
    let view = KeyView::new(key, Some(&secret));
    let mut response = reply::json(StatusCode::CREATED, &view);
    let secret = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, secret);
    Ok(response)
}

/// List keys, newest first, revoked ones included, without their secrets.
#[utoipa::path(
    get, path = "/api/keys", tag = "keys", operation_id = "listKeys",
    params(
        ("limit" = Option<u32>, Query, description = "Most keys on the page, 100 unless told", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", format = "cursor"),
    ),
    responses(
        (status = 200, description = "A page of keys", body = KeysView),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 403, description = "Not an admin's key", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Asked(caller): Asked,
    RawQuery(query): RawQuery,
) -> Response {
    match try_list(&api, &caller, query.as_deref()).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_list(api: &Api, caller: &Caller, query: Option<&str>) -> Result<Response, Refusal> {
    let mut query = Query::new(query);
    let limit = query.number("limit", 1, 100, 100);
    let before = query.optional(
        "cursor",
        "must be the nextCursor of an earlier page",
        from_cursor,
    );
    query.finish()?;
    let listed = api.app.list_keys(caller, before.as_ref(), limit).await?;
    let keys = listed.keys.into_iter();
    let view = KeysView {
        keys: keys.map(|key| KeyView::new(key, None)).collect(),
        next_cursor: listed.next.as_ref().map(to_cursor),
    };
    Ok(reply::json(StatusCode::OK, &view))
}

fn to_cursor(before: &KeyId) -> String {
    URL_SAFE_NO_PAD.encode(format!("1:{before}"))
}

fn from_cursor(text: &str) -> Option<KeyId> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    KeyId::parse(std::str::from_utf8(&bytes).ok()?.strip_prefix("1:")?)
}

/// Revoke a key, for good. It may work for up to 30 seconds more where it was just used.
#[utoipa::path(
    delete, path = "/api/keys/{id}", tag = "keys", operation_id = "revokeKey",
    params(("id" = String, Path, description = "Id of the key, not the key")),
    responses(
        (status = 200, description = "Revoked, now or before", body = KeyView),
        (status = 403, description = "Not an admin's key", body = JobsError),
        (status = 404, description = "No such key", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn revoke(State(api): State<Api>, Asked(caller): Asked, Id(id): Id) -> Response {
    match try_revoke(&api, &caller, &id).await {
        Ok(view) => reply::json(StatusCode::OK, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_revoke(api: &Api, caller: &Caller, id: &str) -> Result<KeyView, Refusal> {
    let revoked = api.app.revoke_key(caller, id).await?;
    // Somebody may have put the secret itself here: it is not said again.
    let unknown = || {
        let shown = if id.starts_with("key_") { id } else { "..." };
        Refusal::UnknownKey(shown.chars().take(100).collect())
    };
    revoked
        .map(|key| KeyView::new(key, None))
        .ok_or_else(unknown)
}
