//! Lambda's runtime interface for one function: hands out events one by one and takes the answers.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use aws::host::SystemClock;
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use jobs::ports::Clock;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};

/// As in the template.
const FUNCTION_TIMEOUT: Duration = Duration::from_mins(1);
/// Longer than any function takes here; a function that hangs fails its test.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running function.
pub struct Function {
    child: Child,
    events: mpsc::Sender<Value>,
    answers: mpsc::Receiver<Result<Value, Value>>,
}

struct Runtime {
    events: Mutex<mpsc::Receiver<Value>>,
    answers: mpsc::Sender<Result<Value, Value>>,
}

impl Function {
    pub async fn start(executable: &Path, environment: &[(&str, String)]) -> Self {
        let (events, events_out) = mpsc::channel(1);
        let (answers_in, answers) = mpsc::channel(1);
        let runtime = Arc::new(Runtime {
            events: Mutex::new(events_out),
            answers: answers_in,
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answer))
            .with_state(runtime);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let child = Command::new(executable)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "function")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            child,
            events,
            answers,
        }
    }

    /// Hands the function an event; `Err` is what it says where it fails as a whole.
    pub async fn invoke(&mut self, event: Value) -> Result<Value, Value> {
        self.events.send(event).await.unwrap();
        tokio::select! {
            answer = self.answers.recv() => answer.unwrap(),
            status = self.child.wait() => panic!("the function ended: {status:?}"),
            () = tokio::time::sleep(PATIENCE) => panic!("the function does not answer"),
        }
    }
}

async fn next(State(runtime): State<Arc<Runtime>>) -> impl IntoResponse {
    let Some(event) = runtime.events.lock().await.recv().await else {
        return Err(StatusCode::GONE);
    };
    let deadline = SystemClock.now() + FUNCTION_TIMEOUT;
    let headers = [
        ("lambda-runtime-aws-request-id", "request".to_owned()),
        (
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:1:function:function".to_owned(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793".to_owned(),
        ),
    ];
    Ok((headers, axum::Json(event)))
}

async fn answer(
    State(runtime): State<Arc<Runtime>>,
    UrlPath((_, kind)): UrlPath<(String, String)>,
    body: String,
) -> StatusCode {
    let said = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let said = if kind == "response" {
        Ok(said)
    } else {
        Err(said)
    };
    // Nobody waits for the answer of a test that has ended.
    let _ = runtime.answers.send(said).await;
    StatusCode::ACCEPTED
}

/// What a function says that is started without any settings.
pub async fn refusal(executable: &Path) -> String {
    let ended = Command::new(executable).env_clear().output();
    let ended = tokio::time::timeout(PATIENCE, ended)
        .await
        .unwrap()
        .unwrap();
    assert!(!ended.status.success(), "it runs without settings");
    String::from_utf8(ended.stderr).unwrap()
}
