//! Small pieces of HTML, safe whatever they are made of, and ways into a JSON value. Refuses to know
//! what an OpenAPI document is.

use serde_json::{Map, Value};

/// Text as HTML that shows it, in elements and in quoted attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A description: its paragraphs, and what it sets between backticks.
pub(super) fn prose(text: Option<&Value>) -> String {
    let paragraphs = text.and_then(Value::as_str).unwrap_or_default();
    let paragraphs = paragraphs.split("\n\n").filter(|it| !it.trim().is_empty());
    let paragraphs = paragraphs.map(|it| format!("<p>{}</p>", line(it)));
    paragraphs.collect::<Vec<_>>().concat()
}

/// One paragraph of a description.
pub(super) fn line(text: &str) -> String {
    let parts = text.split('`').map(escaped).enumerate();
    let parts = parts.map(|(index, part)| match index % 2 {
        1 => format!("<code>{part}</code>"),
        _ => part,
    });
    parts.collect::<Vec<_>>().concat()
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A value as JSON, to be read.
pub(super) fn example(title: &str, value: &Value) -> String {
    format!(
        "<h4>{title}</h4><pre>{}</pre>",
        escaped(&format!("{value:#}"))
    )
}

/// A table, where it has rows.
pub(super) fn table(title: &str, columns: &[&str], rows: &[String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let (columns, rows) = (columns.join("</th><th>"), rows.join("</tr><tr>"));
    let title = match title {
        "" => String::new(),
        title => format!("<h4>{title}</h4>"),
    };
    format!(
        "{title}<div class=scroll><table><tr><th>{columns}</th></tr><tr>{rows}</tr></table></div>"
    )
}
