//! From the timetable to the scheduler: what fires reaches it as a message.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use jobs::ports::{Entry, fire};
use jobs::{Cron, ScheduleId, Zone};

use crate::app::{INVOCATION, TestApp};

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
    let fired = service.ticker.due(service.app.now());
    let [(id, at)] = fired.as_slice() else {
        panic!("{fired:?}");
    };
    let mut record = SqsMessage::default();
    record.message_id = Some("one".to_owned());
    record.body = Some(fire(id, at));
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let deadline = service.app.now() + INVOCATION;
    let handled = scheduler::handle(&service.app, event, deadline).await;
    assert_eq!(handled.batch_item_failures.len(), 0, "{handled:?}");
}
