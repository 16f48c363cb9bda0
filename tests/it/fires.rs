//! From the timetable to the scheduler: what fires reaches it as a message.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use jobs::ports::{Entry, fire};
use jobs::{Cron, ScheduleId, Timestamp, Zone};
use serde_json::json;

use crate::app::{Anything, INVOCATION, TestApp};

/// Delivers messages about firings in one batch.
async fn deliver(service: &TestApp, fired: &[(&ScheduleId, Timestamp)]) -> SqsBatchResponse {
    let messages = fired.iter().enumerate().map(|(number, (id, at))| {
        let mut record = SqsMessage::default();
        record.message_id = Some(number.to_string());
        record.body = Some(fire(id, at));
        record
    });
    let mut event = SqsEvent::default();
    event.records = messages.collect();
    let deadline = service.app.now() + INVOCATION;
    scheduler::handle(&service.app, event, deadline).await
}

#[tokio::test]
async fn a_firing_that_comes_three_times_in_one_batch_makes_one_job() {
    let service = TestApp::start();
    let body = json!({
        "type": "single-page", "url": "http://site.example/", "cronPattern": "* * * * *",
    });
    let created = service.post("/api/jobs", &body).await;
    service.advance(Duration::from_mins(1));
    let fired = service.timetable.ticker.due(service.app.now());
    let [(id, at)] = fired.as_slice() else {
        panic!("{fired:?}");
    };
    assert_eq!(created.text("scheduleId"), id.as_str());
    let handled = deliver(&service, &[(id, *at); 3]).await;
    assert_eq!(handled.batch_item_failures.len(), 0, "{handled:?}");
    assert_eq!(service.rows().len(), 1);
    service.drain(&Anything).await;
}

#[tokio::test]
async fn a_firing_of_a_schedule_that_nobody_knows_is_done_with() {
    let service = TestApp::start();
    let now = service.app.now();
    let entry = Entry {
        id: ScheduleId::new(now, 1),
        cron: Cron::parse("* * * * *").unwrap(),
        zone: Zone::default(),
        start: None,
        end: None,
        enabled: true,
        after: now,
    };
    service.ports.timetable.place(&entry).await.unwrap();
    service.advance(Duration::from_mins(1));
    let fired = service.timetable.ticker.due(service.app.now());
    let [(id, at)] = fired.as_slice() else {
        panic!("{fired:?}");
    };
    let handled = deliver(&service, &[(id, *at)]).await;
    assert_eq!(handled.batch_item_failures.len(), 0, "{handled:?}");
}
