//! Names of keys, attributes that are keys, and indexes: the one place that spells them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jobs::Timestamp;
use jobs::job::DueList;
use jobs::spec::CustomerId;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
pub(super) const DUE_LIST: &str = "due_list";
pub(super) const DUE_AT: &str = "due_at";
pub(super) const LIST_CUSTOMER: &str = "list_customer";
pub(super) const LIST_SHARD: &str = "list_shard";

pub(super) const INDEX_DUE: &str = "due";
pub(super) const INDEX_BY_CUSTOMER: &str = "by_customer";
pub(super) const INDEX_BY_TIME: &str = "by_time";

pub(super) const STATE: &str = "state";
pub(super) const SPEC: &str = "spec";
pub(super) const RESULT: &str = "result#";
pub(super) const OWNER: &str = "owner";
pub(super) const ANSWER: &str = "answer";

/// Before the digest of customer and key.
pub(super) const IDEMPOTENCY: &str = "idem#";

/// Customers' counts lie in this many partitions: summing up reads each once.
pub(super) const CUSTOMER_SHARDS: u8 = 16;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The unit of the table's own expiry; never early.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1_000) + 1
}

pub(super) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([(PK.to_owned(), text(pk)), (SK.to_owned(), text(sk))])
}

pub(super) fn result(fence: u64) -> String {
    format!("{RESULT}{fence}")
}

pub(super) fn dedup_pk(fingerprint: &str) -> String {
    format!("dedup#{fingerprint}")
}

pub(super) fn dedup(fingerprint: &str) -> Item {
    key(dedup_pk(fingerprint), OWNER)
}

pub(super) fn answer(name: &str) -> Item {
    key(format!("{IDEMPOTENCY}{name}"), ANSWER)
}

pub(super) fn customer_shard(shard: u8) -> String {
    format!("customers#{shard:x}")
}

pub(super) fn customer(customer: &CustomerId) -> Item {
    let digit = customer.digest().as_bytes()[0];
    let shard = char::from(digit).to_digit(16).unwrap_or(0) as u8 % CUSTOMER_SHARDS;
    key(customer_shard(shard), customer.as_str())
}

pub(super) fn due_list(list: DueList, shard: u32) -> String {
    match list {
        DueList::Work => format!("work#{shard}"),
        DueList::Purge => format!("purge#{shard}"),
    }
}
