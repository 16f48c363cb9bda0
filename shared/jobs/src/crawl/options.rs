//! What a crawl is asked to do besides its address. Refuses to judge an address by it: that is the
//! scope's.

use serde::{Deserialize, Serialize};

use crate::crawl::formats::Formats;

pub const MAX_PAGES: u64 = 100_000;
pub const MAX_DEPTH: u64 = 100;
pub const MAX_CONCURRENCY: u64 = 64;
/// Most `include` or `exclude` patterns.
pub const MAX_PATTERNS: usize = 50;
/// Longest pattern, in characters.
pub const MAX_PATTERN: usize = 256;
/// Longest `requestDelay`, in milliseconds.
pub const MAX_REQUEST_DELAY_MS: u64 = 60_000;
/// The longest working time of a crawl over all its slices, in milliseconds: a day.
pub const MAX_TIMEOUT_MS: u64 = 24 * 3_600 * 1_000;

/// Whether addresses come from sitemaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SitemapUse {
    /// From sitemaps and from links.
    #[default]
    Include,
    /// From links alone.
    Skip,
    /// From sitemaps alone: links are not followed.
    Only,
}

impl SitemapUse {
    pub const ALL: [Self; 3] = [Self::Include, Self::Skip, Self::Only];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Include => "include",
            Self::Skip => "skip",
            Self::Only => "only",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// The options of a crawl, valid in every field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CrawlOptions {
    /// Most results, 1 to [`MAX_PAGES`]. Failed fetches are bounded by the same number.
    pub max_pages: u32,
    /// Most links between the start and a page, 0 to [`MAX_DEPTH`].
    pub depth: u8,
    /// The whole registrable domain instead of the one host.
    pub include_subdomains: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    pub sitemap: SitemapUse,
    pub respect_robots: bool,
    /// Most requests at once, 1 to [`MAX_CONCURRENCY`].
    pub max_concurrency: u8,
    /// Milliseconds between two requests to a host.
    pub request_delay: u64,
    pub formats: Formats,
}

impl Default for CrawlOptions {
    fn default() -> Self {
        Self {
            max_pages: 100,
            depth: 3,
            include_subdomains: false,
            include: Vec::new(),
            exclude: Vec::new(),
            sitemap: SitemapUse::default(),
            respect_robots: true,
            max_concurrency: 8,
            request_delay: 0,
            formats: Formats::default(),
        }
    }
}
