//! One host that several crawls visit at once, as it sees them itself: what it was asked for, when,
//! and whether somebody still waited for the answer.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jobs::crawl::visit::{
    FoundLink, RobotsFile, Sitemap, SitemapRequest, Validators, Visit, Visited, VisitedPage,
};
use jobs::ports::{Clock, PageRequest, Scraper};
use jobs::{Failure, FailureCode, Page, Timestamp};
use url::Url;

use super::time::Time;

/// Pages that lie under each start.
pub(super) const PAGES: usize = 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Robots,
    Sitemap,
    Page,
}

/// What the host does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) robots: &'static str,
    pub(super) takes: Duration,
    /// This request is answered by 429, to come back after 10 s.
    pub(super) refuses: usize,
}

pub(super) struct Host {
    time: Arc<Time>,
    manner: Manner,
    requests: Mutex<Vec<(Timestamp, Kind)>>,
    refused_at: Mutex<Option<Timestamp>>,
    under_way: AtomicUsize,
    pub(super) most_at_once: AtomicUsize,
    pub(super) given_up: AtomicUsize,
}

/// A request that the host works at.
struct UnderWay<'a> {
    host: &'a Host,
    is_answered: AtomicBool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.host.under_way.fetch_sub(1, Ordering::Relaxed);
        if !self.is_answered.load(Ordering::Relaxed) {
            self.host.given_up.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Host {
    pub(super) fn new(time: &Arc<Time>, manner: Manner) -> Arc<Self> {
        Arc::new(Self {
            time: Arc::clone(time),
            manner,
            requests: Mutex::default(),
            refused_at: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            given_up: AtomicUsize::new(0),
        })
    }

    async fn serve(&self, kind: Kind) -> Result<(), Failure> {
        let under_way = UnderWay {
            host: self,
            is_answered: AtomicBool::new(false),
        };
        let now_under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once
            .fetch_max(now_under_way, Ordering::Relaxed);
        let number = {
            let mut requests = self.requests.lock().unwrap();
            requests.push((self.time.now(), kind));
            requests.len()
        };
        self.time.sleep(self.manner.takes).await;
        under_way.is_answered.store(true, Ordering::Relaxed);
        if number == self.manner.refuses {
            *self.refused_at.lock().unwrap() = Some(self.time.now());
            let failure = Failure::new(FailureCode::Http(429), "Too many");
            return Err(failure.with_retry_after(Some(Duration::from_secs(10))));
        }
        Ok(())
    }

    pub(super) fn requests(&self) -> Vec<(Timestamp, Kind)> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn number_of(&self, kind: Kind) -> usize {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|(_, it)| *it == kind).count()
    }

    /// From the first request to the last.
    pub(super) fn took(&self) -> Duration {
        let requests = self.requests.lock().unwrap();
        let (first, last) = (requests.first().unwrap(), requests.last().unwrap());
        last.0.since(first.0)
    }

    pub(super) fn smallest_gap(&self) -> Duration {
        let requests = self.requests.lock().unwrap();
        let gaps = requests.windows(2).map(|pair| pair[1].0.since(pair[0].0));
        gaps.min().unwrap()
    }

    /// How long it was left alone after it had asked for that, counted once it is `known` to all.
    pub(super) fn silence_after(&self, known: Duration) -> Duration {
        let refused_at = self.refused_at.lock().unwrap().unwrap();
        let requests = self.requests.lock().unwrap();
        let mut after = requests.iter().filter(|(at, _)| *at >= refused_at + known);
        after.next().unwrap().0.since(refused_at)
    }
}

#[async_trait]
impl Scraper for Host {
    async fn scrape(&self, _: &PageRequest) -> Result<Page, Failure> {
        unreachable!()
    }

    async fn visit(&self, visit: &Visit) -> Result<Visited, Failure> {
        self.serve(Kind::Page).await?;
        let mut parts = visit.url.path().trim_matches('/').split('/');
        let start = parts.next().unwrap_or_default();
        let links = (1..PAGES).map(|page| FoundLink {
            url: format!("http://site.example/{start}/{page}"),
            nofollow: false,
        });
        let is_start = parts.next().is_none();
        Ok(Visited::Page(Box::new(VisitedPage {
            final_url: visit.url.clone(),
            json: format!("{{\"url\":\"{}\"}}", visit.url).into_bytes(),
            links: links.filter(|_| is_start).collect(),
            canonical: None,
            nofollow: false,
            digest: jobs::crawl::visit::digest(None, visit.url.as_str()),
            content_hash: String::new(),
            text: visit.url.to_string(),
            validators: Validators::default(),
            bytes: 100,
        })))
    }

    async fn robots(&self, _: &Url, _: Option<&str>) -> RobotsFile {
        match self.serve(Kind::Robots).await {
            Ok(()) => RobotsFile::Found(self.manner.robots.as_bytes().to_vec()),
            Err(failure) => RobotsFile::Unreachable(failure),
        }
    }

    async fn sitemap(&self, _: &SitemapRequest) -> Result<Sitemap, Failure> {
        self.serve(Kind::Sitemap).await?;
        Ok(Sitemap::default())
    }
}
