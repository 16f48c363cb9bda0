//! Stands where the API will: it answers for its health and nothing else.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use jobs::App;

pub fn router(app: App) -> Router {
    Router::new()
        .route("/api/v1/health", get(health))
        .with_state(app)
}

async fn health(State(app): State<App>) -> Json<serde_json::Value> {
    Json(serde_json::json!({"status": "healthy", "timestamp": app.now().to_string()}))
}
