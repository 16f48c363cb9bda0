//! What every operation of the document may answer besides what is its own: stated once here, and
//! added to each.

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Header, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, ToSchema};

use crate::error::{JobsError, V1Error};

/// Adds to every operation that something may go wrong on our side, and to every answer that asks
/// for patience the headers that say for how long.
pub(super) struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let error = if path.starts_with("/api/v1/") {
                V1Error::name()
            } else {
                JobsError::name()
            };
            let operations = [
                &mut item.get,
                &mut item.put,
                &mut item.post,
                &mut item.delete,
                &mut item.patch,
            ];
            for operation in operations.into_iter().flatten() {
                complete(operation, &error);
            }
        }
    }
}

fn complete(operation: &mut Operation, error: &str) {
    let responses = &mut operation.responses.responses;
    responses
        .entry("500".to_owned())
        .or_insert_with(|| RefOr::T(broken(error)));
    for (status, response) in responses {
        let RefOr::T(response) = response else {
            continue;
        };
        match status.as_str() {
            "429" => {
                add(response, "Retry-After", seconds());
                let policy = "What is allowed: `\"calls\";q=CALLS;w=60` (draft-ietf-httpapi-ratelimit-headers)";
                add(response, "RateLimit-Policy", text(policy));
                let left = "What is left: `\"calls\";r=0;t=SECONDS`";
                add(response, "RateLimit", text(left));
            }
            "503" => add(response, "Retry-After", seconds()),
            _ => {}
        }
    }
}

fn broken(error: &str) -> Response {
    let body = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(error)))
        .build();
    ResponseBuilder::new()
        .description("Something went wrong on our side; `requestId` finds it in the log")
        .content("application/json", body)
        .build()
}

fn add(response: &mut Response, name: &str, header: Header) {
    response
        .headers
        .entry(name.to_owned())
        .or_insert_with(|| header.into());
}

fn seconds() -> Header {
    let whole = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1));
    HeaderBuilder::new()
        .schema(Some(whole))
        .description(Some("Whole seconds until another try may succeed"))
        .build()
}

fn text(description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some(description))
        .build()
}
