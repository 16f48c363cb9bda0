//! Schedules: rows, what they ask for, and lists of them. Refuses to judge a tick.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use jobs::idempotency::Kept;
use jobs::ports::{Added, ListedSchedules, PortError, Replaced, Schedules, Scope, Turn, Turned};
use jobs::schedule::{Asked, Stored, Tick};
use jobs::{Schedule, ScheduleId, Status, Timestamp};

use super::create::without_reason;
use super::idempotency::answered;
use super::item::Attributes;
use super::keys::{
    self, INDEX_BY_CUSTOMER, INDEX_BY_TIME, Item, LIST_CUSTOMER, LIST_SHARD, PK, SCHEDULES, SK,
    SPEC, number, text,
};
use super::schedule_row::{SCHEDULE, decode, encode};
use super::write::Outcome;
use super::{Table, unavailable};

#[async_trait]
impl Schedules for Table {
    async fn add(
        &self,
        schedule: &Schedule,
        asked: &Stored,
        most: u64,
        kept: Option<&Kept>,
    ) -> Result<Added, PortError> {
        let mut writes = vec![
            self.put_new(encode(schedule))?,
            self.put_asked(&schedule.id, asked)?,
            self.count_in(&schedule.customer, SCHEDULES, most)?,
        ];
        if let Some(kept) = kept {
            writes.push(self.keeping(kept)?);
        }
        let reasons = match self.transact(writes).await? {
            Outcome::Written => return Ok(Added::Written),
            Outcome::Refused(reasons) => reasons,
        };
        let refusal = |index: usize| reasons.get(index).filter(|reason| reason.refused);
        // The id is ours alone: a row under it is the echo of this very write.
        if refusal(0).is_some() {
            return Ok(Added::Written);
        }
        if let Some(answer) = refusal(3) {
            return answered(answer).map(Added::Answered);
        }
        if refusal(2).is_some() {
            return Ok(Added::Full);
        }
        Err(without_reason())
    }

    async fn schedule(&self, id: &ScheduleId) -> Result<Option<Schedule>, PortError> {
        let item = self.get(keys::key(id.as_str(), SCHEDULE)).await?;
        item.as_ref().map(decode).transpose()
    }

    async fn schedule_and_asked(
        &self,
        id: &ScheduleId,
    ) -> Result<Option<(Schedule, Asked)>, PortError> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :row AND :spec")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(id.as_str()))
            .expression_attribute_values(":row", text(SCHEDULE))
            .expression_attribute_values(":spec", text(SPEC))
            .consistent_read(true);
        let answer = query.send().await.map_err(unavailable)?;
        // In the order of their names: the row, then what it asks for.
        match answer.items() {
            [] => Ok(None),
            [row, asked] => Ok(Some((decode(row)?, decode_asked(asked)?))),
            // They are written and removed as one.
            _ => Err(PortError::Corrupt(format!(
                "schedule {id} is there by half"
            ))),
        }
    }

    async fn replace(
        &self,
        before: &Schedule,
        after: &Schedule,
        asked: Option<&Stored>,
    ) -> Result<Replaced, PortError> {
        let mut writes = vec![self.replace_schedule(before, after)?];
        if let Some(asked) = asked {
            writes.push(self.put_asked(&after.id, asked)?);
        }
        if after.deleted && !before.deleted {
            writes.push(self.count_out(&after.customer, SCHEDULES)?);
        }
        match self.transact(writes).await? {
            Outcome::Written => Ok(Replaced::Written),
            Outcome::Refused(reasons) => {
                let found = reasons.first().and_then(|reason| reason.item.as_ref());
                let found = found.map(decode).transpose()?;
                Ok(match found {
                    Some(found) if found.nonce == after.nonce => Replaced::Written,
                    found => Replaced::Lost(found.map(Box::new)),
                })
            }
        }
    }

    async fn turn(&self, turn: &Turn<'_>) -> Result<Turned, PortError> {
        self.write_turn(turn).await
    }

    async fn note(&self, tick: &Tick) -> Result<(), PortError> {
        self.note_tick(tick).await
    }

    async fn tick(&self, id: &ScheduleId, at: Timestamp) -> Result<Option<Tick>, PortError> {
        self.read_tick(id, at).await
    }

    async fn end_tick(
        &self,
        id: &ScheduleId,
        at: Timestamp,
        status: Status,
    ) -> Result<(), PortError> {
        self.write_end(id, at, status).await
    }

    async fn ticks(
        &self,
        id: &ScheduleId,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Tick>, PortError> {
        self.read_ticks(id, now, limit).await
    }

    async fn list_schedules(
        &self,
        scope: Scope<'_>,
        before: Option<&ScheduleId>,
        limit: usize,
    ) -> Result<ListedSchedules, PortError> {
        let (index, hash, value) = match scope {
            Scope::Customer(customer) => (
                INDEX_BY_CUSTOMER,
                LIST_CUSTOMER,
                keys::schedules_of(customer),
            ),
            Scope::Everyone => (INDEX_BY_TIME, LIST_SHARD, SCHEDULES.to_owned()),
        };
        let before = before.map(ScheduleId::as_str);
        let mut found = self
            .newest(index, hash, &value, before, limit, ScheduleId::parse)
            .await?;
        let mut schedules = Vec::with_capacity(found.len());
        for item in self.schedule_items(&found).await? {
            match decode(&item) {
                Ok(schedule) => schedules.push(schedule),
                // A list goes on without it; asked for alone, it says what it is.
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "a schedule is left out of a list");
                }
            }
        }
        schedules.sort_unstable_by(|one: &Schedule, other| other.id.cmp(&one.id));
        let next = if found.len() >= limit {
            found.pop()
        } else {
            None
        };
        Ok(ListedSchedules { schedules, next })
    }

    async fn known(&self, ids: &[ScheduleId]) -> Result<Vec<ScheduleId>, PortError> {
        let items = self.schedule_items(ids).await?;
        let id = |item: &Item| Attributes(item).word(PK, ScheduleId::parse);
        items.iter().map(id).collect()
    }

    async fn remove_schedule(&self, schedule: &Schedule) -> Result<(), PortError> {
        self.remove_schedule_items(schedule).await
    }
}

impl Table {
    async fn schedule_items(&self, ids: &[ScheduleId]) -> Result<Vec<Item>, PortError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = ids.iter().map(|id| keys::key(id.as_str(), SCHEDULE));
        self.get_all(keys.collect(), true).await
    }

    fn put_asked(&self, id: &ScheduleId, asked: &Stored) -> Result<TransactWriteItem, PortError> {
        let mut item = keys::key(id.as_str(), SPEC);
        item.insert("body".to_owned(), text(&asked.spec));
        item.insert("request".to_owned(), text(&asked.body));
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        let put = put.build().map_err(unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Replaces the row where it still is the one that was read.
    pub(super) fn replace_schedule(
        &self,
        before: &Schedule,
        after: &Schedule,
    ) -> Result<TransactWriteItem, PortError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(encode(after)))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", number(before.revision))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn decode_asked(item: &Item) -> Result<Asked, PortError> {
    let read = Attributes(item);
    Ok(Asked {
        spec: serde_json::from_str(read.text("body")?).map_err(|_| read.damaged("body"))?,
        body: serde_json::from_str(read.text("request")?).map_err(|_| read.damaged("request"))?,
    })
}
