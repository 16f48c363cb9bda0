//! Answers that are not marked up.

use serde_json::json;

use super::read_as;
use crate::extract::Kind;

#[test]
fn plain_text_is_its_own_content() {
    let page = read_as(Kind::Text, "One\r\n\r\n  two\u{0} <b>\n\n", &json!({})).unwrap();
    assert_eq!(page.text, "One\n\n  two <b>");
    assert_eq!(page.markdown, page.text);
    assert_eq!(page.content_hash.len(), 64);
    assert_eq!((page.title, page.links.len()), (None, 0));
}

#[test]
fn patterns_and_paths_read_from_json() {
    let body = r#"{"items": [{"price": 5, "name": "a"}, {"price": 7, "name": "b"}]}"#;
    let config = json!({"fields": {
        "prices": {"type": "jsonld", "selector": "items.price", "dataType": "number", "multiple": true},
        "name": {"type": "regex", "pattern": "\"name\": \"(\\w)\""},
        "css": {"selector": "p"},
    }});
    let page = read_as(Kind::Json, body, &config).unwrap();
    assert_eq!(page.text, body);
    assert_eq!(json!(page.fields), json!({"prices": [5, 7], "name": "a"}));
    assert_eq!(page.metadata.json_ld, Vec::<serde_json::Value>::new());
}

#[test]
fn json_that_does_not_parse_is_text_without_paths() {
    let config = json!({"fields": {"a": {"type": "jsonld", "selector": "a"}}});
    let page = read_as(Kind::Json, "{\"a\": ", &config).unwrap();
    assert_eq!(page.text, "{\"a\":");
    assert!(page.fields.is_empty());
}
