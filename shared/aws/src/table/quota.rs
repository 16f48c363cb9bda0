//! How many of a kind a customer has, counted in the customer's item in the transactions that make
//! and remove them: at most as many as are allowed, however many ask at once.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use jobs::ports::PortError;
use jobs::spec::CustomerId;

use super::keys::{self, number};
use super::{Table, unavailable};

impl Table {
    /// Counts one in, where its customer has fewer than `most`.
    pub(super) fn count_in(
        &self,
        customer: &CustomerId,
        kind: &str,
        most: u64,
    ) -> Result<TransactWriteItem, PortError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::customer(customer)))
            .update_expression(format!("ADD {kind} :one"))
            .condition_expression(format!("attribute_not_exists({kind}) OR {kind} < :most"))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(most))
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Counts one out; only ever part of a transaction that a row guards.
    pub(super) fn count_out(
        &self,
        customer: &CustomerId,
        kind: &str,
    ) -> Result<TransactWriteItem, PortError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::customer(customer)))
            .update_expression(format!("ADD {kind} :less"))
            .expression_attribute_values(":less", number(-1))
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
