//! Answers: JSON with the right headers, and conditional ones. Refuses to know what is in them.

use std::hash::{DefaultHasher, Hasher};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

/// An answer with a JSON body.
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "an answer does not serialise");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An answer that shows a secret: nobody on the way keeps it.
pub(crate) fn secret(mut response: Response) -> Response {
    let unkept = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, unkept);
    response
}

/// A read that a polling client may repeat with `If-None-Match` (RFC 9110, section 13.1.2): 304
/// while `version` is what it has seen, else what `body` gives.
pub(crate) fn conditional<T: Serialize>(
    request: &HeaderMap,
    version: &str,
    body: impl FnOnce() -> T,
) -> Response {
    let response = if is_seen(request, version) {
        unchanged()
    } else {
        json(StatusCode::OK, &body())
    };
    tagged(response, version)
}

/// Whether a client says that it has seen this version.
pub(crate) fn is_seen(request: &HeaderMap, version: &str) -> bool {
    let tag = tag(version);
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate == tag || candidate == &tag[2..])
}

/// The answer to a client that has seen what there is.
pub(crate) fn unchanged() -> Response {
    StatusCode::NOT_MODIFIED.into_response()
}

/// An answer with the tag of its version.
pub(crate) fn tagged(mut response: Response, version: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag(version)) {
        headers.insert(header::ETAG, tag);
    }
    // Private and always asked again: a status is stale the moment it changes.
    let cache = HeaderValue::from_static("private, no-cache");
    headers.insert(header::CACHE_CONTROL, cache);
    response
}

fn tag(version: &str) -> String {
    format!("W/\"{version}\"")
}

/// A read without a version of its own, conditional on what it says: its tag is made of the body
/// without the `timestamp` of the answer.
pub(crate) fn unless_seen<T: Serialize>(request: &HeaderMap, body: &T) -> Response {
    let mut said = serde_json::to_value(body).unwrap_or_default();
    if let Value::Object(fields) = &mut said {
        fields.remove("timestamp");
    }
    // Equal in every process that runs this build, which is all that a tag needs.
    let mut hasher = DefaultHasher::new();
    hasher.write(said.to_string().as_bytes());
    let version = format!("{:016x}", hasher.finish());
    conditional(request, &version, || body)
}
