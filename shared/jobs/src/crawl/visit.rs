//! What a crawl asks of the web, and what it is told: pages, `robots.txt` files and sitemaps.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use url::Url;

use crate::crawl::formats::Formats;
use crate::extraction::Extraction;
use crate::failure::{Failure, FailureCode};
use crate::page::Page;
use crate::ports::PageRequest;

/// Most bytes of one page's JSON: one answer must hold it, with room for its envelope.
pub const MAX_PAGE: usize = 4 * 1000 * 1000 - 1_000;

/// One page of a crawl to fetch and read.
#[derive(Clone, Debug)]
pub struct Visit {
    pub url: Url,
    /// Sent to the origin of `url` alone, never forwarded to another.
    pub headers: Arc<[(String, String)]>,
    pub user_agent: Option<Arc<str>>,
    /// The whole visit: connecting, reading, extracting.
    pub timeout: Duration,
    pub extraction: Arc<Extraction>,
    pub formats: Formats,
    /// What the page was like when it was last seen: sent as `If-None-Match` and
    /// `If-Modified-Since` (RFC 9110, section 13.1).
    pub known: Option<Validators>,
    /// Whether redirects are followed, as for a page that a client has named. Else the visit ends
    /// at the first one, without a request to where it leads: whether a crawl may go there is for
    /// the crawl to say.
    pub follow: bool,
}

impl Visit {
    /// The same as a request for any page.
    pub fn as_request(&self) -> PageRequest {
        PageRequest {
            url: self.url.clone(),
            headers: self.headers.to_vec(),
            user_agent: self.user_agent.as_deref().map(str::to_owned),
            timeout: self.timeout,
            extraction: Extraction::clone(&self.extraction),
        }
    }
}

/// By what a server recognises the version of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// How a visit ended that did not fail.
#[derive(Clone, Debug, PartialEq)]
pub enum Visited {
    Page(Box<VisitedPage>),
    /// 304: the page is what it was.
    Unchanged,
    /// The page is at another address, without a fragment, which nobody has asked.
    Redirected(Url),
}

/// A page as a crawl needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitedPage {
    /// The address that answered, after redirects, without a fragment.
    pub final_url: Url,
    /// The result: one JSON object in the formats that were asked for, without a line break.
    pub json: Vec<u8>,
    /// Addresses that the page links to, absolute, in order, each once.
    pub links: Vec<FoundLink>,
    /// `rel=canonical`, resolved, where it is the address of a page.
    pub canonical: Option<Url>,
    /// `<meta name=robots>` or `X-Robots-Tag` forbid to follow its links.
    pub nofollow: bool,
    /// Of title and text: equal where the page says the same. 0 where it says nothing.
    pub digest: u64,
    /// SHA-256 of the text, in hexadecimal.
    pub content_hash: String,
    /// The text, where a refresh has to compare it.
    pub text: String,
    pub validators: Validators,
    /// Size of the decoded body.
    pub bytes: u64,
}

impl VisitedPage {
    /// What a crawl needs of a page that was read as any other.
    pub fn of(page: Page, formats: Formats) -> Result<Self, Failure> {
        let internal = |what: &str| Failure::new(FailureCode::Internal, what);
        let links = page.links.iter().map(|link| FoundLink {
            url: link.url.clone(),
            nofollow: link.rel.as_deref().is_some_and(forbids_following),
        });
        let digest = digest(page.title.as_deref(), &page.text);
        Ok(Self {
            final_url: Url::parse(&page.final_url)
                .map_err(|_| internal("the page has no address"))?,
            links: links.collect(),
            canonical: page
                .canonical
                .as_deref()
                .and_then(|url| Url::parse(url).ok()),
            nofollow: false,
            digest,
            content_hash: page.content_hash.clone(),
            text: page.text.clone(),
            validators: Validators {
                etag: page.etag.clone(),
                last_modified: page.last_modified.clone(),
            },
            bytes: page.bytes,
            json: page
                .into_json_in(formats, MAX_PAGE)
                .map_err(|_| internal("the page cannot be written down"))?,
        })
    }
}

/// Whether a `rel` attribute says that a link is not to be followed.
pub fn forbids_following(rel: &str) -> bool {
    rel.split_ascii_whitespace().any(|word| {
        ["nofollow", "ugc", "sponsored"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    })
}

/// See [`VisitedPage::digest`].
pub fn digest(title: Option<&str>, text: &str) -> u64 {
    let title = title.unwrap_or_default();
    if title.is_empty() && text.is_empty() {
        return 0;
    }
    let mut hash = Sha256::new();
    hash.update(title.as_bytes());
    hash.update([0]);
    hash.update(text.as_bytes());
    let hash = hash.finalize();
    hash[..8]
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
        .max(1)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLink {
    /// Absolute, without a fragment, as the URL standard writes it.
    pub url: String,
    /// `rel` holds `nofollow`, `ugc` or `sponsored`.
    pub nofollow: bool,
}

/// What asking for a `robots.txt` led to (RFC 9309, section 2.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RobotsFile {
    /// The first 500 KiB of it.
    Found(Vec<u8>),
    /// 4xx: there are no rules.
    Absent,
    /// 5xx, or no answer: nothing may be fetched.
    Unreachable(Failure),
}

/// A sitemap to fetch.
#[derive(Clone, Debug)]
pub struct SitemapRequest {
    pub url: Url,
    pub headers: Arc<[(String, String)]>,
    pub user_agent: Option<Arc<str>>,
    pub timeout: Duration,
    /// Most addresses to read.
    pub most: usize,
}

/// What a sitemap says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sitemap {
    pub pages: Vec<SitemapPage>,
    /// Further sitemaps, where it is an index.
    pub sitemaps: Vec<String>,
    /// It has more than was read.
    pub truncated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitemapPage {
    /// Absolute.
    pub url: String,
    /// `lastmod` as it was written.
    pub last_modified: Option<String>,
}
