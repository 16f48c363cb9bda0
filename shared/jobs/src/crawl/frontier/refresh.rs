//! A refresh: the pages that are known instead of those that links lead to, or both. What it
//! compares with lies in the results of an earlier job, its base.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::discover::hash;
use super::{Asked, Frontier, Ticket};
use crate::crawl::entry::{Entry, Kept, Standing};
use crate::crawl::progress::{Part, Refreshed};
use crate::crawl::refresh::{Change, Known};
use crate::crawl::rules::Found;
use crate::crawl::table::Number;
use crate::crawl::visit::VisitedPage;
use crate::crawl::{CrawlOptions, SitemapUse};
use crate::extraction::Extraction;
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
    /// It had to end before it had looked at all that it knows.
    #[serde(default)]
    pub cut: bool,
    /// Other fields are asked for than those of the base.
    #[serde(default)]
    pub other_fields: bool,
    pub found: Refreshed,
}

/// An earlier job that a refresh goes by.
#[derive(Clone, Debug)]
pub struct Earlier {
    pub base: Base,
    pub asked: Asked,
    /// What it has learned of its start: the hosts and the address that this led to.
    pub adopted: Vec<String>,
    pub start: Option<String>,
    /// All that it knows.
    pub entries: Vec<Entry>,
}

impl Frontier {
    /// A refresh of what an earlier job has found, asked for what that was asked for; of one page
    /// where there is none.
    pub fn begin_refresh(
        spec: &Spec,
        start: &Url,
        earlier: Option<Earlier>,
    ) -> std::io::Result<Self> {
        let is_site = |earlier: &Earlier| earlier.base.manifest.is_some() && !earlier.asked.alone;
        let full = spec.refresh.as_ref().is_some_and(|it| it.full_refresh);
        let full = full && earlier.as_ref().is_some_and(is_site);
        let asked = earlier.as_ref().map(|earlier| earlier.asked.clone());
        let mut asked = asked.unwrap_or_else(|| Asked::page(spec.config.clone()));
        let other_fields = !spec.config.is_empty() && spec.config != asked.config;
        if other_fields {
            asked.config.clone_from(&spec.config);
        }
        let mut frontier = Self::empty(spec, start, asked)?;
        let is_new = earlier.is_none();
        let (base, known) = match earlier {
            Some(earlier) => {
                let start = earlier.start.as_deref();
                frontier.rules.readopt(&earlier.adopted, start);
                (Some(earlier.base), earlier.entries)
            }
            None => (None, Vec::new()),
        };
        frontier.refresh = Some(RefreshState {
            base,
            full,
            other_fields,
            ..RefreshState::default()
        });
        // The host of the start is the first.
        frontier.host(start);
        if is_new || full {
            frontier.discover_url(start, Found::linked(0, true));
        } else {
            for entry in &known {
                frontier.remind(entry);
            }
            // It found nothing: then there is no earlier result.
            if frontier.counters().queued == 0 {
                frontier.discover_url(start, Found::linked(0, true));
            }
        }
        Ok(frontier)
    }

    pub fn refresh(&self) -> Option<&RefreshState> {
        self.refresh.as_ref()
    }

    /// Puts a page of the base into the queue, as deep as it was.
    fn remind(&mut self, entry: &Entry) {
        let is_known = match &entry.standing {
            Standing::Done(kept) => kept.digest != Kept::REMOVED,
            _ => entry.held.is_some(),
        };
        if let (true, Ok(url)) = (is_known, Url::parse(&entry.url)) {
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

    /// What sitemaps say of the addresses that still wait, by number, for the next slice.
    pub(super) fn changes_ahead(&self) -> Vec<(Number, i64)> {
        if self.changed_at.is_empty() {
            return Vec::new();
        }
        let queued = self.table.queued();
        let dated = queued.filter_map(|(number, _)| {
            let entry = self.table.get(number)?;
            let at = self.changed_at.get(&hash(&entry.url))?;
            Some((number, at.as_millis()))
        });
        dated.collect()
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

    /// A page that is known could not be looked at: what is known of it stays as it was, for the
    /// next refresh.
    pub fn hold(&mut self, ticket: &Ticket, known: &Known) {
        let place = self.held.add(&known.line(), &mut self.packer);
        self.table
            .change(ticket.number, |entry| entry.held = Some(place));
    }

    /// Whether later refreshes may compare with this one: not where it has left out what an earlier
    /// one knows, since that would be forgotten.
    pub fn may_be_base(&self) -> bool {
        let state = self.refresh.as_ref();
        state.is_none_or(|state| !state.cut || state.base.is_none())
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

impl Asked {
    /// One page that a client has named: robots.txt has no say in that.
    pub fn page(config: Extraction) -> Self {
        Self {
            options: CrawlOptions {
                max_pages: 1,
                depth: 0,
                sitemap: SitemapUse::Skip,
                respect_robots: false,
                ..CrawlOptions::default()
            },
            config,
            alone: true,
        }
    }
}

/// Where a result of a base lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Among those that an earlier refresh could not renew.
    pub held: bool,
    pub segment: u32,
    pub line: u32,
}

/// Where the results of a base lie, by the hash of their addresses.
#[derive(Debug, Default)]
pub struct Places(HashMap<u64, Place>);

impl Places {
    pub fn of(entries: &[Entry]) -> Self {
        let place = |entry: &Entry| {
            let (held, (segment, line)) = match &entry.standing {
                Standing::Done(kept) => (false, (kept.segment, kept.line)),
                _ => (true, entry.held?),
            };
            let place = Place {
                held,
                segment,
                line,
            };
            Some((hash(&entry.url), place))
        };
        let mut places: HashMap<_, _> = entries.iter().filter_map(place).collect();
        // A page may be asked for by the spelling that it has redirected to.
        for entry in entries {
            if let (Some(place), Some(url)) = (place(entry), &entry.final_url) {
                places.entry(hash(url)).or_insert(place.1);
            }
        }
        Self(places)
    }

    pub fn get(&self, url: &Url) -> Option<Place> {
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
