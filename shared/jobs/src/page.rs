//! The result of scraping one page, as clients receive it. Stored as its JSON; refuses to carry
//! raw bytes or anything unbounded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::{Timestamp, iso8601};

/// What one page says, in the field names of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The address asked for.
    pub url: String,
    /// The address that answered, after redirects.
    pub final_url: String,
    /// The HTTP status of the answer.
    pub status: u16,
    pub content_type: Option<String>,
    /// BCP 47 tag of `<html lang>` or `Content-Language`.
    pub language: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    /// `rel=canonical`, resolved against the page.
    pub canonical: Option<String>,
    pub headings: Vec<Heading>,
    pub links: Vec<Link>,
    /// The main content as plain text, or the whole body where none stands out.
    pub text: String,
    /// The same content as `CommonMark`.
    pub markdown: String,
    pub metadata: Metadata,
    /// What `config.fields` asked for, by name.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub fields: BTreeMap<String, Value>,
    /// SHA-256 of `text`, in hexadecimal: equal where the content is.
    pub content_hash: String,
    pub etag: Option<String>,
    /// The `Last-Modified` header as sent.
    pub last_modified: Option<String>,
    #[serde(with = "iso8601")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub fetched_at: Timestamp,
    /// Fetching and extracting, in milliseconds.
    pub duration_ms: u64,
    /// Size of the decoded body.
    pub bytes: u64,
    /// The page is an empty shell that scripts would fill: what is here may be all there is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub js_required: bool,
    /// The page says more than one answer can hold: text, Markdown and lists end early.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

impl Page {
    /// The page as JSON of at most `max` bytes, cut short where it would be longer.
    pub fn into_json(mut self, max: usize) -> serde_json::Result<Vec<u8>> {
        loop {
            let json = serde_json::to_vec(&self)?;
            if json.len() <= max || !self.halve() {
                return Ok(json);
            }
        }
    }

    /// Leaves out half of what can be long; `false` where nothing is left to leave out.
    fn halve(&mut self) -> bool {
        self.truncated = true;
        let lists = self.links.len() + self.headings.len() + self.metadata.json_ld.len();
        let texts = self.text.len() + self.markdown.len();
        for text in [&mut self.text, &mut self.markdown] {
            text.truncate(text.floor_char_boundary(text.len() / 2));
        }
        self.links.truncate(self.links.len() / 2);
        self.headings.truncate(self.headings.len() / 2);
        self.metadata
            .json_ld
            .truncate(self.metadata.json_ld.len() / 2);
        if lists + texts > 0 {
            return true;
        }
        let left = !self.fields.is_empty() || !self.metadata.open_graph.is_empty();
        self.fields.clear();
        self.metadata.open_graph.clear();
        left
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Link {
    /// Absolute address, without its fragment.
    pub url: String,
    pub text: String,
    /// The `rel` attribute, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rel: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// `og:*` properties without their prefix; the first of each name.
    pub open_graph: BTreeMap<String, String>,
    /// Every `application/ld+json` block that is JSON, arrays flattened.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Value>))]
    pub json_ld: Vec<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: usize, links: usize) -> Page {
        let link = |number| Link {
            url: format!("http://site.example/{number}"),
            text: "\u{1}".repeat(100),
            rel: None,
        };
        Page {
            url: "http://site.example/".to_owned(),
            final_url: "http://site.example/".to_owned(),
            status: 200,
            content_type: None,
            language: None,
            title: None,
            description: None,
            canonical: None,
            headings: Vec::new(),
            links: (0..links).map(link).collect(),
            text: "ü\"".repeat(text),
            markdown: String::new(),
            metadata: Metadata::default(),
            fields: BTreeMap::from([("all".to_owned(), Value::String("x".repeat(text)))]),
            content_hash: String::new(),
            etag: None,
            last_modified: None,
            fetched_at: Timestamp::default(),
            duration_ms: 0,
            bytes: 0,
            js_required: false,
            truncated: false,
        }
    }

    #[test]
    fn a_page_fits_one_answer_however_much_it_says() {
        for (text, links) in [(0, 0), (10, 10), (100_000, 0), (0, 2_000), (50_000, 2_000)] {
            let json = page(text, links).into_json(10_000).unwrap();
            assert!(json.len() <= 10_000, "{text} {links}");
            let read: Page = serde_json::from_slice(&json).unwrap();
            assert_eq!(read.truncated, text + links > 100);
        }
    }
}
