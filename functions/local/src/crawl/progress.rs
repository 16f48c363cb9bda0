//! How far a crawl is, for the person who waits: a line that is drawn anew on a terminal, else a
//! plain line now and then.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How often a plain line is printed.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
const BAR: usize = 20;
/// As wide as a terminal is that does not say.
const WIDTH: usize = 80;

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
        // What a site or a server has named must not move the cursor.
        let text = |value: &Value| {
            let text = value.as_str().unwrap_or_default().chars();
            text.filter(|c| !c.is_control()).collect()
        };
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

    /// `120 pages, 280 to go, 3 failed, 35 pages/s, 8 s left`.
    fn plain(&self) -> String {
        let Self {
            done,
            queued,
            failed,
            rate,
            ..
        } = self;
        let left = if *rate > 0.0 {
            format!(", {:.0} s left", *queued as f64 / rate)
        } else {
            String::new()
        };
        format!("{done} pages, {queued} to go, {failed} failed, {rate:.0} pages/s{left}")
    }

    /// A line of at most `width` characters.
    fn bar(&self, width: usize) -> String {
        let filled = self.percentage as usize * BAR / 100;
        let line = format!(
            "[{}{}] {:3}% {} {}",
            "#".repeat(filled),
            "-".repeat(BAR - filled),
            self.percentage,
            self.plain(),
            self.current,
        );
        line.chars().take(width).collect()
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

/// How many characters a line of the terminal has.
fn width() -> usize {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stderr())
        && size.ws_col > 1
    {
        return usize::from(size.ws_col);
    }
    WIDTH
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
            let _ = write!(screen, "\r{}\x1b[K", seen.bar(width() - 1));
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
            tell!();
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
        assert_eq!(
            seen.plain(),
            "120 pages, 280 to go, 3 failed, 35 pages/s, 8 s left"
        );
        let bar = "[######--------------]  30% 120 pages, 280 to go, 3 failed, 35 pages/s, 8 s left \
                   https://example.com/";
        assert_eq!(seen.bar(200), bar);
        assert_eq!(seen.bar(79).chars().count(), 79);
        let hostile = Seen::of(&json!({"crawl": {"currentUrl": "a\u{1b}[2Jb\r"}}));
        assert_eq!(hostile.current, "a[2Jb");
        assert!(seen.summary("a.ndjson").contains("written to a.ndjson"));
        assert_eq!(Seen::of(&json!({})), Seen::default());
    }
}
