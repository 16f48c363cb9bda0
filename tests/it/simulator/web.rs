//! The web of the simulator: pages that are slow, gone, or as they should be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use jobs::ports::{PageRequest, Scraper};
use jobs::{Failure, FailureCode, Page};

use super::world::{World, gate};

/// A web on which the dice decide.
pub(super) struct Script {
    pub(super) world: Arc<World>,
    pub(super) succeeded: AtomicU64,
}

#[async_trait]
impl Scraper for Script {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        for _ in 0..self.world.below(4) {
            gate().await;
        }
        if self.world.strikes("a page is slow", 20) {
            return Err(Failure::new(FailureCode::Timeout, "simulated"));
        }
        if self.world.strikes("a page is gone", 10) {
            return Err(Failure::new(FailureCode::Http(404), "simulated"));
        }
        self.succeeded.fetch_add(1, Ordering::Relaxed);
        Ok(crate::support::page(
            request.url.as_str(),
            self.world.time(),
        ))
    }
}
