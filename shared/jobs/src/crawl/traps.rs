//! Signs of a part of a site that has no end: calendars, sessions in paths, growing paths, filters
//! combined without limit, one page under ever new addresses. Refuses to take a number that counts
//! up, in a path or as a lone parameter, for a sign: that is how pages are numbered.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use url::Url;

/// Longest path, in segments.
const MAX_SEGMENTS: usize = 40;
/// How often one segment may stand in a path.
const MAX_REPEATS: usize = 3;
/// Most combinations of parameters on one path, where they multiply.
const MAX_COMBINATIONS: usize = 20;
/// Most paths of which combinations are remembered.
const MAX_PATHS: usize = 20_000;
/// Most addresses that say the very same thing and whose links are followed.
const MAX_COPIES: u16 = 10;
/// Text of this many bytes or more is worth comparing.
const COMPARED_TEXT: usize = 64;

/// What has been seen of a crawl so far.
#[derive(Debug, Default)]
pub(crate) struct Traps {
    paths: HashMap<u64, Combinations>,
    copies: HashMap<u64, u16>,
}

#[derive(Debug, Default)]
struct Combinations {
    queries: HashSet<u64>,
    /// Values seen of each parameter.
    values: HashMap<u64, HashSet<u64>>,
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Traps {
    /// The sign by which an address looks like a trap, judged by its spelling and by what was
    /// seen; what looks right is remembered.
    pub(crate) fn judge(&mut self, url: &Url) -> Option<&'static str> {
        growing(url.path()).or_else(|| self.combined(url))
    }

    fn combined(&mut self, url: &Url) -> Option<&'static str> {
        let query = url.query()?;
        if !query.contains('&') {
            return None;
        }
        let path = hash(&url[..url::Position::AfterPath]);
        if self.paths.len() >= MAX_PATHS && !self.paths.contains_key(&path) {
            return None;
        }
        let seen = self.paths.entry(path).or_default();
        let query_hash = hash(query);
        if seen.queries.contains(&query_hash) {
            return None;
        }
        if seen.queries.len() >= MAX_COMBINATIONS {
            // Where one parameter alone makes the difference, it names the page. Where values
            // multiply, the combinations soon outnumber the values.
            let most = seen.values.values().map(HashSet::len).max();
            if seen.queries.len() + 1 >= most.unwrap_or(0) * 2 {
                return Some("more than 20 combinations of parameters on one path");
            }
        }
        seen.queries.insert(query_hash);
        for parameter in query.split('&').take(32) {
            let name = parameter.split('=').next().unwrap_or_default();
            let values = seen.values.entry(hash(name)).or_default();
            values.insert(hash(parameter));
        }
        None
    }

    /// Whether so many other pages have said what this one says that its links are not worth
    /// following: a wall that answers every address leads from one of them to the next. The page
    /// itself is none the worse for it, and is kept.
    pub(crate) fn is_copy(&self, digest: u64, text: &str) -> bool {
        let copies = self.copies.get(&digest).copied().unwrap_or(0);
        digest != 0 && text.len() >= COMPARED_TEXT && copies >= MAX_COPIES
    }

    /// Counts a page that was kept.
    pub(crate) fn remember(&mut self, digest: u64) {
        let copies = self.copies.entry(digest).or_default();
        *copies = copies.saturating_add(1);
    }
}

/// Paths that repeat themselves, as relative links make them where they should not.
fn growing(path: &str) -> Option<&'static str> {
    let segments = || path.split('/').filter(|segment| !segment.is_empty());
    let count = segments().take(MAX_SEGMENTS + 1).count();
    if count > MAX_SEGMENTS {
        return Some("a path of more than 40 segments");
    }
    if count <= MAX_REPEATS {
        return None;
    }
    let repeats = |one: &str| segments().filter(|other| *other == one).count();
    // Digits repeat by chance in dates and numbers.
    let worded = |segment: &&str| !segment.bytes().all(|byte| byte.is_ascii_digit());
    segments()
        .filter(worded)
        .any(|segment| repeats(segment) > MAX_REPEATS)
        .then_some("a path that repeats a segment more than 3 times")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(addresses: impl Iterator<Item = String>) -> usize {
        let mut traps = Traps::default();
        addresses
            .filter(|text| traps.judge(&Url::parse(text).unwrap()).is_none())
            .count()
    }

    #[test]
    fn what_multiplies_is_cut_and_what_counts_is_not() {
        let pages = judged((0..500).map(|page| format!("http://a.example/list?page={page}")));
        assert_eq!(pages, 500);
        let articles =
            judged((0..500).map(|id| format!("http://a.example/index.php?view=article&id={id}")));
        assert_eq!(articles, 500);
        let paths = judged((0..500).map(|page| format!("http://a.example/page/{page}")));
        assert_eq!(paths, 500);
        let calendar = judged(
            (0..600).map(|n| format!("http://a.example/c?year={}&month={}", n / 12, n % 12)),
        );
        assert!((20..40).contains(&calendar), "{calendar}");
        let filters = judged((0..500).map(|n| {
            let (size, colour, sort) = (n % 5, n / 5 % 5, n / 25);
            format!("http://a.example/f?size={size}&colour={colour}&sort={sort}")
        }));
        assert!((20..45).contains(&filters), "{filters}");
    }

    #[test]
    fn paths_that_grow_are_cut() {
        let growing = judged((1..50).map(|n| format!("http://a.example/{}", "about/".repeat(n))));
        assert_eq!(growing, 3);
        let deep = judged((1..50).map(|n| {
            let path: Vec<_> = (0..n).map(|part| format!("p{part}")).collect();
            format!("http://a.example/{}", path.join("/"))
        }));
        assert_eq!(deep, 40);
    }

    #[test]
    fn one_page_under_many_addresses_leads_on_ten_times() {
        let mut traps = Traps::default();
        let text = "Sorry, we could not find what you are looking for. Try the search, please.";
        let mut leads_on = |digest, text: &str| {
            let is_copy = traps.is_copy(digest, text);
            traps.remember(digest);
            !is_copy
        };
        assert_eq!((0..100).filter(|_| leads_on(7, text)).count(), 10);
        assert_eq!((0..100).filter(|_| leads_on(8, "short")).count(), 100);
    }
}
