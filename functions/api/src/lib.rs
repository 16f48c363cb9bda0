//! The HTTP API as a value: two faces over the same jobs. Handlers decode, call [`App`] once and
//! encode; refuses to decide anything about a job, and to know in which host it runs.

mod control_face;
mod error;
mod jobs_face;
mod openapi;
mod query;
mod queue_body;
mod queue_control;
mod reply;
mod request;
mod v1_face;
mod v1_view;
mod view;

use axum::Router;
use axum::routing::{get, post};
use jobs::App;
use jobs::extraction::Check;

/// The version that health and OpenAPI name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every route, as method and path: what the infrastructure has to let through.
pub const ROUTES: [(&str, &str); 14] = [
    ("POST", "/api/jobs"),
    ("GET", "/api/jobs"),
    ("GET", "/api/jobs/{id}"),
    ("PUT", "/api/jobs/{id}"),
    ("DELETE", "/api/jobs/{id}"),
    ("GET", "/api/jobs/{id}/results"),
    ("POST", "/api/jobs/{id}/retry"),
    ("POST", "/api/queue"),
    ("DELETE", "/api/queue"),
    ("GET", "/api/operations/{id}"),
    ("GET", "/api/v1/jobs/{id}"),
    ("DELETE", "/api/v1/jobs/{id}"),
    ("GET", "/api/v1/health"),
    ("GET", "/openapi.json"),
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
        .route(
            "/api/jobs/{id}",
            get(jobs_face::job)
                .put(control_face::control)
                .delete(control_face::cancel),
        )
        .route("/api/jobs/{id}/results", get(jobs_face::results))
        .route("/api/jobs/{id}/retry", post(control_face::retry))
        .route(
            "/api/queue",
            post(queue_control::operate).delete(queue_control::clear),
        )
        .route("/api/operations/{id}", get(queue_control::operation))
        .route(
            "/api/v1/jobs/{id}",
            get(v1_face::job).delete(control_face::cancel_v1),
        )
        .route("/api/v1/health", get(v1_face::health))
        .route("/openapi.json", get(openapi::serve))
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::unknown_method)
        .with_state(api)
}
