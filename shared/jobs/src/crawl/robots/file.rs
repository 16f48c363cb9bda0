//! From the bytes of a `robots.txt` to the rules, the delay and the sitemaps of one product token.
//! Refuses to keep what concerns others.

use std::time::Duration;

use robotstxt::RobotsParseHandler;

use super::pattern::{Pattern, escape, octet};
use super::{Compiled, MAX_CRAWL_DELAY, MAX_SITEMAP, MAX_SITEMAPS, MAX_WILDCARDS, token};

/// What a file says to one product token.
pub(super) struct Read {
    pub(super) rules: Vec<Compiled>,
    pub(super) crawl_delay: Option<Duration>,
    pub(super) sitemaps: Vec<String>,
}

/// What was read so far.
pub(super) struct Reading<'a> {
    agent: &'a str,
    /// Whom the group that is being read is for.
    group: Named,
    /// Whom a delay is for: as the group, but ended by a delay too.
    delayed: Named,
    /// The group has a rule, so that the next name begins another.
    has_rules: bool,
    has_delay: bool,
    /// No name was read yet.
    before_groups: bool,
    /// There is a group for our token, if only an empty one.
    named: bool,
    ours: Says,
    everybody: Says,
    nobody: Option<Duration>,
    sitemaps: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Named {
    us: bool,
    everybody: bool,
}

#[derive(Default)]
struct Says {
    rules: Vec<Compiled>,
    wildcards: usize,
    crawl_delay: Option<Duration>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(body: &[u8], agent: &'a str) -> Read {
        let mut reading = Self {
            agent,
            group: Named::default(),
            delayed: Named::default(),
            has_rules: false,
            has_delay: false,
            before_groups: true,
            named: false,
            ours: Says::default(),
            everybody: Says::default(),
            nobody: None,
            sitemaps: Vec::new(),
        };
        robotstxt::parse_robotstxt(&prepared(body), &mut reading);
        let crawl_delay = reading.ours.crawl_delay;
        Read {
            crawl_delay: crawl_delay
                .or(reading.everybody.crawl_delay)
                .or(reading.nobody),
            rules: if reading.named {
                reading.ours.rules
            } else {
                reading.everybody.rules
            },
            sitemaps: reading.sitemaps,
        }
    }

    fn rule(&mut self, line: u32, value: &str, allows: bool) {
        self.has_rules = true;
        // `Disallow:` without a path forbids nothing, but ends the names of its group.
        if value.is_empty() {
            return;
        }
        if self.group.us {
            self.ours.add(line, value, allows);
        }
        if self.group.everybody {
            self.everybody.add(line, value, allows);
        }
    }

    fn delay(&mut self, value: &str) {
        self.has_delay = true;
        let Some(delay) = seconds(value) else { return };
        let longest = |said: &mut Option<Duration>| *said = (*said).max(Some(delay));
        if self.before_groups {
            longest(&mut self.nobody);
        }
        if self.delayed.us {
            longest(&mut self.ours.crawl_delay);
        }
        if self.delayed.everybody {
            longest(&mut self.everybody.crawl_delay);
        }
    }
}

impl Says {
    fn add(&mut self, line: u32, value: &str, allows: bool) {
        let mut pattern = Pattern::new(value);
        if pattern.is_wild() {
            self.wildcards += 1;
            if self.wildcards > MAX_WILDCARDS {
                if allows {
                    return;
                }
                pattern = pattern.widened();
            }
        }
        self.rules.push(Compiled {
            line,
            allows,
            pattern,
        });
    }
}

impl RobotsParseHandler for Reading<'_> {
    fn handle_robots_start(&mut self) {}

    fn handle_robots_end(&mut self) {}

    fn handle_user_agent(&mut self, _: u32, name: &str) {
        if self.has_rules {
            self.group = Named::default();
        }
        if self.has_rules || self.has_delay {
            self.delayed = Named::default();
        }
        (self.has_rules, self.has_delay, self.before_groups) = (false, false, false);
        let rest = name.strip_prefix('*');
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) {
            self.group.everybody = true;
            self.delayed.everybody = true;
        }
        // Of `Name/1.0` only the token counts.
        if !self.agent.is_empty() && token(name).eq_ignore_ascii_case(self.agent) {
            self.group.us = true;
            self.delayed.us = true;
            self.named = true;
        }
    }

    fn handle_allow(&mut self, line: u32, value: &str) {
        self.rule(line, value, true);
    }

    fn handle_disallow(&mut self, line: u32, value: &str) {
        self.rule(line, value, false);
    }

    // Neither a sitemap nor a line that nobody knows ends a group (RFC 9309, section 2.2.4).
    fn handle_sitemap(&mut self, _: u32, value: &str) {
        let fits = !value.is_empty() && value.len() <= MAX_SITEMAP;
        if fits
            && self.sitemaps.len() < MAX_SITEMAPS
            && self.sitemaps.iter().all(|known| known != value)
        {
            self.sitemaps.push(value.to_owned());
        }
    }

    fn handle_unknown_action(&mut self, _: u32, key: &str, value: &str) {
        let spellings = ["crawl-delay", "crawl delay", "crawldelay"];
        if spellings.iter().any(|name| key.eq_ignore_ascii_case(name)) {
            self.delay(value);
        }
    }
}

/// A number of seconds in digits, with a fraction or not.
fn seconds(value: &str) -> Option<Duration> {
    if value
        .bytes()
        .any(|byte| !byte.is_ascii_digit() && byte != b'.')
    {
        return None;
    }
    let seconds: f64 = value.parse().ok()?;
    Some(Duration::from_secs_f64(
        seconds.min(MAX_CRAWL_DELAY.as_secs_f64()),
    ))
}

/// The file as the parser gets it: in ASCII, the rest escaped as rules are compared.
///
/// It counts characters where it must count bytes, which ends in a panic on a long line beyond
/// ASCII; drops an odd escape where it puts another into capitals; and takes a byte order mark for
/// a part of the first line. Of text like this it does none of these, and bytes that are not UTF-8
/// are kept.
fn prepared(body: &[u8]) -> String {
    let mut body = body;
    // As Google has it, also half a mark.
    for byte in [0xef, 0xbb, 0xbf] {
        body = body.strip_prefix(&[byte]).unwrap_or(body);
    }
    let mut text = String::with_capacity(body.len());
    let mut at_start = true;
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        at += 1;
        match *byte {
            // Before a key it means nothing, but would hide one that has no colon.
            b' ' | b'\t' if at_start => continue,
            b'%' => match body.get(at..at + 2).and_then(octet) {
                Some(octet) => {
                    at += 2;
                    escape(octet, &mut text);
                }
                None => text.push('%'),
            },
            plain if plain.is_ascii() => text.push(char::from(plain)),
            other => escape(other, &mut text),
        }
        at_start = matches!(byte, b'\n' | b'\r');
    }
    text
}
