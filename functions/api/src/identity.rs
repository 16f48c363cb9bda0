//! Who is asking: from the `Authorization` header to a [`Caller`], before anything else is decided.
//! Every path needs a key where keys are required, except those that say nothing about anybody's
//! jobs. Refuses to show, log or keep what it reads.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use jobs::Caller;
use utoipa::PartialSchema;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, PathItem, Ref, ResponseBuilder};

use crate::error::{Face, Refusal, answer};
use crate::{Api, request};

/// Whether callers need a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever reaches the service may do everything; a key that is sent all the same counts.
    Open,
    Keys,
}

/// The document, and whether the service keeps up: a monitor needs no key for that.
const OPEN: [&str; 3] = ["/openapi.json", "/docs", "/api/v1/health"];

fn is_open(path: &str) -> bool {
    OPEN.contains(&path) || path.starts_with("/docs/")
}

/// Finds out who is asking, for the handlers; answers 401 to whom it cannot tell.
pub(crate) async fn identify(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    if is_open(request.uri().path()) {
        return next.run(request).await;
    }
    match caller(&api, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => {
            let face = Face::of(request.uri().path());
            request::forget(request.into_body()).await;
            answer(face, &refusal, api.app.now())
        }
    }
}

async fn caller(api: &Api, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let secret = match (sent.next(), sent.next()) {
        (None, _) if api.access == Access::Open => return Ok(Caller::Anyone),
        (None, _) => {
            let why = "send a key as Authorization: Bearer KEY";
            return Err(Refusal::Unidentified(why));
        }
        (Some(one), None) => one.to_str().ok().and_then(bearer),
        (Some(_), Some(_)) => None,
    };
    let Some(secret) = secret else {
        let why = "the Authorization header is not of the form Bearer KEY";
        return Err(Refusal::Unidentified(why));
    };
    let found = api.app.authenticate(secret).await?;
    found.ok_or(Refusal::Unidentified(
        "this key is not known, or was revoked",
    ))
}

/// The token of `Bearer TOKEN` (RFC 6750, section 2.1); the name of a scheme has no case.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// Says in the document which operations need a key, and what they answer without a good one.
pub(crate) fn describe(document: &mut OpenApi, access: Access) {
    const NAME: &str = "key";
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An API key. A customer's key sees and touches that customer's jobs alone, and fills \
             in its customerId.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(NAME, SecurityScheme::Http(scheme));
    let key = SecurityRequirement::new(NAME, Vec::<String>::new());
    let needed = match access {
        Access::Open => vec![SecurityRequirement::default(), key],
        Access::Keys => vec![key],
    };
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            if is_open(path) {
                operation.security = Some(Vec::new());
            } else {
                operation.security = Some(needed.clone());
                refuse(operation, Face::of(path));
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

fn refuse(operation: &mut Operation, face: Face) {
    let shape = match face {
        Face::Jobs => "JobsError",
        Face::V1 => "V1Error",
    };
    let scheme = Header::new(String::schema());
    let response = ResponseBuilder::new()
        .description("The key is missing or not good")
        .header("WWW-Authenticate", scheme)
        .content(
            "application/json",
            Content::new(Some(Ref::from_schema_name(shape))),
        )
        .build();
    let responses = &mut operation.responses.responses;
    responses.insert("401".to_owned(), response.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_a_bearer_header_alone() {
        assert_eq!(bearer("Bearer hm_1"), Some("hm_1"));
        assert_eq!(bearer("bEARER  hm_1 "), Some("hm_1"));
        for header in ["", "Bearer", "hm_1", "Basic hm_1", "Bearer:hm_1"] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }

    #[test]
    fn a_path_is_closed_unless_it_is_named() {
        for path in ["/docs", "/docs/", "/openapi.json", "/api/v1/health"] {
            assert!(is_open(path), "{path}");
        }
        for path in [
            "/",
            "/docsx",
            "/api/v1/health/",
            "/api/v1/healthy",
            "/api/jobs",
            "/new",
        ] {
            assert!(!is_open(path), "{path}");
        }
    }
}
