//! Reads a JSON body within its bounds, and the id in a path. Refuses other content types, more
//! than a megabyte, and what is not JSON, each with its own status.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use jobs::{Caller, IdempotencyKey, Keyed, Problem};
use serde_json::Value;

use crate::error::Refusal;

/// Most bytes of a request body.
pub(crate) const MAX_BODY: usize = 1_024 * 1_024;
/// A client that sends more than this finds the connection closed.
const MAX_FORGOTTEN: usize = 64 * 1_024 * 1_024;

/// The id in a path. What is not text when decoded is the id of nothing, and stays as it came, so
/// that the answer to it has the shape of its face.
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let id = match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => id,
            Err(_) => parts.uri.path().to_owned(),
        };
        Ok(Self(id))
    }
}

/// The ids of something and of what belongs to it, as [`Id`].
pub(crate) struct Ids(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let ids = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((id, inner)) = ids.unwrap_or_else(|_| {
            let path = parts.uri.path().to_owned();
            Path((path.clone(), path))
        });
        Ok(Self(id, inner))
    }
}

/// On whose behalf a request is made, as far as anything before the handlers has found out.
pub(crate) struct Asked(pub(crate) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Caller>();
        Ok(Self(known.cloned().unwrap_or(Caller::Anyone)))
    }
}

/// The header by which a client repeats a request without repeating what it does.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The key of a request, where it names one.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::new(IDEMPOTENCY_KEY, "must be given once"));
    }
    match value.to_str().ok().and_then(IdempotencyKey::parse) {
        Some(key) => Ok(Some(key)),
        None => {
            let most = IdempotencyKey::MAX_CHARS;
            let message = format!("must have 1 to {most} visible ASCII characters");
            Err(Problem::new(IDEMPOTENCY_KEY, message))
        }
    }
}

/// A request to create something, read: what `parse` made of its body, and its key together with
/// what that stands for. What is wrong with the one and the other is said at once.
pub(crate) async fn to_create<T>(
    request: Request<Body>,
    route: &str,
    parse: impl FnOnce(&Value) -> Result<T, Vec<Problem>>,
) -> Result<(T, Option<Keyed>), Refusal> {
    let key = idempotency_key(request.headers());
    let body = json_body(request).await?;
    match (key, parse(&body)) {
        (Ok(key), Ok(parsed)) => {
            let keyed = key.map(|key| Keyed::new(key, route, &body));
            Ok((parsed, keyed))
        }
        (key, parsed) => {
            let problems = key.err().into_iter();
            let problems = problems.chain(parsed.err().unwrap_or_default());
            Err(Refusal::Invalid(problems.collect()))
        }
    }
}

/// The JSON of a request.
pub(crate) async fn json_body(request: Request<Body>) -> Result<Value, Refusal> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if !is_json(content_type) {
        return Err(Refusal::ContentType);
    }
    let body = bounded(request.into_body()).await?;
    serde_json::from_slice(&body).map_err(|error| malformed(&format!("is not JSON: {error}")))
}

/// The JSON of a request that may have none.
pub(crate) async fn optional_json_body(request: Request<Body>) -> Result<Option<Value>, Refusal> {
    let (head, body) = request.into_parts();
    let body = bounded(body).await?;
    if body.is_empty() {
        return Ok(None);
    }
    json_body(Request::from_parts(head, Body::from(body)))
        .await
        .map(Some)
}

/// A body of at most [`MAX_BODY`]. A larger one is read on for a while and forgotten: most clients
/// look for the answer only after they have sent everything.
async fn bounded(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let mut kept = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| malformed("the body ended before it was complete"))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len();
        if seen <= MAX_BODY {
            kept.extend_from_slice(&data);
        } else if seen > MAX_FORGOTTEN {
            break;
        }
    }
    if seen > MAX_BODY {
        return Err(Refusal::BodyTooLarge);
    }
    Ok(kept)
}

/// Reads a body that nobody wants, as far as one may be long: a client that is still sending looks
/// for the answer only afterwards.
pub(crate) async fn forget(mut body: Body) {
    let mut seen = 0;
    while seen <= MAX_BODY
        && let Some(Ok(frame)) = body.frame().await
    {
        seen += frame.data_ref().map_or(0, axum::body::Bytes::len);
    }
}

fn malformed(message: &str) -> Refusal {
    Refusal::Invalid(vec![Problem::new("body", message)])
}

/// `application/json` or any `+json`, with whatever parameters.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or("").trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}
