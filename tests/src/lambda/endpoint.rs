//! DynamoDB's API on a port of this machine, over the embedded database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use aws::client::{self, Connection};
use aws_credential_types::Credentials;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use local::embedded::Embedded;
use tokio::net::TcpListener;

/// As the functions are told in [`super::environment`].
pub const TABLE: &str = "harvestman_table";

pub struct Endpoint {
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
    pub async fn start() -> Self {
        let endpoint = Self::without_table().await;
        local::schema::ensure_table(&endpoint.state.embedded, TABLE).unwrap();
        endpoint
    }

    pub async fn without_table() -> Self {
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

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Calls since the start, retries included.
    pub fn calls(&self) -> usize {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// Answers every call with an error, or no longer does.
    pub fn set_away(&self, away: bool) {
        self.state.away.store(away, Ordering::SeqCst);
    }

    pub fn client(&self) -> aws_sdk_dynamodb::Client {
        client::dynamodb(&Connection {
            region: "eu-west-1".to_owned(),
            credentials: Some(Credentials::new("test", "test", None, None, "test")),
            endpoint: Some(self.url.clone()),
            http: Connection::network(),
            sleep: None,
        })
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
