//! The HTTP API as a value: two faces over the same jobs. Handlers decode, call [`App`] once and
//! encode; refuses to decide anything about a job, and to know in which host it runs.

mod docs;
mod error;
mod jobs_face;
mod openapi;
mod query;
mod reply;
mod request;
mod v1_face;
mod v1_view;
mod view;

use axum::Router;
use axum::routing::get;
use jobs::App;
use jobs::extraction::Check;

/// The version that health and OpenAPI name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every route, as method and path: what the infrastructure has to let through.
pub const ROUTES: [(&str, &str); 8] = [
    ("POST", "/api/jobs"),
    ("GET", "/api/jobs"),
    ("GET", "/api/jobs/{id}"),
    ("GET", "/api/jobs/{id}/results"),
    ("GET", "/api/v1/jobs/{id}"),
    ("GET", "/api/v1/health"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
];

/// What the handlers share.
#[derive(Clone)]
struct Api {
    app: App,
    check: Check,
}

/// The API over `app`; `check` says which selectors and patterns of a new job do not compile.
pub fn router(app: App, check: Check) -> Router {
    let api = Api { app, check };
    Router::new()
        .route("/api/jobs", get(jobs_face::list).post(jobs_face::create))
        .route("/api/jobs/{id}", get(jobs_face::job))
        .route("/api/jobs/{id}/results", get(jobs_face::results))
        .route("/api/v1/jobs/{id}", get(v1_face::job))
        .route("/api/v1/health", get(v1_face::health))
        .route("/openapi.json", get(openapi::serve))
        .route("/docs", get(docs::serve))
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::unknown_method)
        .with_state(api)
}
