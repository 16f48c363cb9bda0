//! The bodies of requests to create something, for the OpenAPI document alone: the domain reads
//! the JSON itself.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

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
            #[schema(min_length = 1, max_length = 128, example = "customer-123")]
            customer_id: Option<String>,
            /// Lifts an unstated or normal priority to high.
            is_new_customer: Option<bool>,
            /// low (1), normal (3), high (5), urgent (7) or critical (9), by name or number.
            #[schema(value_type = Option<PriorityBody>)]
            priority: Option<Value>,
            /// Milliseconds before the job may start.
            #[schema(minimum = 0, maximum = 2_592_000_000_i64)]
            delay: Option<u64>,
            /// Anything of yours, at most 16 KB; given back with the job.
            #[schema(value_type = Option<Object>)]
            metadata: Option<Value>,
            /// Fields to extract: `{"fields": {"price": {"selector": ".price", "dataType": "number"}}}`.
            #[schema(value_type = Option<Object>)]
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
            /// Sent with the request for the page, to its own host alone.
            #[schema(value_type = Option<Object>)]
            headers: Option<Value>,
            #[schema(min_length = 1, max_length = 256)]
            user_agent: Option<String>,
        }
    };
}

body! {
    /// A job to create.
    NewJobBody {
        #[serde(rename = "type")]
        #[schema(value_type = String, example = "single-page", pattern = "^single-page$")]
        kind: String,
        /// An http or https address without user name or password.
        #[schema(max_length = 2048, example = "https://example.com")]
        url: String,
    }
}

body! {
    /// Jobs to create, one for each address: all of them or, where anything is wrong, none.
    NewBatchBody {
        #[serde(rename = "type")]
        #[schema(value_type = String, example = "single-page", pattern = "^single-page$")]
        kind: String,
        /// Http or https addresses without user name or password.
        #[schema(min_items = 1, max_items = 100)]
        urls: Vec<String>,
        /// Each job may start this many milliseconds after the one before it; 0 unless told, 1000
        /// recommended.
        #[schema(minimum = 0, maximum = 2_592_000_000_i64)]
        stagger_delay: Option<u64>,
    }
}

body! {
    /// A page to scrape.
    ScrapeBody {
        #[serde(rename = "type")]
        #[schema(value_type = Option<String>, example = "single-page", pattern = "^single-page$")]
        kind: Option<String>,
        /// An http or https address without user name or password.
        #[schema(max_length = 2048, example = "https://example.com")]
        url: String,
    }
}

/// One job, or with `urls` a batch.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code)] // read by the document alone
pub(crate) enum CreateBody {
    Job(NewJobBody),
    Batch(NewBatchBody),
}

/// A priority by its name or its number.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)] // read by the document alone
pub(crate) enum PriorityBody {
    Low,
    Normal,
    High,
    Urgent,
    Critical,
}
