//! The OpenAPI 3.1 document, generated from the handlers and the shapes beside them.

mod answers;
mod calls;
pub(crate) mod config;
pub(crate) mod words;

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{OpenApi, ToSchema};

use crate::identity::{self, Access};
use crate::{Api, control_face, jobs_face, keys_face, queue_control, queue_face, v1_face, v1_list};
use answers::Everywhere;
use config::{ConfigBody, HeadersBody};
use words::{PriorityBody, TypeWord};

/// A job to create.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code)] // its fields are read by the document alone; the domain reads the JSON itself
pub(crate) struct NewJobBody {
    #[serde(rename = "type")]
    #[schema(value_type = TypeWord, example = "single-page")]
    kind: String,
    /// An http or https address without user name or password, of at most 2048 bytes as it is
    /// sent.
    #[schema(
        max_length = 2048,
        format = "iri",
        pattern = r"^https?://[^/?#@\\]{1,259}([/?#]|$)",
        example = "https://example.com"
    )]
    url: String,
    /// Whose job it is; `default` unless told.
    #[schema(
        min_length = 1,
        max_length = 128,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*$",
        example = "customer-123"
    )]
    customer_id: Option<String>,
    /// Lifts an unstated or normal priority to high.
    is_new_customer: Option<bool>,
    /// normal unless told.
    #[schema(value_type = Option<PriorityBody>, example = "high")]
    priority: Option<Value>,
    /// Milliseconds before the job may start.
    #[schema(minimum = 0, maximum = 2_592_000_000_i64)]
    delay: Option<u64>,
    /// Anything of yours, at most 16 KB as JSON; given back with the job.
    #[schema(value_type = Option<Object>, example = json!({"source": "api"}))]
    metadata: Option<Value>,
    #[schema(value_type = Option<ConfigBody>)]
    config: Option<Value>,
    /// Most attempts at the work; 3 unless told.
    #[schema(minimum = 1, maximum = 10)]
    attempts: Option<u8>,
    /// The job's own working time in milliseconds; 30000 unless told.
    #[schema(minimum = 1, maximum = 50_000)]
    timeout: Option<u64>,
    /// Whether an equal unfinished job is answered with instead of making another; true unless
    /// told.
    deduplicate: Option<bool>,
    /// Jobs that ended less than this many milliseconds ago count as equal too.
    #[schema(minimum = 0, maximum = 2_592_000_000_i64)]
    deduplicate_for: Option<u64>,
    /// Sent with the request for the page, to its own host alone; never shown again.
    #[schema(value_type = Option<HeadersBody>)]
    headers: Option<Value>,
    /// Sent as `User-Agent`: printable ASCII.
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = "^[ -~]+$",
        example = "ExampleBot/1.0"
    )]
    user_agent: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Harvestman",
        description = "A web-scraping job service: post a URL, poll a status, read the results.",
        license(name = "MIT", identifier = "MIT"),
    ),
    modifiers(&Everywhere),
    tags(
        (name = "jobs", description = "The Jobs API: create jobs, poll them, read what they found. Times are ISO 8601."),
        (name = "queue system", description = "The Queue System API: the same jobs in another envelope. Times are epoch milliseconds."),
    ),
    paths(
        jobs_face::create,
        jobs_face::list,
        jobs_face::job,
        jobs_face::results,
        queue_face::queue,
        v1_list::list,
        control_face::control,
        control_face::cancel,
        control_face::retry,
        control_face::cancel_v1,
        queue_control::operate,
        queue_control::clear,
        queue_control::operation,
        keys_face::create,
        keys_face::list,
        keys_face::revoke,
        v1_face::job,
        v1_face::health,
    )
)]
struct Document;

/// The document, made when it is first asked for.
pub(crate) fn document(access: Access) -> &'static Value {
    static OPEN: OnceLock<Value> = OnceLock::new();
    static KEYS: OnceLock<Value> = OnceLock::new();
    let made = match access {
        Access::Open => &OPEN,
        Access::Keys => &KEYS,
    };
    made.get_or_init(|| {
        let mut document = Document::openapi();
        identity::describe(&mut document, access);
        let mut document = serde_json::to_value(document).unwrap_or_default();
        for (name, schema) in config::schemas().into_iter().chain(calls::schemas()) {
            document["components"]["schemas"][name] = schema;
        }
        document
    })
}

pub(crate) async fn serve(State(api): State<Api>) -> Response {
    let json = HeaderValue::from_static("application/json");
    let document = document(api.access);
    ([(header::CONTENT_TYPE, json)], format!("{document:#}")).into_response()
}
