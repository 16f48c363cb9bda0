//! What passes between a worker and the budget of a host: what it knows, what it may do, and what it
//! is about to take.

use super::Host;
use super::slots::Block;
use crate::time::Timestamp;

/// Whether a request may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    Now,
    /// Not before this.
    At(Timestamp),
    /// The table has to be asked.
    Ask,
}

/// What a process knows of a host.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The row, or that there is none.
    pub row: Option<Host>,
    /// When the row was read; as long as that may be ago, it may have changed.
    pub at: Timestamp,
    /// A hold that is known here, whatever the row says.
    pub held_until: Timestamp,
}

/// What to write, where something is to be written, and what the worker then has.
#[derive(Debug)]
pub struct Plan {
    pub write: Option<Host>,
    pub(super) then: Effect,
}

#[derive(Debug)]
pub(super) enum Effect {
    Slots(Block),
    Places(Places),
    /// Until then; places of what still runs are counted as long as this says.
    Wait(Timestamp, Option<Places>),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) count: u8,
    pub(super) wanted: u8,
    pub(super) until: Timestamp,
    pub(super) renew_at: Timestamp,
    /// Nobody else can have one.
    pub(super) alone: bool,
}
