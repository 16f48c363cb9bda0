//! SQS, or what stands in for it at `HARVESTMAN_TEST_SQS`. Where that is not set its suite is
//! skipped, and one line says so.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws::client;
use aws::queue::{QueueUrls, Queues};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use jobs::Message;
use jobs::ports::{PortError, Queue};
use jobs::spec::Priority;

use super::{Delivery, Harness, SOON, envelope, envelopes};
use crate::support;

const POLL: Duration = Duration::from_secs(1);

pub(super) struct Sqs {
    client: Client,
    urls: QueueUrls,
    queues: Queues,
    opened: Instant,
}

/// Five queues of their own for each test.
pub(super) async fn open(test: &str) -> Option<Sqs> {
    let endpoint = support::emulator_for("the queue's suite on SQS")?;
    let client = client::sqs(&support::connection(endpoint));
    let run = std::process::id();
    // A queue's name has at most 80 characters.
    let test: String = test.chars().take(40).collect();
    let create = async |name: &str| {
        let name = format!("{test}-{run}-{name}");
        let call = client.create_queue().queue_name(name);
        let created = call.attributes(QueueAttributeName::VisibilityTimeout, "360");
        created.send().await.unwrap().queue_url.unwrap()
    };
    let urls = QueueUrls {
        low: create(Priority::Low.as_str()).await,
        normal: create(Priority::Normal.as_str()).await,
        high: create(Priority::High.as_str()).await,
        urgent: create(Priority::Urgent.as_str()).await,
        critical: create(Priority::Critical.as_str()).await,
        deliveries: create("deliveries").await,
        refused: create("refused").await,
    };
    Some(Sqs {
        queues: Queues::new(client.clone(), urls.clone()),
        client,
        urls,
        opened: Instant::now(),
    })
}

impl Sqs {
    async fn poll(&self, priority: Priority, wait: Duration) -> Vec<Delivery> {
        let call = self.client.receive_message();
        let call = call.queue_url(self.urls.of(priority));
        let call = call.max_number_of_messages(10);
        // The client's own timeouts are for calls that do not wait.
        let patient = aws_sdk_sqs::config::timeout::TimeoutConfig::disabled();
        let patient = aws_sdk_sqs::Config::builder().timeout_config(patient);
        let call = call.wait_time_seconds(wait.as_secs() as i32).customize();
        let answer = call.config_override(patient).send().await.unwrap();
        let deliveries = answer.messages.unwrap_or_default().into_iter();
        deliveries
            .map(|message| Delivery {
                message: Message::decode(&message.body.unwrap()).unwrap(),
                priority: Some(priority),
                receipt: message.receipt_handle.unwrap(),
            })
            .collect()
    }

    async fn poll_all(&self, wait: Duration) -> Vec<Delivery> {
        let [low, normal, high, urgent, critical] =
            Priority::ALL.map(|priority| self.poll(priority, wait));
        let (low, normal, high, urgent, critical) =
            tokio::join!(low, normal, high, urgent, critical);
        let polled = [low, normal, high, urgent, critical];
        polled.into_iter().flatten().collect()
    }

    fn url(&self, delivery: &Delivery) -> &str {
        self.urls.of(delivery.priority.unwrap())
    }
}

#[async_trait]
impl Harness for Sqs {
    fn queue(&self) -> &dyn Queue {
        &self.queues
    }

    fn time(&self) -> Duration {
        self.opened.elapsed()
    }

    async fn receive(&mut self, within: Duration) -> Vec<Delivery> {
        let mut there = self.poll_all(Duration::ZERO).await;
        let mut left = within;
        while there.is_empty() && !left.is_zero() {
            there = self.poll_all(POLL).await;
            left = left.saturating_sub(POLL);
        }
        there
    }

    async fn acknowledge(&mut self, delivery: Delivery) {
        let call = self.client.delete_message().queue_url(self.url(&delivery));
        let call = call.receipt_handle(&delivery.receipt);
        call.send().await.unwrap();
    }

    async fn give_back(&mut self, delivery: Delivery) -> bool {
        let call = self.client.change_message_visibility();
        let call = call.queue_url(self.url(&delivery)).visibility_timeout(0);
        let call = call.receipt_handle(&delivery.receipt);
        call.send().await.unwrap();
        true
    }
}

#[tokio::test]
async fn the_group_of_a_message_is_its_customer() {
    let Some(sqs) = open("the_group_of_a_message_is_its_customer").await else {
        return;
    };
    let sent = envelope(1, Priority::Low);
    sqs.queues.send(std::slice::from_ref(&sent)).await.unwrap();
    let call = sqs.client.receive_message().queue_url(&sqs.urls.low);
    let call = call.message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
    let answer = call.wait_time_seconds(1).send().await.unwrap();
    let attributes = answer.messages()[0].attributes().unwrap();
    assert_eq!(
        attributes[&MessageSystemAttributeName::MessageGroupId],
        sent.customer.digest()
    );
}

#[tokio::test]
async fn messages_for_a_queue_that_is_gone_are_named_and_the_others_arrive() {
    let test = "messages_for_a_queue_that_is_gone";
    let Some(mut sqs) = open(test).await else {
        return;
    };
    let gone = sqs.client.delete_queue().queue_url(&sqs.urls.urgent);
    gone.send().await.unwrap();
    let mut sent = envelopes(3);
    sent[1].priority = Priority::Urgent;
    assert_eq!(sqs.queues.send(&sent).await.unwrap(), [1]);
    let there = sqs.poll(Priority::Normal, SOON).await;
    assert_eq!(there.len(), 2);
    for delivery in there {
        sqs.acknowledge(delivery).await;
    }
    let all = sqs.queues.send(&sent[1..2]).await;
    assert!(matches!(all, Err(PortError::Unavailable { .. })));
}
