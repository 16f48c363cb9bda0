//! The five queues on SQS. Sends hints in batches and says which ones were not taken; refuses to
//! send again what the SDK has given up on, because the sweep does that.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::stream::{self, StreamExt};
use jobs::Priority;
use jobs::ports::{Envelope, PortError, Queue};

/// Most entries of one call. A body is an id and a version, so ten of them are nowhere near the
/// bound on a call's bytes.
const BATCH: usize = 10;
/// Calls on their way at once: a hundred jobs of one request are sent in one round.
const CONCURRENCY: usize = 10;
/// SQS holds a message back no longer than this.
const LONGEST_DELAY_SECONDS: u64 = 900;

/// Where the queue of each priority is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUrls {
    pub low: String,
    pub normal: String,
    pub high: String,
    pub urgent: String,
    pub critical: String,
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

/// [`Queue`] on five standard queues.
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
        priority: Priority,
        envelopes: &[Envelope],
        mut indexes: Vec<usize>,
    ) -> Result<Vec<usize>, PortError> {
        let entries = indexes
            .iter()
            .map(|index| entry(*index, &envelopes[*index]));
        let entries = entries.collect::<Result<_, _>>().map_err(unavailable)?;
        let call = self.client.send_message_batch();
        let call = call.queue_url(self.urls.of(priority));
        let answer = call.set_entries(Some(entries)).send().await;
        let answer = answer.map_err(unavailable)?;
        for failed in answer.failed() {
            tracing::warn!(
                queue = priority.as_str(),
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
}

#[async_trait]
impl Queue for Queues {
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<usize>, PortError> {
        let batches = batches(envelopes);
        let calls = batches.len();
        let answers: Vec<_> = stream::iter(batches)
            .map(|(priority, indexes)| async move {
                let sent = self.send_batch(priority, envelopes, indexes.clone());
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

fn entry(index: usize, envelope: &Envelope) -> Result<SendMessageBatchRequestEntry, BuildError> {
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(envelope.message.encode())
        .delay_seconds(whole_seconds(envelope.delay))
        .message_group_id(envelope.customer.digest())
        .build()
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
