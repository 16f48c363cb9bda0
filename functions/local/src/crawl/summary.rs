//! What a crawl has come to, in a few lines: pages, time, what is missing and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::asking::Asking;
use super::progress::{Seen, counted, paced, shown, time};

/// Calls that count the reasons: at a thousand addresses each, more than most crawls have.
const MOST_CALLS: usize = 100;
/// Failed addresses that are named.
const NAMED: usize = 5;

/// Why addresses of a crawl are no results.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Reasons {
    counts: BTreeMap<String, u64>,
    /// The first few, each with its reason.
    first: Vec<(String, String)>,
    /// Whether there are more than were looked at.
    is_cut: bool,
}

impl Reasons {
    /// Counts them of all addresses with a state.
    pub(super) async fn count(asking: &Asking, path: &str, state: &str) -> anyhow::Result<Self> {
        let mut reasons = Self::default();
        let mut cursor = String::new();
        for _ in 0..MOST_CALLS {
            let path = format!("{path}/urls?state={state}&limit=1000{cursor}");
            let page = asking.get(&path).await?.json()?;
            reasons.add(&page);
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(reasons),
            }
        }
        reasons.is_cut = true;
        Ok(reasons)
    }

    fn add(&mut self, page: &Value) {
        for row in page["urls"].as_array().into_iter().flatten() {
            let reason = shown(&row["reason"]);
            if self.first.len() < NAMED {
                self.first.push((shown(&row["url"]), reason.clone()));
            }
            *self.counts.entry(reason).or_default() += 1;
        }
    }

    /// `20 robots, 3 depth`: the most frequent first.
    fn line(&self) -> String {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let each = counts
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"));
        let line = each.collect::<Vec<_>>().join(", ");
        if self.is_cut {
            format!("{line}, and more")
        } else {
            line
        }
    }
}

/// What is told at the end.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) seen: Seen,
    /// Pages that were there when this command began.
    pub(super) before: u64,
    /// How long this command has followed the crawl; nothing where it had ended before.
    pub(super) took: Option<Duration>,
    pub(super) skipped: Reasons,
    pub(super) failed: Reasons,
}

impl Summary {
    /// The first line: `120 pages, 3 failed, 7 skipped; 12.3 s, 9.8 pages/s`.
    pub(super) fn line(&self) -> String {
        let Seen {
            done,
            failed,
            skipped,
            ..
        } = &self.seen;
        let mut line = format!(
            "{}, {failed} failed, {skipped} skipped",
            counted(*done, "page")
        );
        let Some(took) = self.took else {
            return line;
        };
        let here = done.saturating_sub(self.before);
        if self.before > 0 {
            let _ = write!(line, "; {here} of them now");
        }
        let seconds = took.as_secs_f64();
        let took = if seconds < 60.0 {
            format!("{seconds:.1} s")
        } else {
            time(took)
        };
        let pace = paced(here as f64 / seconds.max(0.001));
        let _ = write!(line, "; {took}, {pace} pages/s");
        line
    }

    /// Why pages are missing, where some are: a line for what was skipped, and some for what failed.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.skipped.counts.is_empty() {
            lines.push(format!("Skipped: {}", self.skipped.line()));
        }
        if !self.failed.counts.is_empty() {
            lines.push(format!("Failed: {}", self.failed.line()));
            let first = self.failed.first.iter();
            lines.extend(first.map(|(url, reason)| format!("  {reason} {url}")));
            let named = self.failed.first.len() as u64;
            let others = self.seen.failed.saturating_sub(named);
            if others > 0 {
                lines.push(format!("  and {others} more"));
            }
        }
        lines
    }
}

/// `512 bytes`, `61.2 MB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => counted(bytes, "byte"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(done: u64, failed: u64, skipped: u64) -> Seen {
        Seen::of(&json!({"counters": {"done": done, "failed": failed, "skipped": skipped}}))
    }

    #[test]
    fn pages_time_and_pace_stand_in_the_first_line() {
        let mut summary = Summary {
            seen: seen(120, 3, 7),
            took: Some(Duration::from_millis(12_300)),
            ..Summary::default()
        };
        let line = "120 pages, 3 failed, 7 skipped; 12.3 s, 9.8 pages/s";
        assert_eq!(summary.line(), line);
        summary.before = 100;
        summary.took = Some(Duration::from_secs(100));
        let line = "120 pages, 3 failed, 7 skipped; 20 of them now; 1 min 40 s, 0.2 pages/s";
        assert_eq!(summary.line(), line);
        summary.took = None;
        assert_eq!(summary.line(), "120 pages, 3 failed, 7 skipped");
    }

    #[test]
    fn what_is_missing_is_counted_by_reason_and_the_first_failures_are_named() {
        let mut summary = Summary {
            seen: seen(1, 7, 3),
            ..Summary::default()
        };
        assert_eq!(summary.missing(), [""; 0]);
        let row = |url: &str, reason: &str| json!({"url": url, "reason": reason});
        let skipped = [row("a", "depth"), row("b", "robots"), row("c", "robots")];
        summary.skipped.add(&json!({"urls": skipped}));
        let failed: Vec<_> = (0..7)
            .map(|it| row(&format!("f{it}\u{7}"), "http_404"))
            .collect();
        summary.failed.add(&json!({"urls": failed}));
        let lines = [
            "Skipped: 2 robots, 1 depth",
            "Failed: 7 http_404",
            "  http_404 f0",
            "  http_404 f1",
            "  http_404 f2",
            "  http_404 f3",
            "  http_404 f4",
            "  and 2 more",
        ];
        assert_eq!(summary.missing(), lines);
        summary.skipped.is_cut = true;
        assert_eq!(summary.missing()[0], "Skipped: 2 robots, 1 depth, and more");
    }

    #[test]
    fn sizes_are_told_in_units_of_a_thousand() {
        let told = [0, 1, 999, 1_000, 61_240_000, 2_000_000_000].map(size);
        let expected = [
            "0 bytes",
            "1 byte",
            "999 bytes",
            "1.0 kB",
            "61.2 MB",
            "2.0 GB",
        ];
        assert_eq!(told, expected);
    }
}
