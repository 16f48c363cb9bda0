//! Indexes that are behind the rows, and transactions that conflict: what the embedded database
//! never does, and DynamoDB does every day.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use axum::http::StatusCode;
use jobs::app::Limits;
use jobs::ports::PageRequest;
use jobs::{Failure, FailureCode, Page, Status};
use local::embedded::{Answer, Embedded, read_request, write_response};
use serde_json::{Value, json};

use crate::app::{START, Scripted, TABLE, TestApp};
use crate::support;

/// Counts may be this old.
const AGE: Duration = Duration::from_secs(5);

/// A database whose indexes show what it held a number of writes ago.
#[derive(Clone)]
pub(crate) struct Stale {
    live: Embedded,
    behind: Embedded,
    /// Writes that the indexes have not heard of yet, as operation and body.
    unheard: Arc<Mutex<VecDeque<(String, String)>>>,
    transactions: Arc<AtomicU64>,
    /// Every so many transactions one meets another in its way; 0 is never.
    conflicts_every: u64,
}

impl std::fmt::Debug for Stale {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Stale")
    }
}

impl Stale {
    /// A service on such a database.
    pub(crate) fn start(conflicts_every: u64) -> (TestApp, Self) {
        let stale = Self {
            live: Embedded::in_memory().unwrap(),
            behind: Embedded::in_memory().unwrap(),
            unheard: Arc::default(),
            transactions: Arc::default(),
            conflicts_every,
        };
        local::schema::ensure_table(&stale.behind, TABLE).unwrap();
        let http = stale.http_client();
        (
            TestApp::over(stale.live.clone(), http, Limits::default()),
            stale,
        )
    }

    fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    /// The indexes hear of the next `writes`.
    pub(crate) fn catch_up(&self, writes: usize) {
        let mut unheard = self.unheard.lock().unwrap();
        let heard = writes.min(unheard.len());
        for (target, body) in unheard.drain(..heard) {
            assert_eq!(self.behind.call(&target, &body).status, 200, "{body}");
        }
    }

    fn call(&self, target: &str, body: &str) -> Answer {
        if target.ends_with("Query") && body.contains("\"IndexName\"") {
            return self.behind.call(target, body);
        }
        if target.ends_with("TransactWriteItems") && self.conflicts_every > 0 {
            let number = self.transactions.fetch_add(1, Ordering::Relaxed);
            if number.is_multiple_of(self.conflicts_every) {
                return conflict();
            }
        }
        let answer = self.live.call(target, body);
        let reads = ["GetItem", "Query", "Scan"];
        if answer.status == 200 && !reads.iter().any(|read| target.ends_with(read)) {
            let write = (target.to_owned(), body.to_owned());
            self.unheard.lock().unwrap().push_back(write);
        }
        answer
    }
}

impl HttpConnector for Stale {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let (target, body) = read_request(&request)?;
            write_response(this.call(&target, &body))
        })
    }
}

fn conflict() -> Answer {
    let reason = json!({"Code": "TransactionConflict", "Message": "simulated"});
    Answer {
        status: 400,
        body: json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled [TransactionConflict]",
            "CancellationReasons": [reason],
        })
        .to_string(),
    }
}

fn half_broken(request: &PageRequest) -> Result<Page, Failure> {
    let missing = || Failure::new(FailureCode::Http(404), "There is no such page");
    let busy = || Failure::new(FailureCode::Http(503), "The server is busy");
    match request.url.path().len() % 3 {
        0 => Err(missing()),
        1 => Err(busy()),
        _ => Ok(support::page(request.url.as_str(), START)),
    }
}

/// What the rows themselves say.
fn recount(app: &TestApp, customer: Option<&str>) -> Value {
    let rows = app.rows();
    let of = |status| {
        let mine = rows.iter().filter(|job| {
            let wanted = customer.is_none_or(|customer| job.customer.as_str() == customer);
            wanted && job.status(app.app.now()) == status
        });
        mine.count()
    };
    let counts = Status::ALL.map(|status| (status.as_str().to_owned(), json!(of(status))));
    Value::Object(counts.into_iter().collect())
}

async fn stats(app: &TestApp, query: &str) -> Value {
    let list = app.get(&format!("/api/jobs?{query}")).await;
    assert_eq!(list.status, StatusCode::OK, "{list:?}");
    list.json["stats"].clone()
}

/// What changes while the indexes lag, by a dice that is the same in every run.
async fn something_happens(app: &TestApp, stale: &Stale, dice: &mut u64, made: &mut usize) {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    let roll = *dice >> 33;
    match roll % 5 {
        0 | 1 => {
            *made += 1;
            let customer = ["ann", "bob"][*made % 2];
            let body = json!({
                "type": "single-page", "url": format!("http://a.example/{}", "x".repeat(*made)),
                "customerId": customer, "attempts": 2,
                "delay": if roll.is_multiple_of(3) { 60_000 } else { 0 },
            });
            app.create(&body).await;
        }
        2 => {
            if let Some(message) = app.queue.try_receive() {
                app.work(&message, &Scripted(half_broken)).await;
            }
        }
        3 => stale.catch_up((roll / 5 % 4) as usize),
        _ => app.advance(AGE),
    }
}

#[tokio::test]
async fn counts_are_possible_while_indexes_lag_and_exact_once_they_have_caught_up() {
    for seed in 0..5 {
        let (app, stale) = Stale::start(3);
        let (mut dice, mut made) = (seed, 0);
        for step in 0..40 {
            something_happens(&app, &stale, &mut dice, &mut made).await;
            if step % 2 == 0 {
                continue;
            }
            let seen = stats(&app, "limit=1").await;
            for status in ["waiting", "delayed", "active"] {
                let count = seen[status].as_u64().unwrap();
                assert!(count <= made as u64, "seed {seed}: {seen}");
            }
        }
        assert_eq!(app.get("/api/v1/health").await.status, StatusCode::OK);
        stale.catch_up(usize::MAX);
        app.advance(AGE);
        assert_eq!(stats(&app, "").await, recount(&app, None), "seed {seed}");
        for customer in ["ann", "bob"] {
            let counted = stats(&app, &format!("customerId={customer}")).await;
            assert_eq!(counted, recount(&app, Some(customer)), "seed {seed}");
        }
        app.advance(Duration::from_hours(1));
        app.drain(&Scripted(half_broken)).await;
        app.advance(Duration::from_hours(1));
        app.drain(&Scripted(half_broken)).await;
        stale.catch_up(usize::MAX);
        assert_eq!(stats(&app, "").await, recount(&app, None), "seed {seed}");
    }
}

#[tokio::test]
async fn a_job_that_the_index_still_shows_waiting_is_active_where_the_other_shows_it_so() {
    let app = TestApp::start();
    let id = app.create_for("http://a.example/").await;
    drop(app.receive());
    let lease = app.app.now() + crate::app::LEASE;
    app.change(&id, |job, stamp| {
        match job.claim(stamp, lease, &jobs::transition::Retention::default()) {
            jobs::transition::Claim::Won(next) => Ok(next),
            other => panic!("not claimed: {other:?}"),
        }
    })
    .await;
    // The claim left the row in the work list, where it must not be counted again.
    let seen = stats(&app, "").await;
    assert_eq!((&seen["active"], &seen["waiting"]), (&json!(1), &json!(0)));
    app.change(&id, |job, stamp| job.release(stamp, job.fence))
        .await;
    app.advance(AGE);
    let seen = stats(&app, "").await;
    assert_eq!((&seen["active"], &seen["waiting"]), (&json!(0), &json!(1)));
    app.send_message(&id).await;
    app.drain(&crate::app::Anything).await;
}

#[tokio::test]
async fn the_place_in_the_queue_is_exact_at_rest_and_follows_the_turns() {
    let app = TestApp::start();
    let create = async |name: &str, priority: &str, delay: u64| {
        let body = json!({
            "type": "single-page", "url": format!("http://a.example/{name}"),
            "priority": priority, "delay": delay,
        });
        app.create(&body).await
    };
    let late = create("late", "normal", 2_000).await;
    let first = create("first", "normal", 0).await;
    let other = create("other", "low", 0).await;
    app.advance(Duration::from_secs(1));
    let second = create("second", "normal", 0).await;
    app.advance(AGE);
    let place = async |id: &str| {
        let read = app.get(&format!("/api/v1/jobs/{id}")).await;
        read.json["data"]["numberInQueue"].clone()
    };
    for (id, expected) in [(&first, 1), (&second, 2), (&late, 3), (&other, 1)] {
        assert_eq!(place(id).await, json!(expected));
    }
    app.drain(&crate::app::Anything).await;
    assert_eq!(place(&first).await, Value::Null);
}

#[tokio::test]
async fn what_is_due_and_is_no_job_is_not_counted() {
    let app = TestApp::start();
    app.create_for("http://a.example/").await;
    for (pk, list) in [
        ("op_1", "work#0"),
        ("bat_1", "work#3"),
        ("minutes#all", "work#1"),
    ] {
        let request = json!({"TableName": TABLE, "Item": {
            "pk": {"S": pk}, "sk": {"S": "meta"}, "due_list": {"S": list}, "due_at": {"N": "1"},
        }});
        let put = app.embedded.call("PutItem", &request.to_string());
        assert_eq!(put.status, 200, "{}", put.body);
    }
    let seen = stats(&app, "").await;
    assert_eq!(seen["waiting"], 1);
    app.drain(&crate::app::Anything).await;
}
