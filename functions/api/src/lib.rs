//! The HTTP API as a value: two faces over the same jobs. Handlers decode, call [`App`] once and
//! encode; refuses to decide anything about a job, and to know in which host it runs.

mod bodies;
mod control_face;
mod crawl_view;
mod cursor;
mod deliveries_face;
mod docs;
mod error;
mod identity;
mod jobs_create;
mod jobs_face;
mod keys_face;
mod openapi;
mod query;
mod queue_control;
mod queue_face;
mod queue_view;
mod reply;
mod request;
mod results_face;
mod schedule_view;
mod schedules_control;
mod schedules_face;
mod stage;
mod urls_face;
mod v1_create;
mod v1_face;
mod v1_list;
mod v1_view;
mod view;
mod webhook_view;
mod webhooks_face;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{delete, get, post};
use jobs::App;
use jobs::extraction::Check;

pub use identity::Access;

/// The version that health and OpenAPI name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every route, as method and path: what the infrastructure has to let through.
pub const ROUTES: [(&str, &str); 43] = [
    ("POST", "/api/jobs"),
    ("GET", "/api/jobs"),
    ("GET", "/api/jobs/{id}"),
    ("PUT", "/api/jobs/{id}"),
    ("DELETE", "/api/jobs/{id}"),
    ("GET", "/api/jobs/{id}/results"),
    ("GET", "/api/jobs/{id}/urls"),
    ("POST", "/api/explain"),
    ("GET", "/api/queue"),
    ("GET", "/api/v1/jobs"),
    ("POST", "/api/jobs/{id}/retry"),
    ("POST", "/api/queue"),
    ("DELETE", "/api/queue"),
    ("GET", "/api/operations/{id}"),
    ("POST", "/api/schedules"),
    ("GET", "/api/schedules"),
    ("GET", "/api/schedules/{id}"),
    ("PATCH", "/api/schedules/{id}"),
    ("PUT", "/api/schedules/{id}"),
    ("DELETE", "/api/schedules/{id}"),
    ("POST", "/api/schedules/{id}/run"),
    ("GET", "/api/schedules/{id}/runs"),
    ("POST", "/api/keys"),
    ("GET", "/api/keys"),
    ("DELETE", "/api/keys/{id}"),
    ("POST", "/api/webhooks"),
    ("GET", "/api/webhooks"),
    ("GET", "/api/webhooks/{id}"),
    ("PATCH", "/api/webhooks/{id}"),
    ("DELETE", "/api/webhooks/{id}"),
    ("POST", "/api/webhooks/{id}/rotate"),
    ("GET", "/api/webhooks/{id}/deliveries"),
    ("GET", "/api/jobs/{id}/deliveries"),
    (
        "POST",
        "/api/webhooks/{id}/deliveries/{deliveryId}/redeliver",
    ),
    ("POST", "/api/jobs/{id}/deliveries/{deliveryId}/redeliver"),
    ("POST", "/api/v1/scrape"),
    ("POST", "/api/v1/navigate"),
    ("POST", "/api/v1/ai/generate-config"),
    ("GET", "/api/v1/jobs/{id}"),
    ("DELETE", "/api/v1/jobs/{id}"),
    ("GET", "/api/v1/health"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
];

/// Says of an address why nothing may be posted there, as far as that can be told without asking
/// for it.
pub type Judge = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// What the handlers share.
#[derive(Clone)]
struct Api {
    app: App,
    check: Check,
    judge: Judge,
    access: Access,
}

/// The API over `app`; `check` says which selectors and patterns of a new job do not compile,
/// `judge` which addresses of webhooks are refused, and `access` whether callers need a key.
pub fn router(app: App, check: Check, judge: Judge, access: Access) -> Router {
    let api = Api {
        app,
        check,
        judge,
        access,
    };
    let identity = middleware::from_fn_with_state(api.clone(), identity::identify);
    Router::new()
        .route(
            "/api/jobs/{id}",
            get(jobs_face::job)
                .put(control_face::control)
                .delete(control_face::cancel),
        )
        .route("/api/jobs/{id}/results", get(results_face::results))
        .route("/api/jobs/{id}/urls", get(urls_face::urls))
        .route("/api/explain", post(urls_face::explain))
        .route("/api/v1/jobs", get(v1_list::list))
        .route("/api/jobs/{id}/retry", post(control_face::retry))
        .route(
            "/api/queue",
            get(queue_face::queue)
                .post(queue_control::operate)
                .delete(queue_control::clear),
        )
        .route("/api/operations/{id}", get(queue_control::operation))
        .route(
            "/api/schedules",
            get(schedules_face::list).post(schedules_face::create),
        )
        .route(
            "/api/schedules/{id}",
            get(schedules_face::schedule)
                .patch(schedules_control::change)
                .put(schedules_control::control)
                .delete(schedules_control::delete),
        )
        .route("/api/schedules/{id}/run", post(schedules_control::run))
        .route("/api/schedules/{id}/runs", get(schedules_face::runs))
        .route(
            "/api/v1/jobs/{id}",
            get(v1_face::job).delete(control_face::cancel_v1),
        )
        .route("/api/keys", get(keys_face::list).post(keys_face::create))
        .route("/api/keys/{id}", delete(keys_face::revoke))
        .route("/api/jobs", get(jobs_face::list).post(jobs_create::create))
        .route(
            "/api/webhooks",
            get(webhooks_face::list).post(webhooks_face::create),
        )
        .route(
            "/api/webhooks/{id}",
            get(webhooks_face::webhook)
                .patch(webhooks_face::change)
                .delete(webhooks_face::delete),
        )
        .route("/api/webhooks/{id}/rotate", post(webhooks_face::rotate))
        .route(
            "/api/webhooks/{id}/deliveries",
            get(deliveries_face::of_webhook),
        )
        .route("/api/jobs/{id}/deliveries", get(deliveries_face::of_job))
        .route(
            "/api/webhooks/{id}/deliveries/{deliveryId}/redeliver",
            post(deliveries_face::redeliver_of_webhook),
        )
        .route(
            "/api/jobs/{id}/deliveries/{deliveryId}/redeliver",
            post(deliveries_face::redeliver_of_job),
        )
        .route("/api/v1/scrape", post(v1_create::scrape))
        .route("/api/v1/navigate", post(v1_create::navigate))
        .route(
            "/api/v1/ai/generate-config",
            post(v1_create::generate_config),
        )
        .route("/api/v1/health", get(v1_face::health))
        .route("/openapi.json", get(openapi::serve))
        .route("/docs", get(docs::serve))
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::unknown_method)
        // Around everything, the answers to unknown paths and methods included.
        .layer(identity)
        .with_state(api)
}
