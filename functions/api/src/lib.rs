//! Stands where the API will: it answers for its health and nothing else.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use jobs::App;

/// Every route, as method and path: what the infrastructure has to let through.
pub const ROUTES: [(&str, &str); 7] = [
    ("POST", "/api/jobs"),
    ("GET", "/api/jobs"),
    ("GET", "/api/jobs/{id}"),
    ("GET", "/api/jobs/{id}/results"),
    ("GET", "/api/v1/jobs/{id}"),
    ("GET", "/api/v1/health"),
    ("GET", "/openapi.json"),
];

pub fn router(app: App) -> Router {
    Router::new()
        .route("/api/v1/health", get(health))
        .with_state(app)
}

async fn health(State(app): State<App>) -> Json<serde_json::Value> {
    Json(serde_json::json!({"status": "healthy", "timestamp": app.now().to_string()}))
}
