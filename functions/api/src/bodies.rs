//! The bodies of requests to create something, for the OpenAPI document alone: the domain reads
//! the JSON itself.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::openapi::config::{ConfigBody, HeadersBody};
use crate::openapi::words::{PriorityBody, SinglePageWord};
use crate::webhooks_face::JobWebhookBody;

/// A body with its own fields and those that every job may have.
macro_rules! body {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        #[allow(dead_code)] // its fields are read by the document alone
        pub(crate) struct $name {
            $($(#[$note])* $field: $kind,)*
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
            /// Whether an equal unfinished job is answered with instead of making another; true
            /// unless told.
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
            /// Who is told of what happens to this job, besides the customer's webhooks.
            #[schema(value_type = Option<JobWebhookBody>)]
            webhook: Option<Value>,
        }
    };
}

body! {
    /// A page to scrape.
    SinglePageBody {
        #[serde(rename = "type")]
        #[schema(value_type = SinglePageWord, example = "single-page")]
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
    }
}

body! {
    /// Pages to scrape, one job for each address: all of them or, where anything is wrong, none.
    SinglePageBatchBody {
        #[serde(rename = "type")]
        #[schema(value_type = SinglePageWord, example = "single-page")]
        kind: String,
        /// Http or https addresses without user name or password, each of at most 2048 bytes as it
        /// is sent.
        #[schema(value_type = Vec<AddressBody>, min_items = 1, max_items = 100)]
        urls: Vec<String>,
        /// Each job may start this many milliseconds after the one before it; 0 unless told, 1000
        /// recommended.
        #[schema(minimum = 0, maximum = 2_592_000_000_i64)]
        stagger_delay: Option<u64>,
    }
}

body! {
    /// A page to scrape, where nothing else can be asked for.
    ScrapeBody {
        #[serde(rename = "type")]
        #[schema(value_type = Option<SinglePageWord>, example = "single-page")]
        kind: Option<String>,
        /// An http or https address without user name or password, of at most 2048 bytes as it is
        /// sent.
        #[schema(
            max_length = 2048,
            format = "iri",
            pattern = r"^https?://[^/?#@\\]{1,259}([/?#]|$)",
            example = "https://example.com"
        )]
        url: String,
    }
}

/// An address of a batch.
#[derive(Deserialize, ToSchema)]
#[schema(
    value_type = String,
    max_length = 2048,
    format = "iri",
    pattern = r"^https?://[^/?#@\\]{1,259}([/?#]|$)",
    example = "https://example.com/page1"
)]
#[allow(dead_code)] // read by the document alone
pub(crate) struct AddressBody(String);
