//! Removes items that nothing else hangs on. Apart from the rest, so that who may not remove
//! anything does not have to be allowed it.

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use jobs::Schedule;
use jobs::ports::PortError;

use super::keys::{self, Item, PK, SPEC, number};
use super::schedule_row::SCHEDULE;
use super::{Table, unavailable};

impl Table {
    /// Removes an item and counts it out, where it is there.
    pub(super) async fn remove_counted(
        &self,
        key: Item,
        count: TransactWriteItem,
    ) -> Result<(), PortError> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .map_err(unavailable)?;
        let delete = TransactWriteItem::builder().delete(delete).build();
        // Refused: somebody else has removed it, or this is the echo of our own write.
        self.transact(vec![delete, count]).await.map(drop)
    }

    /// Removes a schedule with what it asks for, where the row still is this one.
    pub(super) async fn remove_schedule_items(&self, schedule: &Schedule) -> Result<(), PortError> {
        let delete = |sk| {
            let key = keys::key(schedule.id.as_str(), sk);
            Delete::builder().table_name(&self.name).set_key(Some(key))
        };
        let row = delete(SCHEDULE)
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(schedule.revision));
        let writes = [row, delete(SPEC)].map(|delete| {
            let delete = delete.build().map_err(unavailable)?;
            Ok(TransactWriteItem::builder().delete(delete).build())
        });
        let writes = writes.into_iter().collect::<Result<Vec<_>, PortError>>()?;
        // Refused: another sweep was faster by a moment, or the row is owed something again.
        self.transact(writes).await.map(drop)
    }
}
