//! Which headers of a job are sent and which of an answer are kept. Refuses to let a job write
//! what belongs to the connection, and to keep what nobody reads.

use std::time::{Duration, SystemTime};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use jobs::crawl::visit::Validators;

/// Longest value kept, in bytes. A longer one is dropped: a validator cut short is another one.
const MAX_VALUE: usize = 1_024;

/// Longest wait that a server may ask of us.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// Where robots are told what they may do with an answer. Where it came more than once its values
/// are kept as lines.
pub const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// What is kept of an answer.
const KEPT: [HeaderName; 4] = [
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
];

/// What a job cannot send: what frames the message or is meant for the next hop alone, `Host`, and
/// the encodings, which are those that we decode. Creation says so to the customer; here they are
/// left out whatever creation did.
const OURS: [&str; 16] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    ":authority",
];

/// The types that we can read, best first.
const ACCEPT: HeaderValue = HeaderValue::from_static(
    "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.8,text/plain;q=0.8",
);

/// Whether a job may send a header of this name.
pub fn is_sendable(name: &str) -> bool {
    HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| !OURS.contains(&name.as_str()))
}

/// Whether anything in what is known of a page makes a request a conditional one.
pub(super) fn is_conditional(known: &Validators) -> bool {
    conditions(known).next().is_some()
}

/// The conditions of RFC 9110, section 13.1. A server that knows both heeds the first.
fn conditions(known: &Validators) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let (etag, last_modified) = (&known.etag, &known.last_modified);
    [
        (header::IF_NONE_MATCH, etag),
        (header::IF_MODIFIED_SINCE, last_modified),
    ]
    .into_iter()
    .filter_map(|(name, value)| {
        let value = value.as_deref().filter(|value| value.len() <= MAX_VALUE)?;
        Some((name, HeaderValue::from_str(value).ok()?))
    })
}

/// The headers of one request. `own` are the job's, empty where they must not be sent; `known` is
/// what the page was like before.
pub(super) fn to_send(
    own: &[(String, String)],
    user_agent: Option<&str>,
    known: Option<&Validators>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in own.iter().filter(|(name, _)| is_sendable(name)) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, secret(value)) {
            headers.append(name, value);
        }
    }
    if let Some(Ok(value)) = user_agent.map(HeaderValue::from_str) {
        headers.insert(header::USER_AGENT, value);
    }
    if let Some(known) = known {
        // A condition of the job's own would be about another version.
        headers.remove(header::IF_NONE_MATCH);
        headers.remove(header::IF_MODIFIED_SINCE);
        headers.extend(conditions(known));
    }
    headers.entry(header::ACCEPT).or_insert(ACCEPT);
    headers
}

/// A value that is left out of every log and every compression table.
fn secret(value: &str) -> Result<HeaderValue, header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_bytes(value.as_bytes())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The headers of an answer that somebody reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptHeaders(Vec<(HeaderName, String)>);

impl KeptHeaders {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let kept = |name: HeaderName| {
            let value = headers
                .get(&name)
                .filter(|value| value.len() <= MAX_VALUE)?;
            let value = std::str::from_utf8(value.as_bytes()).ok()?.trim();
            (!value.is_empty()).then(|| (name, value.to_owned()))
        };
        let robots = headers.get_all(&X_ROBOTS_TAG).iter();
        let robots: Vec<_> = robots
            .filter_map(|value| std::str::from_utf8(value.as_bytes()).ok())
            .take_while(|value| value.len() <= MAX_VALUE)
            .take(10)
            .collect();
        let robots = (!robots.is_empty()).then(|| (X_ROBOTS_TAG, robots.join("\n")));
        Self(KEPT.into_iter().filter_map(kept).chain(robots).collect())
    }

    /// The value of a header; `None` where it was absent, empty or not worth keeping.
    pub fn get(&self, name: &HeaderName) -> Option<&str> {
        self.0
            .iter()
            .find_map(|(kept, value)| (kept == name).then_some(value.as_str()))
    }
}

/// How long the server asks us to wait (RFC 9110, 10.2.3), at most an hour; `None` where it does
/// not say so in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    asked_wait(headers, now).map(|wait| wait.min(MAX_RETRY_AFTER))
}

/// The same, however long.
pub(super) fn asked_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let wait = if is_number {
        // More digits than fit are a long time too.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(now).unwrap_or(Duration::ZERO)
    };
    Some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_wait_is_read_in_seconds_or_as_a_date_and_never_exceeds_an_hour() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (value, expected) in [
            ("0", Some(0)),
            ("10", Some(10)),
            (" 120 ", Some(120)),
            ("3601", Some(3_600)),
            ("1000000000", Some(3_600)),
            ("99999999999999999999999999", Some(3_600)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10)),
            ("Sun Nov  6 08:49:38 1994", Some(1)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:49:37 GMT", Some(3_600)),
            ("-1", None),
            ("+5", None),
            ("1.5", None),
            ("1e9", None),
            ("soon", None),
            ("", None),
            ("Sun, 06 Nov", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
            let expected = expected.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, now), expected, "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_job_cannot_send_what_belongs_to_the_connection() {
        let mut own = owned(&[("X-Mine", "1"), ("x-mine", "2"), ("Cookie", "a=b")]);
        own.extend(OURS.map(|name| (name.to_uppercase(), "1".to_owned())));
        own.extend(owned(&[
            ("bad name", "1"),
            ("", "1"),
            ("X-Split", "a\r\nHost: evil"),
        ]));
        let headers = to_send(&own, None, None);
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-mine", "cookie", "accept"]);
        assert_eq!(headers.get_all("x-mine").iter().count(), 2);
        assert!(
            !format!("{headers:?}").contains("a=b"),
            "a log would show the cookie"
        );
    }

    #[test]
    fn the_user_agent_of_a_job_outweighs_a_header_of_that_name() {
        let own = owned(&[("User-Agent", "header"), ("Accept", "image/png")]);
        let headers = to_send(&own, Some("option"), None);
        assert_eq!(headers[header::USER_AGENT], "option");
        assert_eq!(headers[header::ACCEPT], "image/png");
        assert_eq!(to_send(&own, None, None)[header::USER_AGENT], "header");
        assert!(!to_send(&[], Some("bad\nagent"), None).contains_key(header::USER_AGENT));
    }

    #[test]
    fn what_is_known_of_a_page_outweighs_conditions_of_the_job() {
        let own = owned(&[("If-None-Match", "\"own\""), ("If-Modified-Since", "own")]);
        let known = Validators {
            etag: Some("W/\"1\"".to_owned()),
            last_modified: Some("bad\nvalue".to_owned()),
        };
        let headers = to_send(&own, None, Some(&known));
        assert_eq!(headers[header::IF_NONE_MATCH], "W/\"1\"");
        assert!(!headers.contains_key(header::IF_MODIFIED_SINCE));
        assert!(is_conditional(&known) && !is_conditional(&Validators::default()));
    }

    #[test]
    fn what_robots_are_told_is_kept_line_by_line() {
        let mut headers = HeaderMap::new();
        for value in ["noindex", "otherbot: nofollow"] {
            headers.append(X_ROBOTS_TAG, HeaderValue::from_static(value));
        }
        let kept = KeptHeaders::of(&headers);
        assert_eq!(kept.get(&X_ROBOTS_TAG), Some("noindex\notherbot: nofollow"));
    }

    #[test]
    fn only_headers_that_somebody_reads_are_kept_and_none_that_is_huge() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_static("\"v1\""));
        headers.insert(header::SET_COOKIE, HeaderValue::from_static("a=b"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(" "));
        let huge = HeaderValue::from_bytes(&[b'a'; MAX_VALUE + 1]).unwrap();
        headers.insert(header::LAST_MODIFIED, huge);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_bytes(b"text/\xff").unwrap(),
        );
        let kept = KeptHeaders::of(&headers);
        assert_eq!(kept.get(&header::ETAG), Some("\"v1\""));
        assert_eq!(kept.0.len(), 1);
        let longest = HeaderValue::from_bytes(&[b'a'; MAX_VALUE]).unwrap();
        headers.insert(header::LAST_MODIFIED, longest);
        assert!(
            KeptHeaders::of(&headers)
                .get(&header::LAST_MODIFIED)
                .is_some()
        );
    }
}
