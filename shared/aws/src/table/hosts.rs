//! The budgets of hosts: read, and replaced by whoever has read them last.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jobs::crawl::host::{Host, Taker};
use jobs::ports::{HostSwap, Hosts, PortError};

use super::item::Attributes;
use super::keys::{self, Item, PK, number, seconds, text};
use super::{Table, unavailable};

/// How long a row is kept when it says nothing any more but what was learned of the host.
const KEPT: Duration = Duration::from_hours(1);

#[async_trait]
impl Hosts for Table {
    async fn host(&self, authority: &str) -> Result<Option<Host>, PortError> {
        let item = self.get(keys::host(authority)).await?;
        item.as_ref().map(decode).transpose()
    }

    async fn replace_host(
        &self,
        authority: &str,
        before: Option<&Host>,
        after: &Host,
    ) -> Result<HostSwap, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(encode(authority, after)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match before {
            None => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK),
            Some(before) => put
                .condition_expression("nonce = :seen")
                .expression_attribute_values(":seen", number(before.nonce)),
        };
        let error = match put.send().await {
            Ok(_) => return Ok(HostSwap::Written),
            Err(SdkError::ServiceError(error)) => error.into_err(),
            Err(error) => return Err(unavailable(error)),
        };
        let PutItemError::ConditionalCheckFailedException(refusal) = error else {
            return Err(unavailable(error));
        };
        let found = refusal.item().map(decode).transpose()?;
        // Our own write, whose answer was lost.
        if found.as_ref().is_some_and(|it| it.nonce == after.nonce) {
            return Ok(HostSwap::Written);
        }
        // So that rivals part ways.
        self.pause(1).await;
        Ok(HostSwap::Lost(found.map(Box::new)))
    }
}

/// What is nought is left out.
fn encode(authority: &str, host: &Host) -> Item {
    let mut item = keys::host(authority);
    item.insert("nonce".to_owned(), number(host.nonce));
    let numbers = [
        ("delay_ms", host.delay.as_millis() as i64),
        ("delay_until", host.delay_until.as_millis()),
        ("last_at", host.last_at.as_millis()),
        ("held_until", host.held_until.as_millis()),
        ("failures", i64::from(host.failures)),
        ("places", i64::from(host.limit.unwrap_or(0))),
        ("places_at", host.limit_at.as_millis()),
    ];
    for (name, value) in numbers.into_iter().filter(|(_, value)| *value != 0) {
        item.insert(name.to_owned(), number(value));
    }
    if !host.takers.is_empty() {
        let takers = host.takers.iter().map(encode_taker).map(text);
        item.insert("takers".to_owned(), AttributeValue::L(takers.collect()));
    }
    let expires = seconds(host.quiet_at() + KEPT);
    item.insert("ttl".to_owned(), number(expires));
    item
}

fn encode_taker(taker: &Taker) -> String {
    let Taker {
        who,
        places,
        wanted,
        most,
        until,
    } = taker;
    format!("{who:x} {places} {wanted} {most} {}", until.as_millis())
}

fn decode(item: &Item) -> Result<Host, PortError> {
    let read = Attributes(item);
    let time = |name| read.optional(name, Attributes::time);
    let takers = match item.get("takers") {
        None => Vec::new(),
        Some(takers) => {
            let takers = takers.as_l().map_err(|_| read.damaged("takers"))?.iter();
            let takers = takers.map(|taker| taker.as_s().ok().and_then(|it| decode_taker(it)));
            let takers: Option<_> = takers.collect();
            takers.ok_or_else(|| read.damaged("takers"))?
        }
    };
    let delay = read.optional("delay_ms", Attributes::number)?;
    let failures = read.optional("failures", Attributes::number)?;
    Ok(Host {
        nonce: read.number("nonce")?,
        delay: Duration::from_millis(delay.unwrap_or(0)),
        delay_until: time("delay_until")?.unwrap_or_default(),
        last_at: time("last_at")?.unwrap_or_default(),
        held_until: time("held_until")?.unwrap_or_default(),
        failures: failures.unwrap_or(0),
        limit: read.optional("places", Attributes::number)?,
        limit_at: time("places_at")?.unwrap_or_default(),
        takers,
    })
}

fn decode_taker(text: &str) -> Option<Taker> {
    let mut words = text.split(' ');
    Some(Taker {
        who: u64::from_str_radix(words.next()?, 16).ok()?,
        places: words.next()?.parse().ok()?,
        wanted: words.next()?.parse().ok()?,
        most: words.next()?.parse().ok()?,
        until: jobs::Timestamp::from_millis(words.next()?.parse().ok()?),
    })
}
