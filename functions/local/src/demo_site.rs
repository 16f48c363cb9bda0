//! The small site that the demo scrapes: a page with everything that a result can show.

use axum::Router;
use axum::response::Html;
use axum::routing::get;

const SHOP: &str = include_str!("demo_site.html");

/// The site as a router.
pub fn router() -> Router {
    Router::new()
        .route("/", get(|| async { Html(SHOP) }))
        .route(
            "/about",
            get(|| async { Html("<title>About</title><p>A shop that sells spiders' threads.") }),
        )
}
