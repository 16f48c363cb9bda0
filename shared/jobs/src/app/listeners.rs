//! Which endpoints listen to a customer's events, as this process knows it. Refuses to believe what
//! it has read for longer than ten seconds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::App;
use crate::error::Error;
use crate::ports::{PortError, Scope, WebhookSwap};
use crate::spec::CustomerId;
use crate::time::Timestamp;
use crate::transition::Stamp;
use crate::webhook::{MOST_WEBHOOKS, Webhook, WebhookKey};

/// How long a process believes that a customer has endpoints, or none.
const MEMORY: Duration = Duration::from_secs(10);
/// Customers remembered at once.
const MOST_REMEMBERED: usize = 10_000;
/// Writes that may come between before one gives up.
pub(super) const MOST_RACES: usize = 20;

/// What this process knows about webhooks.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// From which the secrets are derived; without it there are no webhooks.
    pub(super) key: Option<WebhookKey>,
    pub(super) memory: Mutex<Memory>,
}

/// Whether customers have endpoints that are enabled.
#[derive(Debug, Default)]
pub(super) struct Memory {
    listening: HashMap<CustomerId, (Timestamp, bool)>,
    /// Grows with every change: what was read before one is not remembered after it.
    changes: u64,
}

impl Knowledge {
    fn with<T>(&self, act: impl FnOnce(&mut Memory) -> T) -> T {
        act(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn forget(&self, customer: &CustomerId) {
        self.with(|memory| {
            memory.listening.remove(customer);
            memory.changes += 1;
        });
    }
}

impl Memory {
    fn recall(&self, customer: &CustomerId, now: Timestamp) -> Option<bool> {
        let (at, listens) = self.listening.get(customer)?;
        // A clock that was set back makes nothing young again.
        let age = now.since(*at).max(at.since(now));
        (age < MEMORY).then_some(*listens)
    }

    fn remember(&mut self, customer: &CustomerId, listens: bool, now: Timestamp, changes: u64) {
        if self.changes != changes {
            return;
        }
        if self.listening.len() >= MOST_REMEMBERED {
            self.listening.clear();
        }
        self.listening.insert(customer.clone(), (now, listens));
    }
}

impl App {
    /// Whether a customer has endpoints that are enabled, as of ten seconds ago at most; what this
    /// process has changed counts at once.
    pub async fn has_listeners(&self, customer: &CustomerId) -> Result<bool, Error> {
        let now = self.now();
        let (known, changes) = self
            .webhooks
            .with(|memory| (memory.recall(customer, now), memory.changes));
        if let Some(listens) = known {
            return Ok(listens);
        }
        let endpoints = self.endpoints(customer).await?;
        let listens = endpoints.iter().any(|webhook| webhook.disabled.is_none());
        self.webhooks
            .with(|memory| memory.remember(customer, listens, now, changes));
        Ok(listens)
    }

    /// All endpoints of a customer.
    pub(super) async fn endpoints(&self, customer: &CustomerId) -> Result<Vec<Webhook>, PortError> {
        let scope = Scope::Customer(customer);
        // Some more than may be, for those that were made in the same moment.
        let most = 2 * MOST_WEBHOOKS;
        let listed = self.ports.webhooks.list_webhooks(scope, None, most).await?;
        Ok(listed.webhooks)
    }

    /// Writes what `change` makes of the row, judged again on what others have written meanwhile.
    pub(super) async fn replace_webhook(
        &self,
        mut row: Webhook,
        change: impl Fn(&Webhook, Stamp) -> Option<Webhook>,
    ) -> Result<Webhook, Error> {
        for _ in 0..MOST_RACES {
            let Some(next) = change(&row, self.stamp()) else {
                return Ok(row);
            };
            match self.ports.webhooks.replace_webhook(&row, &next).await? {
                WebhookSwap::Written => {
                    self.webhooks.forget(&next.customer);
                    return Ok(next);
                }
                WebhookSwap::Lost(Some(found)) => row = *found,
                WebhookSwap::Lost(None) => return Err(Error::NoWebhook(row.id.to_string())),
            }
        }
        Err(crowded(&row.id))
    }
}

pub(super) fn crowded(what: &impl std::fmt::Display) -> Error {
    Error::Unavailable {
        part: "table",
        source: format!("{what} changed {MOST_RACES} times meanwhile").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let (knowledge, customer) = (Knowledge::default(), CustomerId::default());
        let now = Timestamp::from_millis(1_000_000);
        let remember = |listens, changes| {
            knowledge.with(|memory| memory.remember(&customer, listens, now, changes));
        };
        let recall = |now| knowledge.with(|memory| memory.recall(&customer, now));
        remember(false, 0);
        assert_eq!(recall(now), Some(false));
        assert_eq!(recall(now + MEMORY), None);
        assert_eq!(recall(now - MEMORY), None);
        knowledge.forget(&customer);
        assert_eq!(recall(now), None);
        remember(false, 0);
        assert_eq!(recall(now), None);
        remember(true, 1);
        assert_eq!(recall(now), Some(true));
    }
}
