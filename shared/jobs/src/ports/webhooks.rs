//! The ports of webhooks: the endpoints of customers, what is delivered to them, and who carries a
//! delivery to its receiver.

use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::{PortError, Scope};
use crate::failure::Failure;
use crate::id::{DeliveryId, WebhookId};
use crate::message::{DeliveryKey, DeliveryOwner};
use crate::time::Timestamp;
use crate::webhook::{Delivery, Webhook};

/// Part of a list of endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedWebhooks {
    /// Newest first.
    pub webhooks: Vec<Webhook>,
    /// Go on with what is older than this; `None` at the end.
    pub next: Option<WebhookId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookSwap {
    Written,
    /// The row is no longer the one that was read; this is what it is now.
    Lost(Option<Box<Webhook>>),
}

/// The endpoints of all customers. Each write knows its own echo.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// Writes an endpoint for the first time; `false` where its customer has `most` already.
    async fn add_webhook(&self, webhook: &Webhook, most: u64) -> Result<bool, PortError>;

    /// The row, as of the last write.
    async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, PortError>;

    /// Replaces `before` by `after` where the row still is `before`.
    async fn replace_webhook(
        &self,
        before: &Webhook,
        after: &Webhook,
    ) -> Result<WebhookSwap, PortError>;

    /// Removes an endpoint, where there is one.
    async fn remove_webhook(&self, webhook: &Webhook) -> Result<(), PortError>;

    /// Up to `limit` endpoints, newest first, older than `before`; may lag behind the last writes
    /// by a moment.
    async fn list_webhooks(
        &self,
        scope: Scope<'_>,
        before: Option<&WebhookId>,
        limit: usize,
    ) -> Result<ListedWebhooks, PortError>;
}

/// Part of a list of deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedDeliveries {
    /// Newest first.
    pub deliveries: Vec<Delivery>,
    /// Go on with what is older than this; `None` at the end.
    pub next: Option<DeliveryId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliverySwap {
    Written,
    /// The row is no longer the one that was read; this is what it is now.
    Lost(Option<Box<Delivery>>),
}

/// The due list of deliveries is spread over this many partitions.
pub const DELIVERY_SHARDS: u32 = 4;

/// Deliveries, each with a life of its own. Each write knows its own echo.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Writes a delivery for the first time; `false` where there is one under its key already.
    async fn begin_delivery(&self, delivery: &Delivery) -> Result<bool, PortError>;

    /// The row, as of the last write.
    async fn delivery(&self, key: &DeliveryKey) -> Result<Option<Delivery>, PortError>;

    /// Replaces `before` by `after` where the row still is `before`. It may be forgotten once it
    /// has expired.
    async fn replace_delivery(
        &self,
        before: &Delivery,
        after: &Delivery,
    ) -> Result<DeliverySwap, PortError>;

    /// Up to `limit` deliveries of one receiver that are older than `before`, as of the last write.
    async fn list_deliveries(
        &self,
        owner: &DeliveryOwner,
        before: Option<&DeliveryId>,
        limit: usize,
    ) -> Result<ListedDeliveries, PortError>;

    /// Deliveries in one of [`DELIVERY_SHARDS`] that come due by `until`, earliest first.
    async fn due_deliveries(
        &self,
        shard: u32,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeliveryKey>, PortError>;
}

/// What is posted to a receiver.
#[derive(Clone, Debug)]
pub struct Post {
    pub url: Url,
    /// Sent besides what every request has. None of them is ever logged.
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The whole attempt: names, connection, and the beginning of the answer.
    pub timeout: Duration,
}

/// What a receiver has answered, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub status: u16,
    /// How long it asks us to wait before another attempt (RFC 9110, section 10.2.3), up to a day.
    pub retry_after: Option<Duration>,
    /// How its body begins, as text of at most 500 characters.
    pub excerpt: String,
}

/// Carries deliveries to their receivers, through the one door to the web. Follows no redirects.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Posts once. Fails where there was no answer, or the address is refused.
    async fn post(&self, post: &Post) -> Result<Posted, Failure>;
}
