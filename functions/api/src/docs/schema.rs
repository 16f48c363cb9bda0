//! Schemas of the document as HTML: a type in a few words with its bounds, and a shape as a table
//! of its fields. References become links.

use serde_json::Value;

use super::html::{entries, escaped, example, items, line, prose, table, text};

/// Longest pattern that is shown; a longer one says nothing to a reader.
const LONGEST_PATTERN: usize = 80;
/// Deepest schema without a name that is spelled out.
const DEEPEST: usize = 6;

/// A schema's name as a link, or its type.
pub(super) fn name(schema: &Value) -> String {
    kind(schema, 0)
}

/// A type with its bounds.
pub(super) fn shape(schema: &Value) -> String {
    let bounds = bounds(schema);
    let kind = kind(schema, 0);
    if bounds.is_empty() {
        kind
    } else {
        format!("{kind}<br><span class=soft>{}</span>", bounds.join(", "))
    }
}

/// One shape of the document, with its fields.
pub(super) fn section(name: &str, schema: &Value) -> String {
    let name = escaped(name);
    let given = schema.get("example").map(|given| example("Example", given));
    format!(
        "<section id=\"schema-{name}\"><h3>{name}</h3>{}<p>{}</p>{}{}</section>",
        prose(schema.get("description")),
        shape(schema),
        of_fields(schema),
        given.unwrap_or_default(),
    )
}

/// A table of the fields of an object; one for each kind of it, where there are several.
pub(super) fn of_fields(schema: &Value) -> String {
    const COLUMNS: [&str; 3] = ["field", "type", "meaning"];
    let kinds = items(&schema["oneOf"]).filter(|kind| kind["properties"].is_object());
    let kinds = kinds.map(|kind| {
        table(
            &escaped(text(&kind["title"])),
            &COLUMNS,
            &fields("", kind, 0),
        )
    });
    let own = table("", &COLUMNS, &fields("", schema, 0));
    own + &kinds.collect::<String>()
}

/// Rows of the fields of an object, with those of objects in it that have no name of their own, and
/// of its parts, where it is made of several.
fn fields(path: &str, schema: &Value, depth: usize) -> Vec<String> {
    let required: Vec<&str> = items(&schema["required"]).map(text).collect();
    let own = entries(&schema["properties"]).flat_map(|(name, field)| {
        let full = format!("{path}{name}");
        let needed = if required.contains(&name.as_str()) {
            ""
        } else {
            "<br><span class=soft>optional</span>"
        };
        let given = match &field["example"] {
            Value::Null => String::new(),
            given => format!(
                "<p class=soft>for example <code>{}</code></p>",
                escaped(&spelled(given))
            ),
        };
        // A reference within a choice carries what is said of the field.
        let inner = items(&field["oneOf"]).find_map(|it| it.get("description"));
        let meaning = prose(field.get("description").or(inner));
        let mut rows = vec![format!(
            "<td><code>{}</code>{needed}</td><td>{}</td><td>{meaning}{given}</td>",
            escaped(&full),
            shape(field),
        )];
        if depth < DEEPEST {
            rows.extend(fields(&format!("{full}."), field, depth + 1));
        }
        rows
    });
    let parts = items(&schema["allOf"]).flat_map(|part| fields(path, part, depth));
    own.chain(parts).collect()
}

fn kind(schema: &Value, depth: usize) -> String {
    if depth > DEEPEST {
        return "…".to_owned();
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escaped(reference.rsplit('/').next().unwrap_or(reference));
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    let choices = ["oneOf", "anyOf"]
        .iter()
        .find_map(|it| schema[*it].as_array());
    if let Some(choices) = choices {
        return joined(choices, " or ", depth);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return joined(parts, " and ", depth);
    }
    if let Some(words) = schema["enum"].as_array() {
        let words = words
            .iter()
            .map(|word| format!("<code>{}</code>", escaped(&spelled(word))));
        return words.collect::<Vec<_>>().join(" | ");
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        one => vec![one.as_str().unwrap_or("any")],
    };
    let types = types.into_iter().map(|it| match it {
        "array" => format!("list of {}", kind(&schema["items"], depth + 1)),
        "object" if schema["additionalProperties"].is_object() => {
            format!(
                "object of {}",
                kind(&schema["additionalProperties"], depth + 1)
            )
        }
        other => escaped(other),
    });
    types.collect::<Vec<_>>().join(" or ")
}

fn joined(schemas: &[Value], word: &str, depth: usize) -> String {
    let kinds = schemas.iter().map(|it| kind(it, depth + 1));
    kinds.collect::<Vec<_>>().join(word)
}

/// A word without its quotes, anything else as JSON.
fn spelled(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What bounds a value besides its type, in words.
fn bounds(schema: &Value) -> Vec<String> {
    let mut bounds = Vec::new();
    for (least, most, unit) in [
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
        ("minProperties", "maxProperties", " entries"),
    ] {
        match (&schema[least], &schema[most]) {
            (Value::Null, Value::Null) => {}
            (least, Value::Null) => bounds.push(format!("at least {least}{unit}")),
            (Value::Null, most) => bounds.push(format!("at most {most}{unit}")),
            (least, most) => bounds.push(format!("{least} to {most}{unit}")),
        }
    }
    match &schema["default"] {
        Value::Null => {}
        value => bounds.push(format!("{} unless told", escaped(&spelled(value)))),
    }
    // How wide an integer is in our memory is none of a reader's concern.
    if let Some(format) = schema["format"].as_str()
        && !format.starts_with("int")
    {
        bounds.push(escaped(format));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && pattern.len() <= LONGEST_PATTERN
    {
        bounds.push(line(&format!("`{pattern}`")));
    }
    bounds
}
