//! The worker: a batch of hints in, the hints to give back out. Refuses to let one record harm its
//! neighbours, and to fail as a whole: that would return the ones that are done as well.

use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use futures::future::join_all;
use jobs::app::Handled;
use jobs::ports::Scraper;
use jobs::{App, Message, Timestamp};

/// Works at all records at once, until `deadline` at the latest. An unreadable one is given back,
/// so that it ends in the dead letters.
pub async fn handle(
    app: &App,
    scraper: &dyn Scraper,
    event: SqsEvent,
    deadline: Timestamp,
) -> SqsBatchResponse {
    let records = event.records.iter();
    let handled = join_all(records.map(|record| work(app, scraper, record, deadline))).await;
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

async fn work(
    app: &App,
    scraper: &dyn Scraper,
    record: &SqsMessage,
    deadline: Timestamp,
) -> Handled {
    let id = record.message_id.as_deref();
    let message = match Message::decode(record.body.as_deref().unwrap_or_default()) {
        Ok(message) => message,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(message_id = id, error, "message given back");
            return Handled::Return;
        }
    };
    let work = AssertUnwindSafe(app.work(&message, scraper, deadline));
    work.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(message_id = id, job = %message.job_id, "panicked: message given back");
        Handled::Return
    })
}
