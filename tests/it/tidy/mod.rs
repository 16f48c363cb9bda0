//! Order that no compiler keeps: who may name what, how files look, and that the template and the
//! code say the same.

mod documents;
mod permissions;
mod permissions_elsewhere;
mod sources;
mod template;

use std::path::Path;

use yaml_serde::Value;

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The text of a file, by its path from the root.
fn file(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of a value, also behind a function such as `!Ref`.
fn text(value: &Value) -> &str {
    match value {
        Value::Tagged(tagged) => text(&tagged.value),
        other => other.as_str().unwrap_or_default(),
    }
}

/// The resource that a `!Ref` or `!GetAtt` names.
fn target(value: &Value) -> &str {
    text(value).split('.').next().unwrap_or_default()
}

/// Every text within a value.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Sequence(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Mapping(items) => items.values().for_each(|item| texts(item, found)),
        Value::Tagged(tagged) => texts(&tagged.value, found),
        _ => {}
    }
}

fn all_texts(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    texts(value, &mut found);
    found
}
