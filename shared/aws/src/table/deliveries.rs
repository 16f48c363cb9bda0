//! Deliveries of events: [`Deliveries`] on the table. Those of one receiver lie together, in the
//! order of their events; each expires by the table's own rule.

use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jobs::ports::{Deliveries, DeliverySwap, ListedDeliveries, PortError};
use jobs::{Delivery, DeliveryId, DeliveryKey, DeliveryOwner, Timestamp};

use super::delivery_row::{decode, encode, owner_of};
use super::item::Attributes;
use super::keys::{self, DUE_AT, DUE_LIST, INDEX_DUE, PK, SK, number, text};
use super::{Table, unavailable};

#[async_trait]
impl Deliveries for Table {
    async fn begin_delivery(&self, delivery: &Delivery) -> Result<bool, PortError> {
        let swap = self.put_delivery(delivery, None).await?;
        Ok(swap == DeliverySwap::Written)
    }

    async fn delivery(&self, key: &DeliveryKey) -> Result<Option<Delivery>, PortError> {
        let item = self.get(keys::delivery(key)).await?;
        item.as_ref().map(decode).transpose()
    }

    async fn replace_delivery(
        &self,
        before: &Delivery,
        after: &Delivery,
    ) -> Result<DeliverySwap, PortError> {
        self.put_delivery(after, Some(before.revision)).await
    }

    async fn list_deliveries(
        &self,
        owner: &DeliveryOwner,
        before: Option<&DeliveryId>,
        limit: usize,
    ) -> Result<ListedDeliveries, PortError> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .scan_index_forward(false)
            .consistent_read(true)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", text(keys::deliveries(owner)));
        let query = match before {
            None => query.key_condition_expression("#pk = :pk"),
            Some(id) => query
                .key_condition_expression("#pk = :pk AND #sk < :before")
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(":before", text(id.as_str())),
        };
        // One more than asked for says whether there is more. A page of the table is a megabyte.
        let page = i32::try_from(limit.saturating_add(1)).unwrap_or(i32::MAX);
        let mut pages = query.limit(page).into_paginator().items().send();
        let (mut deliveries, mut more) = (Vec::new(), false);
        while let Some(item) = pages.next().await {
            let item = item.map_err(unavailable)?;
            if deliveries.len() == limit {
                more = true;
                break;
            }
            deliveries.push(decode(&item)?);
        }
        let last = deliveries.last().filter(|_| more);
        let next = last.map(|delivery: &Delivery| delivery.id.clone());
        Ok(ListedDeliveries { deliveries, next })
    }

    async fn due_deliveries(
        &self,
        shard: u32,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeliveryKey>, PortError> {
        let list = keys::due_list(jobs::job::DueList::Delivery, shard);
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(INDEX_DUE)
            .key_condition_expression("#list = :list AND #at <= :until")
            .expression_attribute_names("#list", DUE_LIST)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":list", text(list))
            .expression_attribute_values(":until", number(until.as_millis()))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(unavailable)?;
        let key = |item| {
            let read = Attributes(item);
            let owner = read.word(PK, owner_of)?;
            let id = read.word(SK, DeliveryId::parse)?;
            Ok(DeliveryKey { owner, id })
        };
        answer.items().iter().map(key).collect()
    }
}

impl Table {
    /// Writes a row over the one of this revision, or where there is none.
    async fn put_delivery(
        &self,
        delivery: &Delivery,
        over: Option<u64>,
    ) -> Result<DeliverySwap, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(encode(delivery)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match over {
            None => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK),
            Some(revision) => put
                .condition_expression("revision = :seen")
                .expression_attribute_values(":seen", number(revision)),
        };
        let error = match put.send().await {
            Ok(_) => return Ok(DeliverySwap::Written),
            Err(SdkError::ServiceError(error)) => error.into_err(),
            Err(error) => return Err(unavailable(error)),
        };
        let PutItemError::ConditionalCheckFailedException(refusal) = error else {
            return Err(unavailable(error));
        };
        let found = refusal.item().map(decode).transpose()?;
        Ok(match found {
            Some(found) if found.nonce == delivery.nonce => DeliverySwap::Written,
            found => DeliverySwap::Lost(found.map(Box::new)),
        })
    }
}
