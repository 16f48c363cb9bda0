//! The stored form of a job's row, both ways. Absent attributes stand for their usual value, so
//! that a row stays below the kilobyte that one write unit pays for.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jobs::failure::{Attempt, Failure};
use jobs::job::{Place, ResultRef, RunOf};
use jobs::outbox::Outbox;
use jobs::ports::{DUE_SHARDS, PortError};
use jobs::spec::{CustomerId, JobType, Priority};
use jobs::{Job, JobId, ScheduleId, State, Timestamp};

use super::item::Attributes;
use super::keys::{
    ACTIVE_KEY, ACTIVE_SHARD, DUE_AT, DUE_LIST, Item, LIST_CUSTOMER, LIST_SHARD, PK, STATE,
    active_of, due_list, key, number, text,
};

const OWN_DUE_AT: &str = "own_due_at";

pub(super) const STATES: [(State, &str); 6] = [
    (State::Queued, "queued"),
    (State::Active, "active"),
    (State::Paused, "paused"),
    (State::Completed, "completed"),
    (State::Failed, "failed"),
    (State::Cancelled, "cancelled"),
];

/// The item of a row. It never expires by the table's own clock: counts go with a row, and what
/// lies beside it, in the one transaction of the sweep.
pub fn encode(job: &Job) -> Item {
    let mut item = key(job.id.as_str(), STATE);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    let state = STATES.iter().find(|(state, _)| *state == job.state);
    put("state", text(state.map_or("", |(_, name)| name)));
    put(LIST_CUSTOMER, text(job.customer.as_str()));
    put(LIST_SHARD, text(job.id.shard(DUE_SHARDS).to_string()));
    put("type", text(job.kind.as_str()));
    put("url", text(&job.url));
    put("priority", text(job.priority.as_str()));
    put("created_at", number(job.created_at.as_millis()));
    put("eligible_at", number(job.eligible_at.as_millis()));
    put("max_attempts", number(job.max_attempts));
    put("fence", number(job.fence));
    put("revision", number(job.revision));
    put("nonce", number(job.nonce));
    if let Some(at) = job.started_at {
        put("started_at", number(at.as_millis()));
    }
    if let Some(at) = job.finished_at {
        put("finished_at", number(at.as_millis()));
    }
    if let Some(at) = job.lease_until {
        put("lease_until", number(at.as_millis()));
    }
    if job.state == State::Active {
        let (shard, prefix) = active_of(&job.customer);
        put(ACTIVE_SHARD, text(shard));
        put(ACTIVE_KEY, text(format!("{prefix}{}", job.id)));
    }
    if job.pause_requested {
        put("pause_requested", AttributeValue::Bool(true));
    }
    if job.resends > 0 {
        put("resends", number(job.resends));
    }
    if let Some(fingerprint) = &job.fingerprint {
        put("fingerprint", text(fingerprint));
    }
    if !job.attempts.is_empty() {
        let attempts = job.attempts.iter().map(encode_attempt).collect();
        put("attempts", AttributeValue::L(attempts));
    }
    if let Some(result) = job.result {
        put("result", encode_result(result));
    }
    if let Some(crawl) = &job.crawl {
        // Serializing plain numbers and texts does not fail.
        let progress = serde_json::to_string(crawl).unwrap_or_default();
        put("crawl", text(progress));
    }
    if let Some(RunOf { schedule, at }) = &job.run_of {
        put("run_of", text(format!("{schedule} {}", at.as_millis())));
    }
    if let Some(outbox) = &job.outbox {
        put(
            "outbox",
            text(serde_json::to_string(outbox).unwrap_or_default()),
        );
    }
    // What the row itself is owed, where the index has it come due earlier because of its events.
    if job.untold().is_some()
        && let Some(at) = job.due_at
    {
        put(OWN_DUE_AT, number(at.as_millis()));
    }
    if let Some((list, at)) = job.due() {
        put(DUE_LIST, text(due_list(list, job.id.shard(DUE_SHARDS))));
        put(DUE_AT, number(at.as_millis()));
    }
    item
}

/// The row of an item.
pub fn decode(item: &Item) -> Result<Job, PortError> {
    let read = Attributes(item);
    let attempts = match item.get("attempts") {
        None => Vec::new(),
        Some(value) => value
            .as_l()
            .map_err(|_| read.damaged("attempts"))?
            .iter()
            .map(|attempt| decode_attempt(attempt).ok_or_else(|| read.damaged("attempts")))
            .collect::<Result<_, _>>()?,
    };
    let outbox: Option<Box<Outbox>> = read.optional("outbox", |read, name| {
        serde_json::from_str(read.text(name)?).map_err(|_| read.damaged(name))
    })?;
    let untold = outbox.as_ref().is_some_and(|outbox| outbox.due().is_some());
    let due_at = if untold { OWN_DUE_AT } else { DUE_AT };
    Ok(Job {
        id: read.word(PK, JobId::parse)?,
        customer: read.word(LIST_CUSTOMER, CustomerId::parse)?,
        kind: read.word("type", JobType::parse)?,
        url: read.text("url")?.to_owned(),
        priority: read.word("priority", Priority::named)?,
        state: read.word("state", |name| {
            let known = STATES.iter().find(|(_, known)| *known == name);
            known.map(|(state, _)| *state)
        })?,
        created_at: read.time("created_at")?,
        eligible_at: read.time("eligible_at")?,
        started_at: read.optional("started_at", Attributes::time)?,
        finished_at: read.optional("finished_at", Attributes::time)?,
        max_attempts: read.number("max_attempts")?,
        attempts,
        fence: read.number("fence")?,
        revision: read.number("revision")?,
        nonce: read.number("nonce")?,
        lease_until: read.optional("lease_until", Attributes::time)?,
        pause_requested: item.contains_key("pause_requested"),
        due_at: read.optional(due_at, Attributes::time)?,
        resends: read.optional("resends", Attributes::number)?.unwrap_or(0),
        fingerprint: read.optional("fingerprint", |read, name| {
            read.text(name).map(str::to_owned)
        })?,
        result: read.optional("result", |read, name| {
            let map = read.get(name)?.as_m().map_err(|_| read.damaged(name))?;
            decode_result(map).ok_or_else(|| read.damaged(name))
        })?,
        crawl: read.optional("crawl", |read, name| {
            serde_json::from_str(read.text(name)?).map_err(|_| read.damaged(name))
        })?,
        outbox,
        run_of: read.optional("run_of", |read, name| read.word(name, decode_run_of))?,
    })
}

fn decode_run_of(words: &str) -> Option<RunOf> {
    let (schedule, at) = words.split_once(' ')?;
    Some(RunOf {
        schedule: ScheduleId::parse(schedule)?,
        at: Timestamp::from_millis(at.parse().ok()?),
    })
}

pub(super) fn priority(name: &str) -> Option<Priority> {
    Priority::ALL
        .into_iter()
        .find(|priority| priority.as_str() == name)
}

fn encode_attempt(attempt: &Attempt) -> AttributeValue {
    let failure = &attempt.failure;
    AttributeValue::M(HashMap::from([
        ("at".to_owned(), number(attempt.at.as_millis())),
        ("code".to_owned(), text(failure.code.to_string())),
        ("message".to_owned(), text(&failure.message)),
    ]))
}

fn decode_attempt(value: &AttributeValue) -> Option<Attempt> {
    let map = Attributes(value.as_m().ok()?);
    let code = map.word("code", |code| code.parse().ok()).ok()?;
    Some(Attempt {
        at: map.time("at").ok()?,
        failure: Failure::new(code, map.text("message").ok()?),
    })
}

fn encode_result(result: ResultRef) -> AttributeValue {
    let place = match result.place {
        Place::Item => "item",
        Place::Blob => "blob",
    };
    AttributeValue::M(HashMap::from([
        ("fence".to_owned(), number(result.fence)),
        ("place".to_owned(), text(place)),
        ("bytes".to_owned(), number(result.bytes)),
    ]))
}

fn decode_result(map: &Item) -> Option<ResultRef> {
    let read = Attributes(map);
    let place = read.word("place", |name| match name {
        "item" => Some(Place::Item),
        "blob" => Some(Place::Blob),
        _ => None,
    });
    Some(ResultRef {
        fence: read.number("fence").ok()?,
        place: place.ok()?,
        bytes: read.number("bytes").ok()?,
    })
}

#[cfg(test)]
mod tests;
