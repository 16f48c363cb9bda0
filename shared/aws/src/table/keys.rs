//! Names of keys, attributes that are keys, and indexes: the one place that spells them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jobs::job::DueList;
use jobs::ports::{COUNTER_SHARDS, Scope};
use jobs::rate::Call;
use jobs::spec::CustomerId;
use jobs::statistics::Minute;
use jobs::{DeliveryKey, DeliveryOwner, KeyHash, Timestamp};

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
pub(super) const DUE_LIST: &str = "due_list";
pub(super) const DUE_AT: &str = "due_at";
pub(super) const LIST_CUSTOMER: &str = "list_customer";
pub(super) const LIST_SHARD: &str = "list_shard";
pub(super) const ACTIVE_SHARD: &str = "active_shard";
pub(super) const ACTIVE_KEY: &str = "active_key";

pub(super) const INDEX_DUE: &str = "due";
pub(super) const INDEX_ACTIVE: &str = "active";
pub(super) const INDEX_BY_CUSTOMER: &str = "by_customer";
pub(super) const INDEX_BY_TIME: &str = "by_time";

pub(super) const STATE: &str = "state";
pub(super) const SPEC: &str = "spec";
pub(super) const RESULT: &str = "result#";
pub(super) const OWNER: &str = "owner";
pub(super) const SECRET: &str = "key";
/// The partition of all keys of callers: there are few, and they are listed together.
pub(super) const CALLERS: &str = "keys";
/// The list of all schedules; lists of jobs are numbers.
pub(super) const SCHEDULES: &str = "schedules";
pub(super) const ANSWER: &str = "answer";
pub(super) const WEBHOOK: &str = "webhook";
/// The list of all endpoints, and what their customers' lists are named by.
pub(super) const WEBHOOKS: &str = "webhooks";
/// Before the receiver whose deliveries a partition holds.
pub(super) const DELIVERIES: &str = "deliveries#";

/// Before the digest of customer and key.
pub(super) const IDEMPOTENCY: &str = "idem#";
pub(super) const BUCKET: &str = "bucket";
const BUDGET: &str = "budget";
/// Longest authority that has a row of its own, in characters: no name that resolves is longer.
const LONGEST_AUTHORITY: usize = 260;

/// Customers' counts lie in this many partitions, and so does what is being worked on: summing up
/// reads each once.
pub(super) const CUSTOMER_SHARDS: u8 = COUNTER_SHARDS;

/// Ends the customer's name in the key of an active job.
const CUSTOMER_ENDS: char = '\u{1}';

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

/// Where the key of a caller is found by the hash of its secret.
pub(super) fn secret(hash: &KeyHash) -> Item {
    key(format!("key#{hash}"), SECRET)
}

pub(super) fn customer_shard(shard: u8) -> String {
    format!("customers#{shard:x}")
}

fn shard_of(customer: &CustomerId) -> u8 {
    let digit = customer.digest().as_bytes()[0];
    char::from(digit).to_digit(16).unwrap_or(0) as u8 % CUSTOMER_SHARDS
}

pub(super) fn customer(customer: &CustomerId) -> Item {
    key(customer_shard(shard_of(customer)), customer.as_str())
}

pub(super) fn active_shard(shard: u8) -> String {
    format!("{shard:x}")
}

/// Where the active jobs of a customer stand: their partition, and what their keys begin with. No
/// customer's name has a control character, so none begins like another's.
pub(super) fn active_of(customer: &CustomerId) -> (String, String) {
    let shard = active_shard(shard_of(customer));
    (shard, format!("{customer}{CUSTOMER_ENDS}"))
}

/// The list of a customer's schedules. No customer's name has a control character, so that none is
/// like it.
pub(super) fn schedules_of(customer: &CustomerId) -> String {
    format!("{CUSTOMER_ENDS}schedules{CUSTOMER_ENDS}{customer}")
}

/// The customer of such a key.
pub(super) fn customer_of_active(key: &str) -> Option<CustomerId> {
    CustomerId::parse(key.split_once(CUSTOMER_ENDS)?.0)
}

pub(super) fn due_list(list: DueList, shard: u32) -> String {
    match list {
        DueList::Work => format!("work#{shard}"),
        DueList::Purge => format!("purge#{shard}"),
        DueList::Operation => format!("operation#{shard}"),
        DueList::Baseline => format!("baseline#{shard}"),
        DueList::Delivery => format!("delivery#{shard}"),
        DueList::Schedule => format!("schedule#{shard}"),
    }
}

/// A customer's list of what is no job. No customer's name has a control character, so that no list
/// of jobs has this name.
pub(super) fn listed_under(what: &str, customer: &CustomerId) -> String {
    format!("{CUSTOMER_ENDS}{what}{CUSTOMER_ENDS}{customer}")
}

pub(super) fn deliveries(owner: &DeliveryOwner) -> String {
    format!("{DELIVERIES}{owner}")
}

pub(super) fn delivery(key: &DeliveryKey) -> Item {
    self::key(deliveries(&key.owner), key.id.as_str())
}

/// Where the snapshots of totals lie: a customer under a name that has none of his own text.
pub(super) fn minutes(scope: Scope<'_>) -> String {
    match scope {
        Scope::Everyone => "minutes#all".to_owned(),
        Scope::Customer(customer) => format!("minutes#{}", customer.digest()),
    }
}

/// Sorts as minutes do.
pub(super) fn minute(minute: Minute) -> String {
    format!("{:012}", minute.number())
}

/// The baseline of a customer's page or site, under names that have none of their own text.
pub(super) fn baseline(customer: &CustomerId, url: &str) -> Item {
    let address = CustomerId::digest_of(url);
    key(format!("baseline#{}", customer.digest()), address)
}

pub(super) fn rate(call: Call, customer: &CustomerId) -> Item {
    key(
        format!("rate#{}#{}", call.as_str(), customer.digest()),
        BUCKET,
    )
}

/// Where the budget of a host lies.
pub(super) fn host(authority: &str) -> Item {
    let mut pk = "host#".to_owned();
    pk.extend(authority.chars().take(LONGEST_AUTHORITY));
    key(pk, BUDGET)
}
