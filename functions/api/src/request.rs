//! Reads a JSON body within its bounds. Refuses other content types, more than a megabyte, and
//! what is not JSON, each with its own status.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jobs::Problem;
use serde_json::Value;

use crate::error::Refusal;

/// Most bytes of a request body.
pub(crate) const MAX_BODY: usize = 1_024 * 1_024;

/// The JSON of a request.
pub(crate) async fn json_body(request: Request<Body>) -> Result<Value, Refusal> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if !is_json(content_type) {
        return Err(Refusal::ContentType);
    }
    let body = match Limited::new(request.into_body(), MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Refusal::BodyTooLarge),
        Err(_) => return Err(malformed("the body ended before it was complete")),
    };
    serde_json::from_slice(&body).map_err(|error| malformed(&format!("is not JSON: {error}")))
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
