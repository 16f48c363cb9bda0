//! One page from its address to its result: through the door, then read on a blocking thread.

use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use jobs::crawl::Formats;
use jobs::crawl::visit::{RobotsFile, Sitemap, SitemapRequest, Visit, Visited};
use jobs::ports::{PageRequest, Scraper};
use jobs::{Extraction, Failure, FailureCode, Page, Timestamp};
use tokio::sync::Semaphore;
use url::Url;

use crate::door::{Door, Fetch, Fetched, Media, Targets, Unbuilt};
use crate::extract::{
    Budget, Extracted, Input, Kind, MAX_HEADINGS, MAX_LINKS, PAGE_BUDGET, extract_in,
};
use crate::robots::{self, ROBOTS_TIMEOUT};
use crate::sitemap;
use crate::visit::visit;
use crate::web::Web;

/// How much longer than its timeout a fetch may take to say so itself.
pub(crate) const GRACE: Duration = Duration::from_millis(100);

/// [`Scraper`] for the real web. Build one per process: it holds the connections.
pub struct WebScraper {
    pub(crate) door: Door,
    pub(crate) web: Web,
    /// One page per processor is read at a time: more would only share it, and the memory.
    readers: Arc<Semaphore>,
}

impl WebScraper {
    pub fn new(targets: Targets) -> Result<Self, Unbuilt> {
        let web = Web::start()?;
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Door::new(targets).map(|door| Self {
            door,
            web,
            readers: Arc::new(Semaphore::new(processors)),
        })
    }
}

impl WebScraper {
    /// Judges an address by all that can be told without asking for anything. Fails with
    /// `address_refused`.
    pub fn judge(&self, url: &Url) -> Result<(), Failure> {
        self.door.judge(url)
    }

    async fn fetch(&self, request: &PageRequest) -> Result<Fetched, Failure> {
        let (door, owned) = (self.door.clone(), request.clone());
        let fetching = async move {
            let fetch = Fetch {
                url: &owned.url,
                headers: &owned.headers,
                user_agent: owned.user_agent.as_deref(),
                timeout: owned.timeout,
            };
            door.fetch(&fetch).await
        };
        self.within(request.timeout, fetching).await
    }

    /// Runs a task on the threads of the web and gives it up when its time is over.
    async fn within<T: Send + 'static>(
        &self,
        timeout: Duration,
        task: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let fetching = self.web.spawn(task);
        // The door keeps time as well, but a flood may keep the door from looking at its clock.
        let ended = tokio::time::timeout(timeout + GRACE, fetching).await;
        let Ok(ended) = ended else {
            let millis = timeout.as_millis();
            let message = format!("The page was not there within {millis} ms");
            return Err(Failure::new(FailureCode::Timeout, message));
        };
        ended.unwrap_or_else(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "fetching a page panicked");
            let message = "The page could not be fetched";
            Err(Failure::new(FailureCode::Internal, message))
        })
    }
}

#[async_trait]
impl Scraper for WebScraper {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        let started = Instant::now();
        let fetched = self.fetch(request).await?;
        let fetched_at = now();
        let request = request.clone();
        // Never closed; if it were, the page would be read without waiting its turn.
        let turn = Arc::clone(&self.readers).acquire_owned().await.ok();
        let left = request.timeout.saturating_sub(started.elapsed());
        // Reading a page is work for the processor, up to a second of it.
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let decoded = fetched.body.decode();
            let reading = Reading {
                fetched: &fetched,
                text: &decoded.text,
                extraction: &request.extraction,
                formats: Formats::default(),
            };
            let extracted = reading.read(left)?;
            let duration = started.elapsed();
            Ok(page(
                &fetched,
                &request.url,
                extracted,
                fetched_at,
                duration,
            ))
        });
        read.await.unwrap_or_else(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "reading a page panicked");
            Err(Failure::new(
                FailureCode::Internal,
                "The page could not be read",
            ))
        })
    }

    async fn robots(&self, origin: &Url, user_agent: Option<&str>) -> RobotsFile {
        robots::fetch(&self.web, &self.door, origin, user_agent, ROBOTS_TIMEOUT).await
    }

    async fn sitemap(&self, request: &SitemapRequest) -> Result<Sitemap, Failure> {
        sitemap::fetch(&self.web, &self.door, &self.readers, request).await
    }

    async fn visit(&self, asked: &Visit) -> Result<Visited, Failure> {
        let readers = Arc::clone(&self.readers);
        let visiting = visit(self.door.clone(), readers, asked.clone());
        self.within(asked.timeout, visiting).await
    }
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Processor time of this thread: what a page costs must not depend on its neighbours.
#[cfg(unix)]
pub(crate) fn thread_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), spent.tv_nsec as u32)
}

/// Without such a clock, the time that passes.
#[cfg(not(unix))]
pub(crate) fn thread_time() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// A page that has come and is to be read.
pub(crate) struct Reading<'a> {
    pub(crate) fetched: &'a Fetched,
    pub(crate) text: &'a str,
    pub(crate) extraction: &'a Extraction,
    pub(crate) formats: Formats,
}

impl Reading<'_> {
    /// Reads it within [`PAGE_BUDGET`] of the processor and what is left of the job's time.
    pub(crate) fn read(&self, left: Duration) -> Result<Extracted, Failure> {
        let (started, spent_before) = (Instant::now(), thread_time());
        let budget = Budget::with_clock(PAGE_BUDGET, || {
            let passed = started.elapsed();
            if passed >= left {
                PAGE_BUDGET
            } else if passed < PAGE_BUDGET / 2 {
                // Nobody can have spent more than what has passed, and this clock is the cheaper.
                passed
            } else {
                thread_time().saturating_sub(spent_before)
            }
        });
        let input = Input {
            text: self.text,
            kind: match self.fetched.body.media() {
                Media::Html => Kind::Html,
                Media::Xml => Kind::Xml,
                Media::Json => Kind::Json,
                Media::Plain => Kind::Text,
            },
            final_url: &self.fetched.final_url,
            language: self.fetched.headers.get(&CONTENT_LANGUAGE),
            extraction: self.extraction,
        };
        extract_in(&input, self.formats, &budget).map_err(|failure| {
            // It may be the time of the job that ran out, not the page's.
            if failure.code == FailureCode::ParseBudget && started.elapsed() >= left {
                let message = "The job's time ended while the page was read";
                Failure::new(FailureCode::Timeout, message)
            } else {
                failure
            }
        })
    }
}

pub(crate) fn page(
    fetched: &Fetched,
    url: &Url,
    extracted: Extracted,
    fetched_at: Timestamp,
    duration: Duration,
) -> Page {
    let header = |name| fetched.headers.get(&name).map(str::to_owned);
    let ends_early = extracted.links.len() >= MAX_LINKS || extracted.headings.len() >= MAX_HEADINGS;
    Page {
        url: url.to_string(),
        final_url: fetched.final_url.to_string(),
        status: fetched.status,
        content_type: header(CONTENT_TYPE),
        language: extracted.language,
        title: extracted.title,
        description: extracted.description,
        canonical: extracted.canonical,
        headings: extracted.headings,
        links: extracted.links,
        text: extracted.text,
        markdown: extracted.markdown,
        metadata: extracted.metadata,
        html: None,
        fields: extracted.fields,
        content_hash: extracted.content_hash,
        etag: header(ETAG),
        last_modified: header(LAST_MODIFIED),
        fetched_at,
        duration_ms: duration.as_millis() as u64,
        bytes: fetched.body.bytes().len() as u64,
        js_required: extracted.js_required,
        truncated: ends_early,
    }
}
