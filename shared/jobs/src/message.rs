//! What travels through a queue: the id of a job or of a delivery, and the version of this shape. A
//! message is a hint that the row may want attention; it refuses to carry state.

use std::fmt;

use serde::Deserialize;

use crate::id::{DeliveryId, JobId, WebhookId};

const VERSION: u32 = 1;

/// "Look at this job."
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub job_id: JobId,
}

/// Whose deliveries they are: those to an endpoint, or those to a job's own webhook.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryOwner {
    Webhook(WebhookId),
    Job(JobId),
}

impl DeliveryOwner {
    pub fn parse(text: &str) -> Option<Self> {
        WebhookId::parse(text)
            .map(Self::Webhook)
            .or_else(|| JobId::parse(text).map(Self::Job))
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Webhook(id) => id.as_str(),
            Self::Job(id) => id.as_str(),
        }
    }
}

impl fmt::Display for DeliveryOwner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// "Look at this delivery." Also where its row is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    pub owner: DeliveryOwner,
    pub id: DeliveryId,
}

impl DeliveryKey {
    pub fn encode(&self) -> String {
        let Self { owner, id } = self;
        format!(r#"{{"v":{VERSION},"deliveryOf":"{owner}","deliveryId":"{id}"}}"#)
    }
}

/// Any message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Hint {
    Job(Message),
    Delivery(DeliveryKey),
}

/// A body that no version of ours wrote.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the message is not readable: {0}")]
pub struct Unreadable(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    v: u32,
    job_id: Option<String>,
    delivery_of: Option<String>,
    delivery_id: Option<String>,
}

impl Message {
    pub fn encode(&self) -> String {
        format!(r#"{{"v":{VERSION},"jobId":"{}"}}"#, self.job_id)
    }

    /// Reads the message of a job.
    pub fn decode(text: &str) -> Result<Self, Unreadable> {
        match Hint::decode(text)? {
            Hint::Job(message) => Ok(message),
            Hint::Delivery(_) => Err(unreadable("it is about a delivery")),
        }
    }
}

impl Hint {
    /// Reads a body. Fields that a later version adds are left alone.
    pub fn decode(text: &str) -> Result<Self, Unreadable> {
        let body: Body =
            serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))?;
        if body.v != VERSION {
            return Err(Unreadable(format!("version {} is not known", body.v)));
        }
        if let (Some(owner), Some(id)) = (&body.delivery_of, &body.delivery_id) {
            let key = DeliveryOwner::parse(owner).zip(DeliveryId::parse(id));
            let key = key.map(|(owner, id)| Self::Delivery(DeliveryKey { owner, id }));
            return key.ok_or_else(|| unreadable("deliveryOf or deliveryId is not an id of ours"));
        }
        let job_id = body.job_id.as_deref().and_then(JobId::parse);
        let job_id = job_id.ok_or_else(|| unreadable("jobId is not an id of ours"))?;
        Ok(Self::Job(Message { job_id }))
    }
}

fn unreadable(why: &str) -> Unreadable {
    Unreadable(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn a_message_has_one_shape_and_reads_back() {
        let job_id = JobId::new(Timestamp::from_millis(1_700_000_000_000), 7);
        let message = Message { job_id };
        assert_eq!(
            message.encode(),
            r#"{"v":1,"jobId":"job_01hf7yat000000000000000007"}"#
        );
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn a_message_about_a_delivery_has_one_shape_and_reads_back() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let owners = [
            DeliveryOwner::Webhook(WebhookId::new(at, 1)),
            DeliveryOwner::Job(JobId::new(at, 2)),
        ];
        for owner in owners {
            let id = DeliveryId::new(at, 3);
            let key = DeliveryKey { owner, id };
            assert_eq!(Hint::decode(&key.encode()), Ok(Hint::Delivery(key.clone())));
            assert!(Message::decode(&key.encode()).is_err());
        }
        let key = DeliveryKey {
            owner: DeliveryOwner::Webhook(WebhookId::new(at, 1)),
            id: DeliveryId::new(at, 3),
        };
        assert_eq!(
            key.encode(),
            r#"{"v":1,"deliveryOf":"whk_01hf7yat000000000000000001","deliveryId":"dlv_01hf7yat000000000000000003"}"#
        );
    }

    #[test]
    fn what_is_not_ours_is_unreadable() {
        for text in [
            "",
            "{}",
            "null",
            r#"{"v":2,"jobId":"job_01hf7yat000000000000000007"}"#,
            r#"{"v":1,"jobId":"x"}"#,
            r#"{"v":1,"deliveryOf":"whk_01hf7yat000000000000000001"}"#,
            r#"{"v":1,"deliveryOf":"x","deliveryId":"dlv_01hf7yat000000000000000003"}"#,
        ] {
            assert!(Message::decode(text).is_err(), "{text}");
        }
    }
}
