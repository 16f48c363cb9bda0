//! The port for what concerns many jobs at once: operations, and the hold on the whole queue.

use async_trait::async_trait;

use super::PortError;
use crate::hold::Hold;
use crate::id::{JobId, OperationId, RowId};
use crate::operation::Operation;
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advanced {
    Written,
    /// The row is no longer the one that was read; this is what it is now.
    Lost(Option<Box<Operation>>),
}

/// Part of a walk through the due index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DuePage {
    /// Earliest first.
    pub ids: Vec<RowId>,
    /// Go on with what comes after this, in the store's own words; `None` at the end.
    pub next: Option<String>,
}

/// Rows of operations, and the hold on the queue. Each write happens as a whole or not at all, and
/// knows its own echo.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Writes a new operation with the jobs that its request has listed.
    async fn begin(&self, operation: &Operation, listed: &[JobId]) -> Result<(), PortError>;

    /// The row, as of the last write.
    async fn operation(&self, id: &OperationId) -> Result<Option<Operation>, PortError>;

    /// The jobs that the request has listed, in its order.
    async fn listed(&self, id: &OperationId) -> Result<Vec<JobId>, PortError>;

    /// Replaces `before` by `after` where the row still is `before`.
    async fn advance(&self, before: &Operation, after: &Operation) -> Result<Advanced, PortError>;

    /// Removes an operation with everything that belongs to it, where the row still is that.
    async fn remove(&self, operation: &Operation) -> Result<(), PortError>;

    /// Up to `limit` rows of one shard of the list of work that come due by `until`, after the
    /// place that an earlier page has named.
    async fn due_from(
        &self,
        shard: u32,
        until: Timestamp,
        after: Option<&str>,
        limit: usize,
    ) -> Result<DuePage, PortError>;

    /// Whether the queue is held back, as of the last write.
    async fn hold(&self) -> Result<Hold, PortError>;

    /// Replaces `before` by `after`; `false` where the row is no longer `before`.
    async fn set_hold(&self, before: &Hold, after: &Hold) -> Result<bool, PortError>;
}
