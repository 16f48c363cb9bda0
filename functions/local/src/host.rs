//! The service in one process: the same App, table adapter and handlers as on AWS, on an embedded
//! database, a queue in memory and a folder of blobs. Owns the workers and the ticker.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws::blobs::ObjectBlobs;
use aws::client::{self, Connection};
use aws::host::{SystemClock, SystemEntropy};
use aws::table::Table;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use futures::FutureExt;
use jobs::app::{INVOCATION, Limits, Ports, Swept};
use jobs::ports::{Clock, Courier, Entropy, Scraper};
use jobs::transition::Mode;
use jobs::{App, Error, JobId, Timestamp, WebhookKey};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use scrape::{Targets, WebScraper};
use tokio::task::JoinSet;

use crate::bus::LogBus;
use crate::data_dir::{DataDir, InUse};
use crate::embedded::Embedded;
use crate::queue::LocalQueue;
use crate::ticker::LocalTicker;

/// The sweep costs next to nothing here, so that it runs more often than the minute on AWS.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// What has expired is invisible already: this is about space.
const EXPIRE_EVERY: Duration = Duration::from_hours(1);
const TABLE: &str = "harvestman";

/// Where the service keeps its data.
#[derive(Clone, Debug)]
pub enum Data {
    Folder(PathBuf),
    /// Gone with the process.
    Memory,
}

/// Which jobs are worked on.
#[derive(Clone, Debug)]
pub enum Reach {
    All,
    /// This one; every other is left as it is.
    One(JobId),
}

impl Reach {
    async fn sweep(&self, app: &App, mode: Mode) -> Result<Swept, Error> {
        match self {
            Self::All => app.sweep(mode, usize::MAX).await,
            Self::One(id) => app.sweep_one(id, mode).await,
        }
    }
}

/// Deliveries carried out at once: receivers that are slow hold up others, and never a job.
const COURIERS: usize = 32;

/// What the workers reach the web by.
#[derive(Clone)]
pub struct Web {
    pub scraper: Arc<dyn Scraper>,
    pub courier: Arc<dyn Courier>,
    pub judge: api::Judge,
}

impl Web {
    /// All of it through one door to these targets.
    pub fn new(scraper: &Arc<WebScraper>, targets: Targets) -> Self {
        Self {
            scraper: Arc::clone(scraper) as _,
            courier: Arc::clone(scraper) as _,
            judge: Arc::new(scrape::judge(targets)),
        }
    }
}

/// The service without its workers.
pub struct Host {
    pub app: App,
    pub queue: LocalQueue,
    pub ticker: LocalTicker,
    pub embedded: Embedded,
    /// Held as long as the host lives.
    _folder: Option<DataDir>,
}

impl Host {
    /// Opens the data and makes the service ready; nothing runs yet.
    pub fn open(data: &Data, limits: Limits) -> anyhow::Result<Self> {
        Self::open_with(data, limits, LogBus::default())
    }

    /// As [`Host::open`], with a bus that may be on.
    pub fn open_with(data: &Data, limits: Limits, bus: LogBus) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (folder, embedded, blobs): (_, _, Arc<dyn ObjectStore>) = match data {
            Data::Memory => (None, Embedded::in_memory()?, Arc::new(InMemory::new())),
            Data::Folder(path) => {
                let folder = DataDir::open(path)?;
                let embedded = Embedded::open(&folder.database())
                    .with_context(|| format!("the database in {} does not open", path.display()))?;
                let blobs = LocalFileSystem::new_with_prefix(folder.blobs())?;
                (Some(folder), embedded, Arc::new(blobs))
            }
        };
        let client = client::dynamodb(&connection(&embedded));
        crate::schema::ensure_table(&embedded, TABLE)?;
        let key = match &folder {
            Some(folder) => folder.webhook_key(random_text)?,
            None => WebhookKey::of_text(&random_text()).context("no random numbers")?,
        };
        let queue = LocalQueue::new(Arc::clone(&clock));
        let ticker = LocalTicker::new(Arc::clone(&clock));
        let table = Arc::new(Table::new(client, TABLE));
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
            queue: Arc::new(queue.clone()),
            blobs: Arc::new(ObjectBlobs::new(blobs)),
            bus: Arc::new(bus),
            timetable: Arc::new(ticker.clone()),
            clock,
            entropy: Arc::new(SystemEntropy),
        };
        Ok(Self {
            app: App::new(ports, limits).with_webhook_key(Some(key)),
            queue,
            ticker,
            embedded,
            _folder: folder,
        })
    }

    /// Opens a folder for a command, which a running service could do the work of as well.
    pub fn open_alone(folder: &Path, limits: Limits) -> anyhow::Result<Self> {
        Self::open(&Data::Folder(folder.to_owned()), limits).map_err(|error| {
            if !error.is::<InUse>() {
                return error;
            }
            let shown = folder.display();
            anyhow::anyhow!(
                "the data folder {shown} is in use by another process; if that is a running service, ask it with --server http://127.0.0.1:PORT"
            )
        })
    }

    /// Takes up what an earlier process left, then works until the returned set is dropped.
    pub async fn start(&self, web: Web, concurrency: usize, reach: &Reach) -> JoinSet<()> {
        match reach.sweep(&self.app, Mode::Restart).await {
            Ok(resumed) => tracing::info!(jobs = resumed.sent, "unfinished jobs taken up again"),
            // The ticker goes on with what could not be read now.
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "not every unfinished job was taken up again");
            }
        }
        let mut tasks = JoinSet::new();
        for _ in 0..concurrency {
            let (app, queue, web) = (self.app.clone(), self.queue.clone(), web.clone());
            tasks.spawn(async move {
                loop {
                    let message = queue.receive().await;
                    hand(&app, &web, message.encode()).await;
                }
            });
        }
        if matches!(reach, Reach::All) {
            for _ in 0..COURIERS {
                let (app, queue, web) = (self.app.clone(), self.queue.clone(), web.clone());
                tasks.spawn(async move {
                    loop {
                        let key = queue.receive_delivery().await;
                        hand(&app, &web, key.encode()).await;
                    }
                });
            }
            let (app, ticker) = (self.app.clone(), self.ticker.clone());
            tasks.spawn(async move { fire(&app, &ticker).await });
        }
        let (app, swept) = (self.app.clone(), reach.clone());
        tasks.spawn(async move { tick(&app, &swept).await });
        let embedded = self.embedded.clone();
        tasks.spawn(async move { expire(&embedded).await });
        tasks
    }

    /// Gives back what the stopped workers held, so that the next start takes it up as untried.
    pub async fn stop(&self, mut tasks: JoinSet<()>, reach: &Reach) -> anyhow::Result<()> {
        tasks.shutdown().await;
        // A claim that is on its way must be seen by the sweep.
        self.embedded.settled().await;
        reach.sweep(&self.app, Mode::Shutdown).await?;
        Ok(())
    }
}

/// 256 random bits.
fn random_text() -> String {
    let random = SystemEntropy;
    format!("{:032x}{:032x}", random.next(), random.next())
}

/// Hands a message to the worker. One that is given back is gone with it; the due index knows the
/// row.
async fn hand(app: &App, web: &Web, body: String) {
    let mut record = SqsMessage::default();
    record.body = Some(body);
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let deadline: Timestamp = app.now() + INVOCATION;
    let tools = worker::Tools {
        scraper: web.scraper.as_ref(),
        courier: web.courier.as_ref(),
        check: scrape::check,
        judge: web.judge.as_ref(),
    };
    let _ = worker::handle(app, tools, event, deadline).await;
}

async fn tick(app: &App, reach: &Reach) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let sweep = async {
            match reach {
                Reach::All => scheduler::sweep(app, app.now() + INVOCATION).await,
                Reach::One(_) => reach.sweep(app, Mode::Routine).await,
            }
        };
        let sweep = AssertUnwindSafe(sweep);
        match sweep.catch_unwind().await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "sweep failed");
            }
            // The only repair path must not end with one bad row.
            Err(_) => tracing::error!("sweep panicked"),
        }
    }
}

/// Tells the scheduler what fires, as the queue does on AWS.
async fn fire(app: &App, ticker: &LocalTicker) {
    loop {
        for (id, at) in ticker.wait().await {
            let mut record = SqsMessage::default();
            record.body = Some(jobs::ports::fire(&id, at));
            let mut event = SqsEvent::default();
            event.records = vec![record];
            let handled = scheduler::handle(app, event, app.now() + INVOCATION);
            let handled = AssertUnwindSafe(handled).catch_unwind().await;
            let done = handled.is_ok_and(|response| response.batch_item_failures.is_empty());
            if !done {
                ticker.give_back((id, at));
            }
        }
    }
}

/// Does what DynamoDB does by itself: removes items whose time is over, some time later.
async fn expire(embedded: &Embedded) {
    let mut hours = tokio::time::interval(EXPIRE_EVERY);
    hours.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        hours.tick().await;
        match embedded.remove_expired().await {
            Ok(items) => tracing::debug!(items, "expired items removed"),
            Err(error) => tracing::error!(%error, "expired items are not removed"),
        }
    }
}

/// A connection of the SDK to the embedded database.
pub fn connection(embedded: &Embedded) -> Connection {
    Connection {
        region: "local".to_owned(),
        credentials: None,
        endpoint: Some("http://embedded".to_owned()),
        http: embedded.http_client(),
        sleep: None,
    }
}
