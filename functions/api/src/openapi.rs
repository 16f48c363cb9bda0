//! The OpenAPI 3.1 document, generated from the handlers and the shapes beside them.

use std::sync::OnceLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;

use crate::{jobs_create, jobs_face, v1_create, v1_face};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Harvestman",
        description = "A web-scraping job service: post a URL, poll a status, read the results.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        jobs_create::create,
        jobs_face::list,
        jobs_face::job,
        jobs_face::results,
        v1_create::scrape,
        v1_create::navigate,
        v1_create::generate_config,
        v1_face::job,
        v1_face::health,
    )
)]
struct Document;

/// The document as pretty JSON, made when it is first asked for.
fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document::openapi().to_pretty_json().unwrap_or_default())
}

pub(crate) async fn serve() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], document()).into_response()
}
