//! The way from the SDK to the database, where connections break before and after the write, and
//! transactions conflict. Behind it stands a witness that looks at every row after every write.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use jobs::transition::{Move, allowed};
use jobs::{FailureCode, Job, JobId, State, Timestamp};
use local::embedded::{Answer, read_request, write_response};
use serde_json::{Value, json};

use super::world::{Planted, World, gate};

struct Connector(Arc<World>);

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Connector")
    }
}

pub(crate) fn http_client(world: &Arc<World>) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(Arc::clone(world)));
    http_client_fn(move |_, _| connector.clone())
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let world = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let (target, body) = read_request(&request)?;
            gate().await;
            if world.strikes("a call does not arrive", 3) {
                return Err(ConnectorError::io(
                    "connection reset before the call".into(),
                ));
            }
            if world.strikes("a call arrives late", 2) {
                let call = (target.to_string(), body.to_string());
                world.late.lock().unwrap().push(call);
                return Err(ConnectorError::timeout("no answer in time".into()));
            }
            if target.ends_with("TransactWriteItems") && world.strikes("a transaction conflicts", 5)
            {
                return write_response(conflict());
            }
            let answer = arrive(&world, &target, &body);
            gate().await;
            if world.strikes("an answer is lost", 3) {
                return Err(ConnectorError::io("connection reset after the call".into()));
            }
            write_response(answer)
        })
    }
}

/// Carries a call out, under the eyes of the witness.
pub(crate) fn arrive(world: &World, target: &str, body: &str) -> Answer {
    let body = without_conditions(world, target, body);
    let answer = world.embedded.call(target, &body);
    if answer.status == 200 && writes_rows(target, &body) {
        witness(world);
    }
    answer
}

fn writes_rows(target: &str, body: &str) -> bool {
    // A removal names no attributes.
    let removes = target.ends_with("TransactWriteItems") && body.contains("\"Delete\"");
    !target.ends_with("GetItem")
        && !target.ends_with("Query")
        && (removes || body.contains("list_customer"))
}

fn conflict() -> Answer {
    let reason = json!({"Code": "TransactionConflict", "Message": "simulated"});
    Answer {
        status: 400,
        body: json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
            "CancellationReasons": [reason],
        })
        .to_string(),
    }
}

/// The planted faults: rows of jobs or of batches are replaced whatever they have become meanwhile.
fn without_conditions(world: &World, target: &str, body: &str) -> String {
    let prefix = match world.planted {
        Planted::NoCondition => "job_",
        Planted::NoBatchCondition => "bat_",
        _ => return body.to_owned(),
    };
    if !body.contains("revision = :seen") {
        return body.to_owned();
    }
    let mut request: Value = serde_json::from_str(body).unwrap();
    let strip = |put: &mut Value| {
        let ours = put["Item"]["pk"]["S"]
            .as_str()
            .is_some_and(|pk| pk.starts_with(prefix));
        if ours && put["ConditionExpression"] == "revision = :seen" {
            let put = put.as_object_mut().unwrap();
            put.remove("ConditionExpression");
            put.remove("ExpressionAttributeValues");
        }
    };
    if target.ends_with("PutItem") {
        strip(&mut request);
    }
    for item in request["TransactItems"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        if item.get("Put").is_some() {
            strip(&mut item["Put"]);
        }
    }
    request.to_string()
}

/// Reads all rows and compares each with what it was: only what the table of moves allows may
/// have happened, one write at a time, and only under the right fence.
fn witness(world: &World) {
    let now = read_rows(world);
    let mut rows = world.rows.lock().unwrap();
    for (id, job) in &now {
        match rows.get(id) {
            Some(before) if before == job => {}
            Some(before) => {
                world.note_events(job);
                judge(world, before, job);
            }
            None => {
                world.note_events(job);
                world.note(|| format!("{id} created {:?}", job.state));
            }
        }
        if let Some(what) = unsound(job, world.time()) {
            world.violation(format!("{id} {what}"));
        }
    }
    for (id, job) in rows.iter().filter(|(id, _)| !now.contains_key(*id)) {
        if !job.is_expired(world.time()) {
            world.violation(format!("{id} was removed while it was {:?}", job.state));
        }
        world.note(|| format!("{id} removed"));
        world.removed.lock().unwrap().insert(id.clone());
    }
    let mut owners = HashMap::new();
    for job in now.values().filter(|job| !job.state.is_terminal()) {
        let Some(fingerprint) = &job.fingerprint else {
            continue;
        };
        if let Some(other) = owners.insert(fingerprint.clone(), &job.id) {
            world.violation(format!(
                "{} and {other} are equal and both unfinished",
                job.id
            ));
        }
    }
    *rows = now;
}

pub(crate) fn read_rows(world: &World) -> std::collections::BTreeMap<JobId, Job> {
    let request = json!({
        "TableName": super::TABLE,
        "FilterExpression": "sk = :state AND begins_with(pk, :job)",
        "ExpressionAttributeValues": {":state": {"S": "state"}, ":job": {"S": "job_"}},
    });
    let answer = world
        .embedded
        .call("DynamoDB_20120810.Scan", &request.to_string());
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let items = answer["Items"].as_array().unwrap();
    let rows = items
        .iter()
        .map(|item| aws::table::decode_row(&attributes(item)).unwrap());
    rows.map(|job| (job.id.clone(), job)).collect()
}

fn attributes(item: &Value) -> HashMap<String, AttributeValue> {
    let entries = item.as_object().unwrap().iter();
    entries
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect()
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "S" => AttributeValue::S(value.as_str().unwrap().to_owned()),
        "N" => AttributeValue::N(value.as_str().unwrap().to_owned()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => AttributeValue::M(attributes(value)),
        other => unreachable!("a row has no attribute of type {other}"),
    }
}

fn judge(world: &World, before: &Job, after: &Job) {
    let id = &before.id;
    world.note(|| {
        format!(
            "{id} {:?}/{} -> {:?}/{} (fence {} -> {}, attempts {})",
            before.state,
            before.revision,
            after.state,
            after.revision,
            before.fence,
            after.fence,
            after.attempts.len()
        )
    });
    if after.revision != before.revision + 1 {
        world.violation(format!(
            "{id} was overwritten: revision {} after {}",
            after.revision, before.revision
        ));
    }
    let claimed = after.fence == before.fence + 1 && after.state == State::Active;
    if after.fence != before.fence && !claimed {
        world.violation(format!(
            "{id} went from fence {} to {}",
            before.fence, after.fence
        ));
    }
    judge_time(world, before, after, claimed);
    let moves = Move::ALL
        .into_iter()
        .filter(|by| *by != Move::Tell || only_told(before, after))
        .filter(|by| (*by == Move::Claim) == claimed);
    let possible = moves
        .flat_map(|by| allowed(before.state, by))
        .any(|to| *to == after.state);
    if !possible {
        world.violation(format!(
            "{id} went from {:?} to {:?}",
            before.state, after.state
        ));
    }
    judge_crawl(world, before, after);
    if after.state == State::Completed
        && !after.kind.is_crawl()
        && after.result.map(|result| result.fence) != Some(after.fence)
    {
        world.violation(format!("{id} completed with the result of another claim"));
    }
}

/// Nothing has changed but what is to be told.
fn only_told(before: &Job, after: &Job) -> bool {
    let told = Job {
        outbox: after.outbox.clone(),
        revision: after.revision,
        nonce: after.nonce,
        ..before.clone()
    };
    told == *after
}

/// A crawl never says that it is less far than it was. Leases that are lost while an address is
/// fetched alone are kept in mind, for the reckoning.
fn judge_crawl(world: &World, before: &Job, after: &Job) {
    let (Some(was), Some(is)) = (&before.crawl, &after.crawl) else {
        return;
    };
    if is.percentage < was.percentage {
        let (was, is) = (was.percentage, is.percentage);
        world.violation(format!("{} fell from {was}% to {is}%", before.id));
    }
    if let (Some(was), Some(is)) = (was.trial, is.trial)
        && was.number == is.number
        && is.lapses > was.lapses
    {
        world.count("a lease is lost while an address is fetched alone");
        *world.trials.lock().unwrap().entry(is.number).or_default() += 1;
    }
}

/// Nothing may begin before its time, and no lease may be taken from whoever holds it.
fn judge_time(world: &World, before: &Job, after: &Job, claimed: bool) {
    let (id, now) = (&before.id, world.time());
    if claimed && before.state == State::Queued && before.eligible_at > now {
        world.violation(format!("{id} was claimed before its time"));
    }
    let live = before.lease_until.is_some_and(|until| until > now);
    if claimed && before.state == State::Active && live {
        world.violation(format!("{id} was claimed under a live lease"));
    }
    let failed = after.attempts.len().checked_sub(before.attempts.len());
    // A crawl whose start takes its workers down says so itself.
    let blamed = after.kind.is_crawl() && after.state == State::Failed && live;
    let lapsed = failed == Some(1)
        && !blamed
        && after.attempts.last().map(|attempt| attempt.failure.code)
            == Some(FailureCode::LeaseLost);
    if lapsed && live && !world.restarted.load(Ordering::Relaxed) {
        world.violation(format!("{id} lost a lease that was live"));
    }
    // What starts anew begins to count anew, and so does a crawl that has come further.
    let further = after.kind.is_crawl() && before.state == State::Active;
    let anew = (before.state.is_terminal() || further) && after.attempts.is_empty();
    if !anew && failed.is_none_or(|failed| failed > 1) {
        world.violation(format!("{id} forgot or invented an attempt"));
    }
}

/// An unfinished row has to come due soon, or what it waits for can be lost for ever.
fn unsound(job: &Job, now: Timestamp) -> Option<&'static str> {
    if job.state.is_terminal() || job.state == State::Paused {
        return None;
    }
    let next = job.lease_until.unwrap_or(now).max(job.eligible_at).max(now);
    let latest = next + Duration::from_mins(15);
    job.due_at
        .is_none_or(|at| at > latest)
        .then_some("waits for something that nobody looks after")
}
