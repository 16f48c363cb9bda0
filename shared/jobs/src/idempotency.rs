//! Idempotency keys: what a client gives with a request to be answered the same when it asks
//! again, and what is kept to do so. Refuses to answer another request under the same key.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::caller::Caller;
use crate::id::{BatchId, JobId, ScheduleId};
use crate::spec::hex;
use crate::time::Timestamp;

/// What a client wrote into the header `Idempotency-Key`: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub const MAX_CHARS: usize = 255;

    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.len());
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        (fits && visible).then(|| Self(text.to_owned()))
    }
}

/// A key and what was asked for under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    key: IdempotencyKey,
    request: String,
}

impl Keyed {
    /// `route` and `body` are what the request asks for; the order of fields says nothing.
    pub fn new(key: IdempotencyKey, route: &str, body: &Value) -> Self {
        // Objects are sorted by name, so that equal bodies are equal texts.
        let request = serde_json::json!([route, body]).to_string();
        Self {
            key,
            request: hex(&Sha256::digest(request.as_bytes())),
        }
    }

    /// What is kept of the answer to `caller`, whose own the key is.
    pub(crate) fn kept(&self, caller: &Caller, at: Timestamp, answer: Answer) -> Kept {
        let (kind, customer) = match caller {
            Caller::Anyone => ("anyone", None),
            Caller::Admin => ("admin", None),
            Caller::Customer(own) => ("customer", Some(own)),
        };
        let owned = serde_json::json!([kind, customer, self.key.0]).to_string();
        Kept {
            name: hex(&Sha256::digest(owned.as_bytes())),
            request: self.request.clone(),
            at,
            answer,
        }
    }

    /// Whether what is kept answers this very request.
    pub(crate) fn asked_for(&self, kept: &Kept) -> bool {
        self.request == kept.request
    }
}

/// What became of one job that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The new job, or the equal one that exists.
    pub job_id: JobId,
    pub deduplicated: bool,
}

/// What was answered to a request with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Job(Outcome),
    /// In the order of their addresses.
    Jobs(Vec<Outcome>),
    /// This batch knows.
    Batch(BatchId),
    Schedule(ScheduleId),
}

/// An answer that is kept for whoever asks again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// A digest of customer and key, under which it is found.
    pub name: String,
    /// A digest of what was asked for.
    pub request: String,
    /// When it was answered first.
    pub at: Timestamp,
    pub answer: Answer,
}

impl Kept {
    /// Answers are kept this long.
    pub const FOR: Duration = Duration::from_hours(24);

    /// From when on the key is free again.
    pub fn expires_at(&self) -> Timestamp {
        self.at + Self::FOR
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::CustomerId;

    #[test]
    fn a_key_has_1_to_255_visible_characters() {
        for good in [
            "a",
            "8e03978e-40d5-43e8-bc93-6894a57f9324",
            "~!\"#",
            &"k".repeat(255),
        ] {
            let key = IdempotencyKey::parse(good).unwrap();
            assert_eq!(key.to_string(), good);
        }
        for bad in ["", " ", "a b", "ä", "a\t", "\u{7f}", &"k".repeat(256)] {
            assert_eq!(IdempotencyKey::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_order_of_fields_says_nothing_and_everything_else_does() {
        let keyed = |route, text: &str| {
            let body = serde_json::from_str(text).unwrap();
            Keyed::new(IdempotencyKey::parse("key").unwrap(), route, &body)
        };
        let one = keyed("jobs", r#"{"a":1,"b":{"c":[1,2],"d":null}}"#);
        assert_eq!(one, keyed("jobs", r#"{"b":{"d":null,"c":[1,2]},"a":1}"#));
        for other in [
            keyed("scrape", r#"{"a":1,"b":{"c":[1,2],"d":null}}"#),
            keyed("jobs", r#"{"a":1,"b":{"c":[2,1],"d":null}}"#),
            keyed("jobs", r#"{"a":1,"b":{"c":[1,2]}}"#),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_key_is_its_customers_own() {
        let name = |customer: &str, key: &str| {
            let keyed = Keyed::new(IdempotencyKey::parse(key).unwrap(), "jobs", &json!({}));
            let customer = Caller::Customer(CustomerId::parse(customer).unwrap());
            let answer = Answer::Jobs(Vec::new());
            keyed.kept(&customer, Timestamp::default(), answer).name
        };
        assert_eq!(name("a", "key"), name("a", "key"));
        assert_ne!(name("a", "key"), name("b", "key"));
        assert_ne!(name("a", "bkey"), name("ab", "key"));
    }
}
