//! Removing a finished job. Row and specification go last, with the counts: whatever is cut short
//! is found again by the sweep, and a job is never there by half.

use aws_sdk_dynamodb::types::{Delete, DeleteRequest, TransactWriteItem, WriteRequest};
use jobs::ports::PortError;
use jobs::statistics::Totals;
use jobs::tally::Tally;
use jobs::{Job, JobId};

use super::item::Attributes;
use super::keys::{self, Item, PK, SK, SPEC, STATE, number, text};
use super::write::Outcome;
use super::{Table, unavailable};

/// Most deletions in one `BatchWriteItem`.
const BATCH: usize = 25;

impl Table {
    pub(super) async fn remove_job(&self, job: &Job) -> Result<(), PortError> {
        // Another sweep was faster, or the job was retried: what lies beside its row is in use.
        let Some(others) = self.beside_row(job).await? else {
            return Ok(());
        };
        for keys in others.chunks(BATCH) {
            self.delete_batch(keys).await?;
        }
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(keys::key(job.id.as_str(), STATE)))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(job.revision))
            .build()
            .map_err(unavailable)?;
        let row = TransactWriteItem::builder().delete(delete).build();
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(keys::key(job.id.as_str(), SPEC)))
            .build()
            .map_err(unavailable)?;
        let spec = TransactWriteItem::builder().delete(delete).build();
        let counts = self.count(
            &job.customer,
            Tally::between(Some(job), None),
            &Totals::default(),
        )?;
        let mut writes = vec![row, spec, counts];
        if let Some(fingerprint) = &job.fingerprint {
            writes.push(self.end_of_ownership(fingerprint, &job.id)?);
        }
        let Outcome::Refused(reasons) = self.transact(writes.clone()).await? else {
            return Ok(());
        };
        // A later job owns it by now, or is about to.
        let owned = reasons.get(3).is_some_and(|reason| reason.refused);
        let unchanged = reasons.first().is_some_and(|reason| !reason.refused);
        if owned && unchanged {
            writes.truncate(3);
            self.transact(writes).await?;
        }
        // Else another sweep was faster by a moment, or the job was retried.
        Ok(())
    }

    /// The owner goes with the row and not before: a job that is retried meanwhile keeps its place.
    fn end_of_ownership(
        &self,
        fingerprint: &str,
        id: &JobId,
    ) -> Result<TransactWriteItem, PortError> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(keys::dedup(fingerprint)))
            .condition_expression("attribute_not_exists(#pk) OR job_id = :me")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":me", text(id.as_str()))
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Keys of the results of a job, those of lost claims included; `None` where its row is no
    /// longer `job`.
    async fn beside_row(&self, job: &Job) -> Result<Option<Vec<Item>>, PortError> {
        let (mut found, mut unchanged) = (Vec::new(), false);
        let mut pages = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#pk = :pk")
            .projection_expression("#pk, #sk, revision")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(job.id.as_str()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.map_err(unavailable)?;
            let read = Attributes(&item);
            match read.text(SK)? {
                STATE => unchanged = read.number::<u64>("revision")? == job.revision,
                SPEC => {}
                _ => found.push(keys::key(job.id.as_str(), read.text(SK)?)),
            }
        }
        Ok(unchanged.then_some(found))
    }

    async fn delete_batch(&self, keys: &[Item]) -> Result<(), PortError> {
        const MOST_ROUNDS: usize = 10;
        let mut left = Vec::with_capacity(keys.len());
        for key in keys {
            let request = DeleteRequest::builder().set_key(Some(key.clone())).build();
            let request = request.map_err(unavailable)?;
            left.push(WriteRequest::builder().delete_request(request).build());
        }
        for _ in 0..MOST_ROUNDS {
            if left.is_empty() {
                return Ok(());
            }
            let call = self
                .client
                .batch_write_item()
                .request_items(&self.name, left);
            let answer = call.send().await.map_err(unavailable)?;
            let mut unprocessed = answer.unprocessed_items.unwrap_or_default();
            left = unprocessed.remove(&self.name).unwrap_or_default();
        }
        Err(unavailable("items stay undeleted"))
    }
}
