//! Whole pages: realistic ones by their meaning, hostile ones by their bounds.

mod configured;
mod content;
mod hostile;
mod plain;
mod properties;
mod shells;
mod snapshot;
mod streamed;

use std::time::Duration;

use jobs::{Extraction, Failure};
use serde_json::Value;
use url::Url;

use super::{Budget, Extracted, Input, Kind, extract_within};

const URL: &str = "https://example.com/shop/page?x=1";

/// Reads a page whose clock stands still.
fn read_as(kind: Kind, text: &str, config: &Value) -> Result<Extracted, Failure> {
    let (extraction, problems) = Extraction::parse(config);
    assert_eq!(problems, []);
    let input = Input {
        text,
        kind,
        final_url: &Url::parse(URL).unwrap(),
        language: None,
        extraction: &extraction,
    };
    let budget = Budget::with_clock(Duration::from_secs(1), || Duration::ZERO);
    extract_within(&input, &budget)
}

fn read(html: &str) -> Extracted {
    read_as(Kind::Html, html, &serde_json::json!({})).unwrap()
}

/// As many pieces of a page, one after the other.
fn many(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().concat()
}

/// The fields that a configuration finds on a page.
fn fields(html: &str, fields: &Value) -> Value {
    let config = serde_json::json!({"fields": fields});
    let extracted = read_as(Kind::Html, html, &config).unwrap();
    serde_json::to_value(extracted.fields).unwrap()
}
