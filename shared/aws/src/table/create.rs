//! Creating jobs: specifications, rows, owners, the customer's counts and the answer to keep, in
//! one transaction.

use aws_sdk_dynamodb::types::{
    ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use jobs::JobId;
use jobs::ports::{Created, Creation, NewRow, PortError};
use jobs::spec::CustomerId;

use super::item::Attributes;
use super::keys::{self, Item, PK, SPEC, STATE, number, text};
use super::write::{Outcome, Reason};
use super::{Table, idempotency, row, unavailable};

impl Table {
    pub(super) async fn create_job(&self, creation: &Creation<'_>) -> Result<Created, PortError> {
        let new = NewRow {
            job: creation.job,
            spec: creation.spec,
            replaces: creation.replaces,
        };
        let customer = &creation.job.customer;
        let mut writes = Vec::with_capacity(5);
        self.put_job(&new, &mut writes)?;
        let counts = writes.len();
        writes.push(self.admission(customer, 1, creation.max_unfinished)?);
        let answer = writes.len();
        if let Some(kept) = creation.kept {
            writes.push(self.keeping(kept)?);
        }
        let reasons = match self.transact(writes).await? {
            Outcome::Written => return Ok(Created::New),
            Outcome::Refused(reasons) => reasons,
        };
        let refusal = |index: usize| reasons.get(index).filter(|reason| reason.refused);
        // The id is ours alone: a row under it is the echo of this very write.
        if refusal(ROW).is_some() {
            return Ok(Created::New);
        }
        if let Some(answer) = refusal(answer) {
            return idempotency::answered(answer).map(Created::Answered);
        }
        if let Some(owner) = refusal(OWNER).filter(|_| counts > OWNER) {
            return match &owner.item {
                Some(item) => Attributes(item)
                    .word("job_id", JobId::parse)
                    .map(Created::Owned),
                // The owner to take over from has left: take the free place in the next try.
                None => Ok(Created::Vacant),
            };
        }
        if let Some(owner) = creation.replaces
            && refusal(ENDED).is_some()
        {
            return Ok(Created::Owned(owner.clone()));
        }
        if refusal(counts).is_some() {
            return Ok(Created::Full);
        }
        Err(without_reason())
    }

    /// The writes of a new job: row, specification and, where it takes part in deduplication,
    /// owner, and the check of the one that is replaced, in this order.
    pub(super) fn put_job(
        &self,
        new: &NewRow<'_>,
        writes: &mut Vec<TransactWriteItem>,
    ) -> Result<(), PortError> {
        let mut spec = keys::key(new.job.id.as_str(), SPEC);
        spec.insert("body".to_owned(), text(new.spec));
        writes.push(self.put_new(row::encode(new.job))?);
        writes.push(self.put_new(spec)?);
        if let Some(fingerprint) = &new.job.fingerprint {
            writes.push(self.ownership(new, fingerprint)?);
            if let Some(owner) = new.replaces {
                writes.push(self.has_ended(owner)?);
            }
        }
        Ok(())
    }

    /// Writes an item that is not there yet.
    pub(super) fn put_new(&self, item: Item) -> Result<TransactWriteItem, PortError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Counts jobs in, where the customer has room for them all.
    pub(super) fn admission(
        &self,
        customer: &CustomerId,
        jobs: u64,
        max_unfinished: u64,
    ) -> Result<TransactWriteItem, PortError> {
        let room = (max_unfinished + 1).saturating_sub(jobs);
        // A customer without a count has none yet, which is room only where there is any.
        let condition = if room == 0 {
            "unfinished < :most"
        } else {
            "attribute_not_exists(unfinished) OR unfinished < :most"
        };
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::customer(customer)))
            .update_expression("ADD unfinished :jobs, total_created :jobs")
            .condition_expression(condition)
            .expression_attribute_values(":jobs", number(jobs))
            .expression_attribute_values(":most", number(room))
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Gives back the room of jobs that were counted in and turned out to be duplicates; only ever
    /// part of a transaction that a row guards.
    pub(super) fn give_back(
        &self,
        customer: &CustomerId,
        jobs: u64,
    ) -> Result<TransactWriteItem, PortError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::customer(customer)))
            .update_expression("ADD unfinished :back, total_created :back")
            .expression_attribute_values(":back", number(-(jobs as i64)))
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().update(update).build())
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
        new: &NewRow<'_>,
        fingerprint: &str,
    ) -> Result<TransactWriteItem, PortError> {
        let mut item = keys::dedup(fingerprint);
        item.insert("job_id".to_owned(), text(new.job.id.as_str()));
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match new.replaces {
            None => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK),
            Some(owner) => put
                .condition_expression("job_id = :owner")
                .expression_attribute_values(":owner", text(owner.as_str())),
        };
        let put = put.build().map_err(unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// Where the writes of the first job stand in a transaction.
pub(super) const ROW: usize = 0;
const OWNER: usize = 2;
/// The check of the owner to be replaced, where there is one.
const ENDED: usize = 3;

pub(super) fn without_reason() -> PortError {
    unavailable("the transaction was refused without a reason")
}

/// Whether any of some writes was refused.
pub(super) fn any_refused(reasons: &[Reason]) -> bool {
    reasons.iter().any(|reason| reason.refused)
}
