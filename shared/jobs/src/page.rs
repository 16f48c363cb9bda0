//! The result of scraping one page, as clients receive it. Stored as its JSON; refuses to carry
//! raw bytes or anything unbounded.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::crawl::Formats;
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
    /// Absent where `formats` leaves them out.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub links: Vec<Link>,
    /// The main content as plain text, or the whole body where none stands out. Absent where
    /// `formats` leaves it out.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub text: String,
    /// The same content as `CommonMark`. Absent where `formats` leaves it out.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub markdown: String,
    /// Absent where `formats` leaves it out.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub metadata: Metadata,
    /// The document as it came, decoded; where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
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

    /// The page as JSON of at most `max` bytes with the forms that were asked for.
    pub fn into_json_in(self, formats: Formats, max: usize) -> serde_json::Result<Vec<u8>> {
        self.to_json_in(formats, max)
    }

    /// The same of a page that is needed afterwards. A copy is only made of one that is too long.
    pub fn to_json_in(&self, formats: Formats, max: usize) -> serde_json::Result<Vec<u8>> {
        let whole = self.write(formats, max)?;
        if whole.len() <= max {
            return Ok(whole);
        }
        drop(whole);
        let mut shorter = self.clone();
        loop {
            let may_be_shorter = shorter.halve();
            let json = shorter.write(formats, max)?;
            if json.len() <= max || !may_be_shorter {
                return Ok(json);
            }
        }
    }

    fn write(&self, formats: Formats, max: usize) -> serde_json::Result<Vec<u8>> {
        let mut json = Vec::with_capacity(self.likely_length(formats).min(max));
        let page = InFormats {
            page: self,
            formats,
        };
        serde_json::to_writer(&mut json, &page)?;
        Ok(json)
    }

    /// About how long the JSON will be: a guess too low costs a copy, nothing else.
    fn likely_length(&self, formats: Formats) -> usize {
        let text = |wanted: bool, text: &str| {
            if wanted {
                text.len() + text.len() / 16
            } else {
                0
            }
        };
        let links = self.links.iter().map(|link| {
            let rel = link.rel.as_ref().map_or(0, String::len);
            link.url.len() + link.text.len() + rel + 32
        });
        let headings = self.headings.iter().map(|heading| heading.text.len() + 24);
        2_048
            + text(formats.text, &self.text)
            + text(formats.markdown, &self.markdown)
            + text(formats.html, self.html.as_deref().unwrap_or_default())
            + if formats.links { links.sum() } else { 0 }
            + headings.sum::<usize>()
    }

    /// Leaves out half of what can be long; `false` where nothing is left to leave out.
    fn halve(&mut self) -> bool {
        self.truncated = true;
        let lists = self.links.len() + self.headings.len() + self.metadata.json_ld.len();
        let mut none = String::new();
        let html = self.html.as_mut().unwrap_or(&mut none);
        let texts = self.text.len() + self.markdown.len() + html.len();
        for text in [&mut self.text, &mut self.markdown, html] {
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

/// A page without what was not asked for.
struct InFormats<'a> {
    page: &'a Page,
    formats: Formats,
}

impl Serialize for InFormats<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { page, formats } = self;
        let mut map = serializer.serialize_map(None)?;
        macro_rules! put {
            ($($name:literal: $value:expr,)*) => { $(map.serialize_entry($name, $value)?;)* };
        }
        put! {
            "url": &page.url,
            "finalUrl": &page.final_url,
            "status": &page.status,
            "contentType": &page.content_type,
            "language": &page.language,
            "title": &page.title,
            "description": &page.description,
            "canonical": &page.canonical,
            "headings": &page.headings,
        }
        if formats.links {
            map.serialize_entry("links", &page.links)?;
        }
        if formats.text {
            map.serialize_entry("text", &page.text)?;
        }
        if formats.markdown {
            map.serialize_entry("markdown", &page.markdown)?;
        }
        if formats.metadata {
            map.serialize_entry("metadata", &page.metadata)?;
        }
        if let Some(html) = page.html.as_ref().filter(|_| formats.html) {
            map.serialize_entry("html", html)?;
        }
        put! {
            "fields": &page.fields,
            "contentHash": &page.content_hash,
            "etag": &page.etag,
            "lastModified": &page.last_modified,
            "fetchedAt": &page.fetched_at.to_string(),
            "durationMs": &page.duration_ms,
            "bytes": &page.bytes,
        }
        if page.js_required {
            map.serialize_entry("jsRequired", &true)?;
        }
        if page.truncated {
            map.serialize_entry("truncated", &true)?;
        }
        map.end()
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
            html: None,
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
