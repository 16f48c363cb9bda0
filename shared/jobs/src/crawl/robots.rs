//! What a `robots.txt` lets one product token fetch: RFC 9309. Refuses input and output: who asks
//! for the file, and what it means that there is none, is told elsewhere.
//!
//! Lines are read by the port of Google's own parser: it is the one crate that says on which line a
//! rule stands, it brings nothing with it, and it knows the misspellings that the web is full of.
//! Its matcher is not used: it reads the whole file again for each address, misses some ends of a
//! wildcard, and lets a sitemap end a group, which RFC 9309 (section 2.2.4) forbids. The tests
//! compare verdicts with the rest of it, and with a third implementation.

mod file;
mod pattern;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use url::{Position, Url};

use file::Reading;
use pattern::{Pattern, comparable};

/// Longest `Crawl-delay` that is obeyed; a longer one counts as this. A site that means it can
/// forbid the crawl instead.
pub const MAX_CRAWL_DELAY: Duration = Duration::from_mins(10);
/// Most sitemaps that are kept of one file.
pub const MAX_SITEMAPS: usize = 100;
/// Longest address of a sitemap, in bytes. A longer one is left out.
pub const MAX_SITEMAP: usize = 2_048;
/// Most rules with a wildcard that are compared as such: one address then costs a few milliseconds
/// at worst. Of those after them, in the order of the file, `Disallow` counts up to its first
/// wildcard and `Allow` not at all, so that what is forbidden stays forbidden.
pub const MAX_WILDCARDS: usize = 5_000;
/// Longest text of a rule, in bytes.
pub const MAX_RULE: usize = 200;

/// Under which name we look for rules where a job does not call itself otherwise.
const OUR_TOKEN: &str = "harvestman";

/// The product token (RFC 9309, section 2.2.1) of whoever calls itself `user_agent`: its leading
/// letters, `-` and `_`. A name that has none gets the empty token, for which only the rules for
/// everybody are meant.
pub fn product_token(user_agent: Option<&str>) -> &str {
    user_agent.map_or(OUR_TOKEN, |name| token(name.trim_start()))
}

/// What `text` begins with of letters, `-` and `_`.
fn token(text: &str) -> &str {
    let of_token = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    let end = text.bytes().take_while(|byte| of_token(*byte)).count();
    &text[..end]
}

/// The rules of one file that concern one product token.
#[derive(Clone, Debug, Default)]
pub struct Robots {
    /// The rule that decides before those that it outweighs.
    rules: Vec<Compiled>,
    crawl_delay: Option<Duration>,
    sitemaps: Vec<String>,
}

#[derive(Clone, Debug)]
struct Compiled {
    line: u32,
    allows: bool,
    pattern: Pattern,
}

/// The rule that forbids an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it stands in the file, from 1.
    pub line: u32,
    /// Such as `Disallow: /private`, its path escaped as it is compared. At most [`MAX_RULE`]
    /// bytes, all of them ASCII.
    pub text: String,
}

impl fmt::Display for Rule {
    /// `line 12: Disallow: /private`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.text)
    }
}

impl Robots {
    /// Reads a file for `agent`, a product token in any case. What is no rule is passed over; text
    /// that is not UTF-8 is compared byte by byte.
    ///
    /// All groups for the token count as one; those for `*` count where there is none of them. A
    /// line counts up to 16 KiB. The file is to be cut to 500 KiB by whoever fetched it.
    pub fn parse(body: &[u8], agent: &str) -> Self {
        let read = Reading::of(body, token(agent));
        let mut rules = read.rules;
        // The longest decides, and of two as long the one that allows (section 2.2.2).
        rules.sort_by_key(|rule| {
            let length = std::cmp::Reverse(rule.pattern.length());
            (length, !rule.allows, rule.line)
        });
        Self {
            rules,
            crawl_delay: read.crawl_delay,
            sitemaps: read.sitemaps,
        }
    }

    /// No rules: where there is no file.
    pub fn allow_all() -> Self {
        Self::default()
    }

    /// Whether an address may be fetched. `/robots.txt` itself always may (section 2.2.2).
    pub fn judge(&self, url: &Url) -> Result<(), Rule> {
        let path = &url[Position::BeforePath..Position::AfterQuery];
        if self.rules.is_empty() || path == "/robots.txt" {
            return Ok(());
        }
        let path = comparable(path);
        let mut rules = self.rules.iter();
        match rules.find(|rule| rule.pattern.matches(&path)) {
            Some(rule) if !rule.allows => Err(Rule {
                line: rule.line,
                text: rule.pattern.sentence("Disallow: ", MAX_RULE),
            }),
            _ => Ok(()),
        }
    }

    /// How long to wait between two requests: what the groups for our token say, else those for
    /// `*`, else what stands before every group. The longest where one says several, at most
    /// [`MAX_CRAWL_DELAY`]; fractions of a second count. What is no number is passed over.
    ///
    /// RFC 9309 does not know it. Unlike rules, it concerns only the tokens that are named directly
    /// before it: many files have a group of nothing but a delay ahead of the one for everybody.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// The sitemaps that the file names, as they are written there but escaped to ASCII, each once:
    /// at most [`MAX_SITEMAPS`] of at most [`MAX_SITEMAP`] bytes.
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }
}
