//! When a delivery is tried again: a pure function of how often it failed, what the receiver asked
//! for, and a random number.

use std::time::Duration;

/// Attempts of a delivery before it counts as failed.
pub const MOST_ATTEMPTS: u32 = 10;

/// The waits that Standard Webhooks recommends, after the first failure, the second and so on.
const WAITS: [Duration; MOST_ATTEMPTS as usize - 1] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// A receiver may ask us to wait this long, and no longer.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// How long to wait after the `failed`-th failed attempt (1 is the first), with up to a fifth more
/// by `jitter` (any number), and never less than the receiver asked for, up to a day; `None` after
/// the last attempt.
pub fn wait_after(failed: u32, retry_after: Option<Duration>, jitter: u64) -> Option<Duration> {
    let index = usize::try_from(failed.checked_sub(1)?).ok()?;
    let base = *WAITS.get(index)?;
    let spread = base.as_millis() as u64 / 5;
    let wait = base + Duration::from_millis(jitter % (spread + 1));
    Some(wait.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_are_those_of_the_specification_and_then_it_is_over() {
        let waits: Vec<_> = (1..=9)
            .map(|failed| wait_after(failed, None, 0).unwrap().as_secs())
            .collect();
        let hour = 3_600;
        let hours = [2, 5, 10, 14, 20, 24].map(|hours| hours * hour);
        assert_eq!(waits[..3], [5, 300, 1_800]);
        assert_eq!(waits[3..], hours);
        assert_eq!(wait_after(10, None, 0), None);
        assert_eq!(wait_after(u32::MAX, None, 0), None);
        assert_eq!(wait_after(0, None, 0), None);
    }

    #[test]
    fn jitter_adds_at_most_a_fifth() {
        for failed in 1..MOST_ATTEMPTS {
            let base = wait_after(failed, None, 0).unwrap();
            for jitter in [1, 999, 1_000_003, u64::MAX] {
                let wait = wait_after(failed, None, jitter).unwrap();
                assert!(
                    wait >= base && wait <= base + base / 5,
                    "{failed}: {wait:?}"
                );
            }
        }
    }

    #[test]
    fn the_receiver_is_obeyed_up_to_a_day() {
        let asked = |seconds| wait_after(2, Some(Duration::from_secs(seconds)), 0).unwrap();
        let waits = [0, 299, 301, 86_400, 1_000_000].map(|seconds| asked(seconds).as_secs());
        assert_eq!(waits, [300, 300, 301, 86_400, 86_400]);
    }
}
