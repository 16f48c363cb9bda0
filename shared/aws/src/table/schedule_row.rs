//! The stored forms of a schedule and of a tick, both ways.

use jobs::cron::{Cron, Zone};
use jobs::job::DueList;
use jobs::ports::PortError;
use jobs::schedule::{Outcome, Overlap, Plan, Run, Tick, Trigger};
use jobs::spec::{CustomerId, JobType, Priority};
use jobs::{JobId, Schedule, ScheduleId, Status, Timestamp};

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::Attributes;
use super::keys::{
    self, DUE_AT, DUE_LIST, Item, LIST_CUSTOMER, LIST_SHARD, PK, SCHEDULES, due_list, key, number,
    text,
};

pub(super) const SCHEDULE: &str = "schedule";
/// Before the instant of a tick.
pub(super) const TICK: &str = "tick#";

/// The item of a schedule. One that is deleted stands in no list.
pub(super) fn encode(schedule: &Schedule) -> Item {
    let mut item = key(schedule.id.as_str(), SCHEDULE);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    let mut put_time = |name: &str, at: Option<Timestamp>| {
        if let Some(at) = at {
            put(name, number(at.as_millis()));
        }
    };
    let plan = &schedule.plan;
    put_time("start", plan.start);
    put_time("end", plan.end);
    put_time("last_fired", schedule.last_fired);
    put_time("since", Some(schedule.since));
    put_time("caught_up_at", schedule.caught_up_at);
    put_time("held", schedule.held);
    put_time("place_at", schedule.place_at);
    put_time("look_at", schedule.look_at);
    put_time("created_at", Some(schedule.created_at));
    put_time("updated_at", Some(schedule.updated_at));
    put_time(DUE_AT, schedule.due_at());
    if schedule.due_at().is_some() {
        put(DUE_LIST, text(due_list(DueList::Schedule, 0)));
    }
    put("customer", text(schedule.customer.as_str()));
    put("type", text(schedule.kind.as_str()));
    put("url", text(&schedule.url));
    put("priority", text(schedule.priority.as_str()));
    put("cron", text(plan.cron.pattern()));
    put("zone", text(plan.zone.as_str()));
    put("overlap", text(plan.overlap.as_str()));
    if let Some(name) = &plan.name {
        put("name", text(name));
    }
    if let Some(limit) = plan.limit {
        put("limit", number(limit));
    }
    if let Some(Run { job, at }) = &schedule.current {
        put("current", text(format!("{job} {}", at.as_millis())));
    }
    if schedule.paused {
        put("paused", AttributeValue::Bool(true));
    }
    if schedule.deleted {
        put("deleted", AttributeValue::Bool(true));
    } else {
        put(LIST_CUSTOMER, text(keys::schedules_of(&schedule.customer)));
        put(LIST_SHARD, text(SCHEDULES));
    }
    put("fired", number(schedule.fired));
    put("wanted", number(schedule.wanted));
    put("placed", number(schedule.placed));
    if schedule.failures > 0 {
        put("failures", number(schedule.failures));
    }
    put("revision", number(schedule.revision));
    put("nonce", number(schedule.nonce));
    item
}

/// The schedule of an item.
pub(super) fn decode(item: &Item) -> Result<Schedule, PortError> {
    let read = Attributes(item);
    let time = |name| read.optional(name, Attributes::time);
    Ok(Schedule {
        id: read.word(PK, ScheduleId::parse)?,
        customer: read.word("customer", CustomerId::parse)?,
        kind: read.word("type", JobType::parse)?,
        url: read.text("url")?.to_owned(),
        priority: read.word("priority", Priority::named)?,
        plan: Plan {
            name: read.optional("name", |read, name| read.text(name).map(str::to_owned))?,
            cron: read.word("cron", |text| Cron::parse(text).ok())?,
            zone: read.word("zone", Zone::parse)?,
            start: time("start")?,
            end: time("end")?,
            limit: read.optional("limit", Attributes::number)?,
            overlap: read.word("overlap", Overlap::parse)?,
        },
        paused: item.contains_key("paused"),
        deleted: item.contains_key("deleted"),
        fired: read.number("fired")?,
        last_fired: time("last_fired")?,
        since: read.time("since")?,
        caught_up_at: time("caught_up_at")?,
        current: read.optional("current", |read, name| read.word(name, decode_run))?,
        held: time("held")?,
        wanted: read.number("wanted")?,
        placed: read.number("placed")?,
        failures: read
            .optional("failures", Attributes::number)?
            .unwrap_or_default(),
        place_at: time("place_at")?,
        look_at: time("look_at")?,
        created_at: read.time("created_at")?,
        updated_at: read.time("updated_at")?,
        revision: read.number("revision")?,
        nonce: read.number("nonce")?,
    })
}

fn decode_run(words: &str) -> Option<Run> {
    let (job, at) = words.split_once(' ')?;
    Some(Run {
        job: JobId::parse(job)?,
        at: Timestamp::from_millis(at.parse().ok()?),
    })
}

/// Where the tick of an instant lies; sorts as instants do.
pub(super) fn tick_key(schedule: &ScheduleId, at: Timestamp) -> Item {
    key(
        schedule.as_str(),
        format!("{TICK}{:015}", at.as_millis().max(0)),
    )
}

/// The item of a tick. The table's own expiry removes it.
pub(super) fn encode_tick(tick: &Tick) -> Item {
    let mut item = tick_key(&tick.schedule, tick.at);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put("at", number(tick.at.as_millis()));
    put("outcome", text(tick.outcome.as_str()));
    put("trigger", text(tick.trigger.as_str()));
    put("handled_at", number(tick.handled_at.as_millis()));
    put("ttl", number(keys::seconds(tick.expires_at())));
    if let Some(job) = &tick.job {
        put("job_id", text(job.as_str()));
    }
    if let Some(status) = tick.ended {
        put("ended", text(status.as_str()));
    }
    if let Some(reason) = &tick.reason {
        put("reason", text(reason));
    }
    item
}

/// The tick of an item.
pub(super) fn decode_tick(item: &Item) -> Result<Tick, PortError> {
    let read = Attributes(item);
    Ok(Tick {
        schedule: read.word(PK, ScheduleId::parse)?,
        at: read.time("at")?,
        outcome: read.word("outcome", Outcome::parse)?,
        trigger: read.word("trigger", Trigger::parse)?,
        job: read.optional("job_id", |read, name| read.word(name, JobId::parse))?,
        ended: read.optional("ended", |read, name| read.word(name, Status::parse))?,
        reason: read.optional("reason", |read, name| read.text(name).map(str::to_owned))?,
        handled_at: read.time("handled_at")?,
    })
}

#[cfg(test)]
mod tests;
