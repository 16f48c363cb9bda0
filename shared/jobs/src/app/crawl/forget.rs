//! Forgets what nobody has refreshed for long, a few at a time. Refuses to touch what a job that is
//! still there has kept: that goes with the job.

use crate::app::App;
use crate::app::crawl::storage::pack_prefix;
use crate::app::sweep::Swept;
use crate::error::Error;
use crate::ports::Expired;

/// Most baselines that one sweep forgets: each may stand for the packs of a large crawl.
const AT_ONCE: usize = 10;

impl App {
    pub(in crate::app) async fn sweep_baselines(&self, swept: &mut Swept) -> Result<(), Error> {
        let expired = self.ports.baselines.expired(self.now(), AT_ONCE).await?;
        swept.more |= expired.len() == AT_ONCE;
        let mut first_error = None;
        for baseline in expired {
            match self.forget(&baseline).await {
                Ok(()) => swept.purged += 1,
                // What cannot be helped must not keep the others from being forgotten.
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// The packs first, then the row: what is cut short is found again.
    async fn forget(&self, expired: &Expired) -> Result<(), Error> {
        let job = &expired.baseline.job;
        if self.ports.store.job(job).await?.is_none() {
            self.ports.blobs.delete_all(&pack_prefix(job)).await?;
        }
        Ok(self.ports.baselines.forget(expired).await?)
    }
}
