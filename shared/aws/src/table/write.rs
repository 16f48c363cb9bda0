//! Conditional writes and what their refusals say. A write that was repeated after its answer got
//! lost meets itself; the nonce tells.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use aws_smithy_async::rt::sleep::AsyncSleep;
use jobs::ports::{Commit, PortError};
use jobs::spec::CustomerId;
use jobs::statistics::Totals;
use jobs::tally::Tally;
use jobs::{Job, JobId};

use super::keys::{self, Item, number};
use super::{Table, row, totals, unavailable};

/// How often a write is tried again that met a transaction on the same item.
const MOST_CONFLICTS: u32 = 14;
/// Reasons of a cancelled transaction that pass by themselves.
const PASSING: [&str; 3] = [
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
];

/// How a transaction ended.
pub(super) enum Outcome {
    Written,
    /// One entry per write, in their order.
    Refused(Vec<Reason>),
}

/// What stood against one write of a transaction.
pub(super) struct Reason {
    pub(super) refused: bool,
    /// The item that refused it, where it was asked for.
    pub(super) item: Option<Item>,
}

impl Table {
    pub(super) async fn replace_row(&self, before: &Job, after: &Job) -> Result<Commit, PortError> {
        let tally = Tally::between(Some(before), Some(after));
        if !tally.is_zero() {
            return self.replace_row_and_counts(before, after, tally).await;
        }
        let mut conflicts = 0;
        loop {
            let put = self
                .client
                .put_item()
                .table_name(&self.name)
                .set_item(Some(row::encode(after)))
                .condition_expression("revision = :seen")
                .expression_attribute_values(":seen", number(before.revision))
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .send()
                .await;
            let error = match put {
                Ok(_) => return Ok(Commit::Written),
                Err(SdkError::ServiceError(error)) => error.into_err(),
                Err(error) => return Err(unavailable(error)),
            };
            match error {
                PutItemError::ConditionalCheckFailedException(refusal) => {
                    return lost_or_echo(refusal.item(), after);
                }
                PutItemError::TransactionConflictException(_) if conflicts < MOST_CONFLICTS => {
                    conflicts += 1;
                    self.pause(conflicts).await;
                }
                other => return Err(unavailable(other)),
            }
        }
    }

    async fn replace_row_and_counts(
        &self,
        before: &Job,
        after: &Job,
        tally: Tally,
    ) -> Result<Commit, PortError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(row::encode(after)))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(before.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(unavailable)?;
        let put = TransactWriteItem::builder().put(put).build();
        let totals = Totals::between(Some(before), after);
        let counts = self.count(&before.customer, tally, &totals)?;
        match self.transact(vec![put, counts]).await? {
            Outcome::Written => Ok(Commit::Written),
            Outcome::Refused(reasons) => lost_or_echo(
                reasons.first().and_then(|reason| reason.item.as_ref()),
                after,
            ),
        }
    }

    /// Changes the counts of a customer and adds to the totals; only ever part of a transaction that
    /// a row guards.
    pub(super) fn count(
        &self,
        customer: &CustomerId,
        tally: Tally,
        totals: &Totals,
    ) -> Result<TransactWriteItem, PortError> {
        let (terms, values) = changes(tally, totals);
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::customer(customer)))
            .update_expression(terms)
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Runs a transaction, again where another one was in its way.
    pub(super) async fn transact(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Outcome, PortError> {
        let mut conflicts = 0;
        loop {
            let call = self.client.transact_write_items();
            let sent = call.set_transact_items(Some(writes.clone())).send().await;
            let reasons = match sent {
                Ok(_) => return Ok(Outcome::Written),
                Err(SdkError::ServiceError(error)) => match error.into_err() {
                    TransactWriteItemsError::TransactionCanceledException(refusal) => {
                        refusal.cancellation_reasons.unwrap_or_default()
                    }
                    other => return Err(unavailable(other)),
                },
                Err(error) => return Err(unavailable(error)),
            };
            let has = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
            if has("ConditionalCheckFailed") {
                return Ok(Outcome::Refused(
                    reasons.into_iter().map(Reason::from).collect(),
                ));
            }
            conflicts += 1;
            if !PASSING.into_iter().any(has) || conflicts > MOST_CONFLICTS {
                let codes: Vec<_> = reasons
                    .iter()
                    .filter_map(CancellationReason::code)
                    .collect();
                return Err(unavailable(format!(
                    "transaction cancelled: {}",
                    codes.join(", ")
                )));
            }
            self.pause(conflicts).await;
        }
    }

    /// Waits a little longer after each conflict, by chance, so that rivals part ways.
    pub(super) async fn pause(&self, conflicts: u32) {
        let longest = 10_u64 << conflicts.min(6);
        let chance = getrandom::u64().unwrap_or(longest) % longest;
        self.sleep(Duration::from_millis(chance)).await;
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        if let Some(sleep) = self.client.config().sleep_impl() {
            sleep.sleep(duration).await;
        }
    }

    pub(super) async fn write_result(
        &self,
        id: &JobId,
        fence: u64,
        body: Vec<u8>,
    ) -> Result<(), PortError> {
        let mut item = keys::key(id.as_str(), keys::result(fence));
        item.insert("body".to_owned(), AttributeValue::B(Blob::new(body)));
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item));
        put.send().await.map(drop).map_err(unavailable)
    }
}

impl From<CancellationReason> for Reason {
    fn from(reason: CancellationReason) -> Self {
        Self {
            refused: reason.code() == Some("ConditionalCheckFailed"),
            item: reason.item,
        }
    }
}

/// The update that changes the counts of a customer: expression and values.
pub(super) fn changes(tally: Tally, totals: &Totals) -> (String, Item) {
    let changes = [
        ("unfinished", tally.unfinished),
        ("paused", tally.paused),
        ("completed", tally.completed),
        ("failed", tally.failed),
        ("cancelled", tally.cancelled),
    ];
    let changes = changes.map(|(name, change)| (name.to_owned(), change));
    let added = totals::attributes(totals).into_iter();
    let added = added.map(|(name, count)| (name, count as i64));
    let changes = changes.into_iter().filter(|(_, change)| *change != 0);
    let (mut terms, mut values) = (Vec::new(), Item::new());
    for (name, change) in changes.chain(added) {
        terms.push(format!("{name} :{name}"));
        values.insert(format!(":{name}"), number(change));
    }
    (format!("ADD {}", terms.join(", ")), values)
}

/// A refused write: somebody else's row, or our own from a try whose answer was lost.
pub(super) fn lost_or_echo(found: Option<&Item>, after: &Job) -> Result<Commit, PortError> {
    let Some(item) = found else {
        return Ok(Commit::Lost(None));
    };
    let found = row::decode(item)?;
    Ok(if found.nonce == after.nonce {
        Commit::Written
    } else {
        Commit::Lost(Some(Box::new(found)))
    })
}
