//! Implementations of the store, over a way to the database on which single calls go wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::client::{self, Connection};
use aws::table::Table;
use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use local::embedded::{Answer, Embedded, read_request, write_response};
use serde_json::{Value, json};
use tempfile::TempDir;

const TABLE: &str = "jobs";

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// Another transaction is in the way.
    Conflict,
    /// It is carried out, and the connection breaks before the answer.
    LostAnswer,
}

/// A store with nothing in it.
pub(super) struct Opened {
    pub(super) table: Table,
    embedded: Embedded,
    faults: Faults,
    _folder: Option<TempDir>,
}

/// What goes wrong with the next calls that write.
type Faults = Arc<Mutex<VecDeque<Fault>>>;

pub(super) fn in_memory() -> Opened {
    open(Embedded::in_memory().unwrap(), None)
}

pub(super) fn on_file() -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(&folder.path().join("jobs.db")).unwrap();
    open(embedded, Some(folder))
}

fn open(embedded: Embedded, folder: Option<TempDir>) -> Opened {
    local::schema::ensure_table(&embedded, TABLE).unwrap();
    let faults = Faults::default();
    let connector = SharedHttpConnector::new(Connector {
        embedded: embedded.clone(),
        faults: Arc::clone(&faults),
    });
    let http: SharedHttpClient = http_client_fn(move |_, _| connector.clone());
    let client = client::dynamodb(&Connection {
        region: "local".to_owned(),
        credentials: Some(Credentials::new("test", "test", None, None, "test")),
        endpoint: Some("http://embedded".to_owned()),
        http,
        sleep: Some(SharedAsyncSleep::new(NoTime)),
    });
    Opened {
        table: Table::new(client, TABLE),
        embedded,
        faults,
        _folder: folder,
    }
}

impl Opened {
    /// The next calls that write go wrong, one after the other.
    pub(super) fn goes_wrong(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Whether everything has gone wrong that was to.
    pub(super) fn all_went_wrong(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }

    /// A number of the only item of a partition.
    pub(super) fn number(&self, partition: &str, attribute: &str) -> i64 {
        let answer = self
            .embedded
            .call("Scan", &json!({"TableName": TABLE}).to_string());
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let mut items = answer["Items"].as_array().unwrap().iter();
        let item = items.find(|item| item["pk"]["S"] == partition).unwrap();
        item[attribute]["N"].as_str().unwrap().parse().unwrap()
    }

    /// Partition keys of everything that the table holds.
    pub(super) fn partitions(&self) -> Vec<String> {
        let request = json!({"TableName": TABLE, "ProjectionExpression": "pk"});
        let answer = self.embedded.call("Scan", &request.to_string());
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let items = answer["Items"].as_array().unwrap().iter();
        items
            .map(|item| item["pk"]["S"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Every wait is over at once.
#[derive(Debug)]
struct NoTime;

impl AsyncSleep for NoTime {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

struct Connector {
    embedded: Embedded,
    faults: Faults,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.carry_out(&request))
    }
}

impl Connector {
    fn carry_out(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let (target, body) = read_request(request)?;
        let writes = ["PutItem", "TransactWriteItems"];
        let fault = if writes.iter().any(|write| target.ends_with(write)) {
            self.faults.lock().unwrap().pop_front()
        } else {
            None
        };
        if let Some(Fault::Conflict) = fault {
            return write_response(conflict());
        }
        let answer = self.embedded.call(&target, &body);
        if let Some(Fault::LostAnswer) = fault {
            return Err(ConnectorError::io("connection reset".into()));
        }
        write_response(answer)
    }
}

fn conflict() -> Answer {
    Answer {
        status: 400,
        body: json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled [TransactionConflict]",
            "CancellationReasons": [{"Code": "TransactionConflict", "Message": "simulated"}],
        })
        .to_string(),
    }
}
