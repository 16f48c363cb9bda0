//! The worker: a batch of hints in, the hints to give back out. Refuses to let one record harm its
//! neighbours, and to fail as a whole: that would return the ones that are done as well.

use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use futures::future::join_all;
use jobs::app::{Handled, Judge, is_event};
use jobs::extraction::Check;
use jobs::ports::{Courier, Scraper};
use jobs::{App, Hint, Timestamp};

/// What work is done with.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    pub scraper: &'a dyn Scraper,
    pub courier: &'a dyn Courier,
    /// Says which selectors and patterns of a job that an event asks for do not compile.
    pub check: Check,
    /// Says why nothing may be posted to an address, of a webhook that an event asks for.
    pub judge: &'a Judge<'a>,
}

/// Works at all records at once, until `deadline` at the latest. An unreadable one is given back,
/// so that it ends in the dead letters.
pub async fn handle(
    app: &App,
    tools: Tools<'_>,
    event: SqsEvent,
    deadline: Timestamp,
) -> SqsBatchResponse {
    let records = event.records.iter();
    let handled = join_all(records.map(|record| work(app, tools, record, deadline))).await;
    let mut response = SqsBatchResponse::default();
    for (record, handled) in event.records.iter().zip(handled) {
        if handled == Handled::Return {
            // SQS names every record. One without a name returns the whole batch, which is safe:
            // the rows know what is done.
            response.add_failure(record.message_id.clone().unwrap_or_default());
        }
    }
    response
}

async fn work(app: &App, tools: Tools<'_>, record: &SqsMessage, deadline: Timestamp) -> Handled {
    let id = record.message_id.as_deref();
    let body = record.body.as_deref().unwrap_or_default();
    let work = async {
        match Hint::decode(body) {
            Ok(Hint::Job(message)) => app.work(&message, tools.scraper, deadline).await,
            Ok(Hint::Delivery(key)) => app.deliver(&key, tools.courier, deadline).await,
            Err(_) if is_event(body) => app.requested(body, tools.check, tools.judge).await,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(message_id = id, error, "message given back");
                Handled::Return
            }
        }
    };
    let handled = AssertUnwindSafe(work).catch_unwind().await;
    handled.unwrap_or_else(|_| {
        tracing::error!(message_id = id, body, "panicked: message given back");
        Handled::Return
    })
}
