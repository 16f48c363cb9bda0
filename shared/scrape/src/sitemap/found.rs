//! The addresses that were found so far. Refuses what is no address of the web, or is too long.

use jobs::crawl::visit::{Sitemap, SitemapPage};
use url::Url;

use crate::door::MAX_URL;

/// Longest `lastmod` that is kept, in bytes: four times that of any date.
const MAX_DATE: usize = 128;

/// What an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Page,
    Sitemap,
}

pub(super) struct Found<'a> {
    base: &'a Url,
    most: usize,
    sitemap: Sitemap,
}

impl<'a> Found<'a> {
    pub(super) fn new(base: &'a Url, most: usize) -> Self {
        let sitemap = Sitemap::default();
        Self {
            base,
            most,
            sitemap,
        }
    }

    /// Adds what an entry names, where that is an address; `false` where there is no room for it.
    pub(super) fn add(&mut self, target: Target, location: &str, date: &str) -> bool {
        let Some(url) = self.resolved(location) else {
            return true;
        };
        if self.sitemap.pages.len() + self.sitemap.sitemaps.len() >= self.most {
            self.truncate();
            return false;
        }
        match target {
            Target::Sitemap => self.sitemap.sitemaps.push(url),
            Target::Page => {
                let date = date.trim();
                let fits = !date.is_empty() && date.len() <= MAX_DATE;
                let last_modified = fits.then(|| date.to_owned());
                self.sitemap.pages.push(SitemapPage { url, last_modified });
            }
        }
        true
    }

    /// Notes that there is more than was read.
    pub(super) fn truncate(&mut self) {
        self.sitemap.truncated = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sitemap.pages.is_empty()
    }

    pub(super) fn into_sitemap(self) -> Sitemap {
        self.sitemap
    }

    fn resolved(&self, location: &str) -> Option<String> {
        let location = location.trim();
        if location.is_empty() || location.len() > MAX_URL {
            return None;
        }
        let mut url = self.base.join(location).ok()?;
        url.set_fragment(None);
        let fits = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_URL;
        fits.then(|| url.into())
    }
}
