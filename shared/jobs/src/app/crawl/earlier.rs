//! Where a refresh finds what it compares with: the job that the client names, else what was last
//! found of the site or the page, else an earlier job for that page alone. Refuses to read more of a
//! customer's jobs than a bounded number.

use url::Url;

use crate::app::App;
use crate::crawl::Part;
use crate::crawl::entry::{Entry, Kept, Standing};
use crate::crawl::frontier::{Asked, Base, Earlier, Frontier};
use crate::error::Error;
use crate::extraction::Extraction;
use crate::id::JobId;
use crate::job::{Job, State};
use crate::ports::Scope;
use crate::spec::{JobType, Spec, canonical};

/// Jobs of a customer that are looked at in search of an earlier one for the same page: so many at
/// once, and so often.
const LOOK: usize = 100;
const LOOKS: usize = 3;

impl App {
    /// A refresh that has not begun.
    pub(super) async fn begin_refresh(
        &self,
        job: &Job,
        spec: &Spec,
        start: &Url,
    ) -> Result<std::io::Result<Frontier>, Error> {
        let earlier = self.find_base(job, spec, start).await?;
        Ok(Frontier::begin_refresh(spec, start, earlier))
    }

    async fn find_base(
        &self,
        job: &Job,
        spec: &Spec,
        start: &Url,
    ) -> Result<Option<Earlier>, Error> {
        let named = spec.refresh.as_ref().and_then(|it| it.job_id.as_deref());
        if let Some(id) = named.and_then(JobId::parse)
            && let Some((earlier, asked)) = self.ports.store.job_and_spec(&id).await?
        {
            if let Some(part) = earlier.crawl.as_ref().and_then(|crawl| crawl.manifest) {
                let refreshed = earlier.kind == JobType::Refresh;
                return self.base_of(id, part, refreshed).await;
            }
            if earlier.result.is_some() {
                return Ok(Some(Earlier::of_page(&id, asked.config, start)));
            }
        }
        let found = self.ports.baselines.baseline(&job.customer, start.as_str());
        let now = self.now();
        match found.await? {
            Some(baseline) if baseline.expires_at > now => {
                self.base_of(baseline.job, baseline.manifest, baseline.refreshed)
                    .await
            }
            _ => self.find_page(job, spec, start).await,
        }
    }

    /// The result of an earlier job of the same customer for this page alone, where one is found
    /// among those that are kept: an equal one by its place in deduplication, any other among the
    /// newest jobs.
    async fn find_page(
        &self,
        job: &Job,
        spec: &Spec,
        start: &Url,
    ) -> Result<Option<Earlier>, Error> {
        let now = self.now();
        let serves = |earlier: &Job| {
            earlier.kind == JobType::SinglePage
                && earlier.customer == job.customer
                && earlier.state == State::Completed
                && earlier.result.is_some()
                && !earlier.is_expired(now)
                && canonical(&earlier.url).is_some_and(|url| url == *start)
        };
        let fingerprint = spec.as_page().fingerprint(&job.customer);
        let owners = self.ports.batches.owners(&[&fingerprint]).await?;
        let equal = owners.into_iter().flatten().filter_map(|owner| owner.job);
        let mut found = equal.into_iter().find(|earlier| serves(earlier));
        let mut before = None;
        for _ in 0..LOOKS {
            if found.is_some() {
                break;
            }
            let scope = Scope::Customer(&job.customer);
            let listed = self.ports.store.list(scope, before.as_ref(), LOOK);
            let listed = listed.await?;
            found = listed.jobs.into_iter().find(|earlier| serves(earlier));
            match listed.next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        let Some(found) = found else {
            return Ok(None);
        };
        let read = self.ports.store.job_and_spec(&found.id).await?;
        Ok(read.map(|(_, asked)| Earlier::of_page(&found.id, asked.config, start)))
    }

    async fn base_of(
        &self,
        id: JobId,
        part: Part,
        refreshed: bool,
    ) -> Result<Option<Earlier>, Error> {
        let Some((manifest, entries)) = self.read_base(&id, part).await? else {
            return Ok(None);
        };
        let base = Base {
            job: id.to_string(),
            manifest: Some(part),
            refreshed,
        };
        Ok(Some(Earlier {
            base,
            asked: manifest.asked,
            adopted: manifest.adopted,
            start: manifest.start,
            entries,
        }))
    }
}

impl Earlier {
    /// A job for one page, which was asked for these fields.
    fn of_page(id: &JobId, config: Extraction, start: &Url) -> Self {
        Self {
            base: Base {
                job: id.to_string(),
                manifest: None,
                refreshed: false,
            },
            asked: Asked::page(config),
            adopted: Vec::new(),
            start: None,
            entries: vec![lone_entry(start)],
        }
    }
}

/// The one entry of a single page.
pub(super) fn lone_entry(start: &Url) -> Entry {
    Entry {
        url: start.as_str().into(),
        depth: 0,
        tries: 0,
        held: None,
        hops: 0,
        standing: Standing::Done(Kept {
            digest: 0,
            segment: 0,
            line: 0,
        }),
        final_url: None,
    }
}
