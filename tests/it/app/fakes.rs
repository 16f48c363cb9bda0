//! What stands in for time, chance and the web in the process of a test.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jobs::ports::{Clock, Entropy, PageRequest, Scraper};
use jobs::{Failure, Page, Timestamp};

use super::START;

/// A clock that stands until it is moved.
pub(crate) struct ManualClock(pub(super) AtomicI64);

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// Whoever waits moves the clock.
    async fn sleep(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as i64, Ordering::Relaxed);
    }

    async fn alarm(&self, _: Duration) {
        std::future::pending::<()>().await;
    }
}

/// Random numbers that are the same in every run (`SplitMix64`).
pub(crate) struct Seeded(pub(super) AtomicU64);

impl Seeded {
    fn half(&self) -> u64 {
        let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for Seeded {
    fn next(&self) -> u128 {
        (u128::from(self.half()) << 64) | u128::from(self.half())
    }
}

/// A web on which every page is the same.
pub(crate) struct Anything;

#[async_trait]
impl Scraper for Anything {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        Ok(crate::support::page(request.url.as_str(), START))
    }
}

/// A web that is a function.
pub(crate) struct Scripted<F>(pub(crate) F);

#[async_trait]
impl<F: Fn(&PageRequest) -> Result<Page, Failure> + Send + Sync> Scraper for Scripted<F> {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        self.0(request)
    }
}
