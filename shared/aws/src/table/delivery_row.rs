//! The stored form of a delivery, both ways.

use jobs::event::EventType;
use jobs::job::DueList;
use jobs::ports::{DELIVERY_SHARDS, PortError};
use jobs::spec::CustomerId;
use jobs::webhook::{Attempt, DeliveryState};
use jobs::{Delivery, DeliveryId, DeliveryOwner, Timestamp};
use serde::{Deserialize, Serialize};

use super::item::Attributes;
use super::keys::{self, DELIVERIES, DUE_AT, DUE_LIST, Item, PK, SK, number, seconds, text};

/// The owner that a partition of deliveries is named after.
pub(super) fn owner_of(partition: &str) -> Option<DeliveryOwner> {
    DeliveryOwner::parse(partition.strip_prefix(DELIVERIES)?)
}

/// The item of a delivery.
pub(super) fn encode(delivery: &Delivery) -> Item {
    let mut item = keys::delivery(&delivery.key());
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("customer", text(delivery.customer.as_str()));
    put("event_id", text(&delivery.event_id));
    put("event", text(delivery.kind.as_str()));
    put("body", text(&delivery.body));
    if let Some(url) = &delivery.url {
        put("url", text(url));
    }
    put("delivery_state", text(delivery.state.as_str()));
    put("attempts", text(stored(&delivery.attempts)));
    put("failures", number(delivery.failures));
    put("created_at", number(delivery.created_at.as_millis()));
    put("next_at", number(delivery.next_at.as_millis()));
    if let Some(at) = delivery.lease_until {
        put("lease_until", number(at.as_millis()));
    }
    if let Some(at) = delivery.due_at {
        let shard = delivery.id.shard(DELIVERY_SHARDS);
        put(DUE_LIST, text(keys::due_list(DueList::Delivery, shard)));
        put(DUE_AT, number(at.as_millis()));
    }
    put("resends", number(delivery.resends));
    put("fence", number(delivery.fence));
    put("expires_at", number(delivery.expires_at.as_millis()));
    put("ttl", number(seconds(delivery.expires_at)));
    put("revision", number(delivery.revision));
    put("nonce", number(delivery.nonce));
    item
}

/// The delivery of an item.
pub(super) fn decode(item: &Item) -> Result<Delivery, PortError> {
    let read = Attributes(item);
    Ok(Delivery {
        id: read.word(SK, DeliveryId::parse)?,
        owner: read.word(PK, owner_of)?,
        customer: read.word("customer", CustomerId::parse)?,
        event_id: read.text("event_id")?.to_owned(),
        kind: read.word("event", EventType::parse)?,
        body: read.text("body")?.to_owned(),
        url: read.optional("url", |read, name| read.text(name).map(str::to_owned))?,
        state: read.word("delivery_state", DeliveryState::parse)?,
        attempts: read.word("attempts", attempts)?,
        failures: read.number("failures")?,
        created_at: read.time("created_at")?,
        next_at: read.time("next_at")?,
        lease_until: read.optional("lease_until", Attributes::time)?,
        due_at: read.optional(DUE_AT, Attributes::time)?,
        resends: read.number("resends")?,
        fence: read.number("fence")?,
        expires_at: read.time("expires_at")?,
        revision: read.number("revision")?,
        nonce: read.number("nonce")?,
    })
}

/// An attempt, as its row has it.
#[derive(Serialize, Deserialize)]
struct Stored {
    at: Timestamp,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

fn stored(attempts: &[Attempt]) -> String {
    let stored = attempts.iter().map(|attempt| Stored {
        at: attempt.at,
        ms: attempt.duration_ms,
        status: attempt.status,
        error: attempt.error.clone(),
        answer: attempt.answer.clone(),
    });
    // Texts and numbers always serialise.
    serde_json::to_string(&stored.collect::<Vec<_>>()).unwrap_or_default()
}

fn attempts(json: &str) -> Option<Vec<Attempt>> {
    let stored: Vec<Stored> = serde_json::from_str(json).ok()?;
    let attempts = stored.into_iter().map(|attempt| Attempt {
        at: attempt.at,
        duration_ms: attempt.ms,
        status: attempt.status,
        error: attempt.error,
        answer: attempt.answer,
    });
    Some(attempts.collect())
}
