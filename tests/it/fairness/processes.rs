//! Several processes over one table, one queue and one folder of blobs, in a time of their own: the
//! calls to the table take a moment, and those that write are counted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use aws::blobs::ObjectBlobs;
use aws::client::{self, Connection};
use aws::table::Table;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jobs::app::{Limits, Ports};
use jobs::ports::{Clock, Scraper};
use jobs::transition::Mode;
use jobs::{App, Caller, Job, JobId, NewJob};
use local::embedded::{Embedded, read_request, write_response};
use object_store::memory::InMemory;
use serde_json::Value;

use super::customers::{Numbers, Plain};
use super::time::{SdkTime, Time};
use crate::app::INVOCATION;
use crate::nothing::Nothing;

const TABLE: &str = "crawls";
/// As on AWS.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How often a worker looks for a message.
const POLL: Duration = Duration::from_millis(50);

/// Writes of rows, each item of a transaction for itself.
#[derive(Default)]
pub(super) struct Writes {
    pub(super) hosts: AtomicUsize,
    pub(super) jobs: AtomicUsize,
}

#[derive(Clone)]
struct Database {
    embedded: Embedded,
    time: Arc<Time>,
    chance: Arc<Numbers>,
    writes: Arc<Writes>,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Database")
    }
}

impl Database {
    async fn moment(&self) {
        let millis = 1 + jobs::ports::Entropy::next(self.chance.as_ref()) % 8;
        self.time.sleep(Duration::from_millis(millis as u64)).await;
    }

    fn count(&self, target: &str, body: &str) {
        let operation = target.rsplit('.').next().unwrap_or_default();
        let items = match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => 1,
            "TransactWriteItems" => {
                let body: Value = serde_json::from_str(body).unwrap();
                body["TransactItems"].as_array().map_or(0, Vec::len)
            }
            "BatchWriteItem" => 1,
            _ => 0,
        };
        let is_host = operation == "PutItem" && body.contains("\"host#");
        let counter = if is_host {
            &self.writes.hosts
        } else {
            &self.writes.jobs
        };
        counter.fetch_add(items, Ordering::Relaxed);
    }
}

impl HttpConnector for Database {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let database = self.clone();
        HttpConnectorFuture::new(async move {
            database.moment().await;
            let (target, body) = read_request(&request)?;
            database.count(&target, &body);
            let answer = database.embedded.call(&target, &body);
            database.moment().await;
            write_response(answer)
        })
    }
}

/// The service, with as many processes as are asked for.
pub(super) struct Service {
    pub(super) time: Arc<Time>,
    pub(super) writes: Arc<Writes>,
    queue: Arc<Plain>,
    blobs: Arc<InMemory>,
    embedded: Embedded,
    processes: AtomicU64,
}

pub(super) type Task = Pin<Box<dyn Future<Output = ()>>>;

impl Service {
    pub(super) fn start() -> Self {
        let time = Arc::new(Time::default());
        let embedded = Embedded::in_memory().unwrap();
        local::schema::ensure_table(&embedded, TABLE).unwrap();
        Self {
            queue: Arc::new(Plain::new(&time)),
            time,
            writes: Arc::default(),
            blobs: Arc::default(),
            embedded,
            processes: AtomicU64::new(0),
        }
    }

    /// A process of its own: shares nothing with the others but what is stored.
    pub(super) fn process(&self) -> App {
        self.process_that_counts(&self.writes)
    }

    fn process_that_counts(&self, writes: &Arc<Writes>) -> App {
        let number = self.processes.fetch_add(1, Ordering::Relaxed);
        let numbers = || Numbers(AtomicU64::new(number * 1_000_000));
        let database = Database {
            embedded: self.embedded.clone(),
            time: Arc::clone(&self.time),
            chance: Arc::new(numbers()),
            writes: Arc::clone(writes),
        };
        let connector = SharedHttpConnector::new(database);
        let connection = Connection {
            http: http_client_fn(move |_, _| connector.clone()),
            sleep: Some(SharedAsyncSleep::new(SdkTime(Arc::clone(&self.time)))),
            ..local::host::connection(&self.embedded)
        };
        let table = Arc::new(Table::new(client::dynamodb(&connection), TABLE));
        let ports = Ports {
            store: Arc::clone(&table) as _,
            operations: Arc::clone(&table) as _,
            keys: Arc::clone(&table) as _,
            batches: Arc::clone(&table) as _,
            baselines: Arc::clone(&table) as _,
            hosts: Arc::clone(&table) as _,
            webhooks: Arc::clone(&table) as _,
            deliveries: Arc::clone(&table) as _,
            schedules: table,
            queue: Arc::clone(&self.queue) as _,
            blobs: Arc::new(ObjectBlobs::new(Arc::clone(&self.blobs) as _)),
            bus: Arc::new(jobs::ports::NoBus),
            timetable: Arc::new(Nothing),
            clock: Arc::clone(&self.time) as _,
            entropy: Arc::new(numbers()),
        };
        App::new(ports, Limits::default())
    }

    /// Lets one thing happen, and nothing beside it.
    pub(super) fn alone(&self, task: impl Future<Output = ()> + 'static) {
        self.time.run(vec![Box::pin(task)]);
    }

    pub(super) fn create(&self, body: &Value) -> JobId {
        let new = NewJob::parse(body, |_| Vec::new()).unwrap();
        let (app, made) = (self.process(), Arc::new(std::sync::Mutex::new(None)));
        let keep = Arc::clone(&made);
        self.alone(async move {
            let created = app.create(&Caller::Anyone, &new).await.unwrap();
            let jobs::app::Creation::New(job) = created else {
                panic!("{created:?}");
            };
            *keep.lock().unwrap() = Some(job.id);
        });
        made.lock().unwrap().take().unwrap()
    }

    /// Workers, so many in each process, and the sweep; all until `over` is set.
    pub(super) fn tasks(
        &self,
        (processes, workers): (usize, usize),
        scraper: &Arc<dyn Scraper>,
        over: &Arc<AtomicBool>,
    ) -> Vec<Task> {
        let mut tasks: Vec<Task> = Vec::new();
        let apps: Vec<_> = (0..processes).map(|_| self.process()).collect();
        for number in 0..workers * processes {
            let app = apps[number % processes].clone();
            let queue = Arc::clone(&self.queue);
            let (time, scraper) = (Arc::clone(&self.time), Arc::clone(scraper));
            let over = Arc::clone(over);
            tasks.push(Box::pin(async move {
                // Not all of them look at the same time.
                time.sleep(Duration::from_millis(7 * number as u64)).await;
                while !over.load(Ordering::Relaxed) {
                    if let Some(message) = queue.try_receive() {
                        let deadline = time.now() + INVOCATION;
                        app.work(&message, scraper.as_ref(), deadline).await;
                    } else {
                        time.sleep(POLL).await;
                    }
                }
            }));
        }
        // What it keeps for statistics each minute costs the same whoever crawls.
        let app = self.process_that_counts(&Arc::default());
        let time = Arc::clone(&self.time);
        let over = Arc::clone(over);
        tasks.push(Box::pin(async move {
            while !over.load(Ordering::Relaxed) {
                time.sleep(SWEEP_EVERY).await;
                app.sweep(Mode::Routine, usize::MAX).await.unwrap();
            }
        }));
        tasks
    }
}

/// The row of a job, as of the last write.
pub(super) async fn row(app: &App, id: &JobId) -> Job {
    app.job(&Caller::Anyone, id).await.unwrap().unwrap().0
}
