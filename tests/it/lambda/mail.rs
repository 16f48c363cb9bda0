//! Where the messages of a function arrive: what stands in for SQS at `HARVESTMAN_TEST_SQS`, else
//! an endpoint of our own that knows the one call that is made.

use std::sync::{Arc, Mutex};

use aws_sdk_sqs::Client;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{Json, Router};
use jobs::Priority;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support;

pub(super) struct Mail {
    pub(super) endpoint: String,
    /// In the order of [`Priority::ALL`].
    urls: Vec<String>,
    arrives: Arrives,
}

enum Arrives {
    AtEmulator(Client),
    Here(Arc<Mutex<Vec<Letter>>>),
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) priority: Priority,
    pub(super) body: String,
}

impl Mail {
    /// Five empty queues for this test alone.
    pub(super) async fn open(test: &str) -> Self {
        match support::emulator() {
            Some(endpoint) => Self::at_emulator(endpoint, test).await,
            None => Self::here().await,
        }
    }

    async fn at_emulator(endpoint: String, test: &str) -> Self {
        let client = aws::client::sqs(&support::connection(&endpoint));
        let mut urls = Vec::new();
        for priority in Priority::ALL {
            let name = format!("{test}-{}-{}", std::process::id(), priority.as_str());
            let created = client.create_queue().queue_name(name).send().await.unwrap();
            urls.push(created.queue_url.unwrap());
        }
        Self {
            endpoint,
            urls,
            arrives: Arrives::AtEmulator(client),
        }
    }

    async fn here() -> Self {
        let letters = Arc::default();
        let router = Router::new().fallback(receive);
        let router = router.with_state(Arc::clone(&letters));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = |priority: Priority| format!("{endpoint}/1/{}", priority.as_str());
        Self {
            urls: Priority::ALL.map(url).to_vec(),
            endpoint,
            arrives: Arrives::Here(letters),
        }
    }

    /// The queue of a priority.
    pub(super) fn url(&self, priority: Priority) -> &str {
        let at = Priority::ALL.iter().position(|it| *it == priority);
        &self.urls[at.unwrap()]
    }

    /// What has arrived since the last look.
    pub(super) async fn take(&self) -> Vec<Letter> {
        let client = match &self.arrives {
            Arrives::Here(letters) => return std::mem::take(&mut letters.lock().unwrap()),
            Arrives::AtEmulator(client) => client,
        };
        let mut letters = Vec::new();
        for priority in Priority::ALL {
            let call = client.receive_message().queue_url(self.url(priority));
            let there = call.max_number_of_messages(10).send().await.unwrap();
            let bodies = there.messages.unwrap_or_default().into_iter();
            letters.extend(bodies.map(|message| Letter {
                priority,
                body: message.body.unwrap(),
            }));
        }
        letters
    }
}

async fn receive(
    State(letters): State<Arc<Mutex<Vec<Letter>>>>,
    headers: HeaderMap,
    body: String,
) -> impl IntoResponse {
    let request: Value = serde_json::from_str(&body).unwrap();
    if headers["x-amz-target"] != "AmazonSQS.SendMessageBatch" {
        return (StatusCode::BAD_REQUEST, Json(json!({})));
    }
    let queue = request["QueueUrl"].as_str().unwrap();
    let name = Value::from(queue.rsplit('/').next().unwrap());
    let priority = Priority::parse(&name).unwrap();
    let mut taken = Vec::new();
    for entry in request["Entries"].as_array().unwrap() {
        let body = entry["MessageBody"].as_str().unwrap().to_owned();
        letters.lock().unwrap().push(Letter { priority, body });
        taken.push(json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
    }
    let answer = json!({"Successful": taken, "Failed": []});
    (StatusCode::OK, Json(answer))
}
