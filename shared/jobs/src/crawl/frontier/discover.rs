//! How an address becomes known: by a link, a sitemap, a redirect. Each is written down once, with
//! its standing and why.

use std::hash::{DefaultHasher, Hash, Hasher};

use url::Url;

use super::{Frontier, KnownSitemap, MAX_SITEMAPS};
use crate::address::MAX_URL;
use crate::crawl::entry::{Entry, Standing};
use crate::crawl::options::SitemapUse;
use crate::crawl::reason::Reason;
use crate::crawl::refresh::last_modified;
use crate::crawl::rules::Found;
use crate::crawl::scope::identity;
use crate::crawl::table::Number;
use crate::crawl::visit::{FoundLink, Sitemap};
use crate::time::Timestamp;

/// Most hosts of one site.
const MAX_HOSTS: usize = 1_000;
/// Indexes that may lead to a sitemap.
const MAX_NESTING: u8 = 3;

pub(super) fn hash(text: &str) -> u64 {
    // The same in one process, which is all that is asked: it is made anew from the addresses.
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Frontier {
    /// Takes up the links of a page of this depth.
    pub(super) fn discover_links(&mut self, links: &[FoundLink], depth: u8, nofollow: bool) {
        if !self.follows_links() {
            return;
        }
        let depth = depth.saturating_add(1);
        if self.note_links(links, depth, nofollow) {
            return;
        }
        for link in links {
            let found = Found::linked(depth, !nofollow && !link.nofollow);
            self.discover(&link.url, found);
        }
    }

    /// Takes up an address, absolute and without a fragment.
    pub(super) fn discover(&mut self, text: &str, found: Found) {
        if let Some(&number) = self.spelled.get(&hash(text)) {
            self.find_again(number, found);
        } else if let Ok(url) = Url::parse(text) {
            self.discover_url(&url, found);
        }
    }

    /// Takes up an address and says its number; nothing where there is no room for more.
    pub(super) fn discover_url(&mut self, url: &Url, found: Found) -> Option<Number> {
        let spelling = hash(url.as_str());
        if let Some(&number) = self.spelled.get(&spelling) {
            self.find_again(number, found);
            return Some(number);
        }
        if self.table.len() >= self.most_discovered() || url.as_str().len() > MAX_URL {
            self.overflow = true;
            return None;
        }
        let name = hash(&identity(url));
        if let Some(&number) = self.named.get(&name) {
            self.find_again(number, found);
            let known = self.table.get(number).map(|entry| entry.url.to_string());
            let target = known.unwrap_or_else(|| identity(url));
            let duplicate = self.write_down(url, found, Err(Reason::Duplicate(target)));
            self.spelled.insert(spelling, duplicate);
            return Some(duplicate);
        }
        let verdict = self.judge(url, found);
        let number = self.write_down(url, found, verdict);
        self.spelled.insert(spelling, number);
        self.named.insert(name, number);
        Some(number)
    }

    /// The page that an address names, where it is known.
    pub(super) fn number_of(&self, url: &Url) -> Option<Number> {
        self.named.get(&hash(&identity(url))).copied()
    }

    fn judge(&mut self, url: &Url, found: Found) -> Result<(), Reason> {
        self.rules.judge(url, found, &mut self.traps)?;
        if self.hosts.len() >= MAX_HOSTS && !self.knows_host(url) {
            let sign = "more than 1000 hosts";
            return Err(Reason::Trap(sign.to_owned()));
        }
        let host = self.host(url);
        self.judge_robots(host, url)?;
        if self.counters().queued >= self.most_queued() {
            return Err(Reason::Limit("maxPages".to_owned()));
        }
        Ok(())
    }

    fn write_down(&mut self, url: &Url, found: Found, verdict: Result<(), Reason>) -> Number {
        let queued = verdict.is_ok();
        let standing = match verdict {
            Ok(()) => Standing::Queued(Timestamp::default()),
            Err(reason) => Standing::Ended(reason),
        };
        let number = self.table.push(Entry {
            url: url.as_str().into(),
            depth: found.depth,
            tries: 0,
            held: None,
            hops: 0,
            standing,
            final_url: None,
        });
        if queued {
            self.enqueue(number, url, found.depth, Timestamp::default());
        }
        number
    }

    /// An address that is known is found once more: maybe by a shorter way, or by one that may be
    /// followed. What it has led to comes along.
    fn find_again(&mut self, number: Number, found: Found) {
        let mut next = found.follow.then_some(number);
        // Each has come closer to the start, so that this ends.
        while let Some(number) = next {
            next = self.bring_closer(number, found);
        }
    }

    /// As [`Self::find_again`], of this address alone; says which other one it stands for.
    fn bring_closer(&mut self, number: Number, found: Found) -> Option<Number> {
        let entry = self.table.get(number)?;
        let (before, shorter) = (entry.depth, found.depth < entry.depth);
        match &entry.standing {
            Standing::Ended(Reason::Depth) if shorter => self.reconsider(number, found),
            Standing::Ended(Reason::Nofollow) => self.reconsider(number, found),
            Standing::Queued(at) if shorter => {
                let at = *at;
                let url = Url::parse(&entry.url).ok()?;
                self.table.change(number, |entry| entry.depth = found.depth);
                if !self.in_flight.contains_key(&number) {
                    self.dequeue(number, &url, before);
                    self.enqueue(number, &url, found.depth, at);
                }
            }
            // Under another spelling; that one is what comes closer.
            Standing::Ended(Reason::Duplicate(target)) => {
                let target = Url::parse(target).ok();
                let target = target.and_then(|url| self.number_of(&url));
                return target.filter(|target| *target != number);
            }
            Standing::Ended(Reason::Redirect(target)) if shorter => {
                let target = Url::parse(target).ok();
                self.table.change(number, |entry| entry.depth = found.depth);
                return target.and_then(|url| self.number_of(&url));
            }
            // Its links have come closer to the start than was known when it was read.
            Standing::Done(_) | Standing::Ended(Reason::Canonical(_)) if shorter => {
                let target = entry.reason().and_then(Reason::target);
                let target = target.and_then(|url| Url::parse(url).ok());
                let url = Url::parse(&entry.url).ok()?;
                self.table.change(number, |entry| {
                    entry.depth = found.depth;
                    entry.tries = 0;
                });
                if self.relink.insert(number) {
                    self.enqueue(number, &url, found.depth, Timestamp::default());
                }
                return target.and_then(|url| self.number_of(&url));
            }
            _ => {}
        }
        None
    }

    /// Whether its links were to be looked at once more; from here on they are not.
    pub(super) fn forget_relink(&mut self, number: Number) -> bool {
        let known = self.relink.remove(&number);
        self.has_moved |= known;
        known
    }

    /// The address that others have called their canonical one is no page: they stand for
    /// themselves, and are visited once more.
    pub(super) fn recall_stand_ins(&mut self, canonical: Number) {
        let all = (canonical, Number::MIN)..=(canonical, Number::MAX);
        let stand_ins: Vec<_> = self.stand_ins.range(all).copied().collect();
        for pair in stand_ins {
            self.stand_ins.remove(&pair);
            self.recall_stand_in(pair.1);
        }
    }

    /// The address that others have called their canonical one leads on to another page, which
    /// stands for them from now on; where it leads back to one of them, that one is a page itself.
    pub(super) fn pass_stand_ins_on(&mut self, canonical: Number) {
        let all = (canonical, Number::MIN)..=(canonical, Number::MAX);
        let stand_ins: Vec<_> = self.stand_ins.range(all).copied().collect();
        for pair in stand_ins {
            self.stand_ins.remove(&pair);
            match self.stands_for(canonical) {
                Some(target) if target != pair.1 => self.note_stand_in(pair.1, target),
                _ => self.recall_stand_in(pair.1),
            }
        }
    }

    pub(super) fn recall_stand_in(&mut self, number: Number) {
        let Some(entry) = self.table.get(number) else {
            return;
        };
        let is_out = matches!(entry.standing, Standing::Ended(Reason::Canonical(_)));
        if let (true, depth, Ok(url)) = (is_out, entry.depth, Url::parse(&entry.url)) {
            if self.forget_relink(number) {
                self.dequeue(number, &url, depth);
            }
            self.table.change(number, |entry| {
                entry.tries = 0;
                entry.standing = Standing::Queued(Timestamp::default());
            });
            self.enqueue(number, &url, depth, Timestamp::default());
        }
    }

    /// Judges an address anew that was left out for a reason that may not hold any more.
    pub(super) fn reconsider(&mut self, number: Number, found: Found) {
        let Some(Ok(url)) = self.table.get(number).map(|entry| Url::parse(&entry.url)) else {
            return;
        };
        let verdict = self.judge(&url, found);
        let queued = verdict.is_ok();
        self.table.change(number, |entry| {
            // A way that was not to be followed does not count.
            entry.depth = found.depth;
            entry.standing = match verdict {
                Ok(()) => Standing::Queued(Timestamp::default()),
                Err(reason) => Standing::Ended(reason),
            };
        });
        if queued {
            self.enqueue(number, &url, found.depth, Timestamp::default());
        }
    }

    /// Sitemaps that robots.txt names, else the usual one.
    pub(super) fn offer_sitemaps(&mut self, origin: &Url, named: &[String]) {
        if self.rules.options.sitemap == SitemapUse::Skip || !self.sitemaps.is_empty() {
            return;
        }
        let usual = ["/sitemap.xml".to_owned()];
        let named = if named.is_empty() { &usual[..] } else { named };
        for text in named {
            if let Ok(url) = origin.join(text) {
                self.offer_sitemap(&url, 0);
            }
        }
    }

    fn offer_sitemap(&mut self, url: &Url, nesting: u8) {
        let known = |sitemap: &KnownSitemap| sitemap.url == url.as_str();
        // A sitemap elsewhere may only be named by the site's own robots.txt.
        let ours = self.rules.scope.contains(url) || nesting == 0;
        let plain = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= MAX_URL;
        if ours
            && plain
            && nesting <= MAX_NESTING
            && self.sitemaps.len() < MAX_SITEMAPS
            && !self.sitemaps.iter().any(known)
        {
            self.has_moved = true;
            self.sitemaps.push(KnownSitemap {
                url: url.to_string(),
                done: false,
                nesting,
            });
        }
    }

    /// A sitemap was read, or could not be.
    pub fn read_sitemap(&mut self, index: usize, sitemap: Option<&Sitemap>) {
        let Some(known) = self.sitemaps.get_mut(index) else {
            return;
        };
        known.done = true;
        self.has_moved = true;
        let nesting = known.nesting + 1;
        let Some(sitemap) = sitemap else { return };
        for text in &sitemap.sitemaps {
            if let Ok(url) = Url::parse(text) {
                self.offer_sitemap(&url, nesting);
            }
        }
        // What a refresh knows comes first, where not all may be had.
        let depth = if self.follows_links() {
            1
        } else {
            self.rules.options.depth.max(1)
        };
        let found = Found {
            depth,
            follow: true,
            listed: true,
        };
        for page in &sitemap.pages {
            if let Ok(mut url) = Url::parse(&page.url) {
                url.set_fragment(None);
                let at = page.last_modified.as_deref().and_then(last_modified);
                if let Some(at) = at.filter(|_| self.refresh.is_some()) {
                    self.changed_at.insert(hash(url.as_str()), at);
                }
                self.discover_url(&url, found);
            }
        }
    }
}
