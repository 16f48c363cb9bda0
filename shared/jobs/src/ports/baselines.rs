//! The port through which it is remembered what a refresh compares with: of each customer and start
//! address, the job whose results were the last complete ones.

use async_trait::async_trait;

use super::PortError;
use crate::crawl::Part;
use crate::id::JobId;
use crate::spec::CustomerId;
use crate::time::Timestamp;

/// What a site or a page was like when it was last crawled or refreshed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// Whose packs hold it. They outlive the job.
    pub job: JobId,
    pub manifest: Part,
    /// A refresh has written it.
    pub refreshed: bool,
    /// When it was complete.
    pub at: Timestamp,
    /// It may be forgotten then.
    pub expires_at: Timestamp,
}

/// A baseline whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Under which the implementation finds it again.
    pub name: String,
    pub baseline: Baseline,
}

/// Baselines by customer and canonical address. The last one written stands.
#[async_trait]
pub trait Baselines: Send + Sync {
    /// As of the last write.
    async fn baseline(
        &self,
        customer: &CustomerId,
        url: &str,
    ) -> Result<Option<Baseline>, PortError>;

    async fn put_baseline(
        &self,
        customer: &CustomerId,
        url: &str,
        baseline: &Baseline,
    ) -> Result<(), PortError>;

    /// Up to `limit` baselines that have expired by `until`, the earliest first; may lag behind the
    /// last writes by a moment.
    async fn expired(&self, until: Timestamp, limit: usize) -> Result<Vec<Expired>, PortError>;

    /// Removes an expired baseline, unless another has taken its place.
    async fn forget(&self, expired: &Expired) -> Result<(), PortError>;
}
