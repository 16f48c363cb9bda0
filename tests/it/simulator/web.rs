//! The web of the simulator: pages that are slow, gone, or as they should be, and a site to crawl.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jobs::crawl::visit::{RobotsFile, Sitemap, SitemapRequest, Visit, Visited};
use jobs::ports::{PageRequest, Scraper};
use jobs::{Failure, FailureCode, Page};
use url::Url;

use super::graph::{Graph, page_of};
use super::world::{World, gate};

/// A web on which the dice decide.
pub(super) struct Script {
    pub(super) world: Arc<World>,
    pub(super) succeeded: AtomicU64,
    pub(super) site: Option<Site>,
}

/// A site that is crawled, and how it has been treated.
pub(super) struct Site {
    pub(super) graph: Graph,
    /// How often each page failed that does not always fail.
    failed: Mutex<BTreeMap<usize, u8>>,
    most_failures: u8,
    /// A page takes down whoever has asked for it just now.
    killed: AtomicBool,
}

impl Site {
    /// Each page fails fewer times than it is tried.
    pub(super) fn new(graph: Graph, attempts: u8) -> Self {
        Self {
            graph,
            failed: Mutex::default(),
            most_failures: attempts - 1,
            killed: AtomicBool::new(false),
        }
    }

    fn may_fail(&self, page: usize) -> bool {
        let failed = self.failed.lock().unwrap();
        failed.get(&page).copied().unwrap_or(0) < self.most_failures
    }

    fn fails(&self, page: usize) {
        *self.failed.lock().unwrap().entry(page).or_default() += 1;
    }
}

impl Script {
    /// Whether whoever ran last is taken down by what it asked for.
    pub(super) fn has_killed(&self) -> bool {
        let killed = |site: &Site| site.killed.swap(false, Ordering::Relaxed);
        self.site.as_ref().is_some_and(killed)
    }

    async fn answers(&self) {
        for _ in 0..self.world.below(4) {
            gate().await;
        }
        let millis = if self.world.below(40) == 0 { 5_000 } else { 40 };
        self.world
            .advance(Duration::from_millis(self.world.roll() % millis));
    }
}

#[async_trait]
impl Scraper for Script {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        for _ in 0..self.world.below(4) {
            gate().await;
        }
        if self.world.strikes("a page is slow", 20) {
            return Err(Failure::new(FailureCode::Timeout, "simulated"));
        }
        if self.world.strikes("a page is gone", 10) {
            return Err(Failure::new(FailureCode::Http(404), "simulated"));
        }
        self.succeeded.fetch_add(1, Ordering::Relaxed);
        Ok(crate::support::page(
            request.url.as_str(),
            self.world.time(),
        ))
    }

    async fn visit(&self, visit: &Visit) -> Result<Visited, Failure> {
        let site = self.site.as_ref().unwrap();
        self.answers().await;
        let page = page_of(&visit.url);
        if site.graph.kills(page) {
            self.world.count("a page kills its worker");
            site.killed.store(true, Ordering::Relaxed);
            gate().await;
        }
        if site.may_fail(page) && self.world.strikes("a page is slow", 10) {
            site.fails(page);
            return Err(Failure::new(FailureCode::Timeout, "simulated"));
        }
        site.graph.answer(&visit.url)
    }

    async fn robots(&self, _: &Url, _: Option<&str>) -> RobotsFile {
        self.answers().await;
        RobotsFile::Absent
    }

    async fn sitemap(&self, _: &SitemapRequest) -> Result<Sitemap, Failure> {
        self.answers().await;
        Ok(self.site.as_ref().unwrap().graph.sitemap())
    }
}
