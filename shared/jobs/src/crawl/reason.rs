//! Why an address stands where it stands: a stable code for programs and a sentence for people.

use std::fmt;

use crate::failure::FailureCode;

/// Where an address of a crawl stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UrlState {
    Queued,
    Done,
    Failed,
    Skipped,
}

impl UrlState {
    pub const ALL: [Self; 4] = [Self::Queued, Self::Done, Self::Failed, Self::Skipped];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// Why an address is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A rule of robots.txt, as `line 12: Disallow: /private`.
    Robots(String),
    /// An `exclude` pattern, or none of `include`.
    Pattern(String),
    Depth,
    /// `maxPages`, or another bound of the crawl: which one.
    Limit(String),
    /// The same page under another address.
    Duplicate(String),
    OffScope,
    /// Redirects there, and that address stands for itself.
    Redirect(String),
    /// Calls that address its canonical one.
    Canonical(String),
    /// Looks like a part of a site without an end: by which sign.
    Trap(String),
    TooLarge,
    /// No page: of this content type.
    WrongType(String),
    /// Known only from links that are not to be followed.
    Nofollow,
    /// The fetch failed.
    Failure(FailureCode, String),
}

impl Reason {
    /// The codes that are no failure codes.
    pub const CODES: [&'static str; 12] = [
        "robots",
        "pattern",
        "depth",
        "limit",
        "duplicate",
        "off_scope",
        "redirect",
        "canonical",
        "trap",
        "too_large",
        "wrong_type",
        "nofollow",
    ];

    /// The stable code.
    pub fn code(&self) -> String {
        let code = match self {
            Self::Robots(_) => "robots",
            Self::Pattern(_) => "pattern",
            Self::Depth => "depth",
            Self::Limit(_) => "limit",
            Self::Duplicate(_) => "duplicate",
            Self::OffScope => "off_scope",
            Self::Redirect(_) => "redirect",
            Self::Canonical(_) => "canonical",
            Self::Trap(_) => "trap",
            Self::TooLarge => "too_large",
            Self::WrongType(_) => "wrong_type",
            Self::Nofollow => "nofollow",
            Self::Failure(code, _) => return code.to_string(),
        };
        code.to_owned()
    }

    /// What the code alone does not say; may be empty.
    pub fn detail(&self) -> &str {
        match self {
            Self::Robots(text)
            | Self::Pattern(text)
            | Self::Limit(text)
            | Self::Duplicate(text)
            | Self::Redirect(text)
            | Self::Canonical(text)
            | Self::Trap(text)
            | Self::WrongType(text)
            | Self::Failure(_, text) => text,
            Self::Depth | Self::OffScope | Self::TooLarge | Self::Nofollow => "",
        }
    }

    /// The reason of a code and a detail, as they were stored.
    pub fn of(code: &str, detail: &str) -> Option<Self> {
        let detail = detail.to_owned();
        Some(match code {
            "robots" => Self::Robots(detail),
            "pattern" => Self::Pattern(detail),
            "depth" => Self::Depth,
            "limit" => Self::Limit(detail),
            "duplicate" => Self::Duplicate(detail),
            "off_scope" => Self::OffScope,
            "redirect" => Self::Redirect(detail),
            "canonical" => Self::Canonical(detail),
            "trap" => Self::Trap(detail),
            "too_large" => Self::TooLarge,
            "wrong_type" => Self::WrongType(detail),
            "nofollow" => Self::Nofollow,
            other => Self::Failure(other.parse().ok()?, detail),
        })
    }

    /// The other address that it names.
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Duplicate(url) | Self::Redirect(url) | Self::Canonical(url) => Some(url),
            _ => None,
        }
    }

    pub const fn state(&self) -> UrlState {
        match self {
            Self::Failure(..) => UrlState::Failed,
            _ => UrlState::Skipped,
        }
    }
}

impl fmt::Display for Reason {
    /// `code: detail`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail() {
            "" => formatter.write_str(&self.code()),
            detail => write!(formatter, "{}: {detail}", self.code()),
        }
    }
}
