//! What becomes of an address before anybody has asked for it: the one order in which scope,
//! patterns, traps, depth and robots.txt are looked at. Refuses to know whether it is known.

use url::Url;

use crate::address::MAX_URL;
use crate::crawl::options::{CrawlOptions, SitemapUse};
use crate::crawl::pattern::Pattern;
use crate::crawl::reason::Reason;
use crate::crawl::robots::Robots;
use crate::crawl::scope::Scope;
use crate::crawl::traps::Traps;

/// How an address was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Links between the start and it.
    pub depth: u8,
    /// By a link that may be followed, or in a sitemap.
    pub follow: bool,
    /// In a sitemap, whose pages have no depth to speak of.
    pub listed: bool,
}

impl Found {
    /// By a link on a page of this depth.
    pub const fn linked(depth: u8, follow: bool) -> Self {
        Self {
            depth,
            follow,
            listed: false,
        }
    }
}

/// The rules of one crawl.
#[derive(Clone, Debug)]
pub struct Rules {
    pub options: CrawlOptions,
    /// What the client has named, or what that has led to.
    pub start: Url,
    named: Url,
    pub scope: Scope,
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl Rules {
    pub fn new(mut start: Url, options: CrawlOptions) -> Self {
        start.set_fragment(None);
        // What does not compile was refused when the job was created.
        let compile = |patterns: &[String]| {
            let compiled = patterns.iter().map(|text| Pattern::compile(text));
            compiled.filter_map(Result::ok).collect()
        };
        Self {
            scope: Scope::of(&start, options.include_subdomains),
            include: compile(&options.include),
            exclude: compile(&options.exclude),
            named: start.clone(),
            start,
            options,
        }
    }

    /// Where the start has led to, where that is another address; to be kept with the crawl.
    pub fn start_leads_to(&self) -> Option<String> {
        (self.start != self.named).then(|| self.start.to_string())
    }

    /// Takes up what a crawl has learned of its start: the hosts and the address that it led to.
    pub fn readopt(&mut self, hosts: &[String], start: Option<&str>) {
        self.scope.readopt(hosts);
        if let Some(start) = start.and_then(|text| Url::parse(text).ok()) {
            self.start = start;
        }
    }

    /// Why an address is left out, if it is; the start is judged by robots.txt alone.
    pub(crate) fn judge(&self, url: &Url, found: Found, traps: &mut Traps) -> Result<(), Reason> {
        if !self.scope.contains(url) {
            return Err(Reason::OffScope);
        }
        if url == &self.start {
            return Ok(());
        }
        if url.as_str().len() > MAX_URL {
            return Err(Reason::Trap(
                "an address of more than 2048 bytes".to_owned(),
            ));
        }
        if let Some(pattern) = self.exclude.iter().find(|pattern| pattern.matches(url)) {
            return Err(Reason::Pattern(format!("excluded by {}", pattern.as_str())));
        }
        if !self.include.is_empty() && !self.include.iter().any(|pattern| pattern.matches(url)) {
            return Err(Reason::Pattern("matches no pattern of include".to_owned()));
        }
        if self.options.sitemap == SitemapUse::Only && !found.listed {
            return Err(Reason::Limit("in no sitemap".to_owned()));
        }
        if !found.follow {
            return Err(Reason::Nofollow);
        }
        if found.depth > self.options.depth {
            return Err(Reason::Depth);
        }
        match traps.judge(url) {
            Some(sign) => Err(Reason::Trap(sign.to_owned())),
            None => Ok(()),
        }
    }

    /// Why robots.txt leaves an address out, if it does.
    pub fn judge_robots(&self, url: &Url, robots: &Robots) -> Result<(), Reason> {
        if !self.options.respect_robots {
            return Ok(());
        }
        robots
            .judge(url)
            .map_err(|rule| Reason::Robots(rule.to_string()))
    }
}
