//! What a crawl knows and still has to do: every address with its standing, which one is next, and
//! what a finished visit changes. Pure: told the time, it neither fetches nor stores.
//!
//! Addresses are visited by depth, so that each is found by the shortest way; an address of which
//! a shorter way is found later takes what it led to along.

mod discover;
mod hosts;
mod light;
mod outcome;
mod redirect;
mod refresh;
mod store;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use url::Url;

use crate::crawl::entry::{Entry, Standing};
use crate::crawl::packing::Packer;
use crate::crawl::progress::{Counters, Part};
use crate::crawl::reason::Reason;
use crate::crawl::rules::{Found, Rules};
use crate::crawl::scope::authority;
use crate::crawl::table::{ByHash, Number, UrlTable};
use crate::crawl::traps::Traps;
use crate::extraction::Extraction;
use crate::spec::Spec;
use crate::time::Timestamp;

pub use hosts::Access;
pub use light::{light_head, notes_of};
pub use outcome::Ended;
pub use refresh::{Base, Earlier, Places, RefreshState, gone};
pub use store::{Asked, Manifest, Packed, ResultSegment, entries_of, unpack_segment};

use hosts::HostQueue;
use light::Light;
use store::Fresh;

/// Most sitemaps that one crawl reads.
const MAX_SITEMAPS: usize = 100;
/// Most addresses that one crawl knows.
const MAX_DISCOVERED: u32 = 500_000;

/// One address to visit now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub number: Number,
    pub url: Url,
    /// See [`crate::crawl::scope::authority`].
    pub host: String,
    /// Failed attempts before this one.
    pub tries: u8,
    /// Visited again for its links alone: its result is there.
    pub relink: bool,
    /// See [`crate::crawl::visit::Visit::follow`].
    pub follow: bool,
}

/// A sitemap that is still to be read, or was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KnownSitemap {
    pub url: String,
    #[serde(default)]
    pub done: bool,
    /// Indexes above it.
    #[serde(default)]
    pub nesting: u8,
}

pub struct Frontier {
    rules: Rules,
    config: Extraction,
    /// Of one page that a client has named: redirects are followed, wherever they lead.
    alone: bool,
    attempts: u8,
    table: UrlTable,
    /// Numbers of addresses by the hash of their spelling.
    spelled: ByHash<Number>,
    /// Numbers of pages by the hash of their identity.
    named: ByHash<Number>,
    traps: Traps,
    hosts: Vec<HostQueue>,
    host_of: HashMap<String, usize>,
    /// Depths of what is being visited.
    in_flight: BTreeMap<Number, InFlight>,
    /// Pages whose links have to be looked at once more: they are closer to the start than was
    /// known when they were read.
    relink: BTreeSet<Number>,
    /// Pages that were left out for their canonical address, which is still to be visited: its
    /// number first. Where it fails, they stand for themselves.
    stand_ins: BTreeSet<(Number, Number)>,
    /// While a crawl is taken up: pages that were left out for a canonical address.
    canonicals: Vec<(Number, Box<str>)>,
    sitemaps: Vec<KnownSitemap>,
    /// Visits that were begun.
    visits: u32,
    /// More addresses were found than are kept.
    overflow: bool,
    /// Something has changed that stands neither in the table nor among the results.
    has_moved: bool,
    /// What a refresh compares with, and what it has found.
    refresh: Option<RefreshState>,
    /// When pages were changed last, as sitemaps say.
    changed_at: ByHash<Timestamp>,
    /// The same as the slice before has left it, by number.
    dates: HashMap<Number, i64>,
    /// Links that light slices have found, for the next whole one to look at.
    raw: Vec<Part>,
    /// Only the head of the queue is in memory.
    light: Option<Light>,
    fresh: Fresh,
    /// Results of the base that could not be renewed.
    held: Fresh,
    packer: Packer,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    host: usize,
    depth: u8,
}

impl Frontier {
    /// A crawl that knows its start alone.
    pub fn begin(spec: &Spec, start: &Url) -> std::io::Result<Self> {
        let asked = Asked {
            options: spec.crawl.clone().unwrap_or_default(),
            config: spec.config.clone(),
            alone: false,
        };
        let mut frontier = Self::empty(spec, start, asked)?;
        let start = frontier.rules.start.clone();
        frontier.discover_url(&start, Found::linked(0, true));
        Ok(frontier)
    }

    fn empty(spec: &Spec, start: &Url, asked: Asked) -> std::io::Result<Self> {
        Ok(Self {
            rules: Rules::new(start.clone(), asked.options),
            config: asked.config,
            alone: asked.alone,
            attempts: spec.attempts,
            table: UrlTable::default(),
            spelled: ByHash::default(),
            named: ByHash::default(),
            traps: Traps::default(),
            hosts: Vec::new(),
            host_of: HashMap::new(),
            in_flight: BTreeMap::new(),
            relink: BTreeSet::new(),
            stand_ins: BTreeSet::new(),
            canonicals: Vec::new(),
            sitemaps: Vec::new(),
            visits: 0,
            overflow: false,
            has_moved: false,
            refresh: None,
            changed_at: ByHash::default(),
            dates: HashMap::new(),
            raw: Vec::new(),
            light: None,
            fresh: Fresh::default(),
            held: Fresh::default(),
            packer: Packer::new()?,
        })
    }

    /// What is read from each page.
    pub fn config(&self) -> &Extraction {
        &self.config
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    pub fn counters(&self) -> Counters {
        self.table.counters()
    }

    /// Visits that were begun, over all slices.
    pub fn visits(&self) -> u32 {
        self.visits
    }

    /// The entry of an address, where it is in memory.
    pub fn entry(&self, number: Number) -> Option<&Entry> {
        self.table.get(number)
    }

    /// More addresses were found than are kept.
    pub fn has_overflown(&self) -> bool {
        self.overflow
    }

    /// Most addresses that this crawl keeps.
    fn most_discovered(&self) -> u32 {
        let pages = self.rules.options.max_pages;
        pages.saturating_mul(20).clamp(10_000, MAX_DISCOVERED)
    }

    /// Most addresses that wait at once: enough for every result and every failure.
    fn most_queued(&self) -> u32 {
        self.rules.options.max_pages.saturating_mul(2) + 1_000
    }

    /// Most visits: a site of redirects alone ends too.
    fn most_visits(&self) -> u32 {
        let tries = u32::from(self.attempts.max(1));
        (self.rules.options.max_pages.saturating_mul(4) + 100).saturating_mul(tries)
    }

    /// The next address to visit, where one may be visited now. `permitted` says of a host whether
    /// a request to it may start.
    pub fn next(
        &mut self,
        now: Timestamp,
        mut permitted: impl FnMut(&str) -> bool,
    ) -> Option<Ticket> {
        loop {
            if self.limit_reached(self.in_flight.len() as u32).is_some() {
                return None;
            }
            let (depth, number, host) = self.first_ready(now, &mut permitted)?;
            if self.awaits_less_than(depth) {
                return None;
            }
            self.hosts[host].ready.remove(&(depth, number));
            let relink = self.relink.contains(&number);
            let Some((url, tries)) = self.address(number) else {
                continue;
            };
            if let Err(reason) = self.judge_robots(host, &url) {
                self.end(number, reason, None);
                continue;
            }
            self.visits += 1;
            self.in_flight.insert(number, InFlight { host, depth });
            return Some(Ticket {
                number,
                url,
                host: self.hosts[host].authority.clone(),
                tries,
                relink,
                follow: self.alone,
            });
        }
    }

    /// Whether something closer to the start is under way, which may lead to this depth by a shorter
    /// way.
    fn awaits_less_than(&self, depth: u8) -> bool {
        self.in_flight.values().any(|visit| visit.depth < depth)
    }

    /// This very address, where it waits to be visited.
    pub fn take(&mut self, number: Number) -> Option<Ticket> {
        let depth = self.table.get(number)?.depth;
        let (url, tries) = self.address(number)?;
        let is_queued = matches!(self.table.get(number)?.standing, Standing::Queued(_));
        if !is_queued || self.in_flight.contains_key(&number) {
            return None;
        }
        self.dequeue(number, &url, depth);
        let host = self.host(&url);
        self.visits += 1;
        self.in_flight.insert(number, InFlight { host, depth });
        Some(Ticket {
            number,
            url,
            host: self.hosts[host].authority.clone(),
            tries,
            relink: false,
            follow: self.alone,
        })
    }

    /// The host of an address that [`Frontier::take`] would take.
    pub fn host_to_take(&self, number: Number) -> Option<String> {
        let is_queued = matches!(self.table.get(number)?.standing, Standing::Queued(_));
        let (url, _) = self.address(number)?;
        (is_queued && !self.in_flight.contains_key(&number)).then(|| authority(&url))
    }

    /// The ready address with the smallest depth on a host that may be asked now.
    fn first_ready(
        &mut self,
        now: Timestamp,
        permitted: &mut impl FnMut(&str) -> bool,
    ) -> Option<(u8, Number, usize)> {
        let mut first = None;
        for (index, host) in self.hosts.iter_mut().enumerate() {
            host.wake(now);
            let Some(&(depth, number)) = host.ready.first() else {
                continue;
            };
            if first.is_none_or(|known| (depth, number, index) < known)
                && host.is_known()
                && permitted(&host.authority)
            {
                first = Some((depth, number, index));
            }
        }
        first
    }

    /// Which bound of the crawl is reached with `more` visits under way, if any.
    fn limit_reached(&self, more: u32) -> Option<&'static str> {
        let counters = self.counters();
        let most = self.rules.options.max_pages;
        if counters.done + more >= most {
            Some("maxPages")
        } else if counters.failed >= most {
            Some("as many failed pages as maxPages")
        } else if self.visits >= self.most_visits() {
            Some("too many visits without a result")
        } else {
            None
        }
    }

    /// Whether nothing is left to do. What is over a bound is skipped by the way.
    pub fn is_over(&mut self) -> bool {
        if !self.in_flight.is_empty() {
            return false;
        }
        if let Some(limit) = self.limit_reached(0) {
            self.skip_waiting(limit);
        }
        let noted = self.has_notes() || !self.raw.is_empty();
        self.counters().queued == 0
            && self.relink.is_empty()
            && self.next_sitemap().is_none()
            && !noted
    }

    /// When something may be visited that has to wait now for itself; hosts are not considered.
    pub fn wakes_at(&self) -> Option<Timestamp> {
        let first = |host: &HostQueue| host.later.first().map(|(at, _)| *at);
        self.hosts.iter().filter_map(first).min()
    }

    /// A sitemap that is still to be read.
    pub fn next_sitemap(&self) -> Option<(usize, &KnownSitemap)> {
        let open = |(_, sitemap): &(usize, &KnownSitemap)| !sitemap.done;
        self.sitemaps.iter().enumerate().find(open)
    }

    fn end(&mut self, number: Number, reason: Reason, final_url: Option<&Url>) {
        // What it was stays, whatever its second visit led to.
        if self.forget_relink(number) {
            return;
        }
        let final_url = final_url.map(|url| url.as_str().into());
        let stands_for_nobody = matches!(
            reason,
            Reason::Failure(..)
                | Reason::TooLarge
                | Reason::WrongType(_)
                | Reason::Robots(_)
                | Reason::OffScope
        );
        self.table.change(number, |entry| {
            if !matches!(entry.standing, Standing::Done(_)) {
                entry.standing = Standing::Ended(reason);
                entry.final_url = final_url;
            }
        });
        if stands_for_nobody {
            self.recall_stand_ins(number);
        }
    }
}

#[cfg(test)]
mod tests;
