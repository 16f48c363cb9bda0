//! The hold on the whole queue: one item, compared and set.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use jobs::hold::Hold;
use jobs::ports::PortError;

use super::item::Attributes;
use super::keys::{self, Item, PK, number};
use super::{Table, unavailable};

const CONTROL: &str = "control";
pub(super) const QUEUE: &str = "queue";

fn encode(hold: &Hold) -> Item {
    let mut item = key();
    item.insert("paused".to_owned(), AttributeValue::Bool(hold.paused));
    item.insert("revision".to_owned(), number(hold.revision));
    item.insert("nonce".to_owned(), number(hold.nonce));
    item.insert("at".to_owned(), number(hold.at.as_millis()));
    item
}

pub(super) fn key() -> Item {
    keys::key(CONTROL, QUEUE)
}

pub(super) fn decode(item: &Item) -> Result<Hold, PortError> {
    let read = Attributes(item);
    let paused = read.get("paused")?.as_bool();
    Ok(Hold {
        paused: *paused.map_err(|_| read.damaged("paused"))?,
        revision: read.number("revision")?,
        nonce: read.number("nonce")?,
        at: read.time("at")?,
    })
}

impl Table {
    pub(super) async fn read_hold(&self) -> Result<Hold, PortError> {
        let item = self.get(key()).await?;
        item.as_ref().map_or(Ok(Hold::default()), decode)
    }

    pub(super) async fn write_hold(&self, before: &Hold, after: &Hold) -> Result<bool, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(encode(after)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = if before.revision == 0 {
            put.condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK)
        } else {
            put.condition_expression("revision = :seen")
                .expression_attribute_values(":seen", number(before.revision))
        };
        let error = match put.send().await {
            Ok(_) => return Ok(true),
            Err(SdkError::ServiceError(error)) => error.into_err(),
            Err(error) => return Err(unavailable(error)),
        };
        match error {
            PutItemError::ConditionalCheckFailedException(refusal) => match refusal.item() {
                // Its own echo, where the answer to an earlier try was lost.
                Some(found) => Ok(decode(found)?.nonce == after.nonce),
                None => Ok(false),
            },
            other => Err(unavailable(other)),
        }
    }
}
