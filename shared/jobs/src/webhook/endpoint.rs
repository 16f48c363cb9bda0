//! The row of an endpoint that events of a customer are delivered to, and how it may change.
//! Refuses to hold its secret: it has the version of it.

use std::time::Duration;

use super::wants;
use crate::event::EventType;
use crate::id::WebhookId;
use crate::spec::CustomerId;
use crate::time::Timestamp;
use crate::transition::Stamp;
use crate::webhook::{ChangedWebhook, Secret, WebhookKey};

/// Most endpoints of one customer, to within those that are made in the same moment.
pub const MOST_WEBHOOKS: usize = 20;
/// How long the secret before the last rotation still signs.
pub const BOTH_GOOD: Duration = Duration::from_hours(24);

/// Why nothing is delivered to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disabled {
    /// It answered 410: it does not want to be asked again.
    Gone,
    /// Its owner has said so.
    Requested,
}

impl Disabled {
    pub const ALL: [Self; 2] = [Self::Gone, Self::Requested];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Requested => "requested",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == text)
    }
}

/// The row of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub customer: CustomerId,
    pub url: String,
    /// The types that it wants; empty is all but `crawl.page` and `job.progress`.
    pub events: Vec<EventType>,
    pub disabled: Option<Disabled>,
    /// The version of its secret, from 1.
    pub version: u32,
    /// The version before this one signs as well until then.
    pub previous_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Grows with every write; every write expects the one it read.
    pub revision: u64,
    /// Random number of the last write: a write whose answer was lost knows its echo by it.
    pub nonce: u64,
}

impl Webhook {
    pub fn new(
        id: WebhookId,
        stamp: Stamp,
        customer: CustomerId,
        url: String,
        events: Vec<EventType>,
    ) -> Self {
        Self {
            id,
            customer,
            url,
            events,
            disabled: None,
            version: 1,
            previous_until: None,
            created_at: stamp.now,
            updated_at: stamp.now,
            revision: 1,
            nonce: stamp.nonce,
        }
    }

    /// Whether it is to be told of events of this type.
    pub fn wants(&self, kind: EventType) -> bool {
        self.disabled.is_none() && wants(&self.events, kind)
    }

    /// The secrets that sign at `now`, the latest first.
    pub fn secrets(&self, key: &WebhookKey, now: Timestamp) -> Vec<Secret> {
        let mut secrets = vec![key.of_webhook(&self.id, self.version)];
        if self.previous_until.is_some_and(|until| until > now) && self.version > 1 {
            secrets.push(key.of_webhook(&self.id, self.version - 1));
        }
        secrets
    }

    /// The row with what its owner wants changed.
    #[must_use]
    pub fn changed(&self, stamp: Stamp, change: &ChangedWebhook) -> Self {
        let mut next = self.sealed(stamp);
        if let Some(url) = &change.url {
            next.url.clone_from(url);
        }
        if let Some(events) = &change.events {
            next.events.clone_from(events);
        }
        match change.enabled {
            Some(true) => next.disabled = None,
            Some(false) => next.disabled = next.disabled.or(Some(Disabled::Requested)),
            None => {}
        }
        next
    }

    /// The row with another secret; the one until now stays good for [`BOTH_GOOD`].
    #[must_use]
    pub fn rotated(&self, stamp: Stamp) -> Self {
        let mut next = self.sealed(stamp);
        next.version = self.version.saturating_add(1);
        next.previous_until = Some(stamp.now + BOTH_GOOD);
        next
    }

    /// The row of an endpoint that has answered 410; `None` where it is disabled already, or is
    /// another address by now than the one that answered.
    pub fn gone(&self, stamp: Stamp, url: &str) -> Option<Self> {
        if self.disabled.is_some() || self.url != url {
            return None;
        }
        let mut next = self.sealed(stamp);
        next.disabled = Some(Disabled::Gone);
        Some(next)
    }

    fn sealed(&self, stamp: Stamp) -> Self {
        Self {
            updated_at: stamp.now,
            revision: self.revision + 1,
            nonce: stamp.nonce,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn stamp(now: Timestamp) -> Stamp {
        Stamp { now, nonce: 9 }
    }

    fn webhook() -> Webhook {
        let id = WebhookId::new(START, 1);
        let url = "https://example.com/hook".to_owned();
        Webhook::new(id, stamp(START), CustomerId::default(), url, Vec::new())
    }

    #[test]
    fn an_endpoint_is_told_of_everything_but_what_comes_in_great_numbers_unless_it_asks() {
        let mut webhook = webhook();
        let wanted = |webhook: &Webhook| {
            let all = EventType::ALL.into_iter();
            all.filter(|kind| webhook.wants(*kind)).count()
        };
        assert_eq!(wanted(&webhook), 7);
        assert!(!webhook.wants(EventType::CrawlPage) && !webhook.wants(EventType::JobProgress));
        webhook.events = vec![EventType::CrawlPage];
        assert!(webhook.wants(EventType::CrawlPage) && !webhook.wants(EventType::JobFailed));
        webhook.disabled = Some(Disabled::Requested);
        assert_eq!(wanted(&webhook), 0);
    }

    #[test]
    fn two_secrets_sign_for_a_day_after_a_rotation_and_never_three() {
        let key = WebhookKey::new([1; 32]);
        let first = webhook();
        assert_eq!(first.secrets(&key, START).len(), 1);
        let second = first.rotated(stamp(START));
        let both = second.secrets(&key, START);
        assert_eq!(both.len(), 2);
        assert_eq!(both[1], first.secrets(&key, START)[0]);
        let third = second.rotated(stamp(START));
        assert_eq!(third.secrets(&key, START)[1], both[0]);
        assert_eq!(third.secrets(&key, START).len(), 2);
        assert_eq!(second.secrets(&key, START + BOTH_GOOD), both[..1]);
    }

    #[test]
    fn what_is_not_named_stays_as_it_is() {
        let before = webhook();
        let nothing = ChangedWebhook::default();
        let same = before.changed(stamp(START), &nothing);
        assert_eq!((&same.url, &same.events), (&before.url, &before.events));
        assert_eq!(same.revision, 2);
        let off = ChangedWebhook {
            enabled: Some(false),
            ..ChangedWebhook::default()
        };
        let off = before.changed(stamp(START), &off);
        assert_eq!(off.disabled, Some(Disabled::Requested));
        let on = ChangedWebhook {
            enabled: Some(true),
            ..ChangedWebhook::default()
        };
        assert_eq!(off.changed(stamp(START), &on).disabled, None);
    }

    #[test]
    fn an_answer_of_another_address_disables_nothing() {
        let webhook = webhook();
        assert_eq!(webhook.gone(stamp(START), "https://example.com/old"), None);
        let gone = webhook.gone(stamp(START), &webhook.url).unwrap();
        assert_eq!(gone.disabled, Some(Disabled::Gone));
        assert_eq!(gone.gone(stamp(START), &gone.url), None);
    }
}
