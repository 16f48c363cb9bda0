//! What one job costs at the cloud's tariff: calls and units of the table, calls of the queue.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jobs::ports::{PageRequest, Scraper};
use jobs::{Failure, Page};

use crate::drain::{create, handle};
use crate::metered::{Bill, Meter, Metered, Spent, page};
use crate::report::{Row, Section};

/// Receiving a message and deleting it: Lambda does both, for up to ten messages with one call.
const RECEIVE_AND_DELETE: f64 = 2.0;
const GOAL_WRITE_UNITS: f64 = 22.0;
const GOAL_QUEUE_CALLS: f64 = 3.0;

/// Takes the bill of the claim when the page is asked for: what follows is the completion's.
struct Divider {
    meter: Arc<Meter>,
    claim: Mutex<Bill>,
}

#[async_trait]
impl Scraper for Divider {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        *self.claim.lock().unwrap() = self.meter.bill();
        Ok(page(request.url.as_str()))
    }
}

pub(crate) async fn measure() -> Section {
    let service = Metered::open();
    let meter = &service.meter;
    create(&service.app, 1).await;
    let created = meter.bill();
    let message = service.queue.queue.try_receive().unwrap();
    let divider = Divider {
        meter: Arc::clone(meter),
        claim: Mutex::default(),
    };
    handle(&service.app, &divider, &message).await;
    let claimed = divider.claim.into_inner().unwrap();
    let completed = meter.bill();
    let job = service.app.row(&message.job_id).await.unwrap().unwrap();
    meter.bill();
    service.store.purge(&job).await.unwrap();
    let purged = meter.bill();

    let sends = service.queue.sends.load(Ordering::SeqCst) as f64;
    let mut rows = Vec::new();
    let mut total = Spent::default();
    for (phase, bill) in [("create", created), ("claim", claimed), ("end", completed)] {
        for (operation, spent) in bill {
            rows.push(row(&format!("{phase}: {operation}"), spent));
            total += spent;
        }
    }
    rows.push(row("a job, created to completed", total).at_most(GOAL_WRITE_UNITS));
    rows.push(row(
        "the same, where somebody listens to its events",
        heard().await,
    ));
    let mut purge = Spent::default();
    for (operation, spent) in purged {
        rows.push(row(&format!("purge: {operation}"), spent));
        purge += spent;
    }
    rows.push(row("its purge", purge));
    let calls = Row::new("calls of the queue", "", vec![sends + RECEIVE_AND_DELETE]);
    rows.push(calls.at_most(GOAL_QUEUE_CALLS));
    let result = job.result.unwrap();
    Section {
        title: "Calls and units of one job",
        how: format!(
            "As the table says itself (ReturnConsumedCapacity). Write units are those of the table,\n\
             twice in a transaction, and of its indexes. The page has 2 KB of text ({} bytes of\n\
             JSON, kept in the {}). Purge is what the sweep does a day later to one job, without its\n\
             own look into the due index. Of the queue's calls, {sends} is the service's; receiving and\n\
             deleting are Lambda's, counted whole, though a busy one does both for several messages.",
            result.bytes,
            match result.place {
                jobs::job::Place::Item => "table",
                jobs::job::Place::Blob => "blob store",
            },
        ),
        columns: vec![
            "write units",
            "of table",
            "of indexes",
            "read units",
            "calls",
        ],
        rows,
    }
}

/// A job whose events are put on a bus.
async fn heard() -> Spent {
    let service = Metered::heard();
    create(&service.app, 1).await;
    let message = service.queue.queue.try_receive().unwrap();
    let divider = Divider {
        meter: Arc::clone(&service.meter),
        claim: Mutex::default(),
    };
    let mut total = Spent::default();
    for (_, spent) in service.meter.bill() {
        total += spent;
    }
    handle(&service.app, &divider, &message).await;
    let claimed = divider.claim.into_inner().unwrap();
    for (_, spent) in claimed.into_iter().chain(service.meter.bill()) {
        total += spent;
    }
    total
}

fn row(name: &str, spent: Spent) -> Row {
    let (table, indexes) = (spent.table_units, spent.index_units);
    let values = vec![
        table + indexes,
        table,
        indexes,
        spent.read_units,
        spent.calls,
    ];
    Row::new(name, "", values)
}
