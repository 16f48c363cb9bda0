//! The table of the embedded database.

use anyhow::bail;
use serde_json::json;

use crate::embedded::Embedded;

/// Creates the table where it is missing.
pub fn ensure_table(embedded: &Embedded, name: &str) -> anyhow::Result<()> {
    let index = |name: &str, hash: &str, range: &str| {
        json!({"IndexName": name, "KeySchema": [
            {"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}
        ], "Projection": {"ProjectionType": "KEYS_ONLY"}})
    };
    let attribute = |name: &str, kind: &str| json!({"AttributeName": name, "AttributeType": kind});
    let request = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}
        ],
        "AttributeDefinitions": [
            attribute("pk", "S"), attribute("sk", "S"), attribute("due_list", "S"),
            attribute("due_at", "N"), attribute("list_customer", "S"), attribute("list_shard", "S"),
        ],
        "GlobalSecondaryIndexes": [
            index("due", "due_list", "due_at"),
            index("by_customer", "list_customer", "pk"),
            index("by_time", "list_shard", "pk"),
        ],
    });
    let answer = embedded.call("CreateTable", &request.to_string());
    if answer.status != 200 && !answer.body.contains("ResourceInUseException") {
        bail!("the table cannot be created: {}", answer.body);
    }
    Ok(())
}
