//! Totals that only grow: in the customer's item, added to by the writes that create and end a job,
//! and in one item for each minute in which they were kept.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use futures::future::try_join_all;
use jobs::ports::{Counter, PortError, Scope};
use jobs::spec::CustomerId;
use jobs::statistics::{Minute, Snapshot, Totals};

use super::item::Attributes;
use super::keys::{self, CUSTOMER_SHARDS, Item, PK, SK, number, text};
use super::{Table, unavailable};

/// How long a snapshot is kept, in minutes.
const KEPT: i64 = 25 * 60;
const ERROR: &str = "error_";
const CREATED: &str = "total_created";
const DEDUPLICATED: &str = "total_deduplicated";
const COMPLETED: &str = "total_completed";
const FAILED: &str = "total_failed";
const CANCELLED: &str = "total_cancelled";
/// In the customer's item: the sum of what was last kept, and the minute of it.
const KEPT_SUM: &str = "kept_sum";
const KEPT_MINUTE: &str = "kept_minute";

/// The attributes of totals, those of zero left out.
pub(super) fn attributes(totals: &Totals) -> Vec<(String, u64)> {
    let plain = [
        (CREATED, totals.created),
        (DEDUPLICATED, totals.deduplicated),
        (COMPLETED, totals.completed),
        (FAILED, totals.failed),
        (CANCELLED, totals.cancelled),
    ];
    let plain = plain.map(|(name, count)| (name.to_owned(), count));
    let errors = totals.errors.iter();
    let errors = errors.map(|(code, count)| (format!("{ERROR}{code}"), *count));
    let all = plain.into_iter().chain(errors);
    all.filter(|(_, count)| *count > 0).collect()
}

fn totals(item: &Item) -> Result<Totals, PortError> {
    let read = Attributes(item);
    let count = |name: &str| {
        read.optional(name, Attributes::number)
            .map(Option::unwrap_or_default)
    };
    let errors = item.keys().filter_map(|name| {
        let code = name.strip_prefix(ERROR)?;
        Some(count(name).map(|count| (code.to_owned(), count)))
    });
    Ok(Totals {
        created: count(CREATED)?,
        deduplicated: count(DEDUPLICATED)?,
        completed: count(COMPLETED)?,
        failed: count(FAILED)?,
        cancelled: count(CANCELLED)?,
        errors: errors.collect::<Result<_, _>>()?,
    })
}

fn counter(item: &Item) -> Result<Counter, PortError> {
    let read = Attributes(item);
    let sum = read.optional(KEPT_SUM, Attributes::number)?;
    let minute = read.optional(KEPT_MINUTE, Attributes::number)?;
    Ok(Counter {
        customer: read.word(SK, CustomerId::parse)?,
        totals: totals(item)?,
        kept: sum.zip(minute.map(Minute::from_number)),
    })
}

impl Table {
    pub(super) async fn add_duplicates(
        &self,
        customer: &CustomerId,
        added: u64,
    ) -> Result<(), PortError> {
        let call = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(keys::customer(customer)))
            .update_expression("ADD #name :added")
            .expression_attribute_names("#name", DEDUPLICATED)
            .expression_attribute_values(":added", number(added));
        // An addition that is repeated after a lost answer would count twice.
        let once = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
        let sent = call.customize().config_override(once).send().await;
        sent.map(drop).map_err(unavailable)
    }

    pub(super) async fn read_totals(&self, scope: Scope<'_>) -> Result<Totals, PortError> {
        if let Scope::Customer(customer) = scope {
            let item = self.get(keys::customer(customer)).await?;
            return item.as_ref().map_or(Ok(Totals::default()), totals);
        }
        let shards = (0..CUSTOMER_SHARDS).map(|shard| self.read_counters(shard));
        let mut sum = Totals::default();
        for counter in try_join_all(shards).await?.iter().flatten() {
            sum += &counter.totals;
        }
        Ok(sum)
    }

    pub(super) async fn read_counters(&self, shard: u8) -> Result<Vec<Counter>, PortError> {
        let mut counters = Vec::new();
        let mut pages = self.customers(shard).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            // One damaged item must not take the statistics of all others away.
            match counter(&item.map_err(unavailable)?) {
                Ok(counter) => counters.push(counter),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "a customer is left out of the totals");
                }
            }
        }
        Ok(counters)
    }

    pub(super) async fn write_snapshot(
        &self,
        scope: Scope<'_>,
        snapshot: &Snapshot,
    ) -> Result<bool, PortError> {
        let expires = snapshot.minute.earlier(-KEPT).starts_at();
        let mut item = keys::key(keys::minutes(scope), keys::minute(snapshot.minute));
        item.insert("ttl".to_owned(), number(expires.as_millis() / 1_000));
        let counts = attributes(&snapshot.totals).into_iter();
        item.extend(counts.map(|(name, count)| (name, number(count))));
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .send()
            .await;
        let is_new = match put {
            Ok(_) => true,
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(_) => false,
                other => return Err(unavailable(other)),
            },
            Err(error) => return Err(unavailable(error)),
        };
        if let Scope::Customer(customer) = scope {
            self.remember_kept(customer, snapshot).await?;
        }
        Ok(is_new)
    }

    async fn remember_kept(
        &self,
        customer: &CustomerId,
        snapshot: &Snapshot,
    ) -> Result<(), PortError> {
        let call = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(keys::customer(customer)))
            .update_expression("SET #sum = :sum, #minute = :minute")
            .expression_attribute_names("#sum", KEPT_SUM)
            .expression_attribute_names("#minute", KEPT_MINUTE)
            .expression_attribute_values(":sum", number(snapshot.totals.sum()))
            .expression_attribute_values(":minute", number(snapshot.minute.number()));
        call.send().await.map(drop).map_err(unavailable)
    }

    pub(super) async fn read_snapshots(
        &self,
        scope: Scope<'_>,
        from: Minute,
        until: Minute,
    ) -> Result<Vec<Snapshot>, PortError> {
        let query = || {
            self.client
                .query()
                .table_name(&self.name)
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":pk", text(keys::minutes(scope)))
                .expression_attribute_values(":from", text(keys::minute(from)))
        };
        let before = query()
            .key_condition_expression("#pk = :pk AND #sk < :from")
            .scan_index_forward(false)
            .limit(1)
            .send();
        let within = query()
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :until")
            .expression_attribute_values(":until", text(keys::minute(until)))
            .send();
        let (before, within) = futures::future::try_join(before, within)
            .await
            .map_err(unavailable)?;
        before
            .items()
            .iter()
            .chain(within.items())
            .map(snapshot)
            .collect()
    }
}

fn snapshot(item: &Item) -> Result<Snapshot, PortError> {
    let read = Attributes(item);
    Ok(Snapshot {
        minute: read.word(SK, |text| text.parse().ok().map(Minute::from_number))?,
        totals: totals(item)?,
    })
}
