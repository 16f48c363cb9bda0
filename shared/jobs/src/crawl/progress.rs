//! How far a crawl is: the part of the job's row that every commit replaces, small because every
//! write bills all of it.

use serde::{Deserialize, Serialize};

use crate::crawl::host::Turn;
use crate::crawl::refresh::Change;

/// Where the addresses of a crawl stand. `discovered` is their sum by construction, at every read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    #[serde(rename = "q")]
    pub queued: u32,
    #[serde(rename = "d")]
    pub done: u32,
    #[serde(rename = "f")]
    pub failed: u32,
    #[serde(rename = "s")]
    pub skipped: u32,
}

impl Counters {
    pub const fn discovered(&self) -> u32 {
        self.queued + self.done + self.failed + self.skipped
    }
}

/// The name of what one commit has put into the blob store. It carries the fence of the claim, so
/// that a worker without a lease overwrites nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PackName(
    /// The fence.
    pub u64,
    /// The number of the commit under this fence.
    pub u32,
);

/// Some bytes of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Part {
    #[serde(rename = "p")]
    pub pack: PackName,
    #[serde(rename = "o")]
    pub offset: u32,
    #[serde(rename = "l")]
    pub length: u32,
}

/// What the row of a crawl says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    #[serde(rename = "c")]
    pub counters: Counters,
    /// The manifest that the last commit has published.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Part>,
    /// 0 to 99 while it runs; never falls within an attempt.
    #[serde(rename = "g", default)]
    pub percentage: u8,
    /// Results per second over the last slice, in hundredths.
    #[serde(rename = "r", default)]
    pub rate: u32,
    /// The address that was last begun, shortened.
    #[serde(rename = "u", default, skip_serializing_if = "String::is_empty")]
    pub current: String,
    /// Working time used by all slices so far, in milliseconds.
    #[serde(rename = "w", default)]
    pub worked_ms: u64,
    /// Leases lost in a row without a commit between them.
    #[serde(rename = "x", default, skip_serializing_if = "is_zero")]
    pub lapses: u8,
    /// How many more addresses are fetched one by one, because leases were lost.
    #[serde(rename = "k", default, skip_serializing_if = "is_zero16")]
    pub careful: u16,
    /// The address that is being fetched alone: a lease lost now is its fault.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// Of a refresh: what it has found so far.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refreshed>,
    /// The next slice need only know the head of the queue.
    #[serde(rename = "h", default, skip_serializing_if = "std::ops::Not::not")]
    pub light: bool,
    /// The slots of a host that the next slice comes back for.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// The next slice puts the failed addresses back into the queue.
    #[serde(rename = "y", default, skip_serializing_if = "std::ops::Not::not")]
    pub retry_failed: bool,
    /// Segments of results that there are, where somebody wants to hear of each page.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<u32>,
}

/// What a refresh has found, and what it has saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshed {
    #[serde(rename = "n")]
    pub new: u32,
    #[serde(rename = "s")]
    pub same: u32,
    #[serde(rename = "c")]
    pub changed: u32,
    #[serde(rename = "r")]
    pub removed: u32,
    /// Pages that were not asked for at all.
    #[serde(rename = "q")]
    pub requests_saved: u32,
    /// Bodies that were not sent again.
    #[serde(rename = "b")]
    pub bytes_saved: u64,
}

impl Refreshed {
    pub fn count(&mut self, change: Change) {
        match change {
            Change::New => self.new += 1,
            Change::Same => self.same += 1,
            Change::Changed => self.changed += 1,
            Change::Removed => self.removed += 1,
        }
    }
}

/// An address that is fetched alone, because it may be what takes workers down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number in the order of discovery.
    #[serde(rename = "n")]
    pub number: u32,
    /// Leases lost while it was fetched alone. The first may have had another cause.
    #[serde(rename = "l", default)]
    pub lapses: u8,
}

impl Trial {
    /// From this many lapses on the address has failed.
    pub const GUILTY: u8 = 2;
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero16(number: &u16) -> bool {
    *number == 0
}
