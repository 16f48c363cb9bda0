//! The buckets of customers' rates: read, and replaced by whoever has read them last.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jobs::ports::{PortError, RateBucket, Swap};
use jobs::rate::{Bucket, Call};
use jobs::spec::CustomerId;

use super::item::Attributes;
use super::keys::{self, Item, PK, number};
use super::{Table, unavailable};

impl Table {
    pub(super) async fn read_rate(
        &self,
        call: Call,
        customer: &CustomerId,
    ) -> Result<Option<RateBucket>, PortError> {
        let item = self.get(keys::rate(call, customer)).await?;
        item.as_ref().map(decode).transpose()
    }

    pub(super) async fn swap_rate(
        &self,
        call: Call,
        customer: &CustomerId,
        before: Option<RateBucket>,
        after: RateBucket,
    ) -> Result<Swap, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(encode(call, customer, after)))
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
            Ok(_) => return Ok(Swap::Written),
            Err(SdkError::ServiceError(error)) => error.into_err(),
            Err(error) => return Err(unavailable(error)),
        };
        let PutItemError::ConditionalCheckFailedException(refusal) = error else {
            return Err(unavailable(error));
        };
        let found = refusal.item().map(decode).transpose()?;
        // Our own write, whose answer was lost.
        if found.is_some_and(|found| found.nonce == after.nonce) {
            return Ok(Swap::Written);
        }
        // So that rivals part ways.
        self.pause(1).await;
        Ok(Swap::Lost(found))
    }
}

fn encode(call: Call, customer: &CustomerId, rate: RateBucket) -> Item {
    let mut item = keys::rate(call, customer);
    let Bucket { millionths, at } = rate.bucket;
    item.insert("millionths".to_owned(), number(millionths));
    item.insert("at".to_owned(), number(at.as_millis()));
    item.insert("nonce".to_owned(), number(rate.nonce));
    // A bucket that is not there is full, which this one is by then.
    let expires = at + Bucket::FULL_AFTER * 2;
    item.insert("ttl".to_owned(), number(expires.as_millis() / 1_000));
    item
}

fn decode(item: &Item) -> Result<RateBucket, PortError> {
    let read = Attributes(item);
    Ok(RateBucket {
        bucket: Bucket {
            millionths: read.number("millionths")?,
            at: read.time("at")?,
        },
        nonce: read.number("nonce")?,
    })
}
