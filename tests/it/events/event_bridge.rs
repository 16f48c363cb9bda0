//! The bus on EventBridge, or on what stands in for it: what is put there arrives where a rule of
//! ours sends it, in the shape that the worker reads.

use aws::bus::EventBus;
use aws::client;
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use jobs::ports::Bus;
use jobs::spec::CustomerId;
use jobs::{Event, EventType, JobId, Timestamp};
use serde_json::{Value, json};

use super::requested::deliver;
use crate::app::{Anything, TestApp};
use crate::support;

struct Buses {
    events: aws_sdk_eventbridge::Client,
    mail: aws_sdk_sqs::Client,
    bus: String,
    queue: String,
}

/// A bus with a rule that sends events like `pattern` to a queue.
async fn open(test: &str, pattern: &Value) -> Option<Buses> {
    let endpoint = support::emulator_for("the bus on EventBridge")?;
    let connection = support::connection(endpoint);
    let (events, mail) = (client::eventbridge(&connection), client::sqs(&connection));
    let name = format!("{test}-{}", std::process::id());
    let queue = mail.create_queue().queue_name(&name).send().await.unwrap();
    let queue = queue.queue_url.unwrap();
    let asked = mail.get_queue_attributes().queue_url(&queue);
    let asked = asked.attribute_names(QueueAttributeName::QueueArn);
    let arn = asked.send().await.unwrap().attributes.unwrap();
    let arn = arn[&QueueAttributeName::QueueArn].clone();
    events.create_event_bus().name(&name).send().await.unwrap();
    let rule = events.put_rule().event_bus_name(&name).name("rule");
    let rule = rule.event_pattern(pattern.to_string());
    rule.send().await.unwrap();
    let target = Target::builder().id("queue").arn(arn).build().unwrap();
    let targets = events.put_targets().event_bus_name(&name).rule("rule");
    targets.targets(target).send().await.unwrap();
    Some(Buses {
        events,
        mail,
        bus: name,
        queue,
    })
}

impl Buses {
    async fn received(&self) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let call = self.mail.receive_message().queue_url(&self.queue);
            let answer = call.max_number_of_messages(10).send().await.unwrap();
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return bodies;
            }
            bodies.extend(messages.into_iter().map(|message| message.body.unwrap()));
        }
    }
}

fn event(number: u128) -> Event {
    let at = Timestamp::from_millis(1_700_000_000_000);
    Event {
        id: format!("evt_{number}"),
        kind: EventType::JobCompleted,
        at,
        customer: CustomerId::default(),
        job: JobId::new(at, number),
        body: json!({"id": format!("evt_{number}"), "type": "job.completed"}).to_string(),
    }
}

#[tokio::test]
async fn every_event_arrives_with_its_type_source_and_detail() {
    let pattern = json!({"source": ["harvestman"]});
    let Some(buses) = open("events-out", &pattern).await else {
        return;
    };
    let bus = EventBus::new(buses.events.clone(), &buses.bus);
    let sent: Vec<_> = (0..25).map(event).collect();
    assert_eq!(bus.put(&sent).await.unwrap(), Vec::<usize>::new());
    let mut arrived: Vec<Value> = buses
        .received()
        .await
        .iter()
        .map(|body| serde_json::from_str(body).unwrap())
        .collect();
    arrived.sort_by_key(|event| event["detail"]["id"].to_string());
    assert_eq!(arrived.len(), sent.len());
    for event in arrived {
        assert_eq!(event["source"], "harvestman");
        assert_eq!(event["detail-type"], "job.completed");
        assert_eq!(event["detail"]["type"], "job.completed");
    }
}

#[tokio::test]
async fn an_event_that_asks_for_a_job_goes_through_the_rule_to_the_worker() {
    let pattern = json!({"detail-type": ["job.requested"]});
    let Some(buses) = open("events-in", &pattern).await else {
        return;
    };
    let put = |kind: &str| {
        let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
            .event_bus_name(&buses.bus)
            .source("orders")
            .detail_type(kind)
            .detail(json!({"type": "single-page", "url": "https://example.com/"}).to_string())
            .build();
        buses.events.put_events().entries(entry).send()
    };
    put("job.requested").await.unwrap();
    put("order.placed").await.unwrap();
    let bodies = buses.received().await;
    assert_eq!(bodies.len(), 1, "the rule takes what is asked for alone");
    let app = TestApp::start();
    assert!(!deliver(&app, &bodies[0]).await);
    assert_eq!((app.rows().len(), app.letters().len()), (1, 0));
    app.drain(&Anything).await;
}
