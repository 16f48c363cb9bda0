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
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub json_ld: Vec<Value>,
}
