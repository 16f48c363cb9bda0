//! What one commit puts into the blob store, and how a slice takes it up again: one pack with the
//! new results, the chunks of addresses that changed, and the manifest that names everything that
//! counts. What no manifest names does not exist.

use std::io;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Frontier, KnownSitemap, RefreshState};
use crate::crawl::CrawlOptions;
use crate::crawl::entry::{Entry, Standing};
use crate::crawl::packing::{Packer, unpack};
use crate::crawl::progress::{Counters, PackName, Part};
use crate::crawl::reason::Reason;
use crate::crawl::scope::identity;
use crate::crawl::table::{MAX_CHUNK_BYTES, Number, StoredChunk};
use crate::extraction::Extraction;
use crate::spec::Spec;

use super::discover::hash;

/// A segment of results is closed at this size, before compression.
const SEGMENT_BYTES: usize = 1024 * 1024;
/// Results are published as soon as they take so much, compressed: memory and one upload.
const MOST_WAITING: usize = 4 * 1024 * 1024;
/// Most bytes of a segment before compression: one page more than where it is closed.
const MAX_SEGMENT_BYTES: usize = SEGMENT_BYTES + 2 * crate::crawl::visit::MAX_PAGE;
/// Most bytes of a manifest before compression.
const MAX_MANIFEST_BYTES: usize = 64 * 1024 * 1024;

/// Some results: lines of JSON, compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultSegment {
    #[serde(flatten)]
    pub part: Part,
    #[serde(rename = "n")]
    pub pages: u32,
    /// Before compression.
    #[serde(rename = "b")]
    pub bytes: u32,
}

/// Everything that counts of a crawl.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    pub results: Vec<ResultSegment>,
    /// Results of the base of a refresh that it could not renew: none of its own, but what the next
    /// one compares with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<ResultSegment>,
    pub(crate) chunks: Vec<StoredChunk>,
    pub sitemaps: Vec<KnownSitemap>,
    /// When pages that a refresh has still to look at were changed last, as sitemaps say: number
    /// of the address, and milliseconds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) changed: Vec<(Number, i64)>,
    /// Hosts that belong to the site because its start led there.
    pub adopted: Vec<String>,
    /// Where the start has led to, where that is another address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    pub relink: Vec<Number>,
    pub visits: u32,
    pub overflow: bool,
    /// Links that light slices have written down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raw: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshState>,
    /// What was asked for, for whoever refreshes it later.
    pub asked: Asked,
}

/// What a crawl was asked for, as far as a refresh of it is asked for the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub options: CrawlOptions,
    #[serde(default)]
    pub config: Extraction,
    /// One page that a client has named, no site.
    #[serde(default)]
    pub alone: bool,
}

/// The lines of a segment.
pub fn unpack_segment(frame: &[u8]) -> io::Result<Vec<u8>> {
    unpack(frame, MAX_SEGMENT_BYTES)
}

/// The entries of a chunk; nothing where it does not read.
pub fn entries_of(frame: &[u8]) -> Option<Vec<Entry>> {
    let text = unpack(frame, MAX_CHUNK_BYTES).ok()?;
    let text = std::str::from_utf8(&text).ok()?;
    text.lines().map(Entry::read).collect()
}

impl Manifest {
    pub fn decode(frame: &[u8]) -> io::Result<Self> {
        let json = unpack(frame, MAX_MANIFEST_BYTES)?;
        serde_json::from_slice(&json).map_err(io::Error::other)
    }
}

/// One commit, ready to be put.
#[derive(Debug)]
pub struct Packed {
    pub name: PackName,
    pub body: Vec<u8>,
    pub manifest: Part,
    pub counters: Counters,
}

/// Results since the last commit, and those of all commits before.
#[derive(Default)]
pub(super) struct Fresh {
    lines: Vec<u8>,
    pages: u32,
    /// Closed segments of the commit that is coming: frames, pages and bytes.
    closed: Vec<(Vec<u8>, u32, u32)>,
    published: Vec<ResultSegment>,
    trouble: Option<io::Error>,
}

impl Fresh {
    /// Adds a line, and says where it will lie.
    pub(super) fn add(&mut self, json: &[u8], packer: &mut Packer) -> (u32, u32) {
        let segment = (self.published.len() + self.closed.len()) as u32;
        let place = (segment, self.pages);
        self.lines.extend_from_slice(json);
        self.lines.push(b'\n');
        self.pages += 1;
        if self.lines.len() >= SEGMENT_BYTES {
            self.close(packer);
        }
        place
    }

    /// Takes up what was published before.
    pub(super) fn publish(&mut self, published: Vec<ResultSegment>) {
        self.published = published;
    }

    fn has_news(&self) -> bool {
        self.pages > 0 || !self.closed.is_empty()
    }

    /// Before a commit.
    fn close_for_good(&mut self, packer: &mut Packer) -> io::Result<()> {
        self.close(packer);
        self.trouble.take().map_or(Ok(()), Err)
    }

    /// Puts what was closed where `put` says.
    fn put(&mut self, mut put: impl FnMut(&[u8]) -> Part) {
        for (frame, pages, bytes) in self.closed.drain(..) {
            let part = put(&frame);
            self.published.push(ResultSegment { part, pages, bytes });
        }
    }

    fn close(&mut self, packer: &mut Packer) {
        if self.pages == 0 {
            return;
        }
        match packer.pack(&self.lines) {
            Ok(frame) => self
                .closed
                .push((frame, self.pages, self.lines.len() as u32)),
            // Said when the commit is made.
            Err(error) => self.trouble = Some(error),
        }
        self.lines.clear();
        self.pages = 0;
    }
}

impl Frontier {
    /// Takes a crawl up where a manifest left it; `chunks` are the frames that it names, in order.
    /// `notes` are those of the light slices before.
    pub fn resume(
        spec: &Spec,
        start: &Url,
        manifest: Manifest,
        chunks: &[Vec<u8>],
        notes: &[Vec<u8>],
    ) -> io::Result<Self> {
        let damaged = || io::Error::other("a chunk of addresses does not read");
        let mut frontier = Self::restore(spec, start, &manifest)?;
        frontier.raw.clear();
        frontier.fresh.publish(manifest.results);
        frontier.held.publish(manifest.held);
        for (stored, frame) in manifest.chunks.into_iter().zip(chunks) {
            let text = unpack(frame, MAX_CHUNK_BYTES)?;
            let text = String::from_utf8(text).map_err(|_| damaged())?;
            let mut table = std::mem::take(&mut frontier.table);
            let loaded = table.load(stored, &text, |number, entry| {
                frontier.recall(number, entry);
            });
            frontier.table = table;
            loaded.ok_or_else(damaged)?;
        }
        frontier.recall_canonicals();
        let relink: Vec<_> = frontier.relink.iter().copied().collect();
        for number in relink {
            let Some(entry) = frontier.table.get(number) else {
                frontier.relink.remove(&number);
                continue;
            };
            let depth = entry.depth;
            if let Ok(url) = Url::parse(&entry.url) {
                frontier.enqueue(number, &url, depth, crate::Timestamp::default());
            }
        }
        frontier.look_at_notes(notes)?;
        Ok(frontier)
    }

    /// Finds out which pages wait for their canonical address.
    pub(super) fn recall_canonicals(&mut self) {
        let canonicals = std::mem::take(&mut self.canonicals);
        for (number, canonical) in canonicals {
            let target = Url::parse(&canonical).ok();
            let Some(target) = target.and_then(|url| self.number_of(&url)) else {
                continue;
            };
            match self.stands_for(target) {
                Some(target) => self.note_stand_in(number, target),
                // A light slice has found out that it is no page.
                None if !self.is_beyond_limit(target) => self.recall_stand_in(number),
                None => {}
            }
        }
    }

    fn is_beyond_limit(&self, number: Number) -> bool {
        let reason = self.table.get(number).and_then(Entry::reason);
        matches!(reason, Some(Reason::Limit(_)))
    }

    /// What a manifest says besides addresses and results.
    pub(super) fn restore(spec: &Spec, start: &Url, manifest: &Manifest) -> io::Result<Self> {
        let mut frontier = Self::empty(spec, start, manifest.asked.clone())?;
        frontier.refresh.clone_from(&manifest.refresh);
        // The host of the start is the first, whatever is known of it.
        frontier.host(start);
        frontier
            .rules
            .readopt(&manifest.adopted, manifest.start.as_deref());
        frontier.sitemaps.clone_from(&manifest.sitemaps);
        frontier.dates = manifest.changed.iter().copied().collect();
        frontier.relink = manifest.relink.iter().copied().collect();
        frontier.visits = manifest.visits;
        frontier.overflow = manifest.overflow;
        frontier.raw.clone_from(&manifest.raw);
        Ok(frontier)
    }

    /// Remembers an entry that is taken up.
    pub(super) fn recall(&mut self, number: Number, entry: &Entry) {
        self.spelled.insert(hash(&entry.url), number);
        let Ok(url) = Url::parse(&entry.url) else {
            return;
        };
        self.named.entry(hash(&identity(&url))).or_insert(number);
        if let Some(at) = self.dates.remove(&number) {
            let at = crate::Timestamp::from_millis(at);
            self.changed_at.insert(hash(&entry.url), at);
        }
        match &entry.standing {
            Standing::Queued(at) => self.enqueue(number, &url, entry.depth, *at),
            Standing::Done(kept) => {
                self.traps.remember(kept.digest);
                self.traps.judge(&url);
            }
            Standing::Ended(Reason::Canonical(url)) => {
                self.canonicals.push((number, url.as_str().into()));
            }
            Standing::Ended(_) => {}
        }
        if matches!(entry.standing, Standing::Queued(_)) {
            self.traps.judge(&url);
        }
    }

    /// Whether so much waits for a commit that it must not wait for its time.
    pub fn is_heavy(&self) -> bool {
        let waiting = self.fresh.closed.iter().map(|(frame, _, _)| frame.len());
        waiting.sum::<usize>() >= MOST_WAITING
    }

    /// Whether anything has changed that a commit would publish.
    pub fn has_news(&self) -> bool {
        self.fresh.has_news()
            || self.held.has_news()
            || self.table.is_dirty()
            || self.has_notes()
            || self.has_moved
    }

    /// Segments of results that there are, those of the last pack included.
    pub fn segments(&self) -> u32 {
        self.fresh.published.len() as u32
    }

    /// Results that no commit has published yet.
    pub fn unpublished(&self) -> u32 {
        let closed = self.fresh.closed.iter().map(|(_, pages, _)| pages);
        self.fresh.pages + closed.sum::<u32>()
    }

    /// One pack with everything that changed. It counts as published from here on: a slice whose
    /// commit fails ends and is taken up from what was published before.
    pub fn pack(&mut self, name: PackName) -> io::Result<Packed> {
        self.fresh.close_for_good(&mut self.packer)?;
        self.held.close_for_good(&mut self.packer)?;
        self.has_moved = false;
        let notes = self.take_notes();
        let mut body = Vec::new();
        let mut put = |frame: &[u8]| {
            let part = Part {
                pack: name,
                offset: body.len() as u32,
                length: frame.len() as u32,
            };
            body.extend_from_slice(frame);
            part
        };
        self.fresh.put(&mut put);
        self.held.put(&mut put);
        let dirty: Vec<_> = self.table.dirty().collect();
        for (index, text) in dirty {
            let part = put(&self.packer.pack(text.as_bytes())?);
            self.table.stored(index, part);
        }
        if let Some(notes) = notes {
            let part = put(&self.packer.pack(notes.as_bytes())?);
            self.raw.push(part);
        }
        let manifest = Manifest {
            raw: self.raw.clone(),
            results: std::mem::take(&mut self.fresh.published),
            held: std::mem::take(&mut self.held.published),
            chunks: self.table.chunks(),
            sitemaps: self.sitemaps.clone(),
            changed: self.changes_ahead(),
            adopted: self.rules.scope.adopted().to_vec(),
            start: self.rules.start_leads_to(),
            relink: self.relink.iter().copied().collect(),
            visits: self.visits,
            overflow: self.overflow,
            refresh: self.refresh.clone(),
            asked: Asked {
                options: self.rules.options.clone(),
                config: self.config.clone(),
                alone: self.alone,
            },
        };
        let json = serde_json::to_vec(&manifest)?;
        self.fresh.published = manifest.results;
        self.held.published = manifest.held;
        let manifest = put(&self.packer.pack(&json)?);
        Ok(Packed {
            name,
            body,
            manifest,
            counters: self.table.counters(),
        })
    }
}
