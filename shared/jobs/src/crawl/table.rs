//! Every address that a crawl has discovered, in the order of discovery, in chunks: what changed
//! since the last commit is written again, chunk by chunk. All of it is in memory, but for a light
//! slice. Refuses to judge addresses.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use serde::{Deserialize, Serialize};

use crate::crawl::entry::{Entry, Standing};
use crate::crawl::progress::{Counters, Part};
use crate::crawl::reason::UrlState;

/// Addresses in a chunk.
pub(crate) const CHUNK: usize = 2_048;
/// Most bytes of a chunk before compression.
pub(crate) const MAX_CHUNK_BYTES: usize = CHUNK * 6_000;

/// The number of an address: its place in the order of discovery.
pub(crate) type Number = u32;

/// A stored chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredChunk {
    #[serde(flatten)]
    pub part: Part,
    #[serde(rename = "n")]
    pub entries: u32,
    #[serde(rename = "q")]
    pub queued: u32,
}

#[derive(Debug, Default)]
struct Chunk {
    /// Empty where it was left where it lies.
    entries: Vec<Entry>,
    queued: u32,
    stored: Option<StoredChunk>,
    is_dirty: bool,
}

/// Passes a hash through: keys are hashes already.
#[derive(Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only ever asked for `u64`; anything else is mixed in all the same.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

pub(crate) type ByHash<V> = HashMap<u64, V, BuildHasherDefault<Identity>>;

#[derive(Default)]
pub(crate) struct UrlTable {
    chunks: Vec<Chunk>,
    length: u32,
    counters: Counters,
}

impl UrlTable {
    /// Whether anything has changed since it was stored.
    pub(crate) fn is_dirty(&self) -> bool {
        self.chunks.iter().any(|chunk| chunk.is_dirty)
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    pub(crate) fn len(&self) -> u32 {
        self.length
    }

    /// Takes up a stored chunk, in order; its entries go through `look` one by one.
    pub(crate) fn load(
        &mut self,
        stored: StoredChunk,
        text: &str,
        mut look: impl FnMut(Number, &Entry),
    ) -> Option<()> {
        let mut entries = Vec::with_capacity(stored.entries.min(CHUNK as u32) as usize);
        let mut queued = 0;
        for line in text.lines().take(CHUNK) {
            let entry = Entry::read(line)?;
            queued += u32::from(entry.state() == UrlState::Queued);
            look(self.length, &entry);
            self.length += 1;
            *count(&mut self.counters, entry.state()) += 1;
            entries.push(entry);
        }
        if entries.len() != stored.entries as usize {
            return None;
        }
        self.chunks.push(Chunk {
            queued,
            stored: Some(stored),
            entries,
            is_dirty: false,
        });
        Some(())
    }

    /// Takes up a stored chunk without reading it.
    pub(crate) fn leave(&mut self, stored: StoredChunk) {
        self.length += stored.entries;
        self.chunks.push(Chunk {
            queued: stored.queued,
            stored: Some(stored),
            ..Chunk::default()
        });
    }

    /// Whether a chunk that was not read holds something to visit.
    pub(crate) fn has_queued_out_of_memory(&self) -> bool {
        let is_out = |chunk: &Chunk| chunk.queued > 0 && chunk.entries.is_empty();
        self.chunks.iter().any(is_out)
    }

    /// What all chunks together say, where some were not read.
    pub(crate) fn set_counters(&mut self, counters: Counters) {
        self.counters = counters;
    }

    pub(crate) fn push(&mut self, entry: Entry) -> Number {
        if self.length as usize == self.chunks.len() * CHUNK {
            self.chunks.push(Chunk {
                entries: Vec::with_capacity(64),
                ..Chunk::default()
            });
        }
        let number = self.length;
        let state = entry.state();
        *count(&mut self.counters, state) += 1;
        self.length += 1;
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.queued += u32::from(state == UrlState::Queued);
            chunk.is_dirty = true;
            chunk.entries.push(entry);
        }
        number
    }

    /// The entry, where it is in memory.
    pub(crate) fn get(&self, number: Number) -> Option<&Entry> {
        let chunk = self.chunks.get(number as usize / CHUNK)?;
        chunk.entries.get(number as usize % CHUNK)
    }

    /// Changes an entry that is in memory; `false` where it is not.
    pub(crate) fn change(&mut self, number: Number, change: impl FnOnce(&mut Entry)) -> bool {
        let Some(chunk) = self.chunks.get_mut(number as usize / CHUNK) else {
            return false;
        };
        let Some(entry) = chunk.entries.get_mut(number as usize % CHUNK) else {
            return false;
        };
        let before = entry.state();
        change(entry);
        let after = entry.state();
        chunk.queued -= u32::from(before == UrlState::Queued);
        chunk.queued += u32::from(after == UrlState::Queued);
        chunk.is_dirty = true;
        *count(&mut self.counters, before) -= 1;
        *count(&mut self.counters, after) += 1;
        true
    }

    /// Numbers of the queued entries from a place on, and when each may be fetched.
    pub(crate) fn queued(&self) -> impl Iterator<Item = (Number, &Entry)> {
        self.chunks.iter().enumerate().flat_map(|(index, chunk)| {
            let numbered = chunk.entries.iter().enumerate();
            numbered.filter_map(move |(offset, entry)| {
                let number = (index * CHUNK + offset) as Number;
                matches!(entry.standing, Standing::Queued(_)).then_some((number, entry))
            })
        })
    }

    /// Chunks that have changed since they were last stored: their places and their text.
    pub(crate) fn dirty(&self) -> impl Iterator<Item = (usize, String)> {
        let chunks = self.chunks.iter().enumerate();
        chunks
            .filter(|(_, chunk)| chunk.is_dirty)
            .map(|(index, chunk)| {
                let mut text = String::with_capacity(chunk.entries.len() * 80);
                for entry in &chunk.entries {
                    entry.write(&mut text);
                }
                (index, text)
            })
    }

    /// A chunk was stored as it is now.
    pub(crate) fn stored(&mut self, index: usize, part: Part) {
        if let Some(chunk) = self.chunks.get_mut(index) {
            chunk.stored = Some(StoredChunk {
                part,
                entries: chunk.entries.len() as u32,
                queued: chunk.queued,
            });
            chunk.is_dirty = false;
        }
    }

    /// Where all chunks lie; of those that are dirty, where they last lay.
    pub(crate) fn chunks(&self) -> Vec<StoredChunk> {
        self.chunks
            .iter()
            .filter_map(|chunk| chunk.stored)
            .collect()
    }
}

fn count(counters: &mut Counters, state: UrlState) -> &mut u32 {
    match state {
        UrlState::Queued => &mut counters.queued,
        UrlState::Done => &mut counters.done,
        UrlState::Failed => &mut counters.failed,
        UrlState::Skipped => &mut counters.skipped,
    }
}
