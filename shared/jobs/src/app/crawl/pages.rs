//! What a slice asks of the web, and how it hears of it: pages, robots.txt, sitemaps.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use url::Url;

use crate::crawl::Formats;
use crate::crawl::frontier::Ticket;
use crate::crawl::refresh::Known;
use crate::crawl::robots::Robots;
use crate::crawl::visit::{Sitemap, SitemapRequest, Validators, Visit, Visited};
use crate::extraction::Extraction;
use crate::failure::{Failure, FailureCode};
use crate::ports::Scraper;
use crate::spec::Spec;

/// Most addresses that are read from one sitemap.
const MAX_LISTED: usize = 50_000;
/// A sitemap may take this long.
const SITEMAP_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) type Outcome = Result<Visited, Failure>;

/// Something that was begun has ended.
pub(super) enum Event {
    /// With what was known of the page, and the time that it took.
    Visited(Ticket, Option<Box<Known>>, Outcome, Duration),
    /// What is remembered of the rules of a host.
    Remembered(String, Option<Robots>),
    /// What its origin says of them, and the time that it took.
    Robots(String, Url, Result<Robots, Failure>, Duration),
    /// By its place in the list of sitemaps, with its host and the time that it took.
    Sitemap(usize, String, Result<Sitemap, Failure>, Duration),
}

/// What all visits of a crawl have in common.
pub(super) struct Visits {
    start: Option<Url>,
    headers: Arc<[(String, String)]>,
    user_agent: Option<Arc<str>>,
    extraction: Arc<Extraction>,
    formats: Formats,
}

impl Visits {
    pub(super) fn of(spec: &Spec, config: &Extraction, formats: Formats) -> Self {
        Self {
            start: spec.address(),
            headers: spec.headers.clone().into(),
            user_agent: spec.user_agent.as_deref().map(Into::into),
            extraction: Arc::new(config.clone()),
            formats,
        }
    }

    /// The job's own headers are for the origin that the client has named.
    fn headers_for(&self, url: &Url) -> Arc<[(String, String)]> {
        if self
            .start
            .as_ref()
            .is_some_and(|start| start.origin() == url.origin())
        {
            Arc::clone(&self.headers)
        } else {
            Arc::new([])
        }
    }

    pub(super) fn visit(
        &self,
        ticket: &Ticket,
        timeout: Duration,
        known: Option<Validators>,
    ) -> Visit {
        Visit {
            url: ticket.url.clone(),
            headers: self.headers_for(&ticket.url),
            user_agent: self.user_agent.clone(),
            timeout,
            extraction: Arc::clone(&self.extraction),
            formats: self.formats,
            known,
            follow: ticket.follow,
        }
    }

    pub(super) fn sitemap(&self, url: &str, left: Duration) -> Option<SitemapRequest> {
        let url = Url::parse(url).ok()?;
        Some(SitemapRequest {
            headers: self.headers_for(&url),
            url,
            user_agent: self.user_agent.clone(),
            timeout: SITEMAP_TIMEOUT.min(left),
            most: MAX_LISTED,
        })
    }
}

/// Visits one page. A panic is a failure of this page, not of the worker.
pub(super) async fn visit(scraper: &dyn Scraper, visit: &Visit) -> Outcome {
    let internal = || {
        let sentence = "the page could not be worked on";
        Failure::new(FailureCode::Internal, sentence)
    };
    let visited = AssertUnwindSafe(scraper.visit(visit)).catch_unwind().await;
    visited.unwrap_or_else(|_| {
        tracing::error!("the scraper panicked");
        Err(internal())
    })
}
