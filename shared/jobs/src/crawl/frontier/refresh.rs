//! A refresh: the pages that are known instead of those that links lead to, or both. What it
//! compares with lies in the results of an earlier job, its base.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::discover::hash;
use super::{Asked, Frontier, Ticket};
use crate::crawl::entry::{Entry, Kept, Standing};
use crate::crawl::progress::{Part, Refreshed};
use crate::crawl::refresh::Change;
use crate::crawl::rules::Found;
use crate::crawl::visit::VisitedPage;
use crate::crawl::{CrawlOptions, SitemapUse};
use crate::failure::FailureCode;
use crate::spec::Spec;
use crate::time::Timestamp;

/// The results that a refresh compares with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    pub job: String,
    /// Nothing where it is the result of a single page.
    pub manifest: Option<Part>,
    /// A refresh has written them, with its verdicts.
    pub refreshed: bool,
}

/// Kept from slice to slice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshState {
    pub base: Option<Base>,
    /// The site is crawled anew.
    pub full: bool,
    /// Pages of the base that no link has led to have been put into the queue.
    #[serde(default)]
    pub swept: bool,
    pub found: Refreshed,
}

impl Frontier {
    /// A refresh of what `base` holds, asked for what the base was asked for; of one page where
    /// there is no base. `known` are the entries of its results.
    pub fn begin_refresh(
        spec: &Spec,
        start: &Url,
        base: Option<(Base, Asked)>,
        known: &[Entry],
    ) -> std::io::Result<Self> {
        let full = spec.refresh.as_ref().is_some_and(|it| it.full_refresh);
        let (base, asked) = base.map_or_else(
            || (None, page_alone(spec)),
            |(base, asked)| (Some(base), asked),
        );
        let full = full && base.as_ref().is_some_and(|base| base.manifest.is_some());
        let mut frontier = Self::empty(spec, start, asked)?;
        let is_new = base.is_none();
        frontier.refresh = Some(RefreshState {
            base,
            full,
            ..RefreshState::default()
        });
        // The host of the start is the first.
        frontier.host(start);
        if is_new || full {
            frontier.discover_url(start, Found::linked(0, true));
        } else {
            for entry in known {
                frontier.remind(entry);
            }
        }
        Ok(frontier)
    }

    pub fn refresh(&self) -> Option<&RefreshState> {
        self.refresh.as_ref()
    }

    /// Puts a page of the base into the queue, as deep as it was.
    fn remind(&mut self, entry: &Entry) {
        if let (Standing::Done(kept), Ok(url)) = (&entry.standing, Url::parse(&entry.url))
            && kept.digest != Kept::REMOVED
        {
            let found = Found {
                depth: entry.depth.min(self.rules.options.depth),
                follow: true,
                listed: true,
            };
            self.discover_url(&url, found);
        }
    }

    /// The site was crawled anew: pages of the base that nothing led to are looked at as well,
    /// once. `true` where there are any.
    pub fn sweep_base(&mut self, known: &[Entry]) -> bool {
        match &mut self.refresh {
            Some(state) if state.full && !state.swept => state.swept = true,
            _ => return false,
        }
        let before = self.counters().queued;
        for entry in known {
            self.remind(entry);
        }
        self.counters().queued > before
    }

    /// Whether links lead on: not where only what is known is refreshed.
    pub(super) fn follows_links(&self) -> bool {
        self.refresh.as_ref().is_none_or(|state| state.full)
    }

    /// What a sitemap says of an address.
    pub fn changed_at(&self, url: &Url) -> Option<Timestamp> {
        self.changed_at.get(&hash(url.as_str())).copied()
    }

    /// Counts what a refresh has found.
    pub fn count(&mut self, change: Change) {
        if let Some(state) = &mut self.refresh {
            state.found.count(change);
        }
    }

    /// Counts what was not sent again, and whether not even asked for.
    pub fn count_saved(&mut self, bytes: u64, request: bool) {
        if let Some(state) = &mut self.refresh {
            state.found.bytes_saved += bytes;
            state.found.requests_saved += u32::from(request);
        }
    }

    /// A page that was known is gone: its last result says so.
    pub fn removed(&mut self, ticket: &Ticket, json: Vec<u8>) {
        let page = VisitedPage {
            final_url: ticket.url.clone(),
            json,
            links: Vec::new(),
            canonical: None,
            nofollow: false,
            digest: Kept::REMOVED,
            content_hash: String::new(),
            text: String::new(),
            validators: crate::crawl::visit::Validators::default(),
            bytes: 0,
        };
        self.in_flight.remove(&ticket.number);
        self.keep(ticket.number, &page);
        self.count(Change::Removed);
    }
}

/// What a refresh of a page that nothing is known of is asked for.
fn page_alone(spec: &Spec) -> Asked {
    Asked {
        options: CrawlOptions {
            max_pages: 1,
            depth: 0,
            sitemap: SitemapUse::Skip,
            respect_robots: false,
            ..CrawlOptions::default()
        },
        config: spec.config.clone(),
    }
}

/// Where the results of a base lie, by the hash of their addresses: segment and line.
#[derive(Debug, Default)]
pub struct Places(HashMap<u64, (u32, u32)>);

impl Places {
    pub fn of(entries: &[Entry]) -> Self {
        let place = |entry: &Entry| match &entry.standing {
            Standing::Done(kept) => Some((hash(&entry.url), (kept.segment, kept.line))),
            _ => None,
        };
        Self(entries.iter().filter_map(place).collect())
    }

    pub fn get(&self, url: &Url) -> Option<(u32, u32)> {
        self.0.get(&hash(url.as_str())).copied()
    }
}

/// The status that says that a page does not exist any more, if a failure has one.
pub fn gone(code: FailureCode) -> Option<u16> {
    match code {
        FailureCode::Http(status @ (404 | 410)) => Some(status),
        _ => None,
    }
}
