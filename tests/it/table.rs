//! What lies in the table: the stored shape of a row in each state, the keys by which it is found,
//! how writes know their echo, and what they cost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jobs::app::Limits;
use jobs::ports::{Commit, Created, Creation, Store};
use jobs::transition::{Claim, Retention, Stamp};
use jobs::{Caller, Failure, FailureCode, Job, JobId};
use local::embedded::{Embedded, read_request, write_response};
use serde_json::{Value, json};

use crate::app::{Anything, LEASE, Scripted, TestApp};
use crate::golden::assert_golden;
use crate::rows;

const URL: &str = "http://site.example/products/4711?colour=red";

/// The items of one job, by their sort key, without the bulk of a result.
fn items_of(app: &TestApp, id: &str) -> Value {
    let items = app.items().into_iter().filter(|item| item["pk"]["S"] == id);
    let named = items.map(|mut item| {
        let name = item["sk"]["S"].as_str().unwrap().to_owned();
        if name.starts_with("result#") {
            item["body"] = json!("[deflated JSON]");
        }
        (name, item)
    });
    Value::Object(named.collect())
}

fn claimed(job: &Job, stamp: Stamp) -> Job {
    match job.claim(stamp, stamp.now + LEASE, &Retention::default()) {
        Claim::Won(next) => next,
        other => panic!("not claimed: {other:?}"),
    }
}

#[tokio::test]
async fn a_row_with_something_to_tell_is_stored_as_it_always_was() {
    let app = TestApp::start();
    app.bus.listen();
    let id = app.create_for(URL).await;
    assert_golden("row_untold", &items_of(&app, &id)["state"]);
    app.bus.fail(2);
    app.drain(&Anything).await;
    assert_golden("row_untold_and_ended", &items_of(&app, &id)["state"]);
    app.advance(Duration::from_mins(2));
    app.sweep().await;
    assert_golden("row_told", &items_of(&app, &id)["state"]);
}

#[tokio::test]
async fn a_row_is_stored_as_it_always_was() {
    let app = TestApp::start();
    let busy = Failure::new(FailureCode::Http(503), "The server is busy");
    let body = json!({
        "type": "single-page", "url": URL, "customerId": "customer-123", "priority": "high",
        "delay": 1_000, "attempts": 5, "metadata": {"source": "api"}, "headers": {"X-A": "b"},
        "userAgent": "Tester/1", "config": {"fields": {"price": {"selector": ".price"}}},
    });
    let id = app.create(&body).await;
    assert_golden("row_queued", &items_of(&app, &id));
    let all = app.items();
    let owned = |item: &&Value| item["pk"]["S"] != json!(id);
    assert_golden(
        "row_owner_and_counts",
        &all.iter().filter(owned).cloned().collect(),
    );

    app.advance(Duration::from_secs(1));
    app.change(&id, |job, stamp| Ok(claimed(job, stamp))).await;
    assert_golden("row_active", &items_of(&app, &id)["state"]);
    app.change(&id, jobs::Job::pause).await;
    assert_golden("row_active_to_be_paused", &items_of(&app, &id)["state"]);
    app.change(&id, |job, stamp| {
        job.fail(stamp, job.fence, &busy, 0, &Retention::default())
    })
    .await;
    assert_golden("row_paused", &items_of(&app, &id)["state"]);
    app.change(&id, jobs::Job::resume).await;
    while app.queue.try_receive().is_some() {}
    app.advance(Duration::from_mins(2));
    assert_eq!(app.sweep().await.sent, 1);
    assert_golden("row_sent_again", &items_of(&app, &id)["state"]);
    app.drain(&Anything).await;
    assert_golden("row_completed", &items_of(&app, &id));

    let failed = app
        .create(&json!({"type": "single-page", "url": URL, "attempts": 1}))
        .await;
    app.drain(&Scripted(|_: &_| Err(busy.clone()))).await;
    assert_golden("row_failed", &items_of(&app, &failed)["state"]);
    let cancelled = app
        .create(&json!({"type": "single-page", "url": URL, "deduplicate": false}))
        .await;
    app.change(&cancelled, |job, stamp| {
        job.cancel(stamp, &Retention::default())
    })
    .await;
    assert_golden("row_cancelled", &items_of(&app, &cancelled)["state"]);
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_row_reads_back_from_every_state_as_it_was_written() {
    let app = TestApp::start();
    let id = app.create_for(URL).await;
    let retention = Retention::default();
    let stamp = |nonce| Stamp {
        now: app.app.now(),
        nonce,
    };
    let queued = app.row(&id).await;
    let failure = Failure::new(FailureCode::Timeout, "Täuschend lang \u{1f577}");
    let active = claimed(&queued, stamp(2));
    let failed = active.fail(stamp(3), active.fence, &failure, 7, &retention);
    let states = [
        queued.pause(stamp(4)).unwrap(),
        queued.cancel(stamp(5), &retention).unwrap(),
        failed.unwrap(),
        active.pause(stamp(6)).unwrap(),
        active,
        queued,
    ];
    for job in states {
        let item = aws::table::encode_row(&job);
        assert_eq!(aws::table::decode_row(&item).unwrap(), job);
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn an_ordinary_row_stays_below_a_kilobyte() {
    let app = TestApp::start();
    let url = format!("https://shop.example/{}", "a".repeat(120));
    let body = json!({"type": "single-page", "url": url, "customerId": "customer-123"});
    let id = app.create(&body).await;
    let busy = Failure::new(
        FailureCode::Http(503),
        "The server answered 503 Service Unavailable",
    );
    for _ in 0..2 {
        app.drain(&Scripted(|_: &_| Err(busy.clone()))).await;
        app.advance(Duration::from_secs(10));
    }
    app.drain(&Anything).await;
    assert_eq!(app.status(&id).await, "completed");
    let size = rows::size(&items_of(&app, &id)["state"]);
    assert!(size < 1_024, "{size} bytes with two failed attempts");
}

#[tokio::test]
async fn a_write_that_is_repeated_knows_itself() {
    let app = TestApp::start();
    let id = app.create_for(URL).await;
    drop(app.receive());
    let queued = app.row(&id).await;
    let stamp = |nonce| Stamp {
        now: app.app.now(),
        nonce,
    };
    let claim = claimed(&queued, stamp(77));
    for _ in 0..2 {
        let written = app.store.commit(&queued, &claim).await.unwrap();
        assert_eq!(written, Commit::Written);
    }
    let rival = claimed(&queued, stamp(78));
    let lost = app.store.commit(&queued, &rival).await.unwrap();
    assert_eq!(lost, Commit::Lost(Some(Box::new(claim.clone()))));

    // The same with a write that moves the counts: they must move once.
    let ended = claim.cancel(stamp(79), &Retention::default()).unwrap();
    for _ in 0..2 {
        let written = app.store.commit(&claim, &ended).await.unwrap();
        assert_eq!(written, Commit::Written);
    }
    let rival = claim.cancel(stamp(80), &Retention::default()).unwrap();
    let lost = app.store.commit(&claim, &rival).await.unwrap();
    assert_eq!(lost, Commit::Lost(Some(Box::new(ended.clone()))));
    for _ in 0..2 {
        app.store.purge(&ended).await.unwrap();
    }
    let lost = app.store.commit(&claim, &rival).await.unwrap();
    assert_eq!(lost, Commit::Lost(None));
    assert_eq!(rows::counts(&app.items()).len(), 0);
}

fn creation<'a>(
    job: &'a Job,
    spec: &'a str,
    replaces: Option<&'a JobId>,
    max_unfinished: u64,
) -> Creation<'a> {
    Creation {
        job,
        spec,
        replaces,
        max_unfinished,
        kept: None,
    }
}

#[tokio::test]
async fn a_create_that_is_repeated_knows_itself() {
    let app = TestApp::start();
    let id = app.create_for("http://site.example/model").await;
    let model = app.row(&id).await;
    let spec = app
        .app
        .job(&Caller::Anyone, &model.id)
        .await
        .unwrap()
        .unwrap()
        .1;
    let spec = serde_json::to_string(&spec).unwrap();
    let mut job = model.clone();
    job.id = JobId::new(app.app.now(), 42);
    job.fingerprint = Some("another".to_owned());
    for _ in 0..2 {
        let created = app
            .store
            .create(&creation(&job, &spec, None, 2))
            .await
            .unwrap();
        assert_eq!(created, Created::New, "the second fills no more room");
    }
    let mut other = job.clone();
    other.id = JobId::new(app.app.now(), 43);
    let owned = app
        .store
        .create(&creation(&other, &spec, None, 9))
        .await
        .unwrap();
    assert_eq!(owned, Created::Owned(job.id.clone()));
    let stranger = JobId::new(app.app.now(), 44);
    let not_his = creation(&other, &spec, Some(&stranger), 9);
    let owned = app.store.create(&not_his).await.unwrap();
    assert_eq!(owned, Created::Owned(job.id.clone()));
    other.fingerprint = Some("free".to_owned());
    let vacant = creation(&other, &spec, Some(&stranger), 9);
    let vacant = app.store.create(&vacant).await.unwrap();
    assert_eq!(vacant, Created::Vacant);
    let full = app
        .store
        .create(&creation(&other, &spec, None, 2))
        .await
        .unwrap();
    assert_eq!(full, Created::Full);
    app.drain(&Anything).await;
}

/// A connection to the database that asks for the bill of every write.
#[derive(Clone)]
struct Metered {
    embedded: Embedded,
    bills: Arc<Mutex<Vec<(String, f64)>>>,
}

impl std::fmt::Debug for Metered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Metered")
    }
}

impl Metered {
    fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
}

impl HttpConnector for Metered {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let metered = self.clone();
        HttpConnectorFuture::new(async move {
            let (target, body) = read_request(&request)?;
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            if !operation.contains("Put")
                && !operation.contains("Write")
                && !operation.contains("Delete")
            {
                return write_response(metered.embedded.call(&target, &body));
            }
            let mut body: Value = serde_json::from_str(&body).unwrap();
            body["ReturnConsumedCapacity"] = json!("INDEXES");
            let answer = metered.embedded.call(&target, &body.to_string());
            let bill: Value = serde_json::from_str(&answer.body).unwrap();
            let bill = match &bill["ConsumedCapacity"] {
                Value::Array(tables) => tables.clone(),
                one => vec![one.clone()],
            };
            let units = bill
                .iter()
                .map(|table| table["CapacityUnits"].as_f64().unwrap());
            metered.bills.lock().unwrap().push((operation, units.sum()));
            write_response(answer)
        })
    }
}

#[tokio::test]
async fn a_small_page_costs_at_most_twenty_two_write_units() {
    let embedded = Embedded::in_memory().unwrap();
    let metered = Metered {
        embedded: embedded.clone(),
        bills: Arc::default(),
    };
    let app = TestApp::over(embedded, metered.http_client(), Limits::default());
    let bill = |stage: &str| {
        let calls = std::mem::take(&mut *metered.bills.lock().unwrap());
        let units: f64 = calls.iter().map(|(_, units)| units).sum();
        println!("{stage}: {units} units, {calls:?}");
        units
    };
    let id = app.create_for(URL).await;
    let created = bill("create");
    app.drain(&Anything).await;
    let worked = bill("claim, result, end");
    assert_eq!(app.status(&id).await, "completed");
    app.advance(Duration::from_hours(24));
    assert_eq!(app.sweep().await.purged, 1);
    let purged = bill("purge");
    assert!(created > 0.0 && worked > 0.0 && purged > 0.0);
    let total = created + worked;
    println!(
        "total without the purge: {total}; with it: {}",
        total + purged
    );
    assert!(total <= 22.0, "{total} write units");
}
