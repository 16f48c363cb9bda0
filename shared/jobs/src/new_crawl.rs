//! Reads the options of a crawl out of a request, each within its bounds. Refuses them in requests
//! for anything else.

use serde_json::Value;

use crate::body::Reader;
use crate::crawl::options::{
    MAX_CONCURRENCY, MAX_DEPTH, MAX_PAGES, MAX_PATTERN, MAX_PATTERNS, MAX_REQUEST_DELAY_MS,
};
use crate::crawl::{CrawlOptions, Formats, SitemapUse, pattern};

/// Every option of a crawl.
const OPTIONS: [&str; 10] = [
    "maxPages",
    "depth",
    "includeSubdomains",
    "include",
    "exclude",
    "sitemap",
    "respectRobots",
    "maxConcurrency",
    "requestDelay",
    "formats",
];

/// What a crawl is asked to do besides its address.
pub(crate) fn options(reader: &mut Reader<'_>) -> CrawlOptions {
    let unless_told = CrawlOptions::default();
    let max_pages = reader.integer("maxPages", 1, MAX_PAGES);
    let depth = reader.integer("depth", 0, MAX_DEPTH);
    let sitemaps = SitemapUse::ALL.map(|it| (it.as_str(), it));
    CrawlOptions {
        max_pages: max_pages.map_or(unless_told.max_pages, |it| it as u32),
        depth: depth.map_or(unless_told.depth, |it| it as u8),
        include_subdomains: reader
            .bool("includeSubdomains")
            .unwrap_or(unless_told.include_subdomains),
        include: patterns(reader, "include"),
        exclude: patterns(reader, "exclude"),
        sitemap: reader.one_of("sitemap", &sitemaps).unwrap_or_default(),
        respect_robots: reader
            .bool("respectRobots")
            .unwrap_or(unless_told.respect_robots),
        max_concurrency: reader
            .integer("maxConcurrency", 1, MAX_CONCURRENCY)
            .map_or(unless_told.max_concurrency, |it| it as u8),
        request_delay: reader
            .integer("requestDelay", 0, MAX_REQUEST_DELAY_MS)
            .unwrap_or(unless_told.request_delay),
        formats: formats(reader).unwrap_or(unless_told.formats),
    }
}

/// Refuses every option of a crawl, since the job is none.
pub(crate) fn refuse(reader: &mut Reader<'_>) {
    for option in OPTIONS {
        if reader.value(option).is_some() {
            reader.problem(option, "is an option of full-crawl");
        }
    }
}

/// A list of strings with what is wrong with each, or `None` where there is no list.
fn list<'a>(
    reader: &mut Reader<'a>,
    name: &'static str,
    most: usize,
    what: &str,
) -> Option<&'a [Value]> {
    let list = reader.value(name)?.as_array();
    if list.is_none_or(|list| list.len() > most) {
        reader.problem(name, format!("must be a list of at most {most} {what}"));
        return None;
    }
    list.map(Vec::as_slice)
}

fn patterns(reader: &mut Reader<'_>, name: &'static str) -> Vec<String> {
    let list = list(reader, name, MAX_PATTERNS, "patterns").unwrap_or_default();
    let mut patterns = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        match pattern(value) {
            Ok(pattern) => patterns.push(pattern),
            Err(problem) => reader.problem(&format!("{name}[{index}]"), problem),
        }
    }
    patterns
}

fn pattern(value: &Value) -> Result<String, String> {
    let text = value.as_str().ok_or("must be a string")?;
    if !(1..=MAX_PATTERN).contains(&text.chars().count()) {
        return Err(format!("must have 1 to {MAX_PATTERN} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    match pattern::check(text) {
        Some(problem) => Err(problem),
        None => Ok(text.to_owned()),
    }
}

fn formats(reader: &mut Reader<'_>) -> Option<Formats> {
    let list = list(reader, "formats", Formats::NAMES.len(), "names")?;
    let mut names = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        match value.as_str().filter(|name| Formats::NAMES.contains(name)) {
            Some(name) => names.push(name),
            None => {
                let problem = Formats::unknown(reader.path_of(&format!("formats[{index}]")));
                reader.extend(vec![problem]);
            }
        }
    }
    Formats::named(names)
}
