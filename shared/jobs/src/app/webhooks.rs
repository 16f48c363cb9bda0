//! The endpoints that events are delivered to, and what became of the deliveries, for their owners.
//! A secret is derived when it is shown; refuses to make an endpoint that nothing could be signed
//! for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::App;
use super::listeners::{Knowledge, MOST_RACES, crowded};
use crate::caller::Caller;
use crate::error::{Error, Problem};
use crate::id::{DeliveryId, WebhookId};
use crate::message::{DeliveryKey, DeliveryOwner};
use crate::ports::{DeliverySwap, ListedDeliveries, ListedWebhooks, Scope};
use crate::rate::Call;
use crate::spec::CustomerId;
use crate::webhook::{
    ChangedWebhook, Delivery, MOST_WEBHOOKS, NewWebhook, Secret, Webhook, WebhookKey,
};

impl App {
    /// The key from which the secrets of webhooks are derived.
    #[must_use]
    pub fn with_webhook_key(mut self, key: Option<WebhookKey>) -> Self {
        self.webhooks = Arc::new(Knowledge {
            key,
            memory: Mutex::default(),
        });
        self
    }

    /// Whether this deployment can sign, so that there may be webhooks.
    pub fn can_sign(&self) -> bool {
        self.webhooks.key.is_some()
    }

    /// The secret of the webhooks that this customer's jobs name themselves.
    pub fn job_webhook_secret(&self, customer: &CustomerId) -> Option<Secret> {
        let key = self.webhooks.key.as_ref();
        key.map(|key| key.of_customer(customer))
    }

    /// Makes an endpoint. Its secret is shown here and at a rotation.
    pub async fn create_webhook(
        &self,
        caller: &Caller,
        new: NewWebhook,
    ) -> Result<(Webhook, Secret), Error> {
        self.admit_caller(Call::Create, caller, new.customer.as_ref())
            .await?;
        let customer = caller.owner(new.customer.as_ref())?;
        let key = self.signing_key("webhooks")?;
        let stamp = self.stamp();
        let id = WebhookId::new(stamp.now, self.ports.entropy.next());
        let webhook = Webhook::new(id, stamp, customer, new.url, new.events);
        let most = MOST_WEBHOOKS as u64;
        if !self.ports.webhooks.add_webhook(&webhook, most).await? {
            return Err(Error::TooMany {
                what: "webhooks",
                most,
            });
        }
        self.webhooks.forget(&webhook.customer);
        tracing::info!(webhook = %webhook.id, customer = %webhook.customer, "webhook created");
        let secret = key.of_webhook(&webhook.id, webhook.version);
        Ok((webhook, secret))
    }

    fn signing_key(&self, field: &str) -> Result<&WebhookKey, Error> {
        self.webhooks.key.as_ref().ok_or_else(|| {
            let message = "cannot be used: this deployment has no key to sign with";
            Error::Invalid(vec![Problem::new(field, message)])
        })
    }

    /// Up to `limit` endpoints that are older than `before`, newest first.
    pub async fn list_webhooks(
        &self,
        caller: &Caller,
        customer: Option<&CustomerId>,
        before: Option<&WebhookId>,
        limit: usize,
    ) -> Result<ListedWebhooks, Error> {
        let customer = caller.scope(customer)?;
        self.admit_caller(Call::Read, caller, customer.as_ref())
            .await?;
        let scope = Scope::of(customer.as_ref());
        let listed = self.ports.webhooks.list_webhooks(scope, before, limit);
        Ok(listed.await?)
    }

    /// An endpoint of the caller's, or any for admins.
    pub async fn webhook(&self, caller: &Caller, id: &str) -> Result<Webhook, Error> {
        self.admit_caller(Call::Read, caller, None).await?;
        self.own_webhook(caller, id).await
    }

    async fn own_webhook(&self, caller: &Caller, id: &str) -> Result<Webhook, Error> {
        let unknown = || Error::NoWebhook(id.chars().take(100).collect());
        let found = match WebhookId::parse(id) {
            Some(id) => self.ports.webhooks.webhook(&id).await?,
            None => None,
        };
        let own = found.filter(|webhook| caller.may_see(&webhook.customer));
        own.ok_or_else(unknown)
    }

    /// Changes what is named of an endpoint.
    pub async fn change_webhook(
        &self,
        caller: &Caller,
        id: &str,
        change: &ChangedWebhook,
    ) -> Result<Webhook, Error> {
        self.admit_caller(Call::Create, caller, None).await?;
        let webhook = self.own_webhook(caller, id).await?;
        self.replace_webhook(webhook, |row, stamp| Some(row.changed(stamp, change)))
            .await
    }

    /// Gives an endpoint another secret; the one until now stays good for a day.
    pub async fn rotate_webhook(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(Webhook, Secret), Error> {
        self.admit_caller(Call::Create, caller, None).await?;
        let key = self.signing_key("webhooks")?.clone();
        let webhook = self.own_webhook(caller, id).await?;
        let webhook = self.replace_webhook(webhook, |row, stamp| Some(row.rotated(stamp)));
        let webhook = webhook.await?;
        tracing::info!(webhook = %webhook.id, version = webhook.version, "secret rotated");
        let secret = key.of_webhook(&webhook.id, webhook.version);
        Ok((webhook, secret))
    }

    /// Removes an endpoint. What is under way to it ends at its next attempt.
    pub async fn delete_webhook(&self, caller: &Caller, id: &str) -> Result<Webhook, Error> {
        self.admit_caller(Call::Create, caller, None).await?;
        let webhook = self.own_webhook(caller, id).await?;
        self.ports.webhooks.remove_webhook(&webhook).await?;
        self.webhooks.forget(&webhook.customer);
        tracing::info!(webhook = %webhook.id, "webhook deleted");
        Ok(webhook)
    }

    /// Up to `limit` deliveries of an endpoint, or of a job's own webhook, that are older than
    /// `before`, newest first. Those of a job are there for longer than the job.
    pub async fn list_deliveries(
        &self,
        caller: &Caller,
        owner: &DeliveryOwner,
        before: Option<&DeliveryId>,
        limit: usize,
    ) -> Result<ListedDeliveries, Error> {
        self.admit_caller(Call::Read, caller, None).await?;
        if let DeliveryOwner::Webhook(id) = owner {
            self.own_webhook(caller, id.as_str()).await?;
        }
        let now = self.now();
        let listed = self.ports.deliveries.list_deliveries(owner, before, limit);
        let mut listed = listed.await?;
        let visible = |it: &Delivery| !it.is_expired(now) && caller.may_see(&it.customer);
        listed.deliveries.retain(visible);
        if listed.deliveries.is_empty()
            && before.is_none()
            && let DeliveryOwner::Job(id) = owner
        {
            // Nothing was delivered, which only its owner may know.
            let job = self.visible(id).await?;
            job.filter(|job| caller.may_see(&job.customer))
                .ok_or_else(|| Error::NotFound(id.to_string()))?;
        }
        Ok(listed)
    }

    /// Makes a delivery again, at once and from the first attempt. One that is under way stays so.
    pub async fn redeliver(
        &self,
        caller: &Caller,
        owner: DeliveryOwner,
        delivery: &str,
    ) -> Result<Delivery, Error> {
        self.admit_caller(Call::Create, caller, None).await?;
        let unknown = || Error::NoDelivery(delivery.chars().take(100).collect());
        if let DeliveryOwner::Webhook(id) = &owner {
            let webhook = self.own_webhook(caller, id.as_str()).await?;
            if webhook.disabled.is_some() {
                return Err(Error::Disabled(webhook.id.to_string()));
            }
        }
        let id = DeliveryId::parse(delivery).ok_or_else(unknown)?;
        let key = DeliveryKey { owner, id };
        let now = self.now();
        let found = self.ports.deliveries.delivery(&key).await?;
        let visible = |it: &Delivery| !it.is_expired(now) && caller.may_see(&it.customer);
        let mut row = found.filter(visible).ok_or_else(unknown)?;
        for _ in 0..MOST_RACES {
            let Some(next) = row.asked_again(self.stamp()) else {
                return Ok(row);
            };
            match self.ports.deliveries.replace_delivery(&row, &next).await? {
                DeliverySwap::Written => {
                    tracing::info!(delivery = %next.id, owner = %next.owner, "asked for again");
                    self.send_delivery(&next, Duration::ZERO).await;
                    return Ok(next);
                }
                DeliverySwap::Lost(Some(found)) => row = *found,
                DeliverySwap::Lost(None) => return Err(unknown()),
            }
        }
        Err(crowded(&row.id))
    }
}
