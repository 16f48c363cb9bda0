//! Webhooks as a customer and a receiver see them: made, told, verified, retried, repaired.

mod api;
mod deliver;
mod repair;
mod signatures;
mod told;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use jobs::app::Handled;
use jobs::event::{Event, EventType};
use jobs::ports::{Courier, Post, Posted};
use jobs::spec::CustomerId;
use jobs::{DeliveryKey, Failure, FailureCode, JobId};
use serde_json::{Value, json};

use crate::app::{Answered, INVOCATION, TestApp};

const HOOK: &str = "https://example.com/hook";

/// What a receiver does with a request.
#[derive(Clone, Debug)]
enum Act {
    Answer(u16),
    /// With this many seconds in `Retry-After`.
    Wait(u16, u64),
    Hang,
    Refused,
}

/// A receiver that does as the script says, request by request, and answers 200 after its end.
#[derive(Default)]
struct Receiver {
    script: Mutex<VecDeque<Act>>,
    seen: Mutex<Vec<Post>>,
}

impl Receiver {
    fn that(script: impl IntoIterator<Item = Act>) -> Self {
        Self {
            script: Mutex::new(script.into_iter().collect()),
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> Vec<Post> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl Courier for Receiver {
    async fn post(&self, post: &Post) -> Result<Posted, Failure> {
        self.seen.lock().unwrap().push(post.clone());
        let act = self.script.lock().unwrap().pop_front();
        let (status, wait) = match act.unwrap_or(Act::Answer(200)) {
            Act::Answer(status) => (status, None),
            Act::Wait(status, seconds) => (status, Some(Duration::from_secs(seconds))),
            Act::Hang => {
                let sentence = "There was no answer within 15000 ms";
                return Err(Failure::new(FailureCode::Timeout, sentence));
            }
            Act::Refused => {
                let sentence = "10.0.0.1 is not a public address";
                return Err(Failure::new(FailureCode::AddressRefused, sentence));
            }
        };
        Ok(Posted {
            status,
            retry_after: wait,
            excerpt: format!("answer {status}"),
        })
    }
}

/// What happened to a job, as the service would tell it.
fn event(app: &TestApp, number: u64, kind: EventType) -> Event {
    let job = JobId::new(app.app.now(), u128::from(number));
    event_of(app, number, kind, &job, "default")
}

fn event_of(app: &TestApp, number: u64, kind: EventType, job: &JobId, customer: &str) -> Event {
    let (id, at) = (format!("evt_{number:026}"), app.app.now());
    let body = json!({
        "id": id, "type": kind.as_str(), "timestamp": at.to_string(), "customerId": customer,
        "jobId": job.to_string(), "data": {"title": "T\u{e9}, for two \u{1f375}"},
    });
    Event {
        id,
        kind,
        at,
        customer: CustomerId::parse(customer).unwrap(),
        job: job.clone(),
        body: body.to_string(),
    }
}

impl TestApp {
    async fn ask(&self, method: Method, path: &str, body: &Value) -> Answered {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Makes a webhook that must be accepted.
    async fn hook(&self, body: &Value) -> Value {
        let made = self.post("/api/webhooks", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.json
    }

    /// Tells of an event, as the service does.
    async fn tell(&self, event: &Event) {
        self.app.begin_deliveries(event, None).await.unwrap();
    }

    /// Handles the messages about deliveries that are ready; says how many there were.
    async fn deliver(&self, courier: &dyn Courier) -> usize {
        let mut handled = 0;
        while let Some(key) = self.queue.try_receive_delivery() {
            assert_eq!(self.try_deliver(&key, courier).await, Handled::Done);
            handled += 1;
        }
        handled
    }

    async fn try_deliver(&self, key: &DeliveryKey, courier: &dyn Courier) -> Handled {
        let deadline = self.app.now() + INVOCATION;
        self.app.deliver(key, courier, deadline).await
    }

    /// The log of an endpoint or a job's deliveries, newest first.
    async fn log(&self, path: &str) -> Vec<Value> {
        let listed = self.get(&format!("{path}/deliveries")).await;
        assert_eq!(listed.status, StatusCode::OK, "{listed:?}");
        listed.json["deliveries"].as_array().unwrap().clone()
    }
}

/// The path of a webhook.
fn path(hook: &Value) -> String {
    format!("/api/webhooks/{}", hook["id"].as_str().unwrap())
}
