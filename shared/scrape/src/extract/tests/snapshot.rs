//! One whole page as clients receive it, locked.

use jobs::{Page, Timestamp};
use serde_json::json;

use super::{URL, read_as};
use crate::extract::{Extracted, Kind};

#[test]
fn an_article_reads_as_it_always_did() {
    let config = json!({"fields": {
        "author": {"type": "jsonld", "selector": "NewsArticle.author.name"},
        "published": {"type": "jsonld", "selector": "datePublished", "dataType": "date"},
        "sections": {"selector": "h2", "multiple": true},
    }});
    let html = include_str!("pages/article.html");
    let page = page(read_as(Kind::Html, html, &config).unwrap(), html.len());
    insta::assert_json_snapshot!(page);
}

fn page(extracted: Extracted, bytes: usize) -> Page {
    Page {
        url: URL.to_owned(),
        final_url: URL.to_owned(),
        status: 200,
        content_type: Some("text/html; charset=utf-8".to_owned()),
        language: extracted.language,
        title: extracted.title,
        description: extracted.description,
        canonical: extracted.canonical,
        headings: extracted.headings,
        links: extracted.links,
        text: extracted.text,
        markdown: extracted.markdown,
        metadata: extracted.metadata,
        html: None,
        fields: extracted.fields,
        content_hash: extracted.content_hash,
        etag: None,
        last_modified: None,
        fetched_at: Timestamp::from_millis(1_744_450_886_841),
        duration_ms: 12,
        bytes: bytes as u64,
        js_required: extracted.js_required,
        truncated: false,
    }
}
