//! What is shown of crawls and refreshes, and of the options of any job, from the domain to JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use jobs::crawl::CrawlOptions;
use jobs::spec::RefreshOptions;
use jobs::{Job, Spec, State, Status, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::openapi::config::ConfigBody;
use crate::openapi::words::{PageFormatWord, SitemapWord};
use crate::stage;
use crate::webhook_view::JobWebhookView;

/// How many addresses of a crawl stand where.
#[derive(Serialize, ToSchema)]
pub(crate) struct CountersView {
    /// All that are known: the sum of the others.
    discovered: u32,
    /// To be fetched.
    queued: u32,
    /// Fetched, and a result.
    done: u32,
    failed: u32,
    /// Not fetched, or no result; `/urls` says of each why.
    skipped: u32,
}

impl CountersView {
    /// All zero before the crawl has begun.
    pub(crate) fn of(job: &Job) -> Self {
        let counters = job.crawl.as_ref().map(|it| it.counters).unwrap_or_default();
        Self {
            discovered: counters.discovered(),
            queued: counters.queued,
            done: counters.done,
            failed: counters.failed,
            skipped: counters.skipped,
        }
    }
}

/// How a crawl goes on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaceView {
    /// Results per second lately; null while there is nothing to tell, as where the crawl waits
    /// for a time that is still to come.
    #[schema(required = true, minimum = 0, example = 35.2)]
    pages_per_second: Option<f64>,
    /// The address that was last begun, shortened; null where none is being fetched.
    #[schema(required = true, example = "https://example.com/shop/tea")]
    current_url: Option<String>,
    /// When it will have ended if it goes on like this; null where nobody can tell.
    #[schema(required = true, format = DateTime)]
    estimated_end: Option<String>,
}

impl PaceView {
    pub(crate) fn new(job: &Job, spec: &Spec, now: Timestamp) -> Self {
        // One that waits for a time that is still to come has no pace.
        let goes_on = matches!(job.status(now), Status::Active | Status::Waiting);
        let progress = job.crawl.as_deref().filter(|_| goes_on);
        let rate = progress.map(|it| it.rate).filter(|rate| *rate > 0);
        let end = progress.zip(rate).map(|(progress, rate)| {
            let left = u64::from(stage::left(progress, Some(spec)));
            // Hundredths of pages a second, and milliseconds.
            now + Duration::from_millis(left * 100_000 / u64::from(rate))
        });
        let is_active = job.state == State::Active;
        let current = progress.filter(|_| is_active);
        let current = current.map(|it| it.current.as_str());
        Self {
            pages_per_second: rate.map(|rate| f64::from(rate) / 100.0),
            current_url: current.filter(|it| !it.is_empty()).map(str::to_owned),
            estimated_end: end.map(|end| end.to_string()),
        }
    }
}

/// What a refresh has found so far, and what it did without.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefreshedView {
    /// Pages that were not known.
    new: u32,
    same: u32,
    changed: u32,
    /// Pages that are gone.
    removed: u32,
    /// Pages that were not even asked for.
    requests_saved: u32,
    /// Bytes of bodies that were not sent again.
    bytes_saved: u64,
}

impl RefreshedView {
    /// All zero before the refresh has begun.
    pub(crate) fn of(job: &Job) -> Self {
        let found = job.crawl.as_ref().and_then(|it| it.refresh);
        let found = found.unwrap_or_default();
        Self {
            new: found.new,
            same: found.same,
            changed: found.changed,
            removed: found.removed,
            requests_saved: found.requests_saved,
            bytes_saved: found.bytes_saved,
        }
    }
}

/// What the job was asked to do, as far as it may be shown again; each type of job has options of
/// its own besides.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OptionsView {
    attempts: u8,
    /// Milliseconds.
    delay: u64,
    /// Milliseconds.
    timeout: u64,
    #[schema(value_type = ConfigBody)]
    config: Value,
    /// Names of the headers; their values are hidden.
    headers: BTreeMap<String, &'static str>,
    #[schema(required = true)]
    user_agent: Option<String>,
    /// Whether its pages are told of in events.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    page_events: bool,
    /// Who is told of what happens to this job, where it names somebody itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook: Option<JobWebhookView>,
    #[serde(flatten)]
    #[schema(value_type = CrawlView)]
    crawl: Option<CrawlView>,
    #[serde(flatten)]
    #[schema(value_type = RefreshView)]
    refresh: Option<RefreshView>,
}

/// The options of a crawl.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CrawlView {
    #[schema(required = false)]
    max_pages: u32,
    #[schema(required = false)]
    depth: u8,
    #[schema(required = false)]
    include_subdomains: bool,
    #[schema(required = false)]
    include: Vec<String>,
    #[schema(required = false)]
    exclude: Vec<String>,
    #[schema(required = false, value_type = SitemapWord)]
    sitemap: &'static str,
    #[schema(required = false)]
    respect_robots: bool,
    #[schema(required = false)]
    max_concurrency: u8,
    /// Milliseconds.
    #[schema(required = false)]
    request_delay: u64,
    #[schema(required = false, value_type = Vec<PageFormatWord>)]
    formats: Vec<&'static str>,
}

/// The options of a refresh.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefreshView {
    /// The job that is refreshed, where it was named.
    job_id: Option<String>,
    #[schema(format = DateTime)]
    last_crawled_at: Option<String>,
    #[schema(required = false)]
    force_refresh: bool,
    #[schema(required = false)]
    full_refresh: bool,
}

impl OptionsView {
    pub(crate) fn new(spec: &Spec) -> Self {
        let hidden = |(name, _): &(String, String)| (name.clone(), "(hidden)");
        Self {
            attempts: spec.attempts,
            delay: spec.delay_ms,
            timeout: spec.timeout_ms,
            config: serde_json::to_value(&spec.config).unwrap_or_default(),
            headers: spec.headers.iter().map(hidden).collect(),
            user_agent: spec.user_agent.clone(),
            page_events: spec.page_events,
            webhook: spec.webhook.as_ref().map(JobWebhookView::new),
            crawl: spec.crawl.as_ref().map(CrawlView::new),
            refresh: spec.refresh.as_ref().map(RefreshView::new),
        }
    }
}

impl CrawlView {
    fn new(options: &CrawlOptions) -> Self {
        Self {
            max_pages: options.max_pages,
            depth: options.depth,
            include_subdomains: options.include_subdomains,
            include: options.include.clone(),
            exclude: options.exclude.clone(),
            sitemap: options.sitemap.as_str(),
            respect_robots: options.respect_robots,
            max_concurrency: options.max_concurrency,
            request_delay: options.request_delay,
            formats: options.formats.names(),
        }
    }
}

impl RefreshView {
    fn new(options: &RefreshOptions) -> Self {
        Self {
            job_id: options.job_id.clone(),
            last_crawled_at: options.last_crawled_at.map(|at| at.to_string()),
            force_refresh: options.force_refresh,
            full_refresh: options.full_refresh,
        }
    }
}
