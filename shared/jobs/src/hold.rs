//! Whether the whole queue is held back: one small row for everybody. Refuses to know who asks and
//! what follows from it.

use crate::time::Timestamp;
use crate::transition::Stamp;

/// The row; absent it is [`Hold::default`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    /// Nothing queued may be claimed.
    pub paused: bool,
    /// Grows with every write; 0 where nobody has written yet.
    pub revision: u64,
    /// Random number of the last write: a write whose answer was lost knows its echo by it.
    pub nonce: u64,
    /// When it was written.
    pub at: Timestamp,
}

impl Hold {
    /// The row that holds the queue back, or lets it go.
    #[must_use]
    pub fn set(&self, stamp: Stamp, paused: bool) -> Self {
        Self {
            paused,
            revision: self.revision + 1,
            nonce: stamp.nonce,
            at: stamp.now,
        }
    }
}
