//! From what was found to a value of the type asked for. What does not convert was not found.

use jobs::extraction::DataType;
use serde_json::Value;

use super::date;
use super::number::{self, Decimals};
use crate::extract::address::Addresses;

/// What conversions depend on besides the text.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) addresses: &'a Addresses,
    pub(super) decimals: Decimals,
}

/// Converts a text, trimmed. Nothing comes of an empty one.
pub(super) fn text(text: &str, data_type: DataType, context: Context<'_>) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    match data_type {
        DataType::String => Some(Value::from(text)),
        DataType::Number => number::parse(text, context.decimals),
        DataType::Boolean => boolean(text).map(Value::from),
        DataType::Date => date::parse(text).map(Value::from),
        DataType::Url => {
            let url = context.addresses.resolve(text)?;
            Some(Value::from(String::from(url)))
        }
    }
}

/// Converts a value of linked data. An object is itself where a string will do, and its own
/// address or value otherwise.
pub(super) fn json(value: &Value, data_type: DataType, context: Context<'_>) -> Option<Value> {
    let machine = Context {
        decimals: Decimals::Point,
        ..context
    };
    match value {
        Value::String(string) => text(string, data_type, machine),
        Value::Number(number) if data_type == DataType::Number => {
            Some(Value::Number(number.clone()))
        }
        Value::Bool(flag) if data_type == DataType::Boolean => Some(Value::Bool(*flag)),
        Value::Number(_) | Value::Bool(_) => text(&value.to_string(), data_type, machine),
        Value::Object(members) => {
            let key = if data_type == DataType::Url {
                "url"
            } else {
                "@value"
            };
            match members
                .get(key)
                .or_else(|| members.get("@id").filter(|_| key == "url"))
            {
                Some(inner) if !inner.is_object() => json(inner, data_type, context),
                _ => (data_type == DataType::String).then(|| value.clone()),
            }
        }
        Value::Array(_) | Value::Null => None,
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Some(true),
        "false" | "no" | "0" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::*;

    fn with_context<T>(read: impl FnOnce(Context<'_>) -> T) -> T {
        let addresses = Addresses::at(&Url::parse("https://example.com/a/").unwrap());
        read(Context {
            addresses: &addresses,
            decimals: Decimals::Comma,
        })
    }

    #[test]
    fn texts_convert_to_what_was_asked_for_or_to_nothing() {
        for (input, data_type, expected) in [
            (" x ", DataType::String, Some(json!("x"))),
            ("  ", DataType::String, None),
            ("1.234 €", DataType::Number, Some(json!(1234))),
            ("free", DataType::Number, None),
            ("Yes", DataType::Boolean, Some(json!(true))),
            ("0", DataType::Boolean, Some(json!(false))),
            ("in stock", DataType::Boolean, None),
            ("5 March 2024", DataType::Date, Some(json!("2024-03-05"))),
            ("soon", DataType::Date, None),
            (
                "b#c",
                DataType::Url,
                Some(json!("https://example.com/a/b#c")),
            ),
            ("javascript:x", DataType::Url, None),
        ] {
            let converted = with_context(|context| text(input, data_type, context));
            assert_eq!(converted, expected, "{input}");
        }
    }

    #[test]
    fn linked_data_converts_as_machines_write_it() {
        for (input, data_type, expected) in [
            (json!("1.234"), DataType::Number, Some(json!(1.234))),
            (json!(12.5), DataType::Number, Some(json!(12.5))),
            (json!(12.5), DataType::String, Some(json!("12.5"))),
            (json!(true), DataType::Boolean, Some(json!(true))),
            (json!({"@value": "3"}), DataType::Number, Some(json!(3))),
            (
                json!({"url": "/i.png"}),
                DataType::Url,
                Some(json!("https://example.com/i.png")),
            ),
            (json!({"a": 1}), DataType::String, Some(json!({"a": 1}))),
            (json!({"a": 1}), DataType::Number, None),
        ] {
            let converted = with_context(|context| json(&input, data_type, context));
            assert_eq!(converted, expected, "{input}");
        }
    }
}
