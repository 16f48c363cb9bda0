//! Linked data of a page: its JSON-LD blocks, and the paths that read from them. Refuses blocks
//! that are not JSON, and more of them than a result can carry.

use serde_json::Value;

/// Most items, arrays flattened.
const MAX_ITEMS: usize = 100;
/// Most source text of all blocks together.
pub(super) const MAX_BYTES: usize = 512 * 1024;
/// Most objects looked at in search of a type, and most values of a path.
const MAX_VISITED: usize = 10_000;

/// Every block that is JSON, arrays flattened.
pub(super) fn read(blocks: &[String]) -> Vec<Value> {
    let mut items = Vec::new();
    let mut bytes = 0;
    for block in blocks {
        bytes += block.len();
        if bytes > MAX_BYTES {
            break;
        }
        match parse(block) {
            Some(Value::Array(list)) => items.extend(list),
            Some(item) => items.push(item),
            None => {}
        }
    }
    items.truncate(MAX_ITEMS);
    items
}

/// Reads a block as pages write them: in a comment or CDATA, with raw line breaks in strings.
pub(super) fn parse(block: &str) -> Option<Value> {
    let mut text = block.trim();
    for (open, close) in [
        ("<!--", "-->"),
        ("//<![CDATA[", "//]]>"),
        ("/*<![CDATA[*/", "/*]]>*/"),
        ("<![CDATA[", "]]>"),
    ] {
        if let Some(inner) = text.strip_prefix(open) {
            text = inner.trim_end().strip_suffix(close).unwrap_or(inner).trim();
        }
    }
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).ok().or_else(|| {
        if !text.contains(char::is_control) {
            return None;
        }
        serde_json::from_str(&text.replace(char::is_control, " ")).ok()
    })
}

/// A dotted path, optionally starting with a type: `Product.offers.price`, `images[0]`.
#[derive(Debug)]
pub(super) struct Path {
    segments: Vec<Segment>,
}

#[derive(Debug)]
enum Segment {
    Name(String),
    Index(usize),
}

impl Path {
    /// Parses a path, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut segments = Vec::new();
        for part in text.trim().split('.') {
            let (name, mut indexes) = match part.find('[') {
                Some(at) => part.split_at(at),
                None => (part, ""),
            };
            let name = name.trim();
            if let Ok(index) = name.parse() {
                segments.push(Segment::Index(index));
            } else if !name.is_empty() {
                segments.push(Segment::Name(name.to_owned()));
            } else if indexes.is_empty() || !segments.is_empty() {
                return Err("has an empty name between its dots");
            }
            while !indexes.is_empty() {
                let (index, rest) = indexes
                    .strip_prefix('[')
                    .and_then(|rest| rest.split_once(']'))
                    .ok_or("has an unclosed bracket")?;
                let index = index.trim().parse();
                segments.push(Segment::Index(
                    index.map_err(|_| "has an index that is no number")?,
                ));
                indexes = rest;
            }
        }
        Ok(Self { segments })
    }

    /// Every value at the path in document order, arrays flattened.
    pub(super) fn find<'a>(&self, items: &'a [Value]) -> Vec<&'a Value> {
        if let [Segment::Name(first), rest @ ..] = self.segments.as_slice() {
            let mut typed = nested_objects(items);
            typed.retain(|value| is_a(value, first));
            let found = follow(typed, rest);
            if !found.is_empty() {
                return found;
            }
        }
        follow(roots(items), &self.segments)
    }
}

/// The items themselves and, for a graph, its nodes.
fn roots(items: &[Value]) -> Vec<&Value> {
    let mut roots = Vec::new();
    for item in items {
        match item.get("@graph") {
            Some(Value::Array(nodes)) => roots.extend(nodes),
            Some(node @ Value::Object(_)) => roots.push(node),
            _ => {}
        }
        roots.push(item);
    }
    roots
}

/// Every object in the values, outer ones first.
fn nested_objects(values: &[Value]) -> Vec<&Value> {
    let mut objects = Vec::new();
    let mut level: Vec<&Value> = values.iter().collect();
    let mut visited = 0;
    while !level.is_empty() {
        let mut next = Vec::new();
        for value in level {
            visited += 1;
            if visited > MAX_VISITED {
                return objects;
            }
            match value {
                Value::Array(list) => next.extend(list),
                Value::Object(members) => {
                    objects.push(value);
                    next.extend(members.values().filter(|v| v.is_object() || v.is_array()));
                }
                _ => {}
            }
        }
        level = next;
    }
    objects
}

/// Whether `@type` names the type, with or without the vocabulary's address before it.
fn is_a(value: &Value, name: &str) -> bool {
    let matches = |kind: &Value| {
        kind.as_str()
            .is_some_and(|kind| kind.rsplit(['/', '#', ':']).next() == Some(name))
    };
    match value.get("@type") {
        Some(Value::Array(kinds)) => kinds.iter().any(matches),
        Some(kind) => matches(kind),
        None => false,
    }
}

fn follow<'a>(mut values: Vec<&'a Value>, segments: &[Segment]) -> Vec<&'a Value> {
    for segment in segments {
        let mut next = Vec::new();
        for value in values {
            match segment {
                Segment::Index(index) => next.extend(value.get(index)),
                Segment::Name(name) => {
                    next.extend(flat(value).into_iter().filter_map(|item| item.get(name)));
                }
            }
            if next.len() > MAX_VISITED {
                break;
            }
        }
        values = next;
    }
    values
        .into_iter()
        .flat_map(flat)
        .filter(|value| !value.is_null())
        .take(MAX_VISITED)
        .collect()
}

/// The values in an array of arrays, or the value itself.
fn flat(value: &Value) -> Vec<&Value> {
    let mut flat = Vec::new();
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Value::Array(list) => stack.extend(list.iter().rev()),
            value => flat.push(value),
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(path: &str, items: &[Value]) -> Value {
        let path = Path::parse(path).unwrap();
        path.find(items).into_iter().cloned().collect()
    }

    #[test]
    fn blocks_are_read_as_pages_write_them() {
        let blocks = [
            r#"{"a": 1}"#,
            r#"[{"b": 2}, {"c": 3}]"#,
            "<!-- {\"d\": 4} -->",
            "//<![CDATA[\n{\"e\": 5}\n//]]>",
            "{\"f\": \"two\nlines\"}",
            "{not json}",
        ]
        .map(str::to_owned);
        let read = Value::Array(read(&blocks));
        let expected = json!([
            {"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}, {"e": 5}, {"f": "two lines"}
        ]);
        assert_eq!(read, expected);
    }

    #[test]
    fn blocks_beyond_the_bounds_are_left_out() {
        let many = vec!["[{},{},{}]".to_owned(); 50];
        assert_eq!(read(&many).len(), MAX_ITEMS);
        let large = vec![format!("\"{}\"", "x".repeat(MAX_BYTES / 2 - 2)); 3];
        assert_eq!(read(&large).len(), 2);
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(&[deep]), Vec::<Value>::new());
    }

    #[test]
    fn a_path_may_start_with_a_type_wherever_the_object_stands() {
        let items = [
            json!({"@type": "WebPage", "name": "page"}),
            json!({"@graph": [{"@type": ["Thing", "Product"], "name": "lamp"}]}),
            json!({"mainEntity": {"@type": "https://schema.org/Person", "name": "Ada"}}),
        ];
        assert_eq!(find("Product.name", &items), json!(["lamp"]));
        assert_eq!(find("Person.name", &items), json!(["Ada"]));
        assert_eq!(find("name", &items), json!(["page", "lamp"]));
        assert_eq!(find("Recipe.name", &items), json!([]));
    }

    #[test]
    fn arrays_flatten_and_indexes_pick() {
        let items = [json!({"offers": [{"price": 1}, {"price": "2"}], "image": ["a", ["b"]]})];
        assert_eq!(find("offers.price", &items), json!([1, "2"]));
        assert_eq!(find("offers[1].price", &items), json!(["2"]));
        assert_eq!(find("offers.0.price", &items), json!([1]));
        assert_eq!(find("image", &items), json!(["a", "b"]));
        assert_eq!(find("image[7]", &items), json!([]));
    }

    #[test]
    fn a_malformed_path_says_what_is_wrong() {
        for path in ["a..b", "", "a[", "a[x]", ".a"] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }
}
