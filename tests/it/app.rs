//! The whole service in the process of a test: the real router, App, table adapter and queue, on
//! a database in memory and under a clock that the test moves. When it is dropped it asks whether
//! what is left behind is in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use api::Access;
use aws::blobs::ObjectBlobs;
use aws::client::{self, Connection};
use aws::table::Table;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use futures::StreamExt;
use http_body_util::BodyExt;
use jobs::app::{Handled, Limits, Ports, Swept};
use jobs::ports::{Batches, Clock, Envelope, Keys, Queue, Scraper, Store};
use jobs::transition::{Mode, Refusal, Stamp};
use jobs::{App, Job, JobId, KeyHash, Message, Timestamp};
use local::embedded::Embedded;
use local::queue::LocalQueue;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use serde_json::{Value, json};
use tower::ServiceExt;

mod fakes;

pub(crate) use fakes::{Anything, Scripted};
use fakes::{ManualClock, Seeded};

use crate::events::bus::TestBus;
use crate::events::letters::Letters;
use crate::rows;
use crate::support::{WEBHOOK_KEY, judge};
use crate::timetable::Recorded;

pub(crate) const TABLE: &str = "tested";
/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// The smallest step of the clock.
pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
/// A worker's time, as on AWS.
pub(crate) const INVOCATION: Duration = Duration::from_mins(1);
/// How long a claim holds a job.
pub(crate) const LEASE: Duration = Duration::from_secs(65);

/// An answer of the API, its body read.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// `null` where there is no body; its text where it is no JSON.
    pub(crate) json: Value,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The fields that `details` complains about, in order.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let details = self.json["details"].as_array();
        let details = details.unwrap_or_else(|| panic!("{self:?} lists no problems"));
        let fields = details.iter().map(|problem| &problem["field"]);
        fields.map(|field| field.as_str().unwrap()).collect()
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        let text = self.json[name].as_str();
        text.unwrap_or_else(|| panic!("no text {name} in {self:?}"))
    }
}

/// The service under test.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) store: Arc<Table>,
    pub(crate) queue: LocalQueue,
    pub(crate) embedded: Embedded,
    pub(crate) blobs: Arc<InMemory>,
    pub(crate) timetable: Recorded,
    clock: Arc<ManualClock>,
    pub(crate) bus: Arc<TestBus>,
    letters: Arc<Letters>,
    pub(crate) ports: Ports,
    pub(crate) router: Router,
}

impl TestApp {
    pub(crate) fn start() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A service whose customers may have this many unfinished jobs.
    pub(crate) fn with_room(max_unfinished: u64) -> Self {
        Self::with_limits(Limits {
            max_unfinished,
            ..Limits::default()
        })
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        let embedded = Embedded::in_memory().unwrap();
        let http = embedded.http_client();
        Self::over(embedded, http, limits)
    }

    /// A service that reaches `embedded` through `http`.
    pub(crate) fn over(embedded: Embedded, http: SharedHttpClient, limits: Limits) -> Self {
        let mut connection = local::host::connection(&embedded);
        connection.http = http;
        Self::connected(embedded, &connection, limits)
    }

    /// A service that reaches `embedded` in every respect as `connection` says.
    pub(crate) fn connected(embedded: Embedded, connection: &Connection, limits: Limits) -> Self {
        local::schema::ensure_table(&embedded, TABLE).unwrap();
        let store = Arc::new(Table::new(client::dynamodb(connection), TABLE));
        let clock = Arc::new(ManualClock(AtomicI64::new(START.as_millis())));
        let queue = LocalQueue::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let blobs = Arc::new(InMemory::new());
        let bus = Arc::new(TestBus::default());
        let letters = Arc::new(Letters::new(&queue));
        let timetable = Recorded::new(Arc::clone(&clock) as _);
        let ports = Ports {
            store: Arc::clone(&store) as Arc<dyn Store>,
            operations: Arc::clone(&store) as _,
            keys: Arc::clone(&store) as Arc<dyn Keys>,
            batches: Arc::clone(&store) as Arc<dyn Batches>,
            baselines: Arc::clone(&store) as _,
            hosts: Arc::clone(&store) as _,
            queue: Arc::clone(&letters) as _,
            webhooks: Arc::clone(&store) as _,
            deliveries: Arc::clone(&store) as _,
            blobs: Arc::new(ObjectBlobs::new(Arc::clone(&blobs) as Arc<dyn ObjectStore>)),
            bus: Arc::clone(&bus) as _,
            schedules: Arc::clone(&store) as _,
            timetable: Arc::new(timetable.clone()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(Seeded(AtomicU64::new(1))),
        };
        let app = App::new(ports.clone(), limits).with_webhook_key(Some(WEBHOOK_KEY));
        Self {
            router: api::router(app.clone(), scrape::check, judge(), Access::Open),
            ports,
            app,
            store,
            queue,
            embedded,
            blobs,
            bus,
            letters,
            timetable,
            clock,
        }
    }

    /// The same service, for callers with a key alone.
    pub(crate) fn behind_keys(mut self, admin: Option<KeyHash>) -> Self {
        self.app = self.app.clone().with_admin_key(admin);
        self.router = api::router(self.app.clone(), scrape::check, judge(), Access::Keys);
        self
    }

    /// Another process of the same service: it shares what is stored and sent, and nothing else.
    pub(crate) fn another(&self, limits: Limits) -> App {
        App::new(self.ports.clone(), limits).with_webhook_key(Some(WEBHOOK_KEY))
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let kind = head.headers.get(header::CONTENT_TYPE);
        let is_json = kind.is_none_or(|kind| kind == "application/json");
        let text = String::from_utf8_lossy(&bytes);
        let json = if bytes.is_empty() {
            Value::Null
        } else if !is_json {
            Value::String(text.into_owned())
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        Answered {
            status: head.status,
            headers: head.headers,
            json,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// Asks again for what was seen as `tag`.
    pub(crate) async fn get_unless(&self, path: &str, tag: &str) -> Answered {
        let request = Request::get(path).header(header::IF_NONE_MATCH, tag);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answered {
        self.post_text(path, body.to_string()).await
    }

    /// Sends a body under an idempotency key.
    pub(crate) async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> Answered {
        let request = Request::builder().method(Method::POST).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = request.header("Idempotency-Key", key);
        self.send(request.body(body.to_string().into()).unwrap())
            .await
    }

    /// Sends a body that may be anything, as JSON.
    pub(crate) async fn post_text(&self, path: &str, body: impl Into<Body>) -> Answered {
        let request = Request::builder().method(Method::POST).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Creates a job that must be accepted, and gives its id.
    pub(crate) async fn create(&self, body: &Value) -> String {
        let created = self.post("/api/jobs", body).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
        created.text("jobId").to_owned()
    }

    /// Creates a job for one page.
    pub(crate) async fn create_for(&self, url: &str) -> String {
        self.create(&json!({"type": "single-page", "url": url}))
            .await
    }

    /// Reads a job that must be there.
    pub(crate) async fn job(&self, id: &str) -> Value {
        let read = self.get(&format!("/api/jobs/{id}")).await;
        assert_eq!(read.status, StatusCode::OK, "{read:?}");
        read.json
    }

    /// The status of a job that must be there.
    pub(crate) async fn status(&self, id: &str) -> String {
        let job = self.job(id).await;
        job["status"].as_str().unwrap().to_owned()
    }

    /// The row of a job, as the table has it.
    pub(crate) async fn row(&self, id: &str) -> Job {
        let row = self.store.job(&JobId::parse(id).unwrap()).await.unwrap();
        row.expect("the row is there")
    }

    /// Changes a row as a control call would.
    pub(crate) async fn change(
        &self,
        id: &str,
        change: impl FnOnce(&Job, Stamp) -> Result<Job, Refusal>,
    ) {
        let before = self.row(id).await;
        let stamp = Stamp {
            now: self.app.now(),
            nonce: before.nonce ^ 1,
        };
        let after = change(&before, stamp).unwrap();
        let written = self.store.commit(&before, &after).await.unwrap();
        assert_eq!(written, jobs::ports::Commit::Written);
    }

    /// Receives and works messages until none is ready; says how many there were.
    pub(crate) async fn drain(&self, scraper: &dyn Scraper) -> usize {
        let mut handled = 0;
        while let Some(message) = self.queue.try_receive() {
            assert_eq!(self.work(&message, scraper).await, Handled::Done);
            handled += 1;
        }
        handled
    }

    /// Works one message.
    pub(crate) async fn work(&self, message: &Message, scraper: &dyn Scraper) -> Handled {
        let deadline = self.app.now() + INVOCATION;
        self.app.work(message, scraper, deadline).await
    }

    /// Takes the next message out of the queue, as a worker or a loss would.
    pub(crate) fn receive(&self) -> Message {
        self.queue.try_receive().expect("a message is ready")
    }

    /// Puts a message about a job into the queue, which is one more than it has already.
    pub(crate) async fn send_message(&self, id: &str) {
        let row = self.row(id).await;
        let envelope = Envelope {
            message: Message {
                job_id: row.id.clone(),
            },
            priority: row.priority,
            delay: Duration::ZERO,
            customer: row.customer,
        };
        let unsent = self.queue.send(&[envelope]).await.unwrap();
        assert_eq!(unsent, Vec::<usize>::new());
    }

    pub(crate) async fn sweep(&self) -> Swept {
        self.app.sweep(Mode::Routine, 1_000).await.unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        let millis = by.as_millis() as i64;
        self.clock.0.fetch_add(millis, Ordering::Relaxed);
    }

    /// Moves the clock to a millisecond before `by` has passed.
    pub(crate) fn advance_almost(&self, by: Duration) {
        self.advance(by.checked_sub(MILLISECOND).unwrap());
    }

    /// Events that were laid aside.
    pub(crate) fn letters(&self) -> Vec<Value> {
        self.letters.all()
    }

    /// The next event cannot be laid aside.
    pub(crate) fn letter_fails(&self) {
        self.letters.fail_once();
    }

    /// Every item of the table.
    pub(crate) fn items(&self) -> Vec<Value> {
        rows::items(&self.embedded, TABLE)
    }

    /// The rows of all jobs.
    pub(crate) fn rows(&self) -> Vec<Job> {
        rows::rows(&self.items())
    }

    /// Names of everything in the blob store.
    pub(crate) async fn blob_names(&self) -> Vec<String> {
        let listed = self.blobs.list(None);
        let names = listed.map(|blob| blob.unwrap().location.to_string());
        names.collect().await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let ready = self.queue.try_receive();
        assert_eq!(ready, None, "a message is left in the queue");
        let items = self.items();
        let rows = rows::rows(&items);
        let active = rows.iter().find(|job| job.state == jobs::State::Active);
        assert_eq!(active, None, "a job is left active");
        let counted = rows::counts(&items);
        assert_eq!(counted, rows::recount(&rows), "counts and rows disagree");
        rows::check_schedules(&items);
    }
}
