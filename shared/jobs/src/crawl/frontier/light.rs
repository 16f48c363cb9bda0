//! A light slice: for a host that allows a page now and then, the head of the queue is enough. Links
//! are written down as they were found, and looked at by the next whole slice. Refuses whatever
//! takes knowing every address: that one is left to a whole slice too.

use std::fmt::Write as _;
use std::io;

use url::Url;

use super::{Frontier, Manifest};
use crate::crawl::packing::unpack;
use crate::crawl::progress::{Counters, Part};
use crate::crawl::rules::Found;
use crate::crawl::scope::identity;
use crate::crawl::table::MAX_CHUNK_BYTES;
use crate::crawl::visit::{FoundLink, VisitedPage};
use crate::spec::Spec;

/// Most notes of links before a whole slice looks at them.
const MAX_RAW: usize = 50;
/// Most bytes of one note before compression.
const MAX_RAW_BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct Light {
    /// Links found: depth, whether to follow, address; a line each.
    lines: String,
    /// Something has come up that takes all addresses.
    needs_all: bool,
}

/// The place of the chunk that a light slice needs, where one will do.
pub fn light_head(manifest: &Manifest) -> Option<usize> {
    let sitemaps = manifest.sitemaps.iter().any(|sitemap| !sitemap.done);
    let whole = sitemaps || !manifest.relink.is_empty() || manifest.raw.len() >= MAX_RAW;
    let head = manifest.chunks.iter().position(|chunk| chunk.queued > 0);
    head.filter(|_| !whole && manifest.refresh.is_none())
}

impl Frontier {
    /// Takes the head of a crawl up: the chunk at `head`, whose frame is given, and the counters as
    /// the row has them.
    pub fn resume_light(
        spec: &Spec,
        start: &Url,
        manifest: Manifest,
        head: usize,
        frame: &[u8],
        counters: Counters,
    ) -> io::Result<Self> {
        let damaged = || io::Error::other("a chunk of addresses does not read");
        let mut frontier = Self::restore(spec, start, &manifest)?;
        frontier.light = Some(Light::default());
        let text = unpack(frame, MAX_CHUNK_BYTES)?;
        let text = String::from_utf8(text).map_err(|_| damaged())?;
        let mut table = std::mem::take(&mut frontier.table);
        for (index, stored) in manifest.chunks.iter().enumerate() {
            if index == head {
                let recall = |number, entry: &_| frontier.recall(number, entry);
                table.load(*stored, &text, recall).ok_or_else(damaged)?;
            } else {
                table.leave(*stored);
            }
        }
        table.set_counters(counters);
        frontier.table = table;
        frontier.recall_canonicals();
        frontier.fresh.publish(manifest.results);
        Ok(frontier)
    }

    pub fn is_light(&self) -> bool {
        self.light.is_some()
    }

    /// A light slice can do no more: a whole one has to go on.
    pub fn is_spent(&self) -> bool {
        // Where the head only waits for its time, what comes after it need not.
        let more = self.table.has_queued_out_of_memory();
        let waits =
            |host: &super::HostQueue| !host.ready.is_empty() || !more && !host.later.is_empty();
        self.light.as_ref().is_some_and(|light| {
            let over = light.needs_all || self.limit_reached(0).is_some();
            self.in_flight.is_empty() && (over || !self.hosts.iter().any(waits))
        })
    }

    /// Writes links down instead of looking at them; `false` where this slice is a whole one.
    pub(super) fn note_links(&mut self, links: &[FoundLink], depth: u8, nofollow: bool) -> bool {
        let Some(light) = &mut self.light else {
            return false;
        };
        for link in links {
            let follow = u8::from(!nofollow && !link.nofollow);
            // Writing to a string does not fail.
            let _ = writeln!(light.lines, "{depth}\t{follow}\t{}", link.url);
        }
        true
    }

    /// Whether a page leads elsewhere, which only a whole slice can judge; then one will visit it.
    pub(super) fn is_beyond_light(&mut self, page: &VisitedPage) -> bool {
        let here = identity(&page.final_url);
        let canonical = page.canonical.as_ref();
        canonical.is_some_and(|url| identity(url) != here) && self.leave_to_whole()
    }

    /// Leaves what has come up to a whole slice; `false` where this one is.
    pub(super) fn leave_to_whole(&mut self) -> bool {
        match &mut self.light {
            Some(light) => {
                light.needs_all = true;
                true
            }
            None => false,
        }
    }

    /// What was written down since the last commit.
    pub(super) fn take_notes(&mut self) -> Option<String> {
        let lines = std::mem::take(&mut self.light.as_mut()?.lines);
        (!lines.is_empty()).then_some(lines)
    }

    pub(super) fn has_notes(&self) -> bool {
        self.light
            .as_ref()
            .is_some_and(|light| !light.lines.is_empty())
    }

    /// Looks at links that light slices have written down.
    pub(super) fn look_at_notes(&mut self, frames: &[Vec<u8>]) -> io::Result<()> {
        let damaged = || io::Error::other("notes of links do not read");
        for frame in frames {
            let text = String::from_utf8(unpack(frame, MAX_RAW_BYTES)?).map_err(|_| damaged())?;
            for line in text.lines() {
                let mut fields = line.splitn(3, '\t');
                let mut field = || fields.next().ok_or_else(damaged);
                let depth = field()?.parse().map_err(|_| damaged())?;
                let follow = field()? == "1";
                self.discover(field()?, Found::linked(depth, follow));
            }
        }
        Ok(())
    }
}

/// Where the notes lie that a whole slice has to read.
pub fn notes_of(manifest: &Manifest) -> &[Part] {
    &manifest.raw
}
