//! Bodies of which one field decides what the others may be: each kind of it by itself.

use serde_json::{Value, json};

/// Text without control characters, as a pattern.
const PRINTABLE: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

/// The schemas that are written by hand, by name.
pub(super) fn schemas() -> [(&'static str, Value); 2] {
    [("NewKeyBody", new_key()), ("QueueBody", queue())]
}

fn one_kind(title: &str, properties: &Value, required: &[&str]) -> Value {
    json!({
        "title": title, "type": "object", "properties": properties, "required": required,
        "additionalProperties": false,
    })
}

fn customer(description: &str) -> Value {
    json!({
        "type": ["string", "null"], "minLength": 1, "maxLength": 128, "pattern": PRINTABLE,
        "description": description, "example": "customer-123",
    })
}

fn new_key() -> Value {
    let label = json!({
        "type": ["string", "null"], "minLength": 1, "maxLength": 128, "pattern": PRINTABLE,
        "description": "A name for people.", "example": "nightly import",
    });
    let mut owner = customer("Whose key it is.");
    owner["type"] = json!("string");
    let not = json!({"type": ["boolean", "null"], "enum": [false, null]});
    let all =
        json!({"type": "boolean", "enum": [true], "description": "Sees and may do everything."});
    let none = json!({"type": "null"});
    let customers = json!({"customerId": owner, "admin": not, "label": label});
    let admins = json!({"customerId": none, "admin": all, "label": label});
    json!({
        "description": "A key to make: either a customer's or an admin's.",
        "oneOf": [
            one_kind("A customer's", &customers, &["customerId"]),
            one_kind("An admin's", &admins, &["admin"]),
        ],
    })
}

fn queue() -> Value {
    let operation = |names: &[&str]| json!({"type": "string", "enum": names});
    let customer = customer("The jobs of this customer alone.");
    let outcome = json!({"type": "string", "enum": ["completed", "failed", "cancelled"]});
    let hours = json!({
        "type": ["number", "null"], "minimum": 0, "maximum": 87_600, "default": 24,
        "description": "Jobs that ended at least so many hours ago.",
    });
    let list = json!({"type": "array", "items": outcome, "minItems": 1});
    let status = json!({
        "oneOf": [outcome, list, {"type": "null"}],
        "description": "One or a list; all unless told.",
    });
    let jobs = json!({
        "type": "array", "minItems": 1, "maxItems": 1_000,
        "items": {"type": "string", "pattern": "^job_[0-7][0-9a-hjkmnp-tv-z]{25}$"},
        "description": "These jobs, instead of all that have failed.",
    });
    let none = json!({"type": "null"});
    let plain = json!({"operation": operation(&["pause", "resume", "maintenance"])});
    let cleanup = json!({
        "operation": operation(&["cleanup"]), "customerId": customer,
        "maxAgeHours": hours, "status": status,
    });
    let drain = json!({"operation": operation(&["drain"]), "customerId": customer});
    let retry = json!({
        "operation": operation(&["retry-failed"]), "customerId": customer, "jobIds": none,
    });
    let these = json!({
        "operation": operation(&["retry-failed"]), "customerId": customer, "jobIds": jobs,
    });
    json!({
        "description": "What to do with the queue, or with many jobs at once.",
        "oneOf": [
            one_kind("Everything", &plain, &["operation"]),
            one_kind("Cleanup", &cleanup, &["operation"]),
            one_kind("Drain", &drain, &["operation"]),
            one_kind("Retry all", &retry, &["operation"]),
            one_kind("Retry these", &these, &["operation", "jobIds"]),
        ],
        "example": {"operation": "cleanup", "maxAgeHours": 24, "status": "failed"},
    })
}
