//! How often a customer may call: a token bucket per customer and kind of call, whose burst is the
//! minute's number. Held in this process, so it counts what this process sees.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::spec::CustomerId;
use crate::time::Timestamp;

/// Customers remembered before those with full buckets are forgotten.
const MOST_BUCKETS: usize = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Create,
    Read,
}

/// The buckets of a process.
#[derive(Debug, Default)]
pub struct Rates(Mutex<HashMap<(Call, CustomerId), Bucket>>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

impl Bucket {
    fn refilled(self, now: Timestamp, per_minute: u32) -> Self {
        let gained = now.since(self.at).as_secs_f64() * f64::from(per_minute) / 60.0;
        Self {
            tokens: (self.tokens + gained).min(f64::from(per_minute)),
            at: now.max(self.at),
        }
    }
}

impl Rates {
    /// Takes a token where there is one; otherwise says how long until there is. A rate of 0 is no
    /// limit.
    pub fn take(
        &self,
        call: Call,
        customer: &CustomerId,
        per_minute: u32,
        now: Timestamp,
    ) -> Result<(), Duration> {
        if per_minute == 0 {
            return Ok(());
        }
        let full = Bucket {
            tokens: f64::from(per_minute),
            at: now,
        };
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_BUCKETS {
            buckets.retain(|_, bucket| bucket.refilled(now, per_minute).tokens < full.tokens);
        }
        let bucket = buckets.entry((call, customer.clone())).or_insert(full);
        *bucket = bucket.refilled(now, per_minute);
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let seconds = (1.0 - bucket.tokens) * 60.0 / f64::from(per_minute);
        Err(Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_number_may_come_at_once_and_then_one_at_a_time() {
        let (rates, customer) = (Rates::default(), CustomerId::default());
        let start = Timestamp::from_millis(1_000_000);
        let take = |after: u64| {
            let now = start + Duration::from_millis(after);
            rates.take(Call::Create, &customer, 60, now)
        };
        assert_eq!((0..100).filter(|_| take(0).is_ok()).count(), 60);
        assert_eq!(take(0), Err(Duration::from_secs(1)));
        assert!(take(999).is_err());
        assert!(take(1_000).is_ok());
        assert!(take(1_000).is_err());
        // Others, and other calls, have buckets of their own.
        let other = CustomerId::parse("other").unwrap();
        assert!(rates.take(Call::Create, &other, 60, start).is_ok());
        assert!(rates.take(Call::Read, &customer, 60, start).is_ok());
        assert!(rates.take(Call::Create, &customer, 0, start).is_ok());
    }
}
