//! How far a crawl is, for the person who waits: a line that is drawn anew on a terminal, else a
//! plain line now and then.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How often a plain line is printed.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
const BAR: usize = 20;
/// Longest address on the line.
const SHOWN: usize = 50;

/// What is known of a crawl, from what the API says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    id: String,
    percentage: u64,
    done: u64,
    queued: u64,
    failed: u64,
    skipped: u64,
    rate: f64,
    current: String,
}

impl Seen {
    pub(super) fn of(job: &Value) -> Self {
        let counter = |name: &str| job["counters"][name].as_u64().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            id: text(&job["id"]),
            percentage: job["progress"].as_u64().unwrap_or_default().min(100),
            done: counter("done"),
            queued: counter("queued"),
            failed: counter("failed"),
            skipped: counter("skipped"),
            rate: job["crawl"]["pagesPerSecond"].as_f64().unwrap_or_default(),
            current: text(&job["crawl"]["currentUrl"]),
        }
    }

    /// `120 pages, 280 to go, 3 failed, 35 pages/s`.
    fn plain(&self) -> String {
        let Self {
            done,
            queued,
            failed,
            rate,
            ..
        } = self;
        format!("{done} pages, {queued} to go, {failed} failed, {rate:.0} pages/s")
    }

    fn bar(&self) -> String {
        let filled = self.percentage as usize * BAR / 100;
        let shown: String = self.current.chars().take(SHOWN).collect();
        format!(
            "[{}{}] {:3}% {} {shown}",
            "#".repeat(filled),
            "-".repeat(BAR - filled),
            self.percentage,
            self.plain(),
        )
    }

    /// The end of it all.
    pub(super) fn summary(&self, place: &str) -> String {
        let Self {
            id,
            done,
            failed,
            skipped,
            ..
        } = self;
        format!(
            "{done} pages, {failed} failed, {skipped} addresses skipped; written to {place}.\n\
             Why one is missing: GET /api/jobs/{id}/urls of a service on the same data."
        )
    }
}

/// The line of a running crawl.
pub(super) struct Line {
    terminal: bool,
    printed: Option<Instant>,
    drawn: bool,
}

impl Line {
    pub(super) fn start() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            printed: None,
            drawn: false,
        }
    }

    pub(super) fn show(&mut self, seen: &Seen) {
        let mut screen = std::io::stderr();
        if self.terminal {
            // Over the line that is there; what is left of it is erased.
            let _ = write!(screen, "\r{}\x1b[K", seen.bar());
            let _ = screen.flush();
            self.drawn = true;
        } else if self.printed.is_none_or(|at| at.elapsed() >= PLAIN_EVERY) {
            let _ = writeln!(screen, "{}", seen.plain());
            self.printed = Some(Instant::now());
        }
    }

    /// What comes next begins on a line of its own.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.drawn) {
            eprintln!();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_api_says_is_told_in_one_line() {
        let seen = Seen::of(&json!({
            "id": "job_1", "progress": 30,
            "counters": {"done": 120, "queued": 280, "failed": 3, "skipped": 7},
            "crawl": {"pagesPerSecond": 35.2, "currentUrl": "https://example.com/"},
        }));
        assert_eq!(seen.plain(), "120 pages, 280 to go, 3 failed, 35 pages/s");
        let bar = "[######--------------]  30% 120 pages, 280 to go, 3 failed, 35 pages/s \
                   https://example.com/";
        assert_eq!(seen.bar(), bar);
        assert!(seen.summary("a.ndjson").contains("written to a.ndjson"));
        assert_eq!(Seen::of(&json!({})), Seen::default());
    }
}
