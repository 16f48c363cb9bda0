//! Why an attempt at the work failed: a stable code, one sentence, and whether trying again can
//! help. A failed scrape is a value stored on the job, never an `Error`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::time::Timestamp;

/// Longest sentence kept with a failure, in characters: the job's row stays about 1 KB.
const MAX_MESSAGE: usize = 240;

/// The stable name of a failure. `Display` is the name that clients see and may match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureCode {
    /// The target, or a hop on the way to it, is not a globally reachable address, or its port or
    /// scheme is not one that we open.
    AddressRefused,
    /// More redirects than allowed, a loop, or a redirect without a target.
    Redirects,
    /// The host name does not resolve.
    Dns,
    /// No connection: refused, reset, unreachable.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// One of the three clocks ran out: connecting, reading, the whole attempt.
    Timeout,
    /// The decoded body is larger than the limit.
    TooLarge,
    /// The peer does not speak HTTP, or its body does not decode.
    InvalidResponse,
    /// The server answered with this status, which is not a page.
    Http(u16),
    /// The answer is of a type from which no page can be read.
    NotHtml,
    /// Parsing took longer than its clock allows.
    ParseBudget,
    /// A field that the configuration calls required is not on the page.
    FieldMissing,
    /// robots.txt forbids the start of a crawl.
    RobotsDenied,
    /// robots.txt cannot be read, so that nothing may be fetched (RFC 9309, section 2.3.1.4).
    RobotsUnreachable,
    /// The worker died or ran out of time without reporting.
    LeaseLost,
    /// A defect of ours. The log has the details.
    Internal,
}

impl FailureCode {
    /// Whether another attempt may succeed where this one failed.
    ///
    /// Timeouts, connection errors, 408, 425, 429 and 5xx are passing; a refused address, a 404
    /// or a page that is too large stays what it is.
    pub const fn retryable(self) -> bool {
        match self {
            Self::Dns
            | Self::Connect
            | Self::Timeout
            | Self::InvalidResponse
            | Self::RobotsUnreachable
            | Self::LeaseLost
            | Self::Internal => true,
            Self::Http(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::AddressRefused
            | Self::Redirects
            | Self::Tls
            | Self::TooLarge
            | Self::NotHtml
            | Self::ParseBudget
            | Self::RobotsDenied
            | Self::FieldMissing => false,
        }
    }

    /// The name under which it is counted: statuses that are rare in the wild share one, since
    /// whoever answers can make up hundreds.
    pub fn counted_as(self) -> String {
        const COMMON: [u16; 22] = [
            400, 401, 402, 403, 404, 405, 406, 408, 410, 421, 425, 429, 451, 500, 501, 502, 503,
            504, 520, 521, 522, 530,
        ];
        match self {
            Self::Http(status) if !COMMON.contains(&status) => match status {
                400..=499 => "http_4xx".to_owned(),
                500..=599 => "http_5xx".to_owned(),
                _ => "http_other".to_owned(),
            },
            _ => self.to_string(),
        }
    }

    /// The codes without a number in them, for documentation and for reading back.
    pub const NAMED: [(Self, &'static str); 15] = [
        (Self::AddressRefused, "address_refused"),
        (Self::Redirects, "redirects"),
        (Self::Dns, "dns"),
        (Self::Connect, "connect"),
        (Self::Tls, "tls"),
        (Self::Timeout, "timeout"),
        (Self::TooLarge, "too_large"),
        (Self::InvalidResponse, "invalid_response"),
        (Self::NotHtml, "not_html"),
        (Self::ParseBudget, "parse_budget"),
        (Self::FieldMissing, "field_missing"),
        (Self::RobotsDenied, "robots_denied"),
        (Self::RobotsUnreachable, "robots_unreachable"),
        (Self::LeaseLost, "lease_lost"),
        (Self::Internal, "internal"),
    ];
}

impl fmt::Display for FailureCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Http(status) = self {
            return write!(formatter, "http_{status}");
        }
        let name = Self::NAMED
            .iter()
            .find_map(|(code, name)| (code == self).then_some(*name));
        formatter.write_str(name.unwrap_or("internal"))
    }
}

impl FromStr for FailureCode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(status) = text.strip_prefix("http_") {
            return status.parse().map(Self::Http).map_err(|_| ());
        }
        Self::NAMED
            .iter()
            .find_map(|(code, name)| (*name == text).then_some(*code))
            .ok_or(())
    }
}

/// Why a fetch or an extraction failed, as the scraper reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: FailureCode,
    /// One sentence for a person, without the code, at most 240 characters.
    pub message: String,
    /// How long the server asked us to wait before trying again (`Retry-After`, RFC 9110 10.2.3).
    pub retry_after: Option<Duration>,
}

impl Failure {
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        let message: String = message.into();
        let message = match message.char_indices().nth(MAX_MESSAGE) {
            Some((end, _)) => message[..end].to_owned(),
            None => message,
        };
        Self {
            code,
            message,
            retry_after: None,
        }
    }

    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

impl fmt::Display for Failure {
    /// `code: sentence`, as `failedReason` prints it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

/// A failed attempt at the work, as the job remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub at: Timestamp,
    pub failure: Failure,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_from_its_name() {
        let numbered = [404, 429, 500, 503].map(FailureCode::Http);
        let named = FailureCode::NAMED.map(|(code, _)| code);
        for code in numbered.into_iter().chain(named) {
            assert_eq!(code.to_string().parse(), Ok(code));
        }
    }

    #[test]
    fn a_retry_helps_where_the_trouble_may_pass() {
        for code in [
            "timeout", "connect", "dns", "http_429", "http_500", "http_503",
        ] {
            assert!(code.parse::<FailureCode>().unwrap().retryable(), "{code}");
        }
        for code in [
            "http_404",
            "http_403",
            "address_refused",
            "too_large",
            "not_html",
        ] {
            assert!(!code.parse::<FailureCode>().unwrap().retryable(), "{code}");
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let failure = Failure::new(FailureCode::Dns, "ü".repeat(1_000));
        assert_eq!(failure.message.chars().count(), MAX_MESSAGE);
    }
}
