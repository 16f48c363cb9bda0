//! Delivering events to webhooks: begun with a row for each receiver, tried by whoever claims it,
//! repaired by the sweep. Whatever happens in between, the row decides; a receiver may be told
//! twice, and knows it by the event's id.

mod outcome;
mod receivers;
mod sweep;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use futures::stream::{self, StreamExt};
use url::Url;

use super::listeners::{MOST_RACES, crowded};
use super::work::{COMMIT_MARGIN, LEASE_MARGIN};
use super::{App, Handled};
use crate::error::Error;
use crate::event::Event;
use crate::failure::{Failure, FailureCode};
use crate::id::WebhookId;
use crate::message::{DeliveryKey, DeliveryOwner};
use crate::ports::{Courier, DeliveryEnvelope, DeliverySwap, PortError, Post};
use crate::time::Timestamp;
use crate::transition::{LONGEST_MESSAGE_DELAY, Refusal};
use crate::webhook::{Delivery, DeliveryClaim, DeliveryState, JobWebhook, Outcome, Secret, sign};

use outcome::{given_up, outcome};
pub(super) use receivers::Receivers;

/// How long a receiver has to answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// With less time than this no attempt is begun.
const LEAST_ROOM: Duration = Duration::from_secs(2);
/// A message that comes earlier than this waits for the sweep instead of travelling again.
const SHORT: Duration = Duration::from_mins(1);
/// A delivery to a receiver that has enough to do in this process comes back after once or twice
/// this long.
const BUSY: Duration = Duration::from_secs(10);
/// Rows worked on at once.
const CONCURRENCY: usize = 8;

/// Where a delivery goes, and what signs it.
struct Receiver {
    url: String,
    secrets: Vec<Secret>,
}

impl App {
    /// Begins the delivery of an event to every endpoint of its customer that wants it, and to the
    /// job's own webhook. May be called again: each receiver has one delivery of one event.
    pub async fn begin_deliveries(
        &self,
        event: &Event,
        own: Option<&JobWebhook>,
    ) -> Result<(), Error> {
        let mut receivers = Vec::new();
        if let Some(own) = own.filter(|own| own.wants(event.kind)) {
            let owner = DeliveryOwner::Job(event.job.clone());
            receivers.push((owner, Some(own.url.clone())));
        }
        if self.has_listeners(&event.customer).await? {
            let endpoints = self.endpoints(&event.customer).await?.into_iter();
            let wanting = endpoints.filter(|webhook| webhook.wants(event.kind));
            receivers.extend(wanting.map(|webhook| (DeliveryOwner::Webhook(webhook.id), None)));
        }
        let begun = stream::iter(receivers)
            .map(|(owner, url)| async move {
                let delivery = Delivery::new(event, owner, url, self.stamp());
                let new = self.ports.deliveries.begin_delivery(&delivery).await?;
                Ok::<_, PortError>(new.then_some(delivery))
            })
            .buffered(CONCURRENCY)
            .collect::<Vec<_>>()
            .await;
        let mut envelopes = Vec::new();
        let mut first_error = None;
        for delivery in begun {
            match delivery {
                Ok(Some(delivery)) => envelopes.push(envelope(&delivery, Duration::ZERO)),
                Ok(None) => {}
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        self.send_deliveries(&envelopes).await;
        first_error.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Sends a message for a row that already says what happens next.
    pub(super) async fn send_delivery(&self, delivery: &Delivery, delay: Duration) {
        self.send_deliveries(&[envelope(delivery, delay)]).await;
    }

    /// A loss is logged and left to the sweep.
    async fn send_deliveries(&self, envelopes: &[DeliveryEnvelope]) {
        if envelopes.is_empty() {
            return;
        }
        match self.ports.queue.send_deliveries(envelopes).await {
            Ok(unsent) if unsent.is_empty() => {}
            Ok(unsent) => {
                tracing::warn!(unsent = unsent.len(), "messages not taken by the queue");
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "messages not sent");
            }
        }
    }

    /// Handles one message about a delivery. The worker promises to have stopped by `deadline`;
    /// the lease ends five seconds later.
    pub async fn deliver(
        &self,
        key: &DeliveryKey,
        courier: &dyn Courier,
        deadline: Timestamp,
    ) -> Handled {
        match self.try_deliver(key, courier, deadline).await {
            Ok(handled) => handled,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(delivery = %key.id, owner = %key.owner, error, "message given back");
                Handled::Return
            }
        }
    }

    async fn try_deliver(
        &self,
        key: &DeliveryKey,
        courier: &dyn Courier,
        deadline: Timestamp,
    ) -> Result<Handled, Error> {
        let room = deadline.since(self.now()).saturating_sub(COMMIT_MARGIN);
        if room < LEAST_ROOM {
            return Ok(Handled::Return);
        }
        let Some(row) = self.ports.deliveries.delivery(key).await? else {
            return Ok(Handled::Done);
        };
        let receiver = self.receiver(&row).await?;
        // Held until the outcome is written.
        let mut place = None;
        if let Ok(receiver) = &receiver {
            place = self.receivers.place(&receiver.url);
            if place.is_none() {
                // Messages that the sweep has sent meanwhile come back as well: of them all, one is
                // kept going.
                if !self.random().is_multiple_of(u64::from(row.resends) + 1) {
                    return Ok(Handled::Done);
                }
                let wait = BUSY + BUSY.mul_f64(self.random() as f64 / (1_u64 << 53) as f64);
                self.send_delivery(&row, wait).await;
                return Ok(Handled::Done);
            }
        }
        let Some(row) = self.claim_delivery(row, deadline).await? else {
            return Ok(Handled::Done);
        };
        let receiver = match receiver {
            Ok(receiver) => receiver,
            Err(why) => {
                let outcome = given_up(&why, self.now());
                self.settle_delivery(row, &outcome).await?;
                return Ok(Handled::Done);
            }
        };
        let outcome = self.attempt(&row, &receiver, courier, room).await;
        // First, so that it is done again where this worker dies before the end.
        if outcome.attempt.status == Some(410)
            && let DeliveryOwner::Webhook(id) = &key.owner
        {
            self.disable_gone(id, &receiver.url).await?;
        }
        self.settle_delivery(row, &outcome).await?;
        drop(place);
        Ok(Handled::Done)
    }

    async fn claim_delivery(
        &self,
        mut row: Delivery,
        deadline: Timestamp,
    ) -> Result<Option<Delivery>, Error> {
        for _ in 0..MOST_RACES {
            let stamp = self.stamp();
            let lease_until = deadline.max(stamp.now) + LEASE_MARGIN;
            let next = match row.claim(stamp, lease_until) {
                DeliveryClaim::Won(next) => *next,
                DeliveryClaim::Early(wait) => {
                    // Clocks differ a little; what is much too early has a message of its own.
                    if wait <= SHORT {
                        self.send_delivery(&row, wait).await;
                    }
                    return Ok(None);
                }
                DeliveryClaim::Over => return Ok(None),
            };
            match self.ports.deliveries.replace_delivery(&row, &next).await? {
                DeliverySwap::Written => return Ok(Some(next)),
                DeliverySwap::Lost(Some(found)) => row = *found,
                DeliverySwap::Lost(None) => return Ok(None),
            }
        }
        Err(crowded(&row.id))
    }

    /// Where a delivery goes as of now, or why nowhere.
    async fn receiver(&self, row: &Delivery) -> Result<Result<Receiver, String>, Error> {
        let Some(key) = &self.webhooks.key else {
            return Ok(Err("internal: there is no key to sign with".to_owned()));
        };
        if let Some(url) = &row.url {
            return Ok(Ok(Receiver {
                url: url.clone(),
                secrets: vec![key.of_customer(&row.customer)],
            }));
        }
        let found = match &row.owner {
            DeliveryOwner::Webhook(id) => self.ports.webhooks.webhook(id).await?,
            DeliveryOwner::Job(_) => None,
        };
        Ok(match found {
            None => Err("deleted: the webhook is no longer there".to_owned()),
            Some(webhook) => match webhook.disabled {
                Some(why) => Err(format!(
                    "disabled: the webhook is disabled ({})",
                    why.as_str()
                )),
                None => Ok(Receiver {
                    secrets: webhook.secrets(key, self.now()),
                    url: webhook.url,
                }),
            },
        })
    }

    async fn attempt(
        &self,
        row: &Delivery,
        receiver: &Receiver,
        courier: &dyn Courier,
        room: Duration,
    ) -> Outcome {
        let at = self.now();
        let Ok(url) = Url::parse(&receiver.url) else {
            return given_up("internal: the stored address is no URL", at);
        };
        let seconds = at.as_millis().div_euclid(1_000);
        let signature = sign(&receiver.secrets, &row.event_id, seconds, &row.body);
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", row.event_id.clone()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signature),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        let post = Post {
            url,
            headers: headers.to_vec(),
            body: row.body.clone(),
            timeout: TIMEOUT.min(room),
        };
        let posted = AssertUnwindSafe(courier.post(&post)).catch_unwind().await;
        let posted = posted.unwrap_or_else(|_| {
            tracing::error!(delivery = %row.id, "the courier panicked");
            let message = "the event could not be posted";
            Err(Failure::new(FailureCode::Internal, message))
        });
        outcome(at, self.now().since(at), posted)
    }

    /// Writes how an attempt ended, under the fence of its claim.
    async fn settle_delivery(&self, claimed: Delivery, outcome: &Outcome) -> Result<(), Error> {
        let (fence, jitter) = (claimed.fence, self.random());
        let mut row = claimed;
        for _ in 0..MOST_RACES {
            let next = match row.settled(self.stamp(), fence, outcome, jitter) {
                Ok(next) => next,
                Err(Refusal::Stale | Refusal::Forbidden) => {
                    tracing::info!(delivery = %row.id, fence, "outcome refused: the claim is over");
                    return Ok(());
                }
            };
            match self.ports.deliveries.replace_delivery(&row, &next).await? {
                DeliverySwap::Written => {
                    let (state, status) = (next.state.as_str(), outcome.attempt.status);
                    let failures = next.failures;
                    tracing::info!(delivery = %next.id, state, status, failures, "delivery tried");
                    let wait = next.wait(self.now());
                    if next.state == DeliveryState::Pending && wait <= LONGEST_MESSAGE_DELAY {
                        self.send_delivery(&next, wait).await;
                    }
                    return Ok(());
                }
                DeliverySwap::Lost(Some(found)) => row = *found,
                DeliverySwap::Lost(None) => return Ok(()),
            }
        }
        Err(crowded(&row.id))
    }

    /// An endpoint that has answered 410 is not asked again.
    async fn disable_gone(&self, id: &WebhookId, url: &str) -> Result<(), Error> {
        let Some(webhook) = self.ports.webhooks.webhook(id).await? else {
            return Ok(());
        };
        match self
            .replace_webhook(webhook, |row, stamp| row.gone(stamp, url))
            .await
        {
            Ok(_) => tracing::info!(webhook = %id, "disabled: it answered 410"),
            Err(Error::NoWebhook(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn envelope(delivery: &Delivery, delay: Duration) -> DeliveryEnvelope {
    DeliveryEnvelope {
        key: delivery.key(),
        delay,
        customer: delivery.customer.clone(),
    }
}
