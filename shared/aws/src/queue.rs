//! The queues on SQS, five of jobs and one of deliveries. Sends hints in batches and says which ones were not taken; refuses to
//! send again what the SDK has given up on, because the sweep does that.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::stream::{self, StreamExt};
use jobs::Priority;
use jobs::ports::{DeliveryEnvelope, Envelope, PortError, Queue};
use jobs::spec::CustomerId;

/// Most entries of one call. A body is an id and a version, so ten of them are nowhere near the
/// bound on a call's bytes.
const BATCH: usize = 10;
/// Calls on their way at once: a hundred jobs of one request are sent in one round.
const CONCURRENCY: usize = 10;
/// SQS holds a message back no longer than this.
const LONGEST_DELAY_SECONDS: u64 = 900;

/// Where the queue of each priority is, and that of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUrls {
    pub low: String,
    pub normal: String,
    pub high: String,
    pub urgent: String,
    pub critical: String,
    pub deliveries: String,
    /// Where events go that ask for a job and cannot have one.
    pub refused: String,
}

impl QueueUrls {
    pub fn of(&self, priority: Priority) -> &str {
        match priority {
            Priority::Low => &self.low,
            Priority::Normal => &self.normal,
            Priority::High => &self.high,
            Priority::Urgent => &self.urgent,
            Priority::Critical => &self.critical,
        }
    }
}

/// [`Queue`] on standard queues.
#[derive(Clone, Debug)]
pub struct Queues {
    client: Client,
    urls: QueueUrls,
}

impl Queues {
    pub fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls }
    }

    /// Sends one batch; answers with the indexes that SQS did not confirm.
    async fn send_batch(
        &self,
        url: &str,
        messages: &[Outgoing],
        mut indexes: Vec<usize>,
    ) -> Result<Vec<usize>, PortError> {
        let entries = indexes
            .iter()
            .map(|index| messages[*index].entry(*index))
            .collect::<Result<_, _>>()
            .map_err(unavailable)?;
        let call = self.client.send_message_batch().queue_url(url);
        let answer = call.set_entries(Some(entries)).send().await;
        let answer = answer.map_err(unavailable)?;
        for failed in answer.failed() {
            tracing::warn!(
                queue = url,
                code = failed.code(),
                ours = failed.sender_fault(),
                "a message was refused"
            );
        }
        // What the answer does not name was not taken: a second message costs less than none.
        indexes.retain(|index| {
            let id = index.to_string();
            !answer.successful().iter().any(|entry| entry.id() == id)
        });
        Ok(indexes)
    }

    /// Sends the batches, each to its queue; answers with the indexes of what was not taken.
    async fn send_all(
        &self,
        messages: &[Outgoing],
        batches: Vec<(String, Vec<usize>)>,
    ) -> Result<Vec<usize>, PortError> {
        let calls = batches.len();
        let answers: Vec<_> = stream::iter(batches)
            .map(|(url, indexes)| async move {
                let sent = self.send_batch(&url, messages, indexes.clone());
                sent.await.map_err(|error| (indexes, error))
            })
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut unsent = Vec::new();
        let mut errors = Vec::new();
        for answer in answers {
            match answer {
                Ok(refused) => unsent.extend(refused),
                Err((lost, error)) => {
                    unsent.extend(lost);
                    errors.push(error);
                }
            }
        }
        let all_failed = errors.len() == calls;
        match errors.pop() {
            Some(error) if all_failed => return Err(error),
            Some(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, calls = errors.len() + 1, "batches were not sent");
            }
            None => {}
        }
        unsent.sort_unstable();
        Ok(unsent)
    }
}

#[async_trait]
impl Queue for Queues {
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<usize>, PortError> {
        let batches = batches(envelopes).into_iter();
        let batches =
            batches.map(|(priority, indexes)| (self.urls.of(priority).to_owned(), indexes));
        let message = |envelope: &Envelope| {
            let body = envelope.message.encode();
            Outgoing::new(body, envelope.delay, &envelope.customer)
        };
        let messages: Vec<_> = envelopes.iter().map(message).collect();
        self.send_all(&messages, batches.collect()).await
    }

    async fn send_deliveries(
        &self,
        envelopes: &[DeliveryEnvelope],
    ) -> Result<Vec<usize>, PortError> {
        let indexes: Vec<_> = (0..envelopes.len()).collect();
        let batches = indexes.chunks(BATCH);
        let batches = batches.map(|batch| (self.urls.deliveries.clone(), batch.to_vec()));
        let message = |envelope: &DeliveryEnvelope| {
            let body = envelope.key.encode();
            Outgoing::new(body, envelope.delay, &envelope.customer)
        };
        let messages: Vec<_> = envelopes.iter().map(message).collect();
        self.send_all(&messages, batches.collect()).await
    }

    async fn refuse(&self, letter: &str) -> Result<(), PortError> {
        let call = self.client.send_message().queue_url(&self.urls.refused);
        let sent = call.message_body(letter).send().await;
        sent.map(drop).map_err(unavailable)
    }
}

/// A message as SQS takes it.
struct Outgoing {
    body: String,
    delay: Duration,
    /// By which SQS tells customers apart, to serve them fairly.
    group: String,
}

impl Outgoing {
    fn new(body: String, delay: Duration, customer: &CustomerId) -> Self {
        Self {
            body,
            delay,
            group: customer.digest(),
        }
    }

    fn entry(&self, index: usize) -> Result<SendMessageBatchRequestEntry, BuildError> {
        SendMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .message_body(&self.body)
            .delay_seconds(whole_seconds(self.delay))
            .message_group_id(&self.group)
            .build()
    }
}

/// The indexes of each call, by priority and in order.
fn batches(envelopes: &[Envelope]) -> Vec<(Priority, Vec<usize>)> {
    let mut batches = Vec::new();
    for priority in Priority::ALL {
        let mine = (0..envelopes.len()).filter(|index| envelopes[*index].priority == priority);
        let mine: Vec<_> = mine.collect();
        batches.extend(mine.chunks(BATCH).map(|batch| (priority, batch.to_vec())));
    }
    batches
}

/// Rounded up: a message may be late, never early.
fn whole_seconds(delay: Duration) -> i32 {
    let part = u64::from(delay.subsec_nanos() > 0);
    let seconds = delay.as_secs().saturating_add(part);
    seconds.min(LONGEST_DELAY_SECONDS) as i32
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> PortError {
    PortError::Unavailable {
        part: "queue",
        source: Box::new(error),
    }
}

#[cfg(test)]
mod tests;
