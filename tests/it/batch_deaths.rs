//! A batch whose writer dies: at any of its calls to the table, before or after the write. Whoever
//! comes next completes it, the client that asks again or the sweep, and nothing is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use axum::http::StatusCode;
use jobs::app::Limits;
use jobs::batch::LEASE;
use jobs::transition::Mode;
use local::embedded::{Embedded, read_request, write_response};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::app::{Answered, Anything, TestApp};
use crate::golden::assert_golden;

/// A connection to the database at which a writer dies.
#[derive(Clone)]
struct Deadly {
    embedded: Embedded,
    /// Calls until the deadly one; none is, where this is not above 0.
    left: Arc<AtomicI64>,
    /// Whether the deadly call is still carried out.
    after: Arc<AtomicBool>,
    died: Arc<Notify>,
}

impl std::fmt::Debug for Deadly {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Deadly")
    }
}

impl HttpConnector for Deadly {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let (target, body) = read_request(&request)?;
            if this.left.fetch_sub(1, Ordering::Relaxed) == 1 {
                if this.after.load(Ordering::Relaxed) {
                    this.embedded.call(&target, &body);
                }
                this.died.notify_one();
                std::future::pending::<()>().await;
            }
            // Others have their turn between any two calls.
            tokio::task::yield_now().await;
            write_response(this.embedded.call(&target, &body))
        })
    }
}

/// Every wait is over once others have had their turn.
#[derive(Debug)]
struct NoTime;

impl AsyncSleep for NoTime {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(tokio::task::yield_now())
    }
}

struct Scene {
    app: TestApp,
    deadly: Deadly,
}

impl Scene {
    /// A service with two unfinished jobs and an ended one, which the batch will meet.
    async fn open() -> Self {
        let embedded = Embedded::in_memory().unwrap();
        let deadly = Deadly {
            embedded: embedded.clone(),
            left: Arc::default(),
            after: Arc::default(),
            died: Arc::default(),
        };
        let connector = SharedHttpConnector::new(deadly.clone());
        let mut connection = local::host::connection(&embedded);
        connection.http = http_client_fn(move |_, _| connector.clone());
        connection.sleep = Some(SharedAsyncSleep::new(NoTime));
        let limits = Limits {
            jobs_at_once: 4,
            ..Limits::default()
        };
        let app = TestApp::connected(embedded, &connection, limits);
        app.create_for(&url(6)).await;
        app.drain(&Anything).await;
        for page in [3, 10] {
            app.create_for(&url(page)).await;
        }
        Self { app, deadly }
    }

    async fn post(&self) -> Answered {
        self.app.post_keyed("/api/jobs", "key", &batch()).await
    }

    /// Posts the batch and dies at a call, counted from 1; `false` where it ends before.
    async fn dies(&self, call: i64, after: bool) -> bool {
        self.deadly.after.store(after, Ordering::Relaxed);
        self.deadly.left.store(call, Ordering::Relaxed);
        let died = tokio::select! {
            biased;
            answer = self.post() => {
                assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
                false
            }
            () = self.deadly.died.notified() => true,
        };
        self.deadly.left.store(0, Ordering::Relaxed);
        died
    }

    /// Whether the batch was written down when its writer died.
    fn is_begun(&self) -> bool {
        let items = self.app.items();
        items.iter().any(|item| {
            let key = item["pk"]["S"].as_str().unwrap();
            key.starts_with("bat_")
        })
    }

    /// Everything is there once, as `answer` says.
    async fn ends_whole(self, answer: &Answered) {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        assert_eq!(answer.text("message"), "Created 10 jobs (4 deduplicated)");
        let jobs = answer.json["results"]["jobs"].as_array().unwrap();
        assert_eq!(jobs.len(), 14);
        let rows = self.app.rows();
        assert_eq!(rows.len(), 13, "ten, the two before and the ended one");
        let mut unfinished = BTreeMap::new();
        for job in rows.iter().filter(|job| !job.state.is_terminal()) {
            let other = unfinished.insert(job.url.as_str(), job.id.as_str());
            assert_eq!(other, None, "{} is there twice", job.url);
        }
        for job in jobs {
            let id = unfinished[job["url"].as_str().unwrap()];
            assert_eq!(job["jobId"], id);
        }
        let again = self.post().await;
        assert_eq!(again.json, answer.json);
        // Messages may have been lost with their sender: the sweep sends them.
        self.app.drain(&Anything).await;
        self.app.advance(Duration::from_mins(2));
        self.app.sweep().await;
        self.app.drain(&Anything).await;
        let rows = self.app.rows();
        let ended = rows.iter().filter(|job| job.state.is_terminal()).count();
        assert_eq!(ended, 13);
    }
}

fn url(page: usize) -> String {
    format!("http://site.example/{page}")
}

/// Twelve addresses, two of which come twice; ten of them are new, which takes three parts.
fn batch() -> Value {
    let urls: Vec<_> = (0..12).chain([11, 0]).map(url).collect();
    json!({"type": "single-page", "urls": urls, "staggerDelay": 10})
}

/// Runs `then` after a death at each call, before and after it; says at how many there was one.
async fn at_every_call(then: impl AsyncFn(Scene)) -> usize {
    let mut deaths = 0;
    for after in [false, true] {
        for call in 1.. {
            let scene = Scene::open().await;
            if !scene.dies(call, after).await {
                let answer = scene.post().await;
                scene.ends_whole(&answer).await;
                break;
            }
            deaths += 1;
            then(scene).await;
        }
    }
    deaths
}

#[tokio::test]
async fn the_retry_with_the_same_key_completes_a_batch_whose_writer_died() {
    let deaths = at_every_call(async |scene| {
        scene.app.advance(LEASE);
        let answer = scene.post().await;
        scene.ends_whole(&answer).await;
    });
    assert!(
        deaths.await >= 14,
        "key, owners, rows, the beginning, three parts"
    );
}

#[tokio::test]
async fn the_sweep_alone_completes_a_batch_whose_writer_died() {
    at_every_call(async |scene| {
        scene.app.advance(LEASE);
        scene.app.sweep().await;
        let begun = scene.is_begun();
        let rows = scene.app.rows().len();
        assert_eq!(rows, if begun { 13 } else { 3 }, "all or nothing");
        let ids = |scene: &Scene| -> BTreeSet<_> {
            scene.app.rows().into_iter().map(|job| job.id).collect()
        };
        let before = ids(&scene);
        let answer = scene.post().await;
        assert!(!begun || ids(&scene) == before, "nothing is made twice");
        scene.ends_whole(&answer).await;
    })
    .await;
}

#[tokio::test]
async fn a_restart_completes_a_batch_at_once() {
    let scene = Scene::open().await;
    assert!(scene.dies(5, true).await);
    assert!(scene.is_begun());
    scene.app.app.sweep(Mode::Restart, 1_000).await.unwrap();
    let answer = scene.post().await;
    scene.ends_whole(&answer).await;
}

#[tokio::test]
async fn writers_that_meet_at_a_batch_write_each_part_once() {
    at_every_call(async |scene| {
        scene.app.advance(LEASE);
        let (one, _, other, _) = futures::join!(
            scene.post(),
            scene.app.sweep(),
            scene.post(),
            scene.app.sweep()
        );
        // The slower of two may be told to come back.
        let mut answers = vec![one, other];
        answers.retain(|answer| answer.status != StatusCode::CONFLICT);
        let last = scene.post().await;
        for answer in &answers {
            assert_eq!(answer.json, last.json);
        }
        scene.ends_whole(&last).await;
    })
    .await;
}

#[tokio::test]
async fn who_asks_while_the_first_writer_is_at_it_is_told_when_to_come_back() {
    let scene = Scene::open().await;
    assert!(scene.dies(5, true).await);
    assert!(scene.is_begun());
    scene.app.advance(Duration::from_millis(2_500));
    let early = scene.post().await;
    assert_eq!(early.status, StatusCode::CONFLICT);
    assert_eq!(early.header("retry-after"), Some("8"));
    let said = "the first request with this idempotency key is still being carried out";
    assert_eq!(
        early.json,
        json!({"error": "Request in progress", "details": said})
    );
    assert_eq!(scene.app.sweep().await.written, 0, "its lease is live");
    let other = json!({"type": "single-page", "urls": [url(1)]});
    let other = scene.app.post_keyed("/api/jobs", "key", &other).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    scene.app.advance(Duration::from_secs(8));
    let answer = scene.post().await;
    scene.ends_whole(&answer).await;
}

#[tokio::test]
async fn a_batch_is_stored_as_it_always_was() {
    let scene = Scene::open().await;
    assert!(scene.dies(5, true).await);
    let row = |scene: &Scene| {
        let items = scene.app.items();
        let batch = items.into_iter().find(|item| {
            let key = item["pk"]["S"].as_str().unwrap();
            key.starts_with("bat_")
        });
        batch.unwrap()
    };
    assert_golden("batch_begun", &row(&scene));
    scene.app.advance(LEASE);
    let answer = scene.post().await;
    assert_golden("batch_done", &row(&scene));
    scene.ends_whole(&answer).await;
}
