//! How a slice reads and writes what a crawl keeps in the blob store. Names carry the fence of the
//! claim; what the row's manifest does not name is never read.

use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use url::Url;

use crate::app::App;
use crate::crawl::entry::Entry;
use crate::crawl::frontier::{Frontier, Manifest, entries_of, light_head, notes_of};
use crate::crawl::robots::{Robots, product_token};
use crate::crawl::visit::RobotsFile;
use crate::crawl::{Counters, PackName, Part};
use crate::error::Error;
use crate::failure::Failure;
use crate::id::JobId;
use crate::job::Job;
use crate::ports::Scraper;
use crate::spec::{JobType, Spec, hex};
use crate::time::Timestamp;

/// Parts that are read at once.
const READS_AT_ONCE: usize = 8;
/// How long a robots.txt may be remembered (RFC 9309, section 2.4).
const ROBOTS_MEMORY: std::time::Duration = std::time::Duration::from_hours(24);

impl App {
    /// A part of a pack, which must be there: a manifest names it.
    pub(super) async fn read_part(&self, id: &JobId, part: Part) -> Result<Vec<u8>, Error> {
        let key = pack_key(id, part.pack);
        let read = self.ports.blobs.get_part(&key, part.offset, part.length);
        read.await?
            .ok_or_else(|| Error::Corrupt(format!("a part of {key} is missing")))
    }

    pub(super) async fn read_manifest(&self, job: &Job) -> Result<Option<Manifest>, Error> {
        let Some(part) = job.crawl.as_ref().and_then(|crawl| crawl.manifest) else {
            return Ok(None);
        };
        let frame = self.read_part(&job.id, part).await?;
        let manifest = Manifest::decode(&frame);
        manifest
            .map(Some)
            .map_err(|error| Error::Corrupt(format!("the manifest of {}: {error}", job.id)))
    }

    /// The crawl as its last commit has left it.
    pub(super) async fn load_frontier(&self, job: &Job, spec: &Spec) -> Result<Frontier, Error> {
        let damaged = |what: String| Error::Corrupt(format!("the crawl {}: {what}", job.id));
        let start = spec
            .address()
            .ok_or_else(|| damaged("its address is no URL".to_owned()))?;
        let Some(manifest) = self.read_manifest(job).await? else {
            let begun = if job.kind == JobType::Refresh {
                self.begin_refresh(job, spec, &start).await?
            } else {
                Frontier::begin(spec, &start)
            };
            return begun.map_err(|error| damaged(error.to_string()));
        };
        let chunks = manifest.chunks.iter().map(|chunk| chunk.part).collect();
        let chunks = self.read_parts(&job.id, chunks).await?;
        let notes = self.read_parts(&job.id, notes_of(&manifest).to_vec());
        Frontier::resume(spec, &start, manifest.clone(), &chunks, &notes.await?)
            .map_err(|error| damaged(error.to_string()))
    }

    async fn read_parts(&self, id: &JobId, parts: Vec<Part>) -> Result<Vec<Vec<u8>>, Error> {
        let reads = stream::iter(parts).map(|part| self.read_part(id, part));
        reads.buffered(READS_AT_ONCE).try_collect().await
    }

    /// The head of the crawl alone, where that will do.
    pub(super) async fn load_light(
        &self,
        job: &Job,
        spec: &Spec,
        counters: Counters,
    ) -> Result<Option<Frontier>, Error> {
        let (Some(manifest), Some(start)) = (self.read_manifest(job).await?, spec.address()) else {
            return Ok(None);
        };
        let Some(head) = light_head(&manifest) else {
            return Ok(None);
        };
        let frame = self.read_part(&job.id, manifest.chunks[head].part).await?;
        let light = Frontier::resume_light(spec, &start, manifest, head, &frame, counters);
        light
            .map(Some)
            .map_err(|error| Error::Corrupt(format!("the crawl {}: {error}", job.id)))
    }

    /// The manifest and the entries that a baseline or a job names; nothing where they are gone.
    pub(super) async fn read_base(
        &self,
        id: &JobId,
        part: Part,
    ) -> Result<Option<(Manifest, Vec<Entry>)>, Error> {
        let read = async {
            let frame = self.read_part(id, part).await?;
            let damaged = || Error::Corrupt(format!("the base {id} does not read"));
            let manifest = Manifest::decode(&frame).map_err(|_| damaged())?;
            let chunks = manifest.chunks.iter().map(|chunk| chunk.part).collect();
            let chunks = self.read_parts(id, chunks).await?;
            let mut entries = Vec::new();
            for chunk in chunks {
                entries.extend(entries_of(&chunk).ok_or_else(damaged)?);
            }
            Ok((manifest, entries))
        };
        match read.await {
            Ok(base) => Ok(Some(base)),
            // It was replaced and removed meanwhile: its pages count as new.
            Err(Error::Corrupt(what)) => {
                tracing::warn!(what, "a base is gone");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes one pack, and says where its manifest lies.
    pub(super) async fn put_pack(
        &self,
        job: &Job,
        frontier: &mut Frontier,
        number: u32,
    ) -> Result<Part, Error> {
        let name = PackName(job.fence, number);
        let packed = frontier
            .pack(name)
            .map_err(|error| Error::Corrupt(format!("the crawl {}: {error}", job.id)))?;
        let key = pack_key(&job.id, name);
        self.ports.blobs.put(&key, packed.body).await?;
        Ok(packed.manifest)
    }

    /// Asks an origin for its rules, and remembers them for a day at most, for all crawls together.
    /// The failure is that of the request.
    pub(super) async fn fetch_robots(
        &self,
        scraper: &dyn Scraper,
        origin: &Url,
        agent: Option<&str>,
    ) -> Result<Robots, Failure> {
        let body = match scraper.robots(origin, agent).await {
            RobotsFile::Found(body) => body,
            RobotsFile::Absent => Vec::new(),
            RobotsFile::Unreachable(failure) => return Err(failure),
        };
        let mut kept = format!("{}\n", self.now().as_millis()).into_bytes();
        kept.extend_from_slice(&body);
        if let Err(error) = self.ports.blobs.put(&robots_key(origin), kept).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "a robots.txt is not remembered");
        }
        Ok(Robots::parse(&body, product_token(agent)))
    }

    /// What is remembered of a robots.txt, where that is not too old.
    pub(super) async fn remembered_robots(&self, origin: &Url) -> Option<Vec<u8>> {
        let kept = self.ports.blobs.get(&robots_key(origin)).await.ok()??;
        let end = kept.iter().position(|byte| *byte == b'\n')?;
        let at = std::str::from_utf8(&kept[..end]).ok()?.parse().ok()?;
        let (at, now) = (Timestamp::from_millis(at), self.now());
        let fresh = now.since(at).max(at.since(now)) < ROBOTS_MEMORY;
        fresh.then(|| kept[end + 1..].to_vec())
    }
}

/// Everything of a crawl lies under this.
pub(in crate::app) fn pack_prefix(id: &JobId) -> String {
    format!("crawls/{id}/")
}

fn pack_key(id: &JobId, PackName(fence, number): PackName) -> String {
    format!("{}{fence}-{number}", pack_prefix(id))
}

fn robots_key(origin: &Url) -> String {
    let digest = Sha256::digest(origin.origin().ascii_serialization());
    format!("robots/{}", hex(&digest[..16]))
}
