//! Golden snapshots: what is stored and what is sent, letter by letter. Ids and echoes are
//! replaced, since they are random; times are kept, since the clock of a test is its own.

use serde_json::{Value, json};

/// Compares with `snapshots/NAME.snap`.
pub(crate) fn assert_golden(name: &str, value: &Value) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_sort_maps(true);
    settings.bind(|| insta::assert_json_snapshot!(name, redacted(value)));
}

fn redacted(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(without_ids(text)),
        Value::Array(list) => list.iter().map(redacted).collect(),
        Value::Object(map) => {
            let entries = map.iter().map(|(name, value)| {
                let value = match name.as_str() {
                    "nonce" => json!("[nonce]"),
                    "list_shard" => json!("[shard]"),
                    "due_list" => without_shard(value),
                    "requestId" => json!("[request id]"),
                    _ => redacted(value),
                };
                (name.clone(), value)
            });
            Value::Object(entries.collect())
        }
        other => other.clone(),
    }
}

/// The due list of a row, without the part that comes from its id.
fn without_shard(value: &Value) -> Value {
    let list = value["S"].as_str().unwrap_or_default();
    let list = list.split('#').next().unwrap_or_default();
    json!({"S": format!("{list}#[shard]")})
}

/// Every id of a job or a key and every secret in a text, replaced.
fn without_ids(text: &str) -> String {
    const RANDOM: [(&str, usize, &str); 8] = [
        ("sch_", 26, "[schedule id]"),
        ("job_", 26, "[job id]"),
        ("bat_", 26, "[batch id]"),
        ("op_", 26, "[operation id]"),
        ("key_", 26, "[key id]"),
        ("hm_", 52, "[key]"),
        ("whk_", 26, "[webhook id]"),
        ("dlv_", 26, "[delivery id]"),
    ];
    let mut redacted = text.to_owned();
    for (prefix, length, name) in RANDOM {
        redacted = without(&redacted, prefix, length, name);
    }
    redacted
}

/// Every `prefix` that is followed by `length` letters and digits, with these, replaced by `name`.
fn without(text: &str, prefix: &str, length: usize, name: &str) -> String {
    let mut parts = text.split(prefix);
    let mut redacted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_id = part.len() >= length
            && part
                .bytes()
                .take(length)
                .all(|byte| byte.is_ascii_alphanumeric());
        let rest = if is_id { &part[length..] } else { part };
        redacted.push_str(if is_id { name } else { prefix });
        redacted.push_str(rest);
    }
    redacted
}
