//! Small things that several suites need.

use std::collections::BTreeMap;
use std::fmt::Write;

use jobs::page::Metadata;
use jobs::{Page, Timestamp};

/// A page as a scraper would give it.
pub(crate) fn page(url: &str, at: Timestamp) -> Page {
    Page {
        url: url.to_owned(),
        final_url: url.to_owned(),
        status: 200,
        content_type: Some("text/html".to_owned()),
        language: None,
        title: Some("A page".to_owned()),
        description: None,
        canonical: None,
        headings: Vec::new(),
        links: Vec::new(),
        text: "Text of the page.".to_owned(),
        markdown: "Text of the page.".to_owned(),
        metadata: Metadata::default(),
        fields: BTreeMap::new(),
        content_hash: "00".to_owned(),
        etag: None,
        last_modified: None,
        fetched_at: at,
        duration_ms: 1,
        bytes: 17,
        js_required: false,
        truncated: false,
    }
}

/// A text for a query: every byte escaped, whatever it is.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        let _ = write!(escaped, "%{byte:02x}");
        escaped
    })
}
