//! Baselines that nobody has used for long: found in the index of what is due, and removed where
//! nothing has taken their place.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use jobs::Timestamp;
use jobs::job::DueList;
use jobs::ports::{Expired, PortError};

use super::item::Attributes;
use super::keys::{self, DUE_AT, DUE_LIST, INDEX_DUE, PK, SK, number, text};
use super::{Table, baselines, unavailable};

impl Table {
    pub(super) async fn read_expired(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Expired>, PortError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(INDEX_DUE)
            .key_condition_expression("#list = :list AND #at <= :until")
            .expression_attribute_names("#list", DUE_LIST)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":list", text(keys::due_list(DueList::Baseline, 0)))
            .expression_attribute_values(":until", number(until.as_millis()))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(unavailable)?;
        let mut expired = Vec::new();
        for key in answer.items() {
            let read = Attributes(key);
            let (pk, sk) = (read.text(PK)?, read.text(SK)?);
            // The index may be a moment behind.
            if let Some(item) = self.get(keys::key(pk, sk)).await? {
                expired.push(Expired {
                    name: format!("{pk} {sk}"),
                    baseline: baselines::decode(&item)?,
                });
            }
        }
        Ok(expired)
    }

    pub(super) async fn remove_expired(&self, expired: &Expired) -> Result<(), PortError> {
        let Some((pk, sk)) = expired.name.split_once(' ') else {
            return Err(PortError::Corrupt(format!("baseline {}", expired.name)));
        };
        let delete = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(keys::key(pk, sk)))
            .condition_expression("job_id = :job AND #at = :at")
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":job", text(expired.baseline.job.as_str()))
            .expression_attribute_values(":at", number(expired.baseline.expires_at.as_millis()))
            .send();
        match delete.await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                // Something newer stands there, or it is gone already.
                DeleteItemError::ConditionalCheckFailedException(_) => Ok(()),
                error => Err(unavailable(error)),
            },
            Err(error) => Err(unavailable(error)),
        }
    }
}
