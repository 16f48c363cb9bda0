//! The shapes of webhooks and their deliveries, from the domain to JSON.

use jobs::event::EventType;
use jobs::webhook::{Attempt, JobWebhook, Secret};
use jobs::{Delivery, Timestamp, Webhook};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A type of event.
#[derive(Deserialize, ToSchema)]
#[schema(as = EventWord)]
#[allow(dead_code)] // read by the document alone
pub(crate) enum EventWord {
    #[serde(rename = "job.created")]
    JobCreated,
    #[serde(rename = "job.started")]
    JobStarted,
    #[serde(rename = "job.progress")]
    JobProgress,
    #[serde(rename = "job.completed")]
    JobCompleted,
    #[serde(rename = "job.failed")]
    JobFailed,
    #[serde(rename = "job.cancelled")]
    JobCancelled,
    #[serde(rename = "job.retried")]
    JobRetried,
    #[serde(rename = "crawl.page")]
    CrawlPage,
    #[serde(rename = "schedule.fired")]
    ScheduleFired,
}

/// Where events of a customer are delivered to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookView {
    #[schema(example = "whk_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    id: String,
    #[schema(example = "https://example.com/hook")]
    url: String,
    /// The types that are delivered.
    #[schema(value_type = Vec<EventWord>, example = json!(["job.completed", "job.failed"]))]
    events: Vec<&'static str>,
    #[schema(example = "default")]
    customer_id: String,
    /// enabled or disabled.
    #[schema(pattern = "^(enabled|disabled)$", example = "enabled")]
    status: &'static str,
    /// Why it is disabled: gone (it answered 410) or requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^(gone|requested)$")]
    disabled_reason: Option<&'static str>,
    /// What deliveries are verified with; in the answers to create and rotate and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^whsec_[0-9A-Za-z+/]{43}=$")]
    secret: Option<String>,
    /// Until then the secret before the last rotation signs as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    previous_secret_until: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl WebhookView {
    pub(crate) fn new(webhook: &Webhook, secret: Option<&Secret>, now: Timestamp) -> Self {
        let wanted = |kind: &EventType| {
            let enabled = Webhook {
                disabled: None,
                ..webhook.clone()
            };
            enabled.wants(*kind)
        };
        let events = EventType::ALL.into_iter().filter(wanted);
        let until = webhook.previous_until.filter(|until| *until > now);
        Self {
            id: webhook.id.to_string(),
            url: webhook.url.clone(),
            events: events.map(EventType::as_str).collect(),
            customer_id: webhook.customer.to_string(),
            status: match webhook.disabled {
                None => "enabled",
                Some(_) => "disabled",
            },
            disabled_reason: webhook.disabled.map(jobs::webhook::Disabled::as_str),
            secret: secret.map(Secret::reveal),
            previous_secret_until: until.map(|at| at.to_string()),
            created_at: webhook.created_at.to_string(),
            updated_at: webhook.updated_at.to_string(),
        }
    }
}

/// The webhook that a job names itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobWebhookView {
    #[schema(example = "https://example.com/hook")]
    url: String,
    /// The types that are delivered.
    #[schema(value_type = Vec<EventWord>, example = json!(["job.completed", "job.failed"]))]
    events: Vec<&'static str>,
}

impl JobWebhookView {
    pub(crate) fn new(webhook: &JobWebhook) -> Self {
        let events = EventType::ALL.into_iter();
        let events = events.filter(|kind| webhook.wants(*kind));
        Self {
            url: webhook.url.clone(),
            events: events.map(EventType::as_str).collect(),
        }
    }
}

/// A page of webhooks.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhooksView {
    /// Newest first.
    pub(crate) webhooks: Vec<WebhookView>,
    /// Goes on after this page; null at the end.
    pub(crate) next_cursor: Option<String>,
}

/// An attempt of a delivery.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryAttemptView {
    #[schema(format = DateTime)]
    at: String,
    duration_ms: u64,
    /// What the receiver answered, where it did.
    #[schema(example = 503)]
    status_code: Option<u16>,
    /// `code: sentence`; null where it was delivered.
    #[schema(example = "http_503: the receiver answered 503")]
    error: Option<String>,
    /// How the answer to a failed attempt begins.
    answer: Option<String>,
}

impl From<&Attempt> for DeliveryAttemptView {
    fn from(attempt: &Attempt) -> Self {
        Self {
            at: attempt.at.to_string(),
            duration_ms: attempt.duration_ms,
            status_code: attempt.status,
            error: attempt.error.clone(),
            answer: attempt.answer.clone(),
        }
    }
}

/// An event's delivery to one webhook.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryView {
    #[schema(example = "dlv_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    id: String,
    #[schema(value_type = EventWord, example = "job.completed")]
    event: &'static str,
    /// `webhook-id` of its requests, the same in each of them.
    #[schema(example = "evt_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    event_id: String,
    /// pending, delivered or failed.
    #[schema(pattern = "^(pending|delivered|failed)$", example = "delivered")]
    status: &'static str,
    /// The latest twenty, oldest first.
    attempts: Vec<DeliveryAttemptView>,
    /// When it is tried next; null unless it is pending.
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<&Delivery> for DeliveryView {
    fn from(delivery: &Delivery) -> Self {
        let pending = delivery.due_at.is_some();
        Self {
            id: delivery.id.to_string(),
            event: delivery.kind.as_str(),
            event_id: delivery.event_id.clone(),
            status: delivery.state.as_str(),
            attempts: delivery.attempts.iter().map(Into::into).collect(),
            next_attempt_at: pending.then(|| delivery.next_at.to_string()),
            created_at: delivery.created_at.to_string(),
        }
    }
}

/// A page of deliveries.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveriesView {
    /// Newest first.
    pub(crate) deliveries: Vec<DeliveryView>,
    /// Goes on after this page; null at the end.
    pub(crate) next_cursor: Option<String>,
}
