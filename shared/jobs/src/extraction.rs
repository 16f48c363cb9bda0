//! The extraction configuration of a job (`config`): which fields to read from a page and how.
//! Parsed once at the edge; whether a selector or a pattern compiles is for the crate that runs
//! them to say ([`Check`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::Reader;
use crate::error::Problem;

/// Most fields in one configuration, nested ones included.
pub const MAX_FIELDS: usize = 100;
/// Most alternatives in one fallback list.
pub const MAX_SELECTORS: usize = 32;
/// Longest selector, in characters.
pub const MAX_SELECTOR: usize = 512;
/// Longest regular expression, in characters.
pub const MAX_PATTERN: usize = 256;
/// Deepest nesting of fields in fields.
pub const MAX_NESTING: usize = 5;

/// Says what in a configuration does not compile: selectors and patterns.
pub type Check = fn(&Extraction) -> Vec<Problem>;

/// `config`: what to read from a page besides what every page gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Field>,
}

impl Extraction {
    /// Whether nothing is asked for besides what every page gives.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// One field of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Tried in order; the first that yields anything wins. For `css` selectors, for `jsonld`
    /// dotted paths (`offers.price`, optionally starting with a type: `Product.name`), for `meta`
    /// names or properties, for `regex` selectors that narrow the text searched (may be empty).
    #[serde(default, rename = "selector", skip_serializing_if = "Vec::is_empty")]
    pub selectors: Vec<String>,
    #[serde(default, rename = "type")]
    pub kind: FieldKind,
    /// Read this attribute instead of the element's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// Every match as a list, instead of the first alone.
    #[serde(default)]
    pub multiple: bool,
    #[serde(default)]
    pub source: Source,
    /// Fields read within each matched element, as an object.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Field>,
    /// The page fails with `field_missing` where this yields nothing and has no default.
    #[serde(default)]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    #[serde(default)]
    pub data_type: DataType,
    /// A regular expression: the field itself for `regex`, a filter on what was found otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Any of `i`, `m`, `s`, `g`, `u`, `x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<String>,
    /// The capture group to return: 0 is the whole match. Absent: 1 where there is one, else 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    #[default]
    Css,
    Regex,
    JsonLd,
    Meta,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    #[default]
    Text,
    Html,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    #[default]
    String,
    Number,
    Boolean,
    Date,
    Url,
}

impl Extraction {
    /// Reads `config`, naming every problem by its path.
    pub fn parse(value: &Value) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new("config", value);
        let mut budget = MAX_FIELDS;
        let fields = parse_fields(&mut reader, &mut budget, 1);
        (Self { fields }, reader.finish())
    }
}

fn parse_fields(
    reader: &mut Reader<'_>,
    budget: &mut usize,
    depth: usize,
) -> BTreeMap<String, Field> {
    let Some(value) = reader.value("fields") else {
        return BTreeMap::new();
    };
    let Some(object) = value.as_object() else {
        reader.problem("fields", "must be an object of name to field");
        return BTreeMap::new();
    };
    if depth > MAX_NESTING {
        reader.problem("fields", format!("must not nest deeper than {MAX_NESTING}"));
        return BTreeMap::new();
    }
    let mut fields = BTreeMap::new();
    for (name, value) in object {
        if *budget == 0 {
            reader.problem("fields", format!("must have at most {MAX_FIELDS} fields"));
            break;
        }
        *budget -= 1;
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            reader.problem("fields", "names must have 1 to 64 printable characters");
            continue;
        }
        let path = format!("{}.{name}", reader.path_of("fields"));
        let (field, problems) = parse_field(&path, value, budget, depth);
        // Only what is sound is looked at further; the rest is refused anyway.
        if problems.is_empty() {
            fields.insert(name.clone(), field);
        }
        reader.extend(problems);
    }
    fields
}

fn parse_field(
    path: &str,
    value: &Value,
    budget: &mut usize,
    depth: usize,
) -> (Field, Vec<Problem>) {
    let mut reader = Reader::new(path, value);
    let kinds = [
        ("css", FieldKind::Css),
        ("regex", FieldKind::Regex),
        ("jsonld", FieldKind::JsonLd),
        ("meta", FieldKind::Meta),
    ];
    let data_types = [
        ("string", DataType::String),
        ("number", DataType::Number),
        ("boolean", DataType::Boolean),
        ("date", DataType::Date),
        ("url", DataType::Url),
    ];
    let sources = [("text", Source::Text), ("html", Source::Html)];
    let field = Field {
        selectors: selectors(&mut reader),
        kind: reader.one_of("type", &kinds).unwrap_or_default(),
        attribute: reader.text("attribute", 1, 128).map(str::to_owned),
        multiple: reader.bool("multiple").unwrap_or(false),
        source: reader.one_of("source", &sources).unwrap_or_default(),
        fields: parse_fields(&mut reader, budget, depth + 1),
        required: reader.bool("required").unwrap_or(false),
        default: reader.value("default").cloned(),
        data_type: reader.one_of("dataType", &data_types).unwrap_or_default(),
        pattern: reader.text("pattern", 1, MAX_PATTERN).map(str::to_owned),
        flags: reader.text("flags", 0, 8).map(str::to_owned),
        group: reader.integer("group", 0, 99).map(|group| group as u32),
    };
    // `null` is absent, as everywhere.
    let lacks = |name: &str| value.is_object() && value.get(name).is_none_or(Value::is_null);
    if field.kind == FieldKind::Regex {
        if lacks("pattern") {
            reader.problem("pattern", "is required where type is regex");
        }
    } else if lacks("selector") {
        reader.problem("selector", "is required unless type is regex");
    }
    if field.kind != FieldKind::Css && !field.fields.is_empty() {
        reader.problem("fields", "nest only where type is css");
    }
    if let Some(flags) = &field.flags
        && !flags.chars().all(|flag| "imsgux".contains(flag))
    {
        reader.problem("flags", "may hold only i, m, s, g, u and x");
    }
    (field, reader.finish())
}

fn selectors(reader: &mut Reader<'_>) -> Vec<String> {
    let Some(value) = reader.value("selector") else {
        return Vec::new();
    };
    let list = match value {
        Value::Array(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    if list.is_empty() || list.len() > MAX_SELECTORS {
        reader.problem(
            "selector",
            format!("must list 1 to {MAX_SELECTORS} alternatives"),
        );
    }
    let mut selectors = Vec::new();
    for item in list.iter().take(MAX_SELECTORS) {
        match item.as_str() {
            Some(text) if (1..=MAX_SELECTOR).contains(&text.chars().count()) => {
                selectors.push(text.to_owned());
            }
            _ => {
                let message = format!(
                    "must be a string of 1 to {MAX_SELECTOR} characters, or a list of such"
                );
                reader.problem("selector", message);
                break;
            }
        }
    }
    selectors
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_field_parses_and_reads_back_from_storage() {
        let value = json!({"fields": {"items": {
            "selector": [".item", "li"], "multiple": true,
            "fields": {"price": {"selector": "b", "dataType": "number", "required": true}},
        }}});
        let (extraction, problems) = Extraction::parse(&value);
        assert_eq!(problems, []);
        let stored = serde_json::to_string(&extraction).unwrap();
        assert_eq!(
            serde_json::from_str::<Extraction>(&stored).unwrap(),
            extraction
        );
    }

    #[test]
    fn problems_carry_the_path_of_the_nested_field() {
        let value =
            json!({"fields": {"a": {"selector": "p", "fields": {"b": {"type": "xpath"}}}}, "x": 1});
        let (_, problems) = Extraction::parse(&value);
        let fields: Vec<_> = problems.into_iter().map(|problem| problem.field).collect();
        assert_eq!(
            fields,
            [
                "config.fields.a.fields.b.type",
                "config.fields.a.fields.b.selector",
                "config.x"
            ]
        );
    }

    #[test]
    fn a_null_selector_or_pattern_is_a_missing_one() {
        for (field, missing) in [
            (json!({"selector": null}), "config.fields.a.selector"),
            (
                json!({"type": "regex", "pattern": null}),
                "config.fields.a.pattern",
            ),
        ] {
            let (_, problems) = Extraction::parse(&json!({"fields": {"a": field}}));
            let fields: Vec<_> = problems.into_iter().map(|problem| problem.field).collect();
            assert_eq!(fields, [missing]);
        }
    }

    #[test]
    fn nesting_and_number_of_fields_are_bounded() {
        let mut value = json!({"selector": "p"});
        for _ in 0..7 {
            value = json!({"selector": "p", "fields": {"deeper": value}});
        }
        assert!(
            !Extraction::parse(&json!({"fields": {"top": value}}))
                .1
                .is_empty()
        );
        let many: serde_json::Map<_, _> = (0..=MAX_FIELDS)
            .map(|n| (n.to_string(), json!({"selector": "p"})))
            .collect();
        assert!(!Extraction::parse(&json!({"fields": many})).1.is_empty());
    }
}
