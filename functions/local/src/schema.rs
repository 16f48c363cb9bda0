//! The table of the embedded database, as `template.yaml` describes it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use crate::embedded::Embedded;

/// What the template and the call that creates a table have in common.
const COMMON: [&str; 4] = ["AttributeDefinitions", "BillingMode", INDEXES, "KeySchema"];

/// What stands in the template about expiry, and is a call of its own.
const INDEXES: &str = "GlobalSecondaryIndexes";
const EXPIRY: &str = "TimeToLiveSpecification";

/// Creates the table where it is missing.
pub fn ensure_table(embedded: &Embedded, name: &str) -> anyhow::Result<()> {
    let mut request = properties()?.clone();
    request.insert("TableName".to_owned(), json!(name));
    let expiry = json!({"TableName": name, EXPIRY: request.remove(EXPIRY)});
    let answer = embedded.call("CreateTable", &Value::Object(request).to_string());
    if answer.status != 200 {
        if !answer.body.contains("ResourceInUseException") {
            bail!("the table cannot be created: {}", answer.body);
        }
        check_indexes(embedded, name)?;
    }
    let answer = embedded.call("UpdateTimeToLive", &expiry.to_string());
    if answer.status != 200 && !answer.body.contains("already enabled") {
        bail!("the table's expiry cannot be set: {}", answer.body);
    }
    Ok(())
}

/// Refuses a table of an earlier version, on which every count would fail: an index is neither
/// added nor changed by itself.
fn check_indexes(embedded: &Embedded, name: &str) -> anyhow::Result<()> {
    let answer = embedded.call("DescribeTable", &json!({"TableName": name}).to_string());
    let table: Value = serde_json::from_str(&answer.body)?;
    let sorted = |indexes: &Value| -> BTreeMap<String, [Value; 2]> {
        let indexes = indexes.as_array().into_iter().flatten();
        let parts = |index: &Value| ["KeySchema", "Projection"].map(|part| index[part].clone());
        let named = |index: &Value| (index["IndexName"].to_string(), parts(index));
        indexes.map(named).collect()
    };
    if sorted(&table["Table"][INDEXES]) != sorted(&properties()?[INDEXES]) {
        bail!("the data are of another version, whose table has other indexes; use another folder");
    }
    Ok(())
}

/// Properties of the table by name.
fn properties() -> anyhow::Result<&'static Map<String, Value>> {
    static DESCRIBED: OnceLock<Map<String, Value>> = OnceLock::new();
    if let Some(described) = DESCRIBED.get() {
        return Ok(described);
    }
    let template = aws::schema::template()?;
    let properties = template
        .get("Resources")
        .and_then(|resources| resources.get("Table")?.get("Properties"))
        .context("template.yaml has no table")?;
    let mut described = Map::new();
    for name in COMMON.into_iter().chain([EXPIRY]) {
        let property = properties
            .get(name)
            .with_context(|| format!("the table has no {name}"))?;
        described.insert(name.to_owned(), serde_json::to_value(property)?);
    }
    Ok(DESCRIBED.get_or_init(|| described))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_template_is_created_once_and_may_be_there() {
        let embedded = Embedded::in_memory().unwrap();
        for _ in 0..2 {
            ensure_table(&embedded, "jobs").unwrap();
        }
        let indexes = properties().unwrap()["GlobalSecondaryIndexes"]
            .as_array()
            .unwrap();
        assert_eq!(indexes.len(), 4);
    }

    #[tokio::test]
    async fn what_has_expired_is_removed_and_nothing_else() {
        let embedded = Embedded::in_memory().unwrap();
        ensure_table(&embedded, "jobs").unwrap();
        for (pk, expiry) in [
            ("past", Some("1700000000")),
            ("future", Some("9000000000")),
            ("never", None),
        ] {
            let mut item = json!({"pk": {"S": pk}, "sk": {"S": "answer"}});
            if let Some(second) = expiry {
                item["ttl"] = json!({"N": second});
            }
            let put = json!({"TableName": "jobs", "Item": item});
            assert_eq!(embedded.call("PutItem", &put.to_string()).status, 200);
        }
        assert_eq!(embedded.remove_expired().await.unwrap(), 1);
        let left = embedded.call("Scan", r#"{"TableName": "jobs"}"#).body;
        assert!(!left.contains("past") && left.contains("future") && left.contains("never"));
    }

    #[test]
    fn a_table_with_other_indexes_is_refused() {
        let embedded = Embedded::in_memory().unwrap();
        let mut request = properties().unwrap().clone();
        request.remove(EXPIRY);
        request.insert("TableName".to_owned(), json!("jobs"));
        request["GlobalSecondaryIndexes"][0]["Projection"] = json!({"ProjectionType": "KEYS_ONLY"});
        let created = embedded.call("CreateTable", &Value::Object(request).to_string());
        assert_eq!(created.status, 200, "{}", created.body);
        let refused = ensure_table(&embedded, "jobs").unwrap_err().to_string();
        assert!(refused.contains("another version"), "{refused}");
    }
}
