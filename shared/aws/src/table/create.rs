//! Creating a job: specification, row, owner and counts in one transaction.

use aws_sdk_dynamodb::types::{
    ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use jobs::JobId;
use jobs::ports::{Created, Creation, PortError};

use super::item::Attributes;
use super::keys::{self, PK, SPEC, STATE, number, text};
use super::write::Outcome;
use super::{Table, row};

impl Table {
    pub(super) async fn create_job(&self, creation: &Creation<'_>) -> Result<Created, PortError> {
        let (row, spec) = self.row_and_spec(creation)?;
        let mut writes = vec![row, spec, self.admission(creation)?];
        if let Some(fingerprint) = &creation.job.fingerprint {
            writes.push(self.ownership(creation, fingerprint)?);
            if let Some(owner) = creation.replaces {
                writes.push(self.has_ended(owner)?);
            }
        }
        let reasons = match self.transact(writes).await? {
            Outcome::Written => return Ok(Created::New),
            Outcome::Refused(reasons) => reasons,
        };
        // The id is ours alone: a row under it is the echo of this very write.
        if reasons.first().is_some_and(|reason| reason.refused) {
            return Ok(Created::New);
        }
        if let Some(owner) = reasons.get(3).filter(|reason| reason.refused) {
            return match &owner.item {
                Some(item) => Attributes(item)
                    .word("job_id", JobId::parse)
                    .map(Created::Owned),
                // The owner to take over from has left: take the free place in the next try.
                None => Ok(Created::Vacant),
            };
        }
        if let Some(owner) = creation.replaces
            && reasons.get(4).is_some_and(|reason| reason.refused)
        {
            return Ok(Created::Owned(owner.clone()));
        }
        if reasons.get(2).is_some_and(|reason| reason.refused) {
            return Ok(Created::Full);
        }
        Err(super::unavailable(
            "the transaction was refused without a reason",
        ))
    }

    fn row_and_spec(
        &self,
        creation: &Creation<'_>,
    ) -> Result<(TransactWriteItem, TransactWriteItem), PortError> {
        let mut spec = keys::key(creation.job.id.as_str(), SPEC);
        spec.insert("body".to_owned(), text(creation.spec));
        let put = |item| {
            Put::builder()
                .table_name(&self.name)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK)
        };
        let row = put(row::encode(creation.job)).build();
        let spec = put(spec).build();
        Ok((
            TransactWriteItem::builder()
                .put(row.map_err(super::unavailable)?)
                .build(),
            TransactWriteItem::builder()
                .put(spec.map_err(super::unavailable)?)
                .build(),
        ))
    }

    /// Counts the job in, where the customer has room for it.
    fn admission(&self, creation: &Creation<'_>) -> Result<TransactWriteItem, PortError> {
        // A customer without a count has none yet, which is room only where there is any.
        let condition = if creation.max_unfinished == 0 {
            "unfinished < :most"
        } else {
            "attribute_not_exists(unfinished) OR unfinished < :most"
        };
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::customer(&creation.job.customer)))
            .update_expression("ADD unfinished :one")
            .condition_expression(condition)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(creation.max_unfinished))
            .build();
        Ok(TransactWriteItem::builder()
            .update(update.map_err(super::unavailable)?)
            .build())
    }

    /// An owner that was found to have ended may have been started anew since, and owns its
    /// fingerprint as before: it is replaced only where it still has ended, or is gone.
    pub(super) fn has_ended(&self, owner: &JobId) -> Result<TransactWriteItem, PortError> {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(keys::key(owner.as_str(), STATE)))
            .condition_expression(
                "attribute_not_exists(#pk) OR #state IN (:completed, :failed, :cancelled)",
            )
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":completed", text("completed"))
            .expression_attribute_values(":failed", text("failed"))
            .expression_attribute_values(":cancelled", text("cancelled"))
            .build()
            .map_err(super::unavailable)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Takes the fingerprint, where it is free or belongs to the owner that is replaced.
    fn ownership(
        &self,
        creation: &Creation<'_>,
        fingerprint: &str,
    ) -> Result<TransactWriteItem, PortError> {
        let mut item = keys::dedup(fingerprint);
        item.insert("job_id".to_owned(), text(creation.job.id.as_str()));
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match creation.replaces {
            None => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK),
            Some(owner) => put
                .condition_expression("job_id = :owner")
                .expression_attribute_values(":owner", text(owner.as_str())),
        };
        let put = put.build().map_err(super::unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
