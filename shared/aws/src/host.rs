//! What every host has: a clock and random numbers from its operating system. Refuses to be used
//! by anything but the place that puts a host together; all others ask their ports.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use jobs::Timestamp;
use jobs::ports::{Clock, Entropy};

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// The operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn next(&self) -> u128 {
        let mut bytes = [0; 16];
        // A system without random numbers cannot name a job; there is nothing to go on with.
        getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
        u128::from_ne_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_past_the_day_this_was_written_and_random_numbers_differ() {
        assert!(SystemClock.now() > Timestamp::from_millis(1_790_000_000_000));
        assert_ne!(SystemEntropy.next(), SystemEntropy.next());
    }
}
