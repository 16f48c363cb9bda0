//! Rows of operations and the jobs that their requests have listed, and pages of the due index.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jobs::job::DueList;
use jobs::ports::{Advanced, DuePage, PortError};
use jobs::{JobId, Operation, OperationId, RowId, Timestamp};

use super::item::Attributes;
use super::keys::{self, DUE_AT, DUE_LIST, INDEX_DUE, Item, PK, SK, number, text};
use super::operation_row::{OPERATION, decode, encode};
use super::write::Outcome;
use super::{Table, unavailable};

const LISTED: &str = "listed";

impl Table {
    pub(super) async fn begin_operation(
        &self,
        operation: &Operation,
        listed: &[JobId],
    ) -> Result<(), PortError> {
        let put = |item| {
            Put::builder()
                .table_name(&self.name)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK)
                .build()
                .map(|put| TransactWriteItem::builder().put(put).build())
                .map_err(unavailable)
        };
        let mut writes = vec![put(encode(operation))?];
        if !listed.is_empty() {
            let ids: Vec<_> = listed.iter().map(JobId::as_str).collect();
            let mut item = keys::key(operation.id.as_str(), LISTED);
            item.insert("ids".to_owned(), text(ids.join(" ")));
            writes.push(put(item)?);
        }
        match self.transact(writes).await? {
            // The id is ours alone: a row under it is the echo of this very write.
            Outcome::Written | Outcome::Refused(_) => Ok(()),
        }
    }

    pub(super) async fn read_operation(
        &self,
        id: &OperationId,
    ) -> Result<Option<Operation>, PortError> {
        let item = self.operation_item(id, OPERATION).await?;
        item.as_ref().map(decode).transpose()
    }

    pub(super) async fn read_listed(&self, id: &OperationId) -> Result<Vec<JobId>, PortError> {
        let Some(item) = self.operation_item(id, LISTED).await? else {
            return Ok(Vec::new());
        };
        Attributes(&item).word("ids", |ids| ids.split(' ').map(JobId::parse).collect())
    }

    async fn operation_item(&self, id: &OperationId, sk: &str) -> Result<Option<Item>, PortError> {
        let call = self.client.get_item().table_name(&self.name);
        let call = call.set_key(Some(keys::key(id.as_str(), sk)));
        let answer = call.consistent_read(true).send().await;
        Ok(answer.map_err(unavailable)?.item)
    }

    pub(super) async fn advance_operation(
        &self,
        before: &Operation,
        after: &Operation,
    ) -> Result<Advanced, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(encode(after)))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(before.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match put {
            Ok(_) => return Ok(Advanced::Written),
            Err(SdkError::ServiceError(error)) => error.into_err(),
            Err(error) => return Err(unavailable(error)),
        };
        let PutItemError::ConditionalCheckFailedException(refusal) = error else {
            return Err(unavailable(error));
        };
        let found = refusal.item().map(decode).transpose()?;
        Ok(match found {
            Some(found) if found.nonce == after.nonce => Advanced::Written,
            found => Advanced::Lost(found.map(Box::new)),
        })
    }

    pub(super) async fn remove_operation(&self, operation: &Operation) -> Result<(), PortError> {
        let delete = |sk| {
            let key = keys::key(operation.id.as_str(), sk);
            Delete::builder().table_name(&self.name).set_key(Some(key))
        };
        let row = delete(OPERATION)
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(operation.revision));
        let mut writes = vec![row];
        if operation.listed > 0 {
            writes.push(delete(LISTED));
        }
        let writes = writes.into_iter().map(|delete| {
            let delete = delete.build().map_err(unavailable)?;
            Ok(TransactWriteItem::builder().delete(delete).build())
        });
        let writes = writes.collect::<Result<Vec<_>, PortError>>()?;
        // Refused: another sweep was faster by a moment.
        self.transact(writes).await.map(drop)
    }

    pub(super) async fn read_due_from(
        &self,
        shard: u32,
        until: Timestamp,
        after: Option<&str>,
        limit: usize,
    ) -> Result<DuePage, PortError> {
        let list = keys::due_list(DueList::Work, shard);
        let start = after.map(|after| place(&list, after)).transpose()?;
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(INDEX_DUE)
            .key_condition_expression("#list = :list AND #at <= :until")
            .expression_attribute_names("#list", DUE_LIST)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":list", text(&list))
            .expression_attribute_values(":until", number(until.as_millis()))
            .set_exclusive_start_key(start)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(unavailable)?;
        let ids = answer.items().iter();
        let ids = ids.map(|item| Attributes(item).word(PK, RowId::parse));
        let ids = ids.collect::<Result<_, _>>()?;
        let next = answer.last_evaluated_key().map(described).transpose()?;
        Ok(DuePage { ids, next })
    }
}

/// A place in the index, in words.
fn described(key: &Item) -> Result<String, PortError> {
    let read = Attributes(key);
    let at: i64 = read.number(DUE_AT)?;
    Ok(format!("{at} {} {}", read.text(PK)?, read.text(SK)?))
}

/// The key of a place that was described.
fn place(list: &str, words: &str) -> Result<Item, PortError> {
    let mut parts = words.splitn(3, ' ');
    let (Some(at), Some(pk), Some(sk)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(PortError::Corrupt(format!(
            "place {words} of the due index"
        )));
    };
    let mut key = keys::key(pk, sk);
    key.insert(DUE_LIST.to_owned(), text(list));
    key.insert(DUE_AT.to_owned(), AttributeValue::N(at.to_owned()));
    Ok(key)
}
