//! When to try again: a pure function of what failed, how often, and a random number.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(10);
/// A server may ask us to wait this long, and no longer.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// How long to wait after the `failed`-th failed attempt (1 is the first): 2 s doubled each time
/// up to 10 minutes, plus up to half of it by `jitter` (any number), and never less than the
/// server asked for, up to an hour.
pub fn wait_after(failed: usize, retry_after: Option<Duration>, jitter: u64) -> Duration {
    let doublings = u32::try_from(failed.saturating_sub(1))
        .unwrap_or(u32::MAX)
        .min(20);
    let base = (FIRST * 2_u32.pow(doublings)).min(LONGEST);
    let spread = base.as_millis() as u64 / 2;
    let wait = base + Duration::from_millis(jitter % (spread + 1));
    wait.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_two_seconds_to_ten_minutes() {
        let waits: Vec<_> = (1..=11).map(|n| wait_after(n, None, 0).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(wait_after(usize::MAX, None, 0), LONGEST);
    }

    #[test]
    fn jitter_adds_at_most_half() {
        for jitter in [0, 1, 999, 1_000, 1_001, u64::MAX] {
            let wait = wait_after(1, None, jitter).as_millis();
            assert!((2_000..=3_000).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn the_server_is_obeyed_up_to_an_hour() {
        let asked = |seconds| wait_after(1, Some(Duration::from_secs(seconds)), 0).as_secs();
        assert_eq!(
            [asked(0), asked(1), asked(30), asked(1_000_000)],
            [2, 2, 30, 3_600]
        );
    }
}
