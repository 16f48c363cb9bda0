//! Operations that are killed: before or after any of their calls to the table. What the sweep
//! makes of the rest is what would have been anyway.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jobs::app::Limits;
use local::embedded::{Embedded, read_request, write_response};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{create, half_broken};
use crate::app::{Scripted, TestApp};

/// What the jobs are named after.
const PATHS: [&str; 4] = ["bad", "good", "waiting", "paused"];

/// A way to the database on which whoever makes the n-th call dies, before it or after it.
#[derive(Clone)]
struct Deadly {
    embedded: Embedded,
    left: Arc<AtomicI64>,
    died: Arc<Notify>,
}

impl std::fmt::Debug for Deadly {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Deadly")
    }
}

impl Deadly {
    fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
}

impl HttpConnector for Deadly {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let (target, body) = read_request(&request)?;
            // Even numbers die before the call, odd ones after it.
            let left = this.left.fetch_sub(2, Ordering::SeqCst);
            if left == 0 {
                this.died.notify_one();
                std::future::pending::<()>().await;
            }
            let answer = this.embedded.call(&target, &body);
            if left == 1 {
                this.died.notify_one();
                std::future::pending::<()>().await;
            }
            write_response(answer)
        })
    }
}

/// What an operation leaves behind when it is killed at this point and the sweep goes on with it;
/// `None` where it came to its end before.
async fn killed_at(point: i64, body: &Value) -> Option<BTreeMap<String, &'static str>> {
    let deadly = Deadly {
        embedded: Embedded::in_memory().unwrap(),
        left: Arc::new(AtomicI64::new(i64::MAX)),
        died: Arc::default(),
    };
    let app = TestApp::over(
        deadly.embedded.clone(),
        deadly.http_client(),
        Limits::default(),
    );
    let mut names = BTreeMap::new();
    for path in PATHS {
        let id = create(&app, "ann", path).await;
        match path {
            "waiting" => drop(app.receive()),
            "paused" => drop(app.act(&id, "pause").await),
            _ => drop(app.drain(&Scripted(half_broken)).await),
        }
        names.insert(id, path);
    }
    while app.queue.try_receive().is_some() {}
    deadly.left.store(point, Ordering::SeqCst);
    let survived = tokio::select! {
        begun = app.post("/api/queue", body) => begun.status.is_success(),
        () = deadly.died.notified() => false,
    };
    deadly.left.store(i64::MAX, Ordering::SeqCst);
    // Longer than the lease of an operation, shorter than any message may take.
    app.advance(Duration::from_secs(61));
    app.sweep().await;
    while app.queue.try_receive().is_some() {}
    let operations = app.items();
    let operations = operations
        .iter()
        .filter(|item| item["sk"]["S"] == "operation");
    let unfinished = operations.filter(|item| item.get("finished_at").is_none());
    assert_eq!(unfinished.count(), 0, "killed at {point}");
    let begun = app
        .items()
        .iter()
        .any(|item| item["sk"]["S"] == "operation");
    let left = app.rows().into_iter().map(|job| {
        let status = job.status(app.app.now()).as_str();
        (names[job.id.as_str()].to_owned(), status)
    });
    let left = left.collect();
    for job in app.rows() {
        app.act(job.id.as_str(), "cancel").await;
    }
    while app.queue.try_receive().is_some() {}
    // A request that died before its row was there has asked for nothing.
    (!survived).then_some(if begun { left } else { BTreeMap::new() })
}

async fn ends_the_same_wherever_it_is_killed(body: Value, expected: [Option<&'static str>; 4]) {
    let expected = PATHS.into_iter().zip(expected);
    let expected: BTreeMap<_, _> = expected
        .filter_map(|(path, status)| Some((path.to_owned(), status?)))
        .collect();
    let mut killed = 0;
    for point in 0.. {
        let Some(left) = killed_at(point, &body).await else {
            break;
        };
        if !left.is_empty() {
            assert_eq!(left, expected, "killed at {point}");
            killed += 1;
        }
    }
    assert!(killed > 10, "only {killed} points");
}

#[tokio::test]
async fn a_drain_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    let expected = ["failed", "completed", "cancelled", "cancelled"].map(Some);
    let body = json!({"operation": "drain", "customerId": "ann"});
    ends_the_same_wherever_it_is_killed(body, expected).await;
}

#[tokio::test]
async fn a_cleanup_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    let expected = [None, None, Some("waiting"), Some("paused")];
    let body = json!({"operation": "cleanup", "maxAgeHours": 0});
    ends_the_same_wherever_it_is_killed(body, expected).await;
}

#[tokio::test]
async fn a_retry_of_all_that_is_killed_anywhere_ends_as_if_it_had_not_been() {
    let expected = ["waiting", "completed", "waiting", "paused"].map(Some);
    let body = json!({"operation": "retry-failed"});
    ends_the_same_wherever_it_is_killed(body, expected).await;
}
