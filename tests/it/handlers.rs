//! The handlers of worker and scheduler, from an event as Lambda gives it to the answer, on a table
//! that does what its rows are named after.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use aws::host::{SystemClock, SystemEntropy};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jobs::app::Ports;
use jobs::hold::Hold;
use jobs::job::DueList;
use jobs::ports::{
    ActiveEntry, Claimable, Commit, Counter, Created, Creation, DueEntry, Listed, PortError,
    RateBucket, Revival, Revived, Scope, Store, Swap,
};
use jobs::rate::Call;
use jobs::spec::CustomerId;
use jobs::statistics::{Minute, Snapshot, Totals};
use jobs::tally::Tally;
use jobs::{App, Job, JobId, Limits, Message, RowId, Spec, Timestamp};
use serde_json::{Value, json};

use crate::nothing::{Nothing, unreachable_table};

const GONE: u128 = 1;
const UNREACHABLE: u128 = 2;
const PANICKING: u128 = 3;

/// A table without rows, in which looking up some ids goes wrong.
#[derive(Default)]
struct Table {
    sweeps: AtomicUsize,
    sweepable: bool,
}

fn look_up<T>(id: &JobId) -> Result<Option<T>, PortError> {
    if *id == job(UNREACHABLE) {
        return unreachable_table();
    }
    assert_ne!(*id, job(PANICKING), "a panic that was asked for");
    Ok(None)
}

#[async_trait]
impl Store for Table {
    async fn create(&self, _: &Creation<'_>) -> Result<Created, PortError> {
        unreachable_table()
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, PortError> {
        look_up(id)
    }

    async fn job_and_spec(&self, id: &JobId) -> Result<Option<(Job, Spec)>, PortError> {
        look_up(id)
    }

    async fn claimable(&self, id: &JobId) -> Result<Claimable, PortError> {
        Ok(Claimable {
            hold: Hold::default(),
            job: look_up(id),
        })
    }

    async fn commit(&self, _: &Job, _: &Job) -> Result<Commit, PortError> {
        unreachable_table()
    }

    async fn revive(&self, _: &Revival<'_>) -> Result<Revived, PortError> {
        unreachable_table()
    }

    async fn release(&self, _: &Job) -> Result<bool, PortError> {
        unreachable_table()
    }

    async fn put_result(&self, _: &JobId, _: u64, _: Vec<u8>) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn result(&self, _: &JobId, _: u64) -> Result<Option<Vec<u8>>, PortError> {
        unreachable_table()
    }

    async fn purge(&self, _: &Job) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn due(
        &self,
        list: DueList,
        shard: u32,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<RowId>, PortError> {
        if list == DueList::Work && shard == 0 {
            self.sweeps.fetch_add(1, Ordering::SeqCst);
        }
        if self.sweepable {
            Ok(Vec::new())
        } else {
            unreachable_table()
        }
    }

    async fn list(&self, _: Scope<'_>, _: Option<&JobId>, _: usize) -> Result<Listed, PortError> {
        unreachable_table()
    }

    async fn jobs(&self, _: &[JobId]) -> Result<Vec<Job>, PortError> {
        unreachable_table()
    }

    async fn tally(&self, _: Scope<'_>) -> Result<Tally, PortError> {
        unreachable_table()
    }

    async fn count_duplicates(&self, _: &CustomerId, _: u64) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn totals(&self, _: Scope<'_>) -> Result<Totals, PortError> {
        unreachable_table()
    }

    async fn counters(&self, _: u8) -> Result<Vec<Counter>, PortError> {
        unreachable_table()
    }

    async fn keep_snapshot(&self, _: Scope<'_>, _: &Snapshot) -> Result<bool, PortError> {
        unreachable_table()
    }

    async fn snapshots(
        &self,
        _: Scope<'_>,
        _: Minute,
        _: Minute,
    ) -> Result<Vec<Snapshot>, PortError> {
        unreachable_table()
    }

    async fn rate(&self, _: Call, _: &CustomerId) -> Result<Option<RateBucket>, PortError> {
        unreachable_table()
    }

    async fn replace_rate(
        &self,
        _: Call,
        _: &CustomerId,
        _: Option<RateBucket>,
        _: RateBucket,
    ) -> Result<Swap, PortError> {
        unreachable_table()
    }

    async fn unfinished(&self) -> Result<Vec<DueEntry>, PortError> {
        unreachable_table()
    }

    async fn active(&self, _: Scope<'_>) -> Result<Vec<ActiveEntry>, PortError> {
        unreachable_table()
    }

    async fn active_count(&self, _: &CustomerId) -> Result<u64, PortError> {
        unreachable_table()
    }
}

fn app(sweepable: bool) -> (App, Arc<Table>) {
    let table = Arc::new(Table {
        sweeps: AtomicUsize::new(0),
        sweepable,
    });
    let ports = Ports {
        store: Arc::clone(&table) as Arc<dyn Store>,
        operations: Arc::new(Nothing),
        keys: Arc::new(Nothing),
        batches: Arc::new(Nothing),
        baselines: Arc::new(Nothing),
        hosts: Arc::new(Nothing),
        webhooks: Arc::new(Nothing),
        deliveries: Arc::new(Nothing),
        schedules: Arc::new(Nothing),
        queue: Arc::new(Nothing),
        blobs: Arc::new(Nothing),
        bus: Arc::new(jobs::ports::NoBus),
        timetable: Arc::new(Nothing),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    };
    (App::new(ports, Limits::default()), table)
}

fn job(number: u128) -> JobId {
    JobId::new(Timestamp::from_millis(1_700_000_000_000), number)
}

fn hint(number: u128) -> String {
    let job_id = job(number);
    Message { job_id }.encode()
}

/// An event of SQS with these bodies; the records are named by their position.
fn event<'a>(bodies: impl IntoIterator<Item = &'a str>) -> SqsEvent {
    let records = bodies.into_iter().enumerate().map(|(position, body)| {
        json!({
            "messageId": format!("m{position}"), "receiptHandle": "r", "body": body,
            "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
            "eventSource": "aws:sqs", "awsRegion": "eu-west-1",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:1:harvestman-low",
        })
    });
    let records: Vec<Value> = records.collect();
    serde_json::from_value(json!({"Records": records})).unwrap()
}

fn given_back(response: &SqsBatchResponse) -> Vec<&str> {
    let failures = response.batch_item_failures.iter();
    failures
        .map(|failure| failure.item_identifier.as_str())
        .collect()
}

fn tools() -> worker::Tools<'static> {
    worker::Tools {
        scraper: &Nothing,
        courier: &Nothing,
        check: scrape::check,
        judge: &|_| Ok(()),
    }
}

fn soon(app: &App) -> Timestamp {
    app.now() + std::time::Duration::from_mins(1)
}

#[tokio::test]
async fn one_bad_record_never_harms_its_neighbours_wherever_it_stands() {
    let (app, _) = app(true);
    let bad = [
        "not JSON".to_owned(),
        r#"{"v":2,"jobId":"job_01hf7yat000000000000000007"}"#.to_owned(),
        r#"{"v":1,"jobId":"x"}"#.to_owned(),
        String::new(),
        hint(UNREACHABLE),
        hint(PANICKING),
    ];
    let good = hint(GONE);
    for bad in &bad {
        for position in 0..10 {
            let bodies = (0..10).map(|at| if at == position { bad } else { &good });
            let event = event(bodies.map(String::as_str));
            let response = worker::handle(&app, tools(), event, soon(&app)).await;
            assert_eq!(
                given_back(&response),
                [format!("m{position}")],
                "{bad} at {position}"
            );
        }
    }
}

#[tokio::test]
async fn a_batch_may_be_empty_or_bad_as_a_whole() {
    let (app, _) = app(true);
    let response = worker::handle(&app, tools(), event([]), soon(&app)).await;
    assert_eq!(given_back(&response), Vec::<&str>::new());
    let bodies = ["{", "[]"];
    let response = worker::handle(&app, tools(), event(bodies), soon(&app)).await;
    assert_eq!(given_back(&response), ["m0", "m1"]);
}

#[tokio::test]
async fn many_ticks_are_one_sweep() {
    let (app, table) = app(true);
    let tick = r#"{"tick":"sweep"}"#;
    let response = scheduler::handle(&app, event([tick, tick, tick]), soon(&app)).await;
    assert_eq!(given_back(&response), Vec::<&str>::new());
    assert_eq!(table.sweeps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn ticks_of_a_sweep_that_broke_off_are_given_back_and_nothing_else_is() {
    let (app, _) = app(false);
    let (tick, letter) = (r#"{"tick":"sweep"}"#, hint(GONE));
    let event = event([tick, letter.as_str(), tick]);
    let response = scheduler::handle(&app, event, soon(&app)).await;
    assert_eq!(given_back(&response), ["m0", "m2"]);
}

#[tokio::test]
async fn a_dead_letter_stays_only_while_its_row_cannot_be_reached() {
    let (app, table) = app(true);
    let (gone, unreachable) = (hint(GONE), hint(UNREACHABLE));
    let event = event([gone.as_str(), unreachable.as_str(), "not ours"]);
    let response = scheduler::handle(&app, event, soon(&app)).await;
    assert_eq!(given_back(&response), ["m1"]);
    assert_eq!(
        table.sweeps.load(Ordering::SeqCst),
        0,
        "nobody asked for one"
    );
}
