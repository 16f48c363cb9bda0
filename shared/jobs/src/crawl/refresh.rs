//! What a refresh makes of a page that it knows: the same, changed, or gone, and how that is written
//! down. Refuses to fetch.

use serde::Deserialize;
use similar::TextDiff;
use url::Url;

use crate::crawl::visit::{FoundLink, Validators, VisitedPage, digest, forbids_following};
use crate::time::Timestamp;

/// Longest texts that are compared line by line, in bytes.
const MAX_COMPARED: usize = 256 * 1024;
/// Most lines of a text that is compared: the work grows with what differs times all lines.
const MAX_LINES: usize = 4_000;
/// Longest difference that is kept, in bytes.
const MAX_DIFF: usize = 64 * 1024;

/// What became of a page since it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    New,
    Same,
    Changed,
    Removed,
}

impl Change {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// A page as it was last seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The result, without what an earlier refresh has said of it.
    json: String,
    page: Stored,
    /// Other fields are wanted than it has.
    other_fields: bool,
}

/// What is read back of a result.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stored {
    url: String,
    final_url: String,
    status: u16,
    title: Option<String>,
    canonical: Option<String>,
    etag: Option<String>,
    last_modified: Option<String>,
    content_hash: String,
    #[serde(with = "crate::time::iso8601")]
    fetched_at: Timestamp,
    bytes: u64,
    text: Option<String>,
    links: Option<Vec<StoredLink>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct StoredLink {
    url: String,
    #[serde(default)]
    rel: Option<String>,
}

impl Known {
    /// Reads a result. `refreshed` where a refresh has written it, and its verdict with it.
    pub fn read(line: &str, refreshed: bool) -> Option<Self> {
        let json = if refreshed {
            without_verdict(line)?
        } else {
            line.to_owned()
        };
        let page: Stored = serde_json::from_str(&json).ok()?;
        Url::parse(&page.url).ok()?;
        Some(Self {
            json,
            page,
            other_fields: false,
        })
    }

    /// Other fields are wanted than it has: the page has to be read again, same or not.
    #[must_use]
    pub fn with_other_fields(mut self) -> Self {
        self.other_fields = true;
        self
    }

    /// It was gone when it was last asked for.
    pub fn is_gone(&self) -> bool {
        matches!(self.page.status, 404 | 410)
    }

    /// Whether it may be taken for the page where that is the same.
    pub fn is_whole(&self) -> bool {
        !self.other_fields
    }

    /// The result as a refresh writes it.
    pub fn line(&self) -> Vec<u8> {
        with_verdict(self.json.as_bytes(), Change::Same, None)
    }

    /// What to ask the server with: nothing where its answer would not do.
    pub fn validators(&self) -> Validators {
        if self.other_fields {
            return Validators::default();
        }
        Validators {
            etag: self.page.etag.clone(),
            last_modified: self.page.last_modified.clone(),
        }
    }

    pub fn seen_at(&self) -> Timestamp {
        self.page.fetched_at
    }

    pub fn bytes(&self) -> u64 {
        self.page.bytes
    }

    /// Whether its links were kept, so that a page that is the same leads on as before.
    pub fn has_links(&self) -> bool {
        self.page.links.is_some()
    }

    /// The page as a visit would have found it, where it is the same.
    pub fn as_visited(&self) -> Option<VisitedPage> {
        let links = self.page.links.iter().flatten().map(|link| FoundLink {
            url: link.url.clone(),
            nofollow: link.rel.as_deref().is_some_and(forbids_following),
        });
        let text = self.page.text.clone().unwrap_or_default();
        Some(VisitedPage {
            final_url: Url::parse(&self.page.final_url).ok()?,
            json: self.json.clone().into_bytes(),
            links: links.collect(),
            canonical: None,
            nofollow: false,
            digest: digest(self.page.title.as_deref(), &text),
            content_hash: self.page.content_hash.clone(),
            text,
            validators: self.validators(),
            bytes: self.page.bytes,
        })
    }

    /// Whether a page that was fetched says what it said.
    pub fn compare(&self, page: &VisitedPage) -> Change {
        if self.page.content_hash == page.content_hash {
            Change::Same
        } else {
            Change::Changed
        }
    }

    /// What differs in the text, as a unified difference; nothing where no text was kept.
    pub fn difference(&self, text: &str) -> Option<String> {
        let before = self.page.text.as_deref()?;
        let fits = |text: &str| text.len() <= MAX_COMPARED && text.lines().count() <= MAX_LINES;
        if before == text || !fits(before) || !fits(text) {
            return None;
        }
        let diff = TextDiff::from_lines(before, text);
        let mut unified = diff
            .unified_diff()
            .context_radius(2)
            .missing_newline_hint(false)
            .header("before", "after")
            .to_string();
        unified.truncate(unified.floor_char_boundary(MAX_DIFF));
        Some(unified)
    }
}

/// A result with what a refresh has found, at its end.
pub fn with_verdict(json: &[u8], change: Change, difference: Option<&str>) -> Vec<u8> {
    let mut line = json.strip_suffix(b"}").unwrap_or(json).to_vec();
    let verdict = format!(r#","change":"{}""#, change.as_str());
    line.extend_from_slice(verdict.as_bytes());
    if let Some(difference) = difference {
        // Writing a string as JSON does not fail.
        let text = serde_json::to_string(difference).unwrap_or_default();
        line.extend_from_slice(format!(r#","diff":{text}"#).as_bytes());
    }
    line.push(b'}');
    line
}

/// The same without it: no string in JSON holds an unescaped quotation mark, so what is found last
/// is what was written last.
fn without_verdict(line: &str) -> Option<String> {
    let at = line.rfind(r#","change":""#)?;
    Some(format!("{}}}", &line[..at]))
}

/// The result that says that a page is gone, with the status that said so.
pub fn removed(url: &Url, status: u16, now: Timestamp) -> Vec<u8> {
    let line = serde_json::json!({
        "url": url.as_str(), "finalUrl": url.as_str(), "status": status,
        "contentType": null, "language": null, "title": null, "description": null,
        "canonical": null, "headings": [], "fields": {}, "contentHash": "", "etag": null,
        "lastModified": null, "fetchedAt": now.to_string(), "durationMs": 0, "bytes": 0,
    });
    with_verdict(line.to_string().as_bytes(), Change::Removed, None)
}

/// When a sitemap says that a page was changed last; a day alone means its end.
pub fn last_modified(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let instant = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis());
    let millis = instant.ok().or_else(|| {
        let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        let end = day.and_hms_opt(23, 59, 59)?;
        Some(end.and_utc().timestamp_millis())
    })?;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"url":"http://a.example/","finalUrl":"http://a.example/","title":"T","text":"one\ntwo","links":[{"url":"http://a.example/x","text":"\",\"change\":\""}],"fields":{"a":1},"contentHash":"h","etag":"e","lastModified":null,"fetchedAt":"2026-01-01T00:00:00.000Z","bytes":9}"#;

    #[test]
    fn a_verdict_is_put_at_the_end_and_taken_away_again() {
        let known = Known::read(LINE, false).unwrap();
        for difference in [None, Some("--- before\n+\"x\",\"change\":\"")] {
            let line = with_verdict(LINE.as_bytes(), Change::Changed, difference);
            let line = String::from_utf8(line).unwrap();
            let json: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(json["change"], "changed");
            assert_eq!(json["diff"].as_str(), difference);
            assert_eq!(Known::read(&line, true), Some(known.clone()));
        }
    }

    #[test]
    fn a_difference_shows_what_has_changed() {
        let known = Known::read(LINE, false).unwrap();
        let difference = known.difference("one\nthree").unwrap();
        assert!(difference.contains("-two\n"), "{difference}");
        assert!(difference.contains("+three\n"), "{difference}");
        assert_eq!(known.difference("one\ntwo"), None);
        assert_eq!(known.difference(&"x".repeat(MAX_COMPARED + 1)), None);
    }

    #[test]
    fn a_page_that_is_the_same_leads_on_as_before() {
        let page = Known::read(LINE, false).unwrap().as_visited().unwrap();
        assert_eq!(page.links.len(), 1);
        assert_eq!(page.json, LINE.as_bytes());
        assert_eq!(page.validators.etag.as_deref(), Some("e"));
    }

    #[test]
    fn days_and_instants_of_sitemaps_are_read() {
        let millis = |text| last_modified(text).map(Timestamp::as_millis);
        assert_eq!(millis("1970-01-01"), Some(86_399_000));
        assert_eq!(millis("1970-01-01T00:00:01+00:00"), Some(1_000));
        assert_eq!(millis("yesterday"), None);
    }
}
