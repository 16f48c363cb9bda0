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
    status: String,
    percentage: u64,
    pub(super) done: u64,
    /// Pages that are still to be had, as far as they are known.
    left: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    rate: f64,
    current: String,
}

impl Seen {
    pub(super) fn of(job: &Value) -> Self {
        let counter = |name: &str| job["counters"][name].as_u64().unwrap_or_default();
        let done = counter("done");
        let most = job["options"]["maxPages"].as_u64().unwrap_or(u64::MAX);
        Self {
            status: shown(&job["status"]),
            percentage: job["progress"].as_u64().unwrap_or_default().min(100),
            done,
            left: counter("queued").min(most.saturating_sub(done)),
            failed: counter("failed"),
            skipped: counter("skipped"),
            rate: job["crawl"]["pagesPerSecond"].as_f64().unwrap_or_default(),
            current: shown(&job["crawl"]["currentUrl"]),
        }
    }

    fn is_something(&self) -> bool {
        self.done + self.left + self.failed > 0
    }

    /// `120 pages, 280 to go, 3 failed, 35 pages/s, 8 s left`.
    fn plain(&self) -> String {
        let Self {
            status,
            left,
            failed,
            rate,
            ..
        } = self;
        let pages = counted(self.done, "page");
        let pace = if *rate > 0.0 {
            let time = time(Duration::from_secs((*left as f64 / rate).min(1e9) as u64));
            format!(", {} pages/s, {time} left", paced(*rate))
        } else {
            String::new()
        };
        let waits = match status.as_str() {
            "active" | "" => String::new(),
            "delayed" => " (waiting until the site may be asked)".to_owned(),
            other => format!(" ({other})"),
        };
        format!("{pages}, {left} to go, {failed} failed{pace}{waits}")
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
        line.trim_end().chars().take(width).collect()
    }
}

/// What a site or a server has named, without what would move the cursor.
pub(super) fn shown(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default().chars();
    text.filter(|c| !c.is_control()).collect()
}

/// `1 page`, `2 pages`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A rate, with a digit after the point where it says something.
pub(super) fn paced(rate: f64) -> String {
    if rate < 10.0 {
        format!("{rate:.1}")
    } else {
        format!("{rate:.0}")
    }
}

/// `8 s`, `2 min 5 s`, `3 h 20 min`.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// Whether a line can be drawn anew.
fn is_drawn() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    std::io::stderr().is_terminal() && !dumb
}

/// Tells something in the middle of a crawl, in place of the line that is drawn.
pub(super) fn notice(text: &str) {
    let over = if is_drawn() { "\r\x1b[K" } else { "" };
    tell!("{over}{text}");
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
    began: Instant,
    printed: Option<(Instant, String)>,
    drawn: bool,
}

impl Line {
    pub(super) fn start() -> Self {
        Self {
            terminal: is_drawn(),
            began: Instant::now(),
            printed: None,
            drawn: false,
        }
    }

    pub(super) fn show(&mut self, seen: &Seen) {
        if self.terminal {
            let mut screen = std::io::stderr();
            // Over the line that is there; what is left of it is erased.
            let _ = write!(screen, "\r{}\x1b[K", seen.bar(width() - 1));
            let _ = screen.flush();
            self.drawn = true;
            return;
        }
        let plain = seen.plain();
        let is_news =
            |(at, told): &(Instant, String)| at.elapsed() >= PLAIN_EVERY && *told != plain;
        // A short crawl need not be told to have nothing yet.
        let is_first = seen.is_something() || self.began.elapsed() >= PLAIN_EVERY;
        if self.printed.as_ref().map_or(is_first, is_news) {
            tell!("{plain}");
            self.printed = Some((Instant::now(), plain));
        }
    }

    /// What comes next begins on a line of its own.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.drawn) {
            tell!();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_api_says_is_told_in_one_line() {
        let seen = Seen::of(&json!({
            "id": "job_1", "progress": 30, "status": "active",
            "counters": {"done": 120, "queued": 280, "failed": 3, "skipped": 7},
            "crawl": {"pagesPerSecond": 35.2, "currentUrl": "https://example.com/"},
        }));
        assert_eq!(
            seen.plain(),
            "120 pages, 280 to go, 3 failed, 35 pages/s, 7 s left"
        );
        let bar = "[######--------------]  30% 120 pages, 280 to go, 3 failed, 35 pages/s, 7 s left \
                   https://example.com/";
        assert_eq!(seen.bar(200), bar);
        assert_eq!(seen.bar(79).chars().count(), 79);
        let hostile = Seen::of(&json!({"crawl": {"currentUrl": "a\u{1b}[2Jb\r"}}));
        assert_eq!(hostile.current, "a[2Jb");
        assert_eq!(Seen::of(&json!({})).plain(), "0 pages, 0 to go, 0 failed");
    }

    #[test]
    fn no_more_is_to_go_than_the_crawl_may_have() {
        let seen = Seen::of(&json!({
            "status": "delayed", "options": {"maxPages": 100},
            "counters": {"done": 1, "queued": 280, "failed": 0, "skipped": 0},
            "crawl": {"pagesPerSecond": 0.5},
        }));
        let line = "1 page, 99 to go, 0 failed, 0.5 pages/s, 3 min 18 s left \
                    (waiting until the site may be asked)";
        assert_eq!(seen.plain(), line);
    }

    #[test]
    fn times_are_told_in_two_parts_at_most() {
        let told = [0, 59, 60, 3_599, 3_600, 100_000].map(|it| time(Duration::from_secs(it)));
        let expected = [
            "0 s",
            "59 s",
            "1 min 0 s",
            "59 min 59 s",
            "1 h 0 min",
            "27 h 46 min",
        ];
        assert_eq!(told, expected);
    }
}
