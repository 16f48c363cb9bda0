//! The embedded database: DynamoDB's API on SQLite, in this process. The SDK reaches it through an
//! HTTP client that never opens a socket, so that the table's adapter is the one that runs on AWS.
//! Refuses to know what the items mean.

use std::path::Path;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::errors::DynoxideError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::RwLock;

const TARGET_PREFIX: &str = "DynamoDB_20120810.";
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// A database and the calls that reach it. Cheap to clone.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    /// Held for reading by every call under way: a call outlives the task that asked for it.
    calls: Arc<RwLock<()>>,
}

/// What the database answered: an HTTP status and a JSON body.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Embedded {
    /// Opens or creates the database in `file`.
    pub fn open(file: &Path) -> Result<Self, DynoxideError> {
        let database = Database::new(&file.to_string_lossy())?;
        Ok(Self::of(database))
    }

    /// A database that ends with the process.
    pub fn in_memory() -> Result<Self, DynoxideError> {
        let database = Database::memory()?;
        Ok(Self::of(database))
    }

    fn of(database: Database) -> Self {
        Self {
            database,
            calls: Arc::default(),
        }
    }

    /// Waits until the calls that are under way have ended.
    pub async fn settled(&self) {
        drop(self.calls.write().await);
    }

    /// Removes what has expired by the table's own rule, and says how much that was. Reads the
    /// whole table, bit by bit; other calls have their turn in between.
    pub async fn remove_expired(&self) -> anyhow::Result<usize> {
        let database = self.database.clone();
        Ok(tokio::task::spawn_blocking(move || database.sweep_ttl()).await??)
    }

    /// Carries out one call of DynamoDB's JSON protocol; `target` is its `X-Amz-Target`.
    pub fn call(&self, target: &str, body: &str) -> Answer {
        let operation = target.strip_prefix(TARGET_PREFIX).unwrap_or(target);
        match self.dispatch(operation, body) {
            Ok(body) => Answer { status: 200, body },
            Err(error) => Answer {
                status: error.status_code(),
                body: error.to_json(),
            },
        }
    }

    fn dispatch(&self, operation: &str, body: &str) -> Result<String, DynoxideError> {
        let database = &self.database;
        match operation {
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
            "CreateTable" => run(body, |request| database.create_table(request)),
            "DeleteItem" => run(body, |request| database.delete_item(request)),
            "DescribeTable" => run(body, |request| database.describe_table(request)),
            "GetItem" => run(body, |request| database.get_item(request)),
            "PutItem" => run(body, |request| database.put_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "Scan" => run(body, |request| database.scan(request)),
            "TransactWriteItems" => run(body, |mut request: TransactWriteItemsRequest| {
                // The database looks at every token of the last ten minutes in every transaction.
                // A repeated write meets itself without: its condition and its nonce tell.
                request.client_request_token = None;
                database.transact_write_items(request)
            }),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
            other => Err(DynoxideError::ValidationException(format!(
                "the embedded database is not asked for {other}"
            ))),
        }
    }

    /// An HTTP client for the SDK that answers from this database, on a thread for blocking work:
    /// a write waits for the disk.
    pub fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Connector {
            embedded: self.clone(),
        });
        http_client_fn(move |_, _| connector.clone())
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &str,
    call: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_str(body)
        .map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
    let answer = call(request)?;
    serde_json::to_string(&answer)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

struct Connector {
    embedded: Embedded,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let embedded = self.embedded.clone();
        HttpConnectorFuture::new(async move {
            let (target, body) = read_request(&request)?;
            let call = Arc::clone(&embedded.calls).read_owned().await;
            let answer = tokio::task::spawn_blocking(move || {
                let _call = call;
                embedded.call(&target, &body)
            })
            .await
            .map_err(|error| ConnectorError::other(error.into(), None))?;
            write_response(answer)
        })
    }
}

/// Target and body of a request that the SDK wants to send.
pub fn read_request(request: &HttpRequest) -> Result<(Arc<str>, Arc<str>), ConnectorError> {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let bytes = request.body().bytes().unwrap_or_default();
    let body = std::str::from_utf8(bytes).map_err(|error| ConnectorError::user(error.into()))?;
    Ok((target.into(), body.into()))
}

/// The response that the SDK is to read.
pub fn write_response(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status)
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    response.headers_mut().insert("content-type", CONTENT_TYPE);
    Ok(response)
}
