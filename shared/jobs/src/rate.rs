//! How often a customer may call: a token bucket per customer and kind of call, whose burst is the
//! minute's number. Pure: where the bucket is kept, and for how many processes, is not known here.

use std::time::Duration;

use crate::time::Timestamp;

/// A token, in the millionths that buckets count.
const TOKEN: u64 = 1_000_000;
const MINUTE: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Create,
    Read,
}

impl Call {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
        }
    }

    /// Tokens that a process takes at once, to answer from: the more calls there are, the fewer of
    /// them ask the table, and the less of a minute's number one process can sit on.
    pub fn block(self, per_minute: u32) -> u64 {
        let per_minute = u64::from(per_minute);
        match self {
            Self::Create if per_minute <= 200 => 1,
            Self::Create => per_minute / 100,
            Self::Read => (per_minute / 50).max(1),
        }
    }
}

/// What is left of a customer's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Millionths of a token, as of `at`.
    pub millionths: u64,
    pub at: Timestamp,
}

impl Bucket {
    pub fn full(per_minute: u32, now: Timestamp) -> Self {
        Self {
            millionths: u64::from(per_minute) * TOKEN,
            at: now,
        }
    }

    /// A bucket is full again this long after `at`, whatever it held.
    pub const FULL_AFTER: Duration = MINUTE;

    /// The same bucket as of now, where it was written by a clock so far ahead that it must have
    /// been wrong: as it is, it would gain nothing until then.
    pub fn mended(self, now: Timestamp) -> Option<Self> {
        (self.at.since(now) > MINUTE).then_some(Self { at: now, ..self })
    }

    /// Takes up to `wanted` tokens, one at least; where there is none, says how long until there
    /// is. `per_minute` is not 0.
    pub fn take(
        self,
        now: Timestamp,
        per_minute: u32,
        wanted: u64,
    ) -> Result<(Self, u64), Duration> {
        let per_minute = u64::from(per_minute.max(1));
        let passed = now.since(self.at).min(MINUTE).as_millis() as u64;
        let gained = passed * per_minute * TOKEN / 60_000;
        let there = (self.millionths + gained).min(per_minute * TOKEN);
        let taken = (there / TOKEN).min(wanted.max(1));
        if taken == 0 {
            let missing = TOKEN - there;
            let millis = (missing * 60_000).div_ceil(per_minute * TOKEN);
            return Err(Duration::from_millis(millis));
        }
        let left = Self {
            millionths: there - taken * TOKEN,
            // Another process's clock may be ahead of this one.
            at: now.max(self.at),
        };
        Ok((left, taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn a_minutes_number_may_come_at_once_and_then_one_at_a_time() {
        let mut bucket = Bucket::full(60, START);
        let mut take = |after: u64| {
            let taken = bucket.take(START + Duration::from_millis(after), 60, 1);
            taken.map(|(left, taken)| {
                assert_eq!(taken, 1);
                bucket = left;
            })
        };
        assert_eq!((0..100).filter(|_| take(0).is_ok()).count(), 60);
        assert_eq!(take(0), Err(Duration::from_secs(1)));
        assert!(take(999).is_err());
        assert!(take(1_000).is_ok());
        assert!(take(1_000).is_err());
    }

    #[test]
    fn a_block_is_what_there_is_up_to_what_is_wanted() {
        let (left, taken) = Bucket::full(100, START).take(START, 100, 30).unwrap();
        assert_eq!(taken, 30);
        let (left, taken) = left.take(START, 100, 200).unwrap();
        assert_eq!((taken, left.millionths), (70, 0));
        assert_eq!(left.take(START, 100, 5), Err(Duration::from_millis(600)));
    }

    #[test]
    fn no_clock_and_no_change_of_the_rate_makes_more_of_it() {
        let full = Bucket::full(100, START);
        let (left, _) = full.take(START, 100, 100).unwrap();
        // A clock behind the one that wrote last.
        assert!(left.take(START - Duration::from_hours(1), 100, 1).is_err());
        // Far ahead: a minute's number, not more.
        let later = START + Duration::from_hours(1_000);
        assert_eq!(left.take(later, 100, 1_000).unwrap().1, 100);
        // A rate that was lowered since.
        assert_eq!(full.take(START, 10, 1_000).unwrap().1, 10);
        // Time that passes in small steps counts as much as at once.
        let mut bucket = left;
        let mut taken = 0;
        for millis in 0..60_000 {
            let now = START + Duration::from_millis(millis);
            if let Ok((left, one)) = bucket.take(now, 100, 1) {
                (bucket, taken) = (left, taken + one);
            }
        }
        assert_eq!(taken, 99);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nobody_out() {
        let (empty, _) = Bucket::full(60, START).take(START, 60, 60).unwrap();
        let now = START - Duration::from_hours(1);
        assert_eq!(empty.mended(START), None);
        let mended = empty.mended(now).unwrap();
        assert!(mended.take(now, 60, 1).is_err(), "nothing is gained by it");
        assert!(mended.take(now + Duration::from_secs(1), 60, 1).is_ok());
    }

    #[test]
    fn blocks_grow_with_the_rate() {
        let blocks = [1, 100, 200, 201, 1_000, 6_000];
        assert_eq!(
            blocks.map(|rate| Call::Create.block(rate)),
            [1, 1, 1, 2, 10, 60]
        );
        assert_eq!(
            blocks.map(|rate| Call::Read.block(rate)),
            [1, 2, 4, 4, 20, 120]
        );
    }
}
