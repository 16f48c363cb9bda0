//! The port for messages: hints about jobs and deliveries, and what is laid aside for a person.

use std::time::Duration;

use async_trait::async_trait;

use super::PortError;
use crate::message::{DeliveryKey, Message};
use crate::spec::{CustomerId, Priority};

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub message: Message,
    pub priority: Priority,
    /// Delivered no earlier than this from now; at most 15 minutes.
    pub delay: Duration,
    /// Whose message it is, so that customers share the queue fairly.
    pub customer: CustomerId,
}

/// A message about a delivery to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryEnvelope {
    pub key: DeliveryKey,
    /// Delivered no earlier than this from now; at most 15 minutes.
    pub delay: Duration,
    /// Whose message it is, so that customers share the queue fairly.
    pub customer: CustomerId,
}

/// Five queues, one per priority, and one for deliveries, whose receivers may be slow. Delivers at least once, in any order; what it loses, the sweep
/// sends again.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends what it can; answers with the indexes of those that it could not.
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<usize>, PortError>;

    /// As [`Queue::send`], for deliveries. Unless told better, none of them is taken.
    async fn send_deliveries(
        &self,
        envelopes: &[DeliveryEnvelope],
    ) -> Result<Vec<usize>, PortError> {
        Ok((0..envelopes.len()).collect())
    }

    /// Lays an event aside that asks for a job and cannot have one, with the reason, for a person to
    /// look at. Unless told better, it is logged and gone.
    async fn refuse(&self, letter: &str) -> Result<(), PortError> {
        tracing::error!(letter, "an event was refused");
        Ok(())
    }
}
