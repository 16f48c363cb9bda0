//! What lies in the table, read past the adapter: every item, the rows among them, and a recount.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jobs::Job;
use jobs::spec::CustomerId;
use jobs::tally::Tally;
use local::embedded::Embedded;
use serde_json::{Value, json};

/// Every item, as the database's own JSON.
pub(crate) fn items(embedded: &Embedded, table: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut request = json!({"TableName": table});
    loop {
        let answer = embedded.call("Scan", &request.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        let mut answer: Value = serde_json::from_str(&answer.body).unwrap();
        if let Value::Array(found) = answer["Items"].take() {
            items.extend(found);
        }
        match answer["LastEvaluatedKey"].take() {
            Value::Null => return items,
            last => request["ExclusiveStartKey"] = last,
        }
    }
}

/// The rows of jobs among the items.
pub(crate) fn rows(items: &[Value]) -> Vec<Job> {
    let rows = items.iter().filter(|item| {
        let key = item["pk"]["S"].as_str().unwrap_or_default();
        item["sk"]["S"] == "state" && key.starts_with("job_")
    });
    rows.map(|item| aws::table::decode_row(&attributes(item)).unwrap())
        .collect()
}

/// The counts that the customers' items hold, those without any left out.
pub(crate) fn counts(items: &[Value]) -> BTreeMap<String, Tally> {
    let customers = items.iter().filter(|item| {
        let key = item["pk"]["S"].as_str().unwrap_or_default();
        key.starts_with("customers#")
    });
    let read = customers.map(|item| {
        let count = |name: &str| {
            let text = item[name]["N"].as_str().unwrap_or("0");
            text.parse().unwrap()
        };
        let tally = Tally {
            unfinished: count("unfinished"),
            paused: count("paused"),
            completed: count("completed"),
            failed: count("failed"),
            cancelled: count("cancelled"),
        };
        (item["sk"]["S"].as_str().unwrap().to_owned(), tally)
    });
    read.filter(|(_, tally)| !tally.is_zero()).collect()
}

/// The same counts, taken from the rows.
pub(crate) fn recount(rows: &[Job]) -> BTreeMap<String, Tally> {
    let mut counts: BTreeMap<String, Tally> = BTreeMap::new();
    for job in rows {
        let customer = CustomerId::as_str(&job.customer).to_owned();
        *counts.entry(customer).or_default() += Tally::between(None, Some(job));
    }
    counts
}

/// Schedules are counted as there are rows, none has made fewer runs than its ticks say, and no two
/// ticks have one job.
pub(crate) fn check_schedules(items: &[Value]) {
    let (mut counted, mut there) = (0, 0);
    let mut fired: BTreeMap<&str, u64> = BTreeMap::new();
    let mut jobs = BTreeSet::new();
    let number = |value: &Value| value["N"].as_str().map_or(0, |it| it.parse().unwrap());
    for item in items {
        let (pk, sk) = (&item["pk"]["S"], &item["sk"]["S"]);
        let (pk, sk) = (pk.as_str().unwrap(), sk.as_str().unwrap());
        if pk.starts_with("customers#") {
            counted += number(&item["schedules"]);
        }
        if sk == "schedule" && item["deleted"].is_null() {
            there += 1;
        }
        if sk.starts_with("tick#") && item["outcome"]["S"] == "fired" {
            assert!(
                jobs.insert(item["job_id"].to_string()),
                "{item} has another's job"
            );
            *fired.entry(pk).or_default() += u64::from(item["trigger"]["S"] == "schedule");
        }
    }
    assert_eq!(counted, there, "counts and schedules disagree");
    for item in items.iter().filter(|item| item["sk"]["S"] == "schedule") {
        let told = fired.get(item["pk"]["S"].as_str().unwrap());
        assert!(
            number(&item["fired"]) >= *told.unwrap_or(&0),
            "{item} forgets runs"
        );
        let is_placed = item["wanted"] == item["placed"];
        assert!(
            is_placed || item["due_at"]["N"].is_string(),
            "{item} is forgotten"
        );
    }
}

/// Bytes of an item, names and values, as the table bills them (to within a few).
pub(crate) fn size(item: &Value) -> usize {
    let attributes = item.as_object().unwrap().iter();
    attributes
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

fn value_size(value: &Value) -> usize {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(digits)) => digits.len() / 2 + 1,
        ("B", Value::String(base64)) => base64.len() / 4 * 3,
        ("L", Value::Array(list)) => {
            list.iter().map(|item| 1 + value_size(item)).sum::<usize>() + 3
        }
        ("M", map) => size(map) + 3 + map.as_object().unwrap().len(),
        _ => 1,
    }
}

pub(crate) fn attributes(item: &Value) -> HashMap<String, AttributeValue> {
    let entries = item.as_object().unwrap().iter();
    entries
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect()
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(Blob::new(text())),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => AttributeValue::M(attributes(value)),
        other => unreachable!("no item has an attribute of type {other}"),
    }
}
