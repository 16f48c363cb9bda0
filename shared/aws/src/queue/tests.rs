//! What goes over the wire, and what is made of the answers. How real queues behave is the
//! conformance suite's.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_sqs::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use jobs::spec::CustomerId;
use jobs::{JobId, Message, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::client::{Connection, sqs};

type Answer = dyn Fn(&Value) -> (u16, Value) + Send + Sync;

/// Answers calls out of a function and keeps what was asked.
#[derive(Clone)]
struct Script {
    answer: Arc<Answer>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Script")
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let asked: Value = serde_json::from_slice(body).unwrap();
        let (status, answer) = (self.answer)(&asked);
        self.asked.lock().unwrap().push(asked);
        let status = status.try_into().unwrap();
        let answer = HttpResponse::new(status, SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

impl HttpClient for Script {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn queues(
    answer: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static,
) -> (Queues, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::default();
    let script = Script {
        answer: Arc::new(answer),
        asked: Arc::clone(&asked),
    };
    let client = sqs(&Connection {
        region: "eu-west-1".to_owned(),
        credentials: Some(Credentials::new("key", "secret", None, None, "test")),
        endpoint: Some("http://127.0.0.1:1".to_owned()),
        http: SharedHttpClient::new(script),
        sleep: None,
    });
    let url = |priority: Priority| format!("http://127.0.0.1:1/1/{}", priority.as_str());
    let urls = QueueUrls {
        low: url(Priority::Low),
        normal: url(Priority::Normal),
        high: url(Priority::High),
        urgent: url(Priority::Urgent),
        critical: url(Priority::Critical),
        deliveries: "http://127.0.0.1:1/1/deliveries".to_owned(),
        refused: "http://127.0.0.1:1/1/refused".to_owned(),
    };
    (Queues::new(client, urls), asked)
}

fn envelopes(count: usize, priority: Priority) -> Vec<Envelope> {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let envelope = |number| Envelope {
        message: Message {
            job_id: JobId::new(at, number as u128),
        },
        priority,
        delay: Duration::ZERO,
        customer: CustomerId::default(),
    };
    (0..count).map(envelope).collect()
}

fn entries(asked: &Value) -> &Vec<Value> {
    asked["Entries"].as_array().unwrap()
}

/// An answer that takes every entry for which `taken` holds.
fn taking(asked: &Value, taken: impl Fn(usize) -> bool) -> (u16, Value) {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries(asked) {
        let id = entry["Id"].as_str().unwrap();
        if taken(id.parse().unwrap()) {
            successful.push(json!({"Id": id, "MessageId": id, "MD5OfMessageBody": ""}));
        } else {
            failed.push(json!({"Id": id, "Code": "InternalError", "SenderFault": false}));
        }
    }
    (200, json!({"Successful": successful, "Failed": failed}))
}

fn refusal() -> (u16, Value) {
    (
        400,
        json!({"__type": "AWS.SimpleQueueService.NonExistentQueue"}),
    )
}

#[tokio::test]
async fn batches_hold_ten_and_go_to_the_queue_of_their_priority() {
    let (queues, asked) = queues(|asked| taking(asked, |_| true));
    let mut sent = envelopes(25, Priority::Low);
    sent[3].priority = Priority::Critical;
    assert_eq!(queues.send(&sent).await.unwrap(), Vec::<usize>::new());
    let asked = asked.lock().unwrap();
    let mut calls: Vec<_> = asked
        .iter()
        .map(|asked| (asked["QueueUrl"].as_str().unwrap(), entries(asked).len()))
        .collect();
    calls.sort_unstable();
    let (low, critical) = ("http://127.0.0.1:1/1/low", "http://127.0.0.1:1/1/critical");
    assert_eq!(calls, [(critical, 1), (low, 4), (low, 10), (low, 10)]);
}

#[tokio::test]
async fn an_entry_carries_hint_group_and_a_delay_in_whole_seconds() {
    let (queues, asked) = queues(|asked| taking(asked, |_| true));
    let mut sent = envelopes(1, Priority::High);
    sent[0].delay = Duration::from_millis(1_001);
    queues.send(&sent).await.unwrap();
    let asked = asked.lock().unwrap();
    let entry = &entries(&asked[0])[0];
    assert_eq!(entry["MessageBody"], sent[0].message.encode());
    assert_eq!(entry["MessageGroupId"], sent[0].customer.digest());
    assert_eq!(entry["DelaySeconds"], 2);
}

#[test]
fn a_delay_is_rounded_up_and_bounded() {
    let cases = [
        (Duration::ZERO, 0),
        (Duration::from_nanos(1), 1),
        (Duration::from_millis(999), 1),
        (Duration::from_secs(1), 1),
        (Duration::from_millis(899_001), 900),
        (Duration::from_secs(901), 900),
        (Duration::MAX, 900),
    ];
    for (delay, seconds) in cases {
        assert_eq!(whole_seconds(delay), seconds, "{delay:?}");
    }
}

#[tokio::test]
async fn entries_that_were_refused_or_not_answered_are_unsent() {
    let (partial, _) = queues(|asked| taking(asked, |index| index % 4 != 1));
    let sent = envelopes(12, Priority::Normal);
    assert_eq!(partial.send(&sent).await.unwrap(), [1, 5, 9]);
    let (silent, _) = queues(|_| (200, json!({"Successful": [], "Failed": []})));
    assert_eq!(
        silent.send(&sent[..2]).await.unwrap(),
        [0, 1],
        "an answer that says nothing took nothing"
    );
}

#[tokio::test]
async fn a_failed_call_leaves_its_own_entries_unsent() {
    let (queues, _) = queues(|asked| {
        if entries(asked).len() == 10 {
            taking(asked, |_| true)
        } else {
            refusal()
        }
    });
    let unsent = queues.send(&envelopes(12, Priority::Urgent)).await.unwrap();
    assert_eq!(unsent, [10, 11]);
}

#[tokio::test]
async fn it_is_an_error_only_when_every_call_failed() {
    let (queues, asked) = queues(|_| refusal());
    let error = queues.send(&envelopes(12, Priority::Low)).await;
    assert!(matches!(
        error,
        Err(PortError::Unavailable { part: "queue", .. })
    ));
    assert_eq!(queues.send(&[]).await.unwrap(), Vec::<usize>::new());
    assert_eq!(asked.lock().unwrap().len(), 2, "nothing to send is no call");
}

#[test]
fn ten_bodies_are_far_below_the_bound_of_a_call() {
    let bodies = envelopes(BATCH, Priority::Low);
    let bytes: usize = bodies.iter().map(|it| it.message.encode().len()).sum();
    assert!(bytes < 1_024, "{bytes}");
}
