//! What a refresh compares with: how its pages are read back one by one, and how the next refresh
//! will find what this one has made of it.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::Timestamp;
use crate::app::App;
use crate::app::crawl::earlier::lone_entry;
use crate::app::crawl::storage::pack_prefix;
use crate::crawl::Part;
use crate::crawl::entry::Entry;
use crate::crawl::frontier::{Frontier, Places, ResultSegment};
use crate::crawl::refresh::Known;
use crate::error::Error;
use crate::id::JobId;
use crate::job::Job;
use crate::ports::Baseline;
use crate::spec::{JobType, canonical};

/// How long a baseline is kept after its last use.
const KEPT: Duration = Duration::from_hours(90 * 24);
/// Segments of a base that are held in memory.
const CACHED: usize = 6;

/// The results of a base, read as they are needed.
pub(super) struct BasePages {
    job: JobId,
    refreshed: bool,
    other_fields: bool,
    segments: Vec<ResultSegment>,
    /// Those with what an earlier refresh could not renew.
    held: Vec<ResultSegment>,
    places: Places,
    pub(super) entries: Vec<Entry>,
    /// The segments that were read last, the newest at the end: whether held, and which.
    cached: Vec<((bool, u32), Arc<str>)>,
}

impl BasePages {
    /// What is known of an address.
    pub(super) async fn known(&mut self, app: &App, url: &Url) -> Result<Option<Known>, Error> {
        let Some(place) = self.places.get(url) else {
            return Ok(None);
        };
        let segment = (place.held, place.segment);
        let lines = match self.cached.iter().position(|(known, _)| *known == segment) {
            Some(at) => {
                let found = self.cached.remove(at);
                let lines = Arc::clone(&found.1);
                self.cached.push(found);
                lines
            }
            None => {
                let segments = if place.held {
                    &self.held
                } else {
                    &self.segments
                };
                let Some(found) = segments.get(place.segment as usize) else {
                    return Ok(None);
                };
                let lines: Arc<str> = match app.result_lines(&self.job, found.part).await {
                    Ok(lines) => lines.into(),
                    // It was replaced and removed meanwhile: its pages count as new.
                    Err(Error::Corrupt(what)) => {
                        tracing::warn!(what, "a part of a base is gone");
                        return Ok(None);
                    }
                    Err(error) => return Err(error),
                };
                if self.cached.len() == CACHED {
                    self.cached.remove(0);
                }
                self.cached.push((segment, Arc::clone(&lines)));
                lines
            }
        };
        let line = lines.lines().nth(place.line as usize);
        let known = line.and_then(|line| Known::read(line, self.refreshed));
        Ok(if self.other_fields {
            known.map(Known::with_other_fields)
        } else {
            known
        })
    }
}

impl App {
    /// The pages of the base of a refresh that has begun.
    pub(super) async fn base_pages(&self, frontier: &Frontier) -> Result<Option<BasePages>, Error> {
        let Some(state) = frontier.refresh() else {
            return Ok(None);
        };
        let Some(base) = state.base.as_ref() else {
            return Ok(None);
        };
        let Some(id) = JobId::parse(&base.job) else {
            return Ok(None);
        };
        let mut pages = BasePages {
            refreshed: base.refreshed,
            other_fields: state.other_fields,
            segments: Vec::new(),
            held: Vec::new(),
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
                pages.held = manifest.held;
                pages.entries = entries;
            }
            None => {
                let Some(job) = self.ports.store.job(&id).await? else {
                    return Ok(None);
                };
                let line = self.results(&job).await?.results.pop();
                let lines: Arc<str> = line.unwrap_or_default().into();
                pages.cached.push(((false, 0), lines));
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
            refreshed: job.kind == JobType::Refresh,
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
