//! Starting an ended job anew: row, owner and counts in one transaction, and the end of ownership.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use jobs::ports::{Commit, PortError, Revival, Revived};
use jobs::statistics::Totals;
use jobs::tally::Tally;
use jobs::{Job, JobId};

use super::item::Attributes;
use super::keys::{self, PK, number, text};
use super::write::{Outcome, lost_or_echo};
use super::{Table, row, unavailable};

impl Table {
    pub(super) async fn revive_job(&self, revival: &Revival<'_>) -> Result<Revived, PortError> {
        let row = Put::builder()
            .table_name(&self.name)
            .set_item(Some(row::encode(revival.after)))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(revival.before.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(unavailable)?;
        let row = TransactWriteItem::builder().put(row).build();
        let mut writes = vec![row, self.readmission(revival)?];
        if let Some(fingerprint) = &revival.after.fingerprint {
            writes.push(self.ownership_again(revival, fingerprint)?);
            if let Some(owner) = revival.replaces {
                writes.push(self.has_ended(owner)?);
            }
        }
        let reasons = match self.transact(writes).await? {
            Outcome::Written => return Ok(Revived::Written),
            Outcome::Refused(reasons) => reasons,
        };
        if let Some(row) = reasons.first().filter(|reason| reason.refused) {
            return Ok(match lost_or_echo(row.item.as_ref(), revival.after)? {
                Commit::Written => Revived::Written,
                Commit::Lost(row) => Revived::Lost(row),
            });
        }
        if let Some(owner) = reasons.get(2).filter(|reason| reason.refused) {
            return match &owner.item {
                Some(item) => Attributes(item)
                    .word("job_id", JobId::parse)
                    .map(Revived::Owned),
                None => Ok(Revived::Vacant),
            };
        }
        if let Some(owner) = revival.replaces
            && reasons.get(3).is_some_and(|reason| reason.refused)
        {
            return Ok(Revived::Owned(owner.clone()));
        }
        if reasons.get(1).is_some_and(|reason| reason.refused) {
            return Ok(Revived::Full);
        }
        Err(unavailable("the transaction was refused without a reason"))
    }

    /// Counts the job in again, where the customer has room for it.
    fn readmission(&self, revival: &Revival<'_>) -> Result<TransactWriteItem, PortError> {
        let change = Tally::between(Some(revival.before), Some(revival.after));
        let (terms, values) = super::write::changes(change, &Totals::default());
        // Without a count there is none yet, which is room only where there is any.
        let condition = if revival.max_unfinished == 0 {
            "unfinished < :most"
        } else {
            "attribute_not_exists(unfinished) OR unfinished < :most"
        };
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::customer(&revival.before.customer)))
            .update_expression(terms)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":most", number(revival.max_unfinished))
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Takes the fingerprint, where it is free, this job's own, or the owner's that is replaced.
    fn ownership_again(
        &self,
        revival: &Revival<'_>,
        fingerprint: &str,
    ) -> Result<TransactWriteItem, PortError> {
        let me = revival.after.id.as_str();
        let mut item = keys::dedup(fingerprint);
        item.insert("job_id".to_owned(), text(me));
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .expression_attribute_values(":me", text(me))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match revival.replaces {
            None => put
                .condition_expression("attribute_not_exists(#pk) OR job_id = :me")
                .expression_attribute_names("#pk", PK),
            Some(owner) => put
                .condition_expression("job_id = :owner OR job_id = :me")
                .expression_attribute_values(":owner", text(owner.as_str())),
        };
        let put = put.build().map_err(unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(super) async fn release_place(&self, job: &Job) -> Result<bool, PortError> {
        const MOST_CONFLICTS: u32 = 8;
        let Some(fingerprint) = &job.fingerprint else {
            return Ok(false);
        };
        let mut conflicts = 0;
        loop {
            let deleted = self
                .client
                .delete_item()
                .table_name(&self.name)
                .set_key(Some(keys::dedup(fingerprint)))
                .condition_expression("job_id = :me")
                .expression_attribute_values(":me", text(job.id.as_str()))
                .send()
                .await;
            let error = match deleted {
                Ok(_) => return Ok(true),
                Err(SdkError::ServiceError(error)) => error.into_err(),
                Err(error) => return Err(unavailable(error)),
            };
            match error {
                // Another job's, or nobody's.
                DeleteItemError::ConditionalCheckFailedException(_) => return Ok(false),
                DeleteItemError::TransactionConflictException(_) if conflicts < MOST_CONFLICTS => {
                    conflicts += 1;
                    self.pause(conflicts).await;
                }
                other => return Err(unavailable(other)),
            }
        }
    }
}
