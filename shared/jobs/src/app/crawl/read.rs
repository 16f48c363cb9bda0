//! What readers see of a crawl: its results, its addresses and why each stands where it stands.
//! Bounded work per call, whatever the size of the crawl.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::app::App;
use crate::crawl::entry::{Entry, Standing};
use crate::crawl::frontier::{ResultSegment, entries_of, unpack_segment};
use crate::crawl::robots::{Robots, product_token};
use crate::crawl::rules::{Found, Rules};
use crate::crawl::scope::identity;
use crate::crawl::table::CHUNK;
use crate::crawl::traps::Traps;
use crate::crawl::{Part, Reason, SitemapUse, UrlState};
use crate::csv_table::Table;
use crate::error::Error;
use crate::id::JobId;
use crate::job::{Job, State};
use crate::spec::Spec;

/// Chunks of addresses that one call looks at, at most.
const CHUNKS_PER_CALL: usize = 20;

/// A place in the results of a crawl: the segment and the line in it. Stays right while the crawl
/// runs, since results are only ever appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResultsCursor {
    pub segment: u32,
    pub line: u32,
}

impl fmt::Display for ResultsCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.segment, self.line)
    }
}

impl FromStr for ResultsCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (segment, line) = text.split_once('-').ok_or(())?;
        let number = |text: &str| text.parse().map_err(|_| ());
        Ok(Self {
            segment: number(segment)?,
            line: number(line)?,
        })
    }
}

/// Some results of a crawl.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResultsPart {
    /// Each the JSON of one page.
    pub results: Vec<String>,
    /// Where to go on; nothing where there is no more yet. A crawl that runs may have more later.
    pub next: Option<ResultsCursor>,
}

/// Which addresses of a crawl to list.
#[derive(Clone, Debug, Default)]
pub struct UrlFilter {
    pub state: Option<UrlState>,
    /// A code, such as `robots` or `http_404`.
    pub reason: Option<String>,
}

/// One address of a crawl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlRow {
    pub url: String,
    pub state: UrlState,
    /// Why it is no result, where it is none.
    pub reason: Option<Reason>,
    /// Where it led to, where that is another address.
    pub final_url: Option<String>,
    /// Links between the start and it.
    pub depth: u8,
}

/// Some addresses of a crawl, in the order in which they were discovered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlsPage {
    pub urls: Vec<UrlRow>,
    /// The number of the address to go on with.
    pub next: Option<u32>,
}

/// What would become of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The address as the crawl would name it.
    pub url: String,
    pub state: UrlState,
    pub reason: Option<Reason>,
    /// Where it led to, where that is another address.
    pub final_url: Option<String>,
    /// What could not be told without asking the site, in sentences.
    pub notes: Vec<String>,
}

impl App {
    /// Up to `limit` results from a place on, and no more than `most_bytes` of JSON, but always
    /// one where there is one. Of any job.
    pub async fn results_from(
        &self,
        job: &Job,
        from: ResultsCursor,
        limit: usize,
        most_bytes: usize,
    ) -> Result<ResultsPart, Error> {
        if !job.kind.is_crawl() {
            let mut results = self.results(job).await?.results;
            if from != ResultsCursor::default() {
                results.clear();
            }
            return Ok(ResultsPart {
                results,
                next: None,
            });
        }
        let segments = self.manifest_segments(job).await?;
        let mut part = ResultsPart::default();
        let (mut bytes, mut at) = (0, from);
        while let Some(segment) = segments.get(at.segment as usize) {
            if at.line >= segment.pages {
                at = ResultsCursor {
                    segment: at.segment + 1,
                    line: 0,
                };
                continue;
            }
            let lines = self.result_segment(job, segment.part).await?;
            let lines = std::str::from_utf8(&lines)
                .map_err(|_| Error::Corrupt(format!("results of {} are no text", job.id)))?;
            for line in lines.lines().skip(at.line as usize) {
                let full = part.results.len() >= limit || bytes + line.len() > most_bytes;
                if full && !part.results.is_empty() {
                    part.next = Some(at);
                    return Ok(part);
                }
                bytes += line.len();
                part.results.push(line.to_owned());
                at.line += 1;
            }
            // A segment that holds fewer lines than it should is no reason to read it for ever.
            at.line = segment.pages;
        }
        Ok(part)
    }

    async fn manifest_segments(&self, job: &Job) -> Result<Vec<ResultSegment>, Error> {
        let manifest = self.read_manifest(job).await?;
        Ok(manifest.map_or_else(Vec::new, |manifest| manifest.results))
    }

    /// The table of a job's results. The pages of a refresh have the fields that its base was asked
    /// for, where it was asked for none itself.
    pub async fn results_table(&self, job: &Job, spec: &Spec) -> Result<Table, Error> {
        if spec.refresh.is_some()
            && spec.config.is_empty()
            && let Some(manifest) = self.read_manifest(job).await?
        {
            return Ok(Table::with_fields(spec, &manifest.asked.config));
        }
        Ok(Table::of(spec))
    }

    /// The segments that all results lie in, oldest first, for whoever reads them one by one.
    pub async fn result_segments(&self, job: &Job) -> Result<Vec<Part>, Error> {
        let segments = self.manifest_segments(job).await?;
        Ok(segments.iter().map(|segment| segment.part).collect())
    }

    /// The lines of one segment: a JSON object each, with a line break after it.
    pub async fn result_segment(&self, job: &Job, segment: Part) -> Result<Vec<u8>, Error> {
        let frame = self.read_part(&job.id, segment).await?;
        unpack_segment(&frame)
            .map_err(|error| Error::Corrupt(format!("results of {}: {error}", job.id)))
    }

    /// Up to `limit` addresses from the one with the number `from` on.
    pub async fn urls(
        &self,
        job: &Job,
        filter: &UrlFilter,
        from: u32,
        limit: usize,
    ) -> Result<UrlsPage, Error> {
        let mut page = UrlsPage::default();
        let Some(manifest) = self.read_manifest(job).await? else {
            return Ok(page);
        };
        let first = from as usize / CHUNK;
        let chunks = manifest.chunks.get(first..).unwrap_or_default();
        let mut number = (first * CHUNK) as u32;
        for chunk in chunks.iter().take(CHUNKS_PER_CALL) {
            for entry in self.read_chunk(&job.id, chunk.part).await? {
                number += 1;
                let row = UrlRow::of(entry, job);
                if number <= from || !filter.matches(&row) {
                    continue;
                }
                if page.urls.len() == limit {
                    page.next = Some(number - 1);
                    return Ok(page);
                }
                page.urls.push(row);
            }
        }
        // There is more than one call looks at.
        page.next = (chunks.len() > CHUNKS_PER_CALL).then_some(number);
        Ok(page)
    }

    async fn read_chunk(&self, id: &JobId, part: Part) -> Result<Vec<Entry>, Error> {
        let frame = self.read_part(id, part).await?;
        entries_of(&frame).ok_or_else(|| Error::Corrupt(format!("addresses of {id} do not read")))
    }

    /// What a crawl with this specification would do with an address, as a dry run: nothing is
    /// fetched. `job` is the crawl that it is about, where it exists.
    pub async fn explain(
        &self,
        spec: &Spec,
        job: Option<&Job>,
        url: &Url,
    ) -> Result<Explained, Error> {
        let mut url = url.clone();
        url.set_fragment(None);
        let mut explained = Explained {
            url: url.to_string(),
            state: UrlState::Queued,
            reason: None,
            final_url: None,
            notes: Vec::new(),
        };
        if let Some(job) = job {
            if let Some(entry) = self.find_url(job, &url).await? {
                let row = UrlRow::of(entry, job);
                explained.state = row.state;
                explained.reason = row.reason;
                explained.final_url = row.final_url;
                return Ok(explained);
            }
            let note = "It is not known from a sitemap or from a link of a page that this crawl has visited; \
                        a page's links beyond the first 10,000 are not taken";
            explained.notes.push(note.to_owned());
        }
        let Some(start) = spec.address() else {
            return Ok(explained);
        };
        let rules = Rules::new(start, spec.crawl.clone().unwrap_or_default());
        let listed = rules.options.sitemap == SitemapUse::Only;
        let depth = u8::from(url != rules.start);
        if listed {
            let note =
                "Taken as named in a sitemap; an address that is not is cut by `sitemap: only`";
            explained.notes.push(note.to_owned());
        } else if depth > 0 {
            let note = "Taken as linked from the start; a page further away may be cut by depth";
            explained.notes.push(note.to_owned());
        }
        let found = Found {
            depth,
            follow: true,
            listed,
        };
        let mut verdict = rules.judge(&url, found, &mut Traps::default());
        if verdict.is_ok() && rules.options.respect_robots {
            match self.remembered_robots(&url).await {
                Some(body) => {
                    let token = product_token(spec.agent());
                    verdict = rules.judge_robots(&url, &Robots::parse(&body, token));
                }
                None => explained
                    .notes
                    .push("robots.txt of its host has not been asked for lately".to_owned()),
            }
        }
        if let Err(reason) = verdict {
            explained.state = reason.state();
            explained.reason = Some(reason);
        }
        Ok(explained)
    }

    /// The entry of an address, whatever its spelling.
    async fn find_url(&self, job: &Job, url: &Url) -> Result<Option<Entry>, Error> {
        let Some(manifest) = self.read_manifest(job).await? else {
            return Ok(None);
        };
        let name = identity(url);
        let mut found = None;
        for chunk in manifest.chunks {
            for entry in self.read_chunk(&job.id, chunk.part).await? {
                if *entry.url == *url.as_str() {
                    return Ok(Some(entry));
                }
                let same = || Url::parse(&entry.url).is_ok_and(|url| identity(&url) == name);
                if found.is_none() && same() {
                    found = Some(entry);
                }
            }
        }
        Ok(found)
    }
}

impl UrlFilter {
    fn matches(&self, row: &UrlRow) -> bool {
        let has = |code: &String| {
            let reason = row.reason.as_ref();
            reason.is_some_and(|reason| reason.code() == *code)
        };
        self.state.is_none_or(|state| state == row.state) && self.reason.as_ref().is_none_or(has)
    }
}

impl UrlRow {
    fn of(entry: Entry, job: &Job) -> Self {
        Self {
            state: entry.state(),
            depth: entry.depth,
            url: entry.url.into(),
            reason: match entry.standing {
                Standing::Ended(reason) => Some(reason),
                Standing::Queued(_) => unreached(job),
                Standing::Done(_) => None,
            },
            final_url: entry.final_url.map(Into::into),
        }
    }
}

/// Why an address has not had its turn, and will not have it unless somebody retries the crawl.
fn unreached(job: &Job) -> Option<Reason> {
    match job.state {
        State::Failed => {
            let failure = &job.attempts.last()?.failure;
            Some(Reason::Failure(failure.code, failure.message.clone()))
        }
        State::Cancelled => Some(Reason::Limit("the crawl was cancelled".to_owned())),
        _ => None,
    }
}
