//! `config` and `headers` of a new job in the document: what their readers in the domain accept,
//! said in the words of JSON Schema. What no schema can say stands in the descriptions.

use std::borrow::Cow;

use jobs::extraction::{MAX_FIELDS, MAX_NESTING, MAX_PATTERN, MAX_SELECTOR, MAX_SELECTORS};
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Text without control characters, as a pattern.
const PRINTABLE: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";

/// Stands for a schema that is written by hand wherever a type has to be named.
macro_rules! by_hand {
    ($($type:ident $name:literal)*) => { $(
        pub(crate) struct $type;

        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                RefOr::default() // replaced by what `schemas` gives under this name
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )* };
}

by_hand! {
    ConfigBody "Config"
    QueueBody "QueueBody"
    HeadersBody "Headers"
    CreateBody "CreateBody"
    QuestionBody "QuestionBody"
    ScheduleBody "ScheduleBody"
    ChangeScheduleBody "ChangeScheduleBody"
}

/// The schemas that are written by hand, by name.
pub(super) fn schemas() -> [(&'static str, Value); 7] {
    [
        ("Config", config()),
        ("Field", field()),
        ("CssField", css()),
        ("JsonLdField", json_ld()),
        ("MetaField", meta()),
        ("RegexField", regex()),
        ("Headers", headers()),
    ]
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn config() -> Value {
    json!({
        "type": "object",
        "description": "What to read from a page besides what every page gives.",
        "properties": {"fields": fields(&format!(
            "By name; at most {MAX_FIELDS}, nested ones included, and nested at most {MAX_NESTING} deep."
        ))},
        "additionalProperties": false,
        "example": {"fields": {
            "price": {"selector": [".price", "[itemprop=price]"], "dataType": "number"},
            "currency": {"type": "jsonld", "selector": "Product.offers.priceCurrency"},
        }},
    })
}

fn fields(description: &str) -> Value {
    json!({
        "type": ["object", "null"],
        "description": description,
        "maxProperties": MAX_FIELDS,
        "propertyNames": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": PRINTABLE},
        "additionalProperties": reference("Field"),
    })
}

fn field() -> Value {
    let ways = ["CssField", "JsonLdField", "MetaField", "RegexField"].map(reference);
    json!({
        "description": "One field of a configuration, read in one of four ways.",
        "oneOf": ways,
    })
}

/// A way of reading a field: what it has of its own, beside what all of them have.
fn way(description: &str, required: &[&str], own: Value) -> Value {
    let mut properties = json!({
        "attribute": {"type": ["string", "null"], "minLength": 1, "maxLength": 128, "pattern": PRINTABLE,
            "description": "Read this attribute instead of the element's content."},
        "multiple": {"type": ["boolean", "null"], "default": false,
            "description": "Every match as a list, instead of the first alone."},
        "source": {"type": ["string", "null"], "enum": ["text", "html", null], "default": "text",
            "description": "What of an element is read."},
        "required": {"type": ["boolean", "null"], "default": false,
            "description": "The page fails with `field_missing` where this yields nothing and has no default."},
        "default": {"description": "The value where nothing was found."},
        "dataType": {"type": ["string", "null"], "default": "string",
            "enum": ["string", "number", "boolean", "date", "url", null],
            "description": "What the text becomes."},
        "pattern": pattern("A filter on what was found."),
        "flags": {"type": ["string", "null"], "pattern": "^[imsgux]{0,8}$",
            "description": "Of the pattern: `i`, `m`, `s`, `g`, `u`, `x`."},
        "group": {"type": ["integer", "null"], "minimum": 0, "maximum": 99,
            "description": "The capture group to return, one that the pattern has; 0 is the whole match. 1 where there is one, else 0, unless told."},
    });
    if let (Value::Object(properties), Value::Object(own)) = (&mut properties, own) {
        properties.extend(own);
    }
    json!({
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A selector or a list of them; `format` says in which language.
fn selector(format: &str, null: bool, description: &str) -> Value {
    let one =
        json!({"type": "string", "format": format, "minLength": 1, "maxLength": MAX_SELECTOR});
    let list = json!({"type": "array", "items": one, "minItems": 1, "maxItems": MAX_SELECTORS});
    let mut choices = vec![one, list];
    choices.extend(null.then(|| json!({"type": "null"})));
    json!({"oneOf": choices, "description": format!("{description}; of several, the first that yields anything wins.")})
}

fn pattern(description: &str) -> Value {
    json!({
        "type": ["string", "null"], "format": "rust-regex", "minLength": 1, "maxLength": MAX_PATTERN,
        "description": format!("{description} In the syntax of the Rust crate `regex`."),
    })
}

fn css() -> Value {
    let own = json!({
        "type": {"type": ["string", "null"], "enum": ["css", null], "default": "css"},
        "selector": selector("css-selector", false, "CSS selectors; `:scope` is the element itself"),
        "fields": fields("Fields read within each matched element, as an object."),
    });
    way(
        "Read from the elements of a CSS selector.",
        &["selector"],
        own,
    )
}

fn json_ld() -> Value {
    let own = json!({
        "type": {"type": "string", "enum": ["jsonld"]},
        "selector": selector("json-ld-path", false, "Dotted paths, optionally starting with a type, such as `Product.offers.price`"),
    });
    way("Read from the page's JSON-LD.", &["type", "selector"], own)
}

fn meta() -> Value {
    let own = json!({
        "type": {"type": "string", "enum": ["meta"]},
        "selector": selector("meta-name", false, "Names or properties of `<meta>`"),
    });
    way(
        "Read from the page's `<meta>` elements.",
        &["type", "selector"],
        own,
    )
}

fn regex() -> Value {
    let mut needed = pattern("What to search for.");
    needed["type"] = json!("string");
    let own = json!({
        "type": {"type": "string", "enum": ["regex"]},
        "selector": selector("css-selector", true, "CSS selectors of the elements searched; the whole page unless told"),
        "pattern": needed,
    });
    way("Read by a regular expression.", &["type", "pattern"], own)
}

/// A `token` of RFC 9110 that is none of the headers of the connection.
fn headers() -> Value {
    let reserved = jobs::new_job::RESERVED_HEADERS.map(|name| {
        let either_case = |letter: char| match letter {
            'a'..='z' => format!("[{}{letter}]", letter.to_ascii_uppercase()),
            other => other.to_string(),
        };
        name.chars().map(either_case).collect::<String>()
    });
    let name = format!(
        "^(?!(?:{})$)[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        reserved.join("|")
    );
    json!({
        "type": "object",
        "description": "Headers by name, at most 32: what belongs to the connection cannot be set.",
        "maxProperties": 32,
        "propertyNames": {"type": "string", "minLength": 1, "maxLength": 64, "pattern": name},
        "additionalProperties": {"type": "string", "maxLength": 4096, "pattern": r"^[\t -~]*$"},
        "example": {"Accept-Language": "en"},
    })
}
