//! A service whose calls to table and queue are counted. The table is told to say what each call
//! consumed, as DynamoDB does; the embedded database follows the same rules, index by index.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws::blobs::ObjectBlobs;
use aws::client;
use aws::host::{SystemClock, SystemEntropy};
use aws::table::Table;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jobs::app::Ports;
use jobs::page::Metadata;
use jobs::ports::{Blobs, Bus, Clock, Envelope, PortError, Queue, Store};
use jobs::{App, Event, Page};
use local::embedded::{Answer, Embedded, read_request, write_response};
use local::host::connection;
use local::queue::LocalQueue;
use local::ticker::LocalTicker;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use serde_json::{Value, json};

use crate::hosted::LIMITS;

const TABLE: &str = "harvestman";

/// What calls of one operation came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) calls: f64,
    pub(crate) table_units: f64,
    pub(crate) index_units: f64,
    pub(crate) read_units: f64,
}

impl std::ops::AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.table_units += other.table_units;
        self.index_units += other.index_units;
        self.read_units += other.read_units;
    }
}

/// Calls by operation.
pub(crate) type Bill = BTreeMap<String, Spent>;

/// A request as it came: operation and body.
pub(crate) type Request = (Arc<str>, Arc<str>);

/// What stands between the SDK and the database.
pub(crate) struct Meter {
    embedded: Embedded,
    bill: Mutex<Bill>,
    /// Nothing where they are not kept.
    requests: Option<Mutex<Vec<Request>>>,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Meter")
    }
}

impl Meter {
    /// What was spent since the last time that this was asked.
    pub(crate) fn bill(&self) -> Bill {
        std::mem::take(&mut *self.bill.lock().unwrap())
    }

    /// Requests since the last time that this was asked.
    pub(crate) fn requests(&self) -> Vec<Request> {
        let kept = self.requests.as_ref();
        kept.map_or_else(Vec::new, |kept| std::mem::take(&mut *kept.lock().unwrap()))
    }

    fn call(&self, target: &Arc<str>, body: &Arc<str>) -> Answer {
        if let Some(requests) = &self.requests {
            let kept = (Arc::clone(target), Arc::clone(body));
            requests.lock().unwrap().push(kept);
        }
        let mut request: Value = serde_json::from_str(body).unwrap();
        request["ReturnConsumedCapacity"] = json!("INDEXES");
        let answer = self.embedded.call(target, &request.to_string());
        let (_, operation) = target.split_once('.').unwrap();
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        let mut bill = self.bill.lock().unwrap();
        *bill.entry(operation.to_owned()).or_default() += spent(operation, &said);
        answer
    }
}

fn spent(operation: &str, answer: &Value) -> Spent {
    let consumed = &answer["ConsumedCapacity"];
    let tables = consumed
        .as_array()
        .map_or(std::slice::from_ref(consumed), Vec::as_slice);
    let mut spent = Spent {
        calls: 1.0,
        ..Spent::default()
    };
    let reads = BTreeSet::from(["BatchGetItem", "GetItem", "Query", "Scan"]);
    for table in tables {
        let units = |value: &Value| value["CapacityUnits"].as_f64().unwrap_or_default();
        if reads.contains(operation) {
            spent.read_units += units(table);
            continue;
        }
        let indexes = table["GlobalSecondaryIndexes"].as_object();
        spent.index_units += indexes
            .into_iter()
            .flatten()
            .map(|(_, it)| units(it))
            .sum::<f64>();
        spent.table_units += units(&table["Table"]);
    }
    spent
}

#[derive(Debug)]
struct Connector(Arc<Meter>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let meter = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let (target, body) = read_request(&request)?;
            write_response(meter.call(&target, &body))
        })
    }
}

/// The queue of the local process; counts what would be calls of SQS.
pub(crate) struct CountedQueue {
    pub(crate) queue: LocalQueue,
    pub(crate) sends: AtomicUsize,
}

#[async_trait]
impl Queue for CountedQueue {
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<usize>, PortError> {
        self.sends.fetch_add(1, Ordering::SeqCst);
        self.queue.send(envelopes).await
    }
}

/// A blob store in memory that counts what would be requests of S3.
pub(crate) struct CountedBlobs {
    blobs: ObjectBlobs,
    pub(crate) puts: AtomicUsize,
    pub(crate) gets: AtomicUsize,
}

#[async_trait]
impl Blobs for CountedBlobs {
    async fn put(&self, key: &str, body: Vec<u8>) -> Result<(), PortError> {
        self.puts.fetch_add(1, Ordering::SeqCst);
        self.blobs.put(key, body).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.gets.fetch_add(1, Ordering::SeqCst);
        self.blobs.get(key).await
    }

    async fn get_part(
        &self,
        key: &str,
        offset: u32,
        length: u32,
    ) -> Result<Option<Vec<u8>>, PortError> {
        self.gets.fetch_add(1, Ordering::SeqCst);
        self.blobs.get_part(key, offset, length).await
    }

    async fn delete_all(&self, prefix: &str) -> Result<(), PortError> {
        self.blobs.delete_all(prefix).await
    }
}

/// Takes every event, where anybody listens.
struct Listener {
    is_heard: bool,
}

#[async_trait]
impl Bus for Listener {
    fn listens(&self) -> bool {
        self.is_heard
    }

    async fn put(&self, _: &[Event]) -> Result<Vec<usize>, PortError> {
        Ok(Vec::new())
    }
}

pub(crate) struct Metered {
    pub(crate) app: App,
    pub(crate) blobs: Arc<CountedBlobs>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Arc<CountedQueue>,
    pub(crate) meter: Arc<Meter>,
}

impl Metered {
    /// On an empty table in memory.
    pub(crate) fn open() -> Self {
        let clock = Arc::new(SystemClock);
        Self::with(
            Some(Mutex::default()),
            Arc::new(InMemory::new()),
            clock,
            false,
        )
    }

    /// As [`Metered::open`], with a bus on which somebody listens.
    pub(crate) fn heard() -> Self {
        let clock = Arc::new(SystemClock);
        Self::with(
            Some(Mutex::default()),
            Arc::new(InMemory::new()),
            clock,
            true,
        )
    }

    /// On an empty table in memory, by the clock of a test. Keeps no requests.
    pub(crate) fn timed(clock: Arc<dyn Clock>) -> Self {
        Self::with(None, Arc::new(InMemory::new()), clock, false)
    }

    /// On an empty table in memory and with its blobs in a folder. Keeps no requests.
    pub(crate) fn lean(folder: &Path) -> Self {
        let blobs = LocalFileSystem::new_with_prefix(folder).unwrap();
        Self::with(None, Arc::new(blobs), Arc::new(SystemClock), false)
    }

    fn with(
        requests: Option<Mutex<Vec<Request>>>,
        blobs: Arc<dyn ObjectStore>,
        clock: Arc<dyn Clock>,
        is_heard: bool,
    ) -> Self {
        let meter = Arc::new(Meter {
            embedded: empty_table(),
            bill: Mutex::default(),
            requests,
        });
        let mut connection = connection(&meter.embedded);
        let connector = SharedHttpConnector::new(Connector(Arc::clone(&meter)));
        connection.http = http_client_fn(move |_, _| connector.clone());
        let queue = Arc::new(CountedQueue {
            queue: LocalQueue::new(Arc::clone(&clock)),
            sends: AtomicUsize::new(0),
        });
        let table = Arc::new(Table::new(client::dynamodb(&connection), TABLE));
        let store: Arc<dyn Store> = Arc::clone(&table) as _;
        let blobs = Arc::new(CountedBlobs {
            blobs: ObjectBlobs::new(blobs),
            puts: AtomicUsize::new(0),
            gets: AtomicUsize::new(0),
        });
        let ports = Ports {
            store: Arc::clone(&store),
            operations: Arc::clone(&table) as _,
            keys: Arc::clone(&table) as _,
            batches: Arc::clone(&table) as _,
            baselines: Arc::clone(&table) as _,
            hosts: Arc::clone(&table) as _,
            webhooks: Arc::clone(&table) as _,
            deliveries: Arc::clone(&table) as _,
            schedules: table,
            queue: Arc::clone(&queue) as Arc<dyn Queue>,
            blobs: Arc::clone(&blobs) as Arc<dyn Blobs>,
            bus: Arc::new(Listener { is_heard }),
            timetable: Arc::new(LocalTicker::new(Arc::clone(&clock))),
            clock,
            entropy: Arc::new(SystemEntropy),
        };
        Self {
            app: App::new(ports, LIMITS()),
            blobs,
            store,
            queue,
            meter,
        }
    }
}

/// The table of the template, empty, in memory.
pub(crate) fn empty_table() -> Embedded {
    let embedded = Embedded::in_memory().unwrap();
    local::schema::ensure_table(&embedded, TABLE).unwrap();
    embedded
}

/// A page of 2 KB of text.
pub(crate) fn page(url: &str) -> Page {
    let words = [
        "orb", "weaver", "silk", "thread", "harvest", "autumn", "field", "leg", "eye",
    ];
    let mut text = String::new();
    let mut at = 7_usize;
    while text.len() < 2_048 {
        // Some order without repetition: prose compresses to a half or a third, not to nothing.
        at = (at * 75 + 74) % 65_537;
        text += words[at % words.len()];
        text += &(at % 101).to_string();
        text.push(' ');
    }
    Page {
        url: url.to_owned(),
        final_url: url.to_owned(),
        status: 200,
        content_type: Some("text/html".to_owned()),
        language: Some("en".to_owned()),
        title: Some("A page".to_owned()),
        description: None,
        canonical: None,
        headings: Vec::new(),
        links: Vec::new(),
        markdown: text.clone(),
        text,
        metadata: Metadata::default(),
        html: None,
        fields: BTreeMap::new(),
        content_hash: "0".repeat(64),
        etag: None,
        last_modified: None,
        fetched_at: SystemClock.now(),
        duration_ms: 1,
        bytes: 4_096,
        js_required: false,
        truncated: false,
    }
}
