//! What a refresh compares with: where it is found, how its pages are read back one by one, and how
//! the next refresh will find what this one has made of it.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::Timestamp;
use crate::app::App;
use crate::app::crawl::storage::pack_prefix;
use crate::crawl::entry::{Entry, Kept, Standing};
use crate::crawl::frontier::{Asked, Base, Frontier, Places, ResultSegment};
use crate::crawl::refresh::Known;
use crate::crawl::{CrawlOptions, Part, SitemapUse};
use crate::error::Error;
use crate::id::JobId;
use crate::job::Job;
use crate::ports::Baseline;
use crate::spec::{Spec, canonical};

/// How long a baseline is kept after its last use.
const KEPT: Duration = Duration::from_hours(90 * 24);
/// Segments of a base that are held in memory.
const CACHED: usize = 6;

/// The results of a base, read as they are needed.
pub(super) struct BasePages {
    job: JobId,
    refreshed: bool,
    segments: Vec<ResultSegment>,
    places: Places,
    pub(super) entries: Vec<Entry>,
    /// The segments that were read last, the newest at the end.
    cached: Vec<(u32, Arc<str>)>,
}

impl BasePages {
    /// What is known of an address.
    pub(super) async fn known(&mut self, app: &App, url: &Url) -> Result<Option<Known>, Error> {
        let Some((segment, line)) = self.places.get(url) else {
            return Ok(None);
        };
        let lines = match self
            .cached
            .iter()
            .position(|(number, _)| *number == segment)
        {
            Some(at) => {
                let found = self.cached.remove(at);
                let lines = Arc::clone(&found.1);
                self.cached.push(found);
                lines
            }
            None => {
                let Some(found) = self.segments.get(segment as usize) else {
                    return Ok(None);
                };
                let lines: Arc<str> = app.result_lines(&self.job, found.part).await?.into();
                if self.cached.len() == CACHED {
                    self.cached.remove(0);
                }
                self.cached.push((segment, Arc::clone(&lines)));
                lines
            }
        };
        let line = lines.lines().nth(line as usize);
        Ok(line.and_then(|line| Known::read(line, self.refreshed)))
    }
}

impl App {
    /// A refresh that has not begun.
    pub(super) async fn begin_refresh(
        &self,
        job: &Job,
        spec: &Spec,
        start: &Url,
    ) -> Result<std::io::Result<Frontier>, Error> {
        let base = self.find_base(job, spec, start).await?;
        let (base, entries) = match base {
            Some((base, asked, entries)) => (Some((base, asked)), entries),
            None => (None, Vec::new()),
        };
        Ok(Frontier::begin_refresh(spec, start, base, &entries))
    }

    async fn find_base(
        &self,
        job: &Job,
        spec: &Spec,
        start: &Url,
    ) -> Result<Option<(Base, Asked, Vec<Entry>)>, Error> {
        let named = spec.refresh.as_ref().and_then(|it| it.job_id.as_deref());
        if let Some(id) = named.and_then(JobId::parse)
            && let Some((earlier, asked)) = self.ports.store.job_and_spec(&id).await?
        {
            if let Some(part) = earlier.crawl.as_ref().and_then(|crawl| crawl.manifest) {
                let refreshed = earlier.kind == crate::spec::JobType::Refresh;
                return self.base_of(id, part, refreshed).await;
            }
            if earlier.result.is_some() {
                let base = Base {
                    job: id.to_string(),
                    manifest: None,
                    refreshed: false,
                };
                let asked = Asked {
                    options: CrawlOptions {
                        max_pages: 1,
                        depth: 0,
                        sitemap: SitemapUse::Skip,
                        respect_robots: false,
                        ..CrawlOptions::default()
                    },
                    config: asked.config,
                };
                return Ok(Some((base, asked, vec![lone_entry(start)])));
            }
        }
        let found = self.ports.baselines.baseline(&job.customer, start.as_str());
        let now = self.now();
        match found.await? {
            Some(baseline) if baseline.expires_at > now => {
                self.base_of(baseline.job, baseline.manifest, baseline.refreshed)
                    .await
            }
            _ => Ok(None),
        }
    }

    async fn base_of(
        &self,
        id: JobId,
        part: Part,
        refreshed: bool,
    ) -> Result<Option<(Base, Asked, Vec<Entry>)>, Error> {
        let Some((manifest, entries)) = self.read_base(&id, part).await? else {
            return Ok(None);
        };
        let base = Base {
            job: id.to_string(),
            manifest: Some(part),
            refreshed,
        };
        Ok(Some((base, manifest.asked, entries)))
    }

    /// The pages of the base of a refresh that has begun.
    pub(super) async fn base_pages(&self, frontier: &Frontier) -> Result<Option<BasePages>, Error> {
        let Some(base) = frontier.refresh().and_then(|state| state.base.as_ref()) else {
            return Ok(None);
        };
        let Some(id) = JobId::parse(&base.job) else {
            return Ok(None);
        };
        let mut pages = BasePages {
            refreshed: base.refreshed,
            segments: Vec::new(),
            places: Places::default(),
            entries: Vec::new(),
            cached: Vec::new(),
            job: id.clone(),
        };
        match base.manifest {
            Some(part) => {
                let Some((manifest, entries)) = self.read_base(&id, part).await? else {
                    return Ok(None);
                };
                pages.segments = manifest.results;
                pages.entries = entries;
            }
            None => {
                let Some(job) = self.ports.store.job(&id).await? else {
                    return Ok(None);
                };
                let line = self.results(&job).await?.results.pop();
                let lines: Arc<str> = line.unwrap_or_default().into();
                pages.cached.push((0, lines));
                pages.entries = vec![lone_entry(&frontier.rules().start)];
            }
        }
        pages.places = Places::of(&pages.entries);
        Ok(Some(pages))
    }

    async fn result_lines(&self, id: &JobId, part: Part) -> Result<String, Error> {
        let frame = self.read_part(id, part).await?;
        let damaged = || Error::Corrupt(format!("results of {id} do not read"));
        let lines = crate::crawl::frontier::unpack_segment(&frame).map_err(|_| damaged())?;
        String::from_utf8(lines).map_err(|_| damaged())
    }

    /// From now on refreshes compare with what this job has found. What they have compared with
    /// until now goes, where its job is gone already.
    pub(super) async fn swap_baseline(&self, job: &Job, manifest: Part) -> Result<(), Error> {
        let Some(url) = canonical(&job.url) else {
            return Ok(());
        };
        let url = url.as_str();
        let now = self.now();
        let before = self.ports.baselines.baseline(&job.customer, url).await?;
        let after = Baseline {
            job: job.id.clone(),
            manifest,
            refreshed: job.kind == crate::spec::JobType::Refresh,
            at: now,
            expires_at: now + KEPT,
        };
        self.ports
            .baselines
            .put_baseline(&job.customer, url, &after)
            .await?;
        if let Some(before) = before.filter(|before| before.job != job.id)
            && self.ports.store.job(&before.job).await?.is_none()
        {
            let prefix = pack_prefix(&before.job);
            self.ports.blobs.delete_all(&prefix).await?;
        }
        Ok(())
    }

    /// Whether refreshes compare with what this job has found, so that it has to outlive the job.
    pub(in crate::app) async fn is_baseline(&self, job: &Job) -> Result<bool, Error> {
        let Some(url) = canonical(&job.url).filter(|_| job.kind.is_crawl()) else {
            return Ok(false);
        };
        let baseline = self.ports.baselines.baseline(&job.customer, url.as_str());
        let now: Timestamp = self.now();
        Ok(baseline
            .await?
            .is_some_and(|it| it.job == job.id && it.expires_at > now))
    }
}

/// The one entry of a single page.
fn lone_entry(start: &Url) -> Entry {
    Entry {
        url: start.as_str().into(),
        depth: 0,
        tries: 0,
        standing: Standing::Done(Kept {
            digest: 0,
            segment: 0,
            line: 0,
        }),
        final_url: None,
    }
}
