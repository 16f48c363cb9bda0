//! The answers that are kept for requests with a key. Each stands until it expires, whoever asks;
//! the table's own expiry removes it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jobs::idempotency::{Answer, Kept, Outcome};
use jobs::ports::PortError;
use jobs::{BatchId, JobId, ScheduleId, Timestamp};

use super::item::Attributes;
use super::keys::{self, IDEMPOTENCY, Item, PK, number, text};
use super::write::{self, Reason};
use super::{Table, create, unavailable};

impl Table {
    /// Keeps an answer where the key is free, by now or again.
    pub(super) fn keeping(&self, kept: &Kept) -> Result<TransactWriteItem, PortError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(encode(kept)))
            .condition_expression("attribute_not_exists(#pk) OR expires_at <= :now")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":now", number(kept.at.as_millis()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(super) async fn keep_answer(&self, kept: &Kept) -> Result<Option<Kept>, PortError> {
        match self.transact(vec![self.keeping(kept)?]).await? {
            write::Outcome::Written => Ok(None),
            write::Outcome::Refused(reasons) => {
                let reason = reasons.first().ok_or_else(create::without_reason)?;
                answered(reason).map(|kept| Some(*kept))
            }
        }
    }

    pub(super) async fn read_answer(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<Kept>, PortError> {
        let item = self.get(keys::answer(name)).await?;
        let kept = item.as_ref().map(decode).transpose()?;
        Ok(kept.filter(|kept| kept.expires_at() > now))
    }
}

/// The answer that stood against another one.
pub(super) fn answered(reason: &Reason) -> Result<Box<Kept>, PortError> {
    let item = reason.item.as_ref().ok_or_else(create::without_reason)?;
    decode(item).map(Box::new)
}

fn encode(kept: &Kept) -> Item {
    let mut item = keys::answer(&kept.name);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("request", text(&kept.request));
    put("at", number(kept.at.as_millis()));
    let expires_at = kept.expires_at();
    put("expires_at", number(expires_at.as_millis()));
    put("ttl", number(keys::seconds(expires_at)));
    match &kept.answer {
        Answer::Job(outcome) => put("job", encode_outcome(outcome)),
        Answer::Jobs(outcomes) => {
            let jobs = outcomes.iter().map(encode_outcome).collect();
            put("jobs", AttributeValue::L(jobs))
        }
        Answer::Batch(id) => put("batch_id", text(id.as_str())),
        Answer::Schedule(id) => put("schedule_id", text(id.as_str())),
    };
    item
}

fn decode(item: &Item) -> Result<Kept, PortError> {
    let read = Attributes(item);
    let name = |pk: &str| pk.strip_prefix(IDEMPOTENCY).map(str::to_owned);
    let answer = if item.contains_key("job") {
        let outcome = decode_outcome(read.get("job")?);
        Answer::Job(outcome.ok_or_else(|| read.damaged("job"))?)
    } else if item.contains_key("jobs") {
        let list = read.get("jobs")?.as_l().map_err(|_| read.damaged("jobs"))?;
        let outcomes: Option<Vec<_>> = list.iter().map(decode_outcome).collect();
        Answer::Jobs(outcomes.ok_or_else(|| read.damaged("jobs"))?)
    } else if item.contains_key("schedule_id") {
        Answer::Schedule(read.word("schedule_id", ScheduleId::parse)?)
    } else {
        Answer::Batch(read.word("batch_id", BatchId::parse)?)
    };
    Ok(Kept {
        name: read.word(PK, name)?,
        request: read.text("request")?.to_owned(),
        at: read.time("at")?,
        answer,
    })
}

pub(super) fn encode_outcome(outcome: &Outcome) -> AttributeValue {
    let mut map = HashMap::from([("job_id".to_owned(), text(outcome.job_id.as_str()))]);
    if outcome.deduplicated {
        map.insert("deduplicated".to_owned(), AttributeValue::Bool(true));
    }
    AttributeValue::M(map)
}

pub(super) fn decode_outcome(value: &AttributeValue) -> Option<Outcome> {
    let map = value.as_m().ok()?;
    Some(Outcome {
        job_id: Attributes(map).word("job_id", JobId::parse).ok()?,
        deduplicated: map.contains_key("deduplicated"),
    })
}
