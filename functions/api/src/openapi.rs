//! The OpenAPI 3.1 document, generated from the handlers and the shapes beside them.

mod answers;
mod calls;
pub(crate) mod config;
mod crawls;
mod events;
mod schedules;
pub(crate) mod words;

use std::sync::OnceLock;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa::OpenApi;

use crate::bodies::{SinglePageBatchBody, SinglePageBody};
use crate::identity::{self, Access};
use crate::{
    Api, control_face, deliveries_face, jobs_create, jobs_face, keys_face, queue_control,
    queue_face, results_face, schedules_control, schedules_face, urls_face, v1_create, v1_face,
    v1_list, webhooks_face,
};
use answers::Everywhere;
use words::{FileWord, FormatWord};

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
        (name = "schedules", description = "Jobs that recur: plans, and what became of each run."),
        (name = "queue system", description = "The Queue System API: the same jobs in another envelope. Times are epoch milliseconds."),
        (name = "webhooks", description = "Who is told of events: a JSON body posted to an address, signed after the Standard Webhooks specification."),
    ),
    components(schemas(SinglePageBody, SinglePageBatchBody, FormatWord, FileWord)),
    paths(
        jobs_create::create,
        jobs_face::list,
        jobs_face::job,
        results_face::results,
        urls_face::urls,
        urls_face::explain,
        queue_face::queue,
        v1_list::list,
        control_face::control,
        control_face::cancel,
        control_face::retry,
        control_face::cancel_v1,
        queue_control::operate,
        queue_control::clear,
        queue_control::operation,
        schedules_face::create,
        schedules_face::list,
        schedules_face::schedule,
        schedules_face::runs,
        schedules_control::change,
        schedules_control::control,
        schedules_control::delete,
        schedules_control::run,
        keys_face::create,
        keys_face::list,
        keys_face::revoke,
        webhooks_face::create,
        webhooks_face::list,
        webhooks_face::webhook,
        webhooks_face::change,
        webhooks_face::delete,
        webhooks_face::rotate,
        deliveries_face::of_webhook,
        deliveries_face::of_job,
        deliveries_face::redeliver_of_webhook,
        deliveries_face::redeliver_of_job,
        v1_create::scrape,
        v1_create::navigate,
        v1_create::generate_config,
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
        let schemas = &mut document["components"]["schemas"];
        let made = crawls::schemas(&schemas["SinglePageBody"], &schemas["SinglePageBatchBody"]);
        let by_hand = config::schemas().into_iter().chain(calls::schemas());
        let by_hand = by_hand.chain(events::schemas());
        for (name, schema) in by_hand.chain(made) {
            schemas[name] = schema;
        }
        for (name, schema) in schedules::schemas(schemas) {
            schemas[name] = schema;
        }
        // What the shapes beside the handlers cannot say.
        for name in ["JobWebhook", "NewWebhookBody", "ChangedWebhookBody"] {
            document["components"]["schemas"][name]["properties"]["events"]["uniqueItems"] =
                Value::Bool(true);
        }
        document["webhooks"] = events::webhooks();
        document
    })
}

pub(crate) async fn serve(State(api): State<Api>) -> Response {
    let json = HeaderValue::from_static("application/json");
    let document = document(api.access);
    ([(header::CONTENT_TYPE, json)], format!("{document:#}")).into_response()
}
