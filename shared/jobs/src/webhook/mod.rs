//! Webhooks after the Standard Webhooks specification: who is told of events over HTTP, with which
//! signature, and what becomes of each attempt. All of it is pure; refuses to post anything itself.

mod delivery;
mod endpoint;
mod request;
mod schedule;
mod secret;

pub use delivery::{
    Attempt, Delivery, DeliveryClaim, DeliveryState, DeliverySweep, Ending, KEPT_ATTEMPTS, Outcome,
};
pub use endpoint::{BOTH_GOOD, Disabled, MOST_WEBHOOKS, Webhook};
pub use request::{ChangedWebhook, JobWebhook, NewWebhook};
pub use schedule::{MOST_ATTEMPTS, wait_after};
pub use secret::{SIGNATURE_VERSION, Secret, WebhookKey, sign};

use crate::event::EventType;

/// Whether a list of types names one; an empty list names all that are not told in great numbers.
pub(crate) fn wants(events: &[EventType], kind: EventType) -> bool {
    if events.is_empty() {
        !matches!(kind, EventType::CrawlPage | EventType::JobProgress)
    } else {
        events.contains(&kind)
    }
}
