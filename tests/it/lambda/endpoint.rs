//! DynamoDB's API on a port of this machine, over the embedded database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws::client;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use local::embedded::Embedded;
use tokio::net::TcpListener;

use crate::support;

/// As the functions are told in [`super::environment`].
pub(super) const TABLE: &str = "harvestman_table";

pub(super) struct Endpoint {
    url: String,
    state: Arc<Answering>,
}

struct Answering {
    embedded: Embedded,
    calls: AtomicUsize,
    away: AtomicBool,
}

impl Endpoint {
    /// With the template's table, empty.
    pub(super) async fn start() -> Self {
        let endpoint = Self::without_table().await;
        aws::schema::create_table(&endpoint.client(), TABLE)
            .await
            .unwrap();
        endpoint.state.calls.store(0, Ordering::SeqCst);
        endpoint
    }

    pub(super) async fn without_table() -> Self {
        let state = Arc::new(Answering {
            embedded: Embedded::in_memory().unwrap(),
            calls: AtomicUsize::new(0),
            away: AtomicBool::new(false),
        });
        let router = Router::new().route("/", post(answer));
        let router = router.with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Calls since the start, retries included.
    pub(super) fn calls(&self) -> usize {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// Answers every call with an error, or no longer does.
    pub(super) fn set_away(&self, away: bool) {
        self.state.away.store(away, Ordering::SeqCst);
    }

    pub(super) fn client(&self) -> aws_sdk_dynamodb::Client {
        client::dynamodb(&support::connection(&self.url))
    }
}

async fn answer(
    State(state): State<Arc<Answering>>,
    headers: HeaderMap,
    body: String,
) -> impl IntoResponse {
    state.calls.fetch_add(1, Ordering::SeqCst);
    if state.away.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, "{}".to_owned());
    }
    let target = headers.get("x-amz-target").unwrap().to_str().unwrap();
    let answer = state.embedded.call(target, &body);
    let status = StatusCode::from_u16(answer.status).unwrap();
    (status, answer.body)
}
