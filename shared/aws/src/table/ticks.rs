//! Ticks: what became of each firing of a schedule, written once, in one transaction with the
//! schedule and the job.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jobs::ports::{PortError, TickWrite, Turn, Turned};
use jobs::schedule::{Outcome, Tick};
use jobs::{ScheduleId, Status, Timestamp};

use super::create::{any_refused, without_reason};
use super::keys::{PK, SCHEDULES, SK, text};
use super::schedule_row::{TICK, decode, decode_tick, encode_tick, tick_key};
use super::{Table, unavailable, write};

/// Where the writes of a turn stand in its transaction.
const ROW: usize = 0;
const TICK_AT: usize = 1;
const COUNTS: usize = 2;

impl Table {
    /// Row of the schedule and tick, then the customer's counts and the job where there is one.
    pub(super) async fn write_turn(&self, turn: &Turn<'_>) -> Result<Turned, PortError> {
        let mut writes = vec![
            self.replace_schedule(turn.before, turn.after)?,
            self.put_tick(turn.tick)?,
        ];
        if let Some((new, most)) = &turn.job {
            writes.push(self.admission(&new.job.customer, 1, *most)?);
            self.put_job(new, &mut writes)?;
        } else if turn.after.deleted && !turn.before.deleted {
            writes.push(self.count_out(&turn.after.customer, SCHEDULES)?);
        }
        let reasons = match self.transact(writes).await? {
            write::Outcome::Written => return Ok(Turned::Written),
            write::Outcome::Refused(reasons) => reasons,
        };
        let refusal = |index: usize| reasons.get(index).filter(|reason| reason.refused);
        let found = refusal(ROW).and_then(|reason| reason.item.as_ref());
        let found = found.map(decode).transpose()?;
        let is_echo = |row: &jobs::Schedule| row.nonce == turn.after.nonce;
        if found.as_ref().is_some_and(is_echo) {
            return Ok(Turned::Written);
        }
        if refusal(TICK_AT).is_some() {
            return Ok(Turned::Handled);
        }
        if refusal(ROW).is_some() {
            return Ok(Turned::Lost(found.map(Box::new)));
        }
        if refusal(COUNTS).is_some() {
            return Ok(Turned::Full);
        }
        // The job of a tick that nobody knows any more is still there: it was handled.
        if any_refused(&reasons) {
            return Ok(Turned::Handled);
        }
        Err(without_reason())
    }

    fn put_tick(&self, tick: TickWrite<'_>) -> Result<TransactWriteItem, PortError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(encode_tick(tick.tick())));
        let put = match tick {
            TickWrite::New(_) => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK),
            TickWrite::Held(_) => put
                .condition_expression("outcome = :held")
                .expression_attribute_values(":held", text(Outcome::Held.as_str())),
        };
        let put = put.build().map_err(unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(super) async fn note_tick(&self, tick: &Tick) -> Result<(), PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(encode_tick(tick)))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .send();
        match put.await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                // It has been handled, by us or by somebody else.
                PutItemError::ConditionalCheckFailedException(_) => Ok(()),
                error => Err(unavailable(error)),
            },
            Err(error) => Err(unavailable(error)),
        }
    }

    pub(super) async fn read_tick(
        &self,
        id: &ScheduleId,
        at: Timestamp,
    ) -> Result<Option<Tick>, PortError> {
        let item = self.get(tick_key(id, at)).await?;
        item.as_ref().map(decode_tick).transpose()
    }

    pub(super) async fn write_end(
        &self,
        id: &ScheduleId,
        at: Timestamp,
        status: Status,
    ) -> Result<(), PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(tick_key(id, at)))
            .update_expression("SET ended = :status")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":status", text(status.as_str()))
            .send();
        match update.await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                // It is not kept any more.
                UpdateItemError::ConditionalCheckFailedException(_) => Ok(()),
                error => Err(unavailable(error)),
            },
            Err(error) => Err(unavailable(error)),
        }
    }

    pub(super) async fn read_ticks(
        &self,
        id: &ScheduleId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Tick>, PortError> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :tick)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(id.as_str()))
            .expression_attribute_values(":tick", text(TICK))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(unavailable)?;
        let ticks: Result<Vec<_>, _> = answer.items().iter().map(decode_tick).collect();
        let mut ticks = ticks?;
        ticks.retain(|tick| tick.expires_at() > now);
        Ok(ticks)
    }
}
