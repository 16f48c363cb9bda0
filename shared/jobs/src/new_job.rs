//! Reads what a client posts into a job that is wholly valid, or names every problem. The same
//! reading serves every way in; refuses fields that it does not know.

use std::time::Duration;

use serde_json::Value;

use crate::address;
use crate::body::Reader;
use crate::error::Problem;
use crate::extraction::{Check, Extraction};
use crate::spec::{CustomerId, JobType, MAX_TIMEOUT, Priority, Spec};

/// The longest time that a job may be put off: 30 days.
pub(crate) const MAX_DELAY_MS: u64 = 30 * 24 * 3_600 * 1_000;
const MAX_METADATA_BYTES: usize = 16 * 1_024;
const MAX_TIMEOUT_MS: u64 = MAX_TIMEOUT.as_millis() as u64;
const DEFAULT_TIMEOUT_MS: u64 = 30_000;
const MAX_HEADERS: usize = 32;
const MAX_HEADER_BYTES: usize = 4_096;

/// Headers that belong to the connection or to us, and that no job may set.
pub const RESERVED_HEADERS: [&str; 15] = [
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
];

/// What the printed documents offer and this version does not do yet: said, never ignored.
const NOT_YET: [(&str, &str); 27] = [
    ("cronPattern", "recurring jobs are"),
    ("timezone", "recurring jobs are"),
    ("startDate", "recurring jobs are"),
    ("endDate", "recurring jobs are"),
    ("limit", "recurring jobs are"),
    ("overlap", "recurring jobs are"),
    ("name", "recurring jobs are"),
    ("webhook", "webhooks are"),
    ("maxPages", "crawls are"),
    ("depth", "crawls are"),
    ("includeSubdomains", "crawls are"),
    ("include", "crawls are"),
    ("exclude", "crawls are"),
    ("sitemap", "crawls are"),
    ("respectRobots", "crawls are"),
    ("formats", "crawls are"),
    ("maxConcurrency", "crawls are"),
    ("requestDelay", "crawls are"),
    ("lastCrawledAt", "refreshes are"),
    ("forceRefresh", "refreshes are"),
    ("fullRefresh", "refreshes are"),
    ("jobId", "refreshes are"),
    ("steps", "navigations are"),
    ("variables", "navigations are"),
    ("prompt", "generated configurations are"),
    ("previousJobId", "generated configurations are"),
    ("options", "generated configurations are"),
];

/// A request to create one job, valid in every field.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Whose job it is to be, where the request says so.
    pub customer: Option<CustomerId>,
    pub priority: Priority,
    pub spec: Spec,
    /// Whether an equal unfinished job is answered with instead of making another.
    pub deduplicate: bool,
    /// Jobs that ended less than this ago count as equal too.
    pub deduplicate_for: Duration,
}

impl NewJob {
    /// Reads a request body; `check` says which selectors and patterns do not compile.
    pub fn parse(body: &Value, check: Check) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new("", body);
        let kind = required_type(&mut reader);
        let url = address::single(&mut reader, "is for batches: give `urls` with it");
        let new = Self::read(&mut reader, check, kind, url);
        finished(reader, new)
    }

    /// As [`NewJob::parse`], for the way in that knows one type of job and therefore need not be
    /// told.
    pub fn parse_scrape(body: &Value, check: Check) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new("", body);
        let kind = optional_type(&mut reader);
        let url = address::single(&mut reader, "is for batches, which POST /api/jobs takes");
        let new = Self::read(&mut reader, check, kind, url);
        finished(reader, new)
    }

    /// The name under which an equal job is found, where this one takes part in deduplication.
    pub fn fingerprint(&self, customer: &CustomerId) -> Option<String> {
        self.deduplicate.then(|| self.spec.fingerprint(customer))
    }

    /// Reads everything but type and address.
    pub(crate) fn read(reader: &mut Reader<'_>, check: Check, kind: JobType, url: String) -> Self {
        let customer = customer(reader);
        let is_new = reader.bool("isNewCustomer").unwrap_or(false);
        let priority = priority(reader, is_new);
        let spec = Spec {
            kind,
            url,
            config: extraction(reader, check),
            headers: headers(reader),
            user_agent: user_agent(reader),
            attempts: reader.integer("attempts", 1, 10).unwrap_or(3) as u8,
            timeout_ms: reader
                .integer("timeout", 1, MAX_TIMEOUT_MS)
                .unwrap_or(DEFAULT_TIMEOUT_MS),
            delay_ms: reader.integer("delay", 0, MAX_DELAY_MS).unwrap_or(0),
            metadata: metadata(reader),
        };
        let deduplicate = reader.bool("deduplicate").unwrap_or(true);
        let deduplicate_for = reader.integer("deduplicateFor", 0, MAX_DELAY_MS);
        for (field, what) in NOT_YET {
            if reader.value(field).is_some() {
                reader.problem(field, format!("{what} not available yet"));
            }
        }
        Self {
            customer,
            priority,
            spec,
            deduplicate,
            deduplicate_for: Duration::from_millis(deduplicate_for.unwrap_or(0)),
        }
    }
}

/// What was read, where nothing is wrong with it.
pub(crate) fn finished<T>(reader: Reader<'_>, read: T) -> Result<T, Vec<Problem>> {
    let problems = reader.finish();
    if problems.is_empty() {
        Ok(read)
    } else {
        Err(problems)
    }
}

/// Types that the printed documents offer and this version does not do yet.
const TYPES_NOT_YET: [&str; 4] = ["full-crawl", "refresh", "navigate", "generate-config"];

fn known_types() -> String {
    JobType::ALL.map(JobType::as_str).join(", ")
}

/// Says that jobs of a type cannot be created yet.
pub fn not_yet(kind: &str) -> Problem {
    let known = known_types();
    Problem::new("type", format!("{kind} is not available yet; {known} is"))
}

pub(crate) fn required_type(reader: &mut Reader<'_>) -> JobType {
    if reader.value("type").is_none() {
        // The only type there is; the documents' examples always name one.
        reader.problem("type", format!("is required; one of: {}", known_types()));
    }
    optional_type(reader)
}

fn optional_type(reader: &mut Reader<'_>) -> JobType {
    let Some(value) = reader.value("type") else {
        return JobType::SinglePage;
    };
    match value.as_str().map(|text| (text, JobType::parse(text))) {
        Some((_, Some(kind))) => return kind,
        Some((text, None)) if TYPES_NOT_YET.contains(&text) => reader.extend(vec![not_yet(text)]),
        Some(_) => reader.problem("type", format!("must be one of: {}", known_types())),
        None => reader.problem("type", "must be a string"),
    }
    JobType::SinglePage
}

fn customer(reader: &mut Reader<'_>) -> Option<CustomerId> {
    let text = reader.text("customerId", 1, CustomerId::MAX_CHARS);
    text.and_then(CustomerId::parse)
}

fn priority(reader: &mut Reader<'_>, is_new: bool) -> Priority {
    let stated = reader.value("priority").map(Priority::parse);
    let priority = match stated {
        Some(Some(priority)) => priority,
        Some(None) => {
            let message = "must be low (1), normal (3), high (5), urgent (7) or critical (9), by name or number";
            reader.problem("priority", message);
            Priority::Normal
        }
        None => Priority::Normal,
    };
    if is_new && priority == Priority::Normal {
        Priority::High
    } else {
        priority
    }
}

fn extraction(reader: &mut Reader<'_>, check: Check) -> Extraction {
    let Some(value) = reader.value("config") else {
        return Extraction::default();
    };
    let (extraction, problems) = Extraction::parse(value);
    reader.extend(problems);
    // Of the fields that are sound as such: a client hears of all problems at once.
    reader.extend(check(&extraction));
    extraction
}

fn metadata(reader: &mut Reader<'_>) -> Option<Value> {
    let value = reader.value("metadata")?;
    if !value.is_object() {
        reader.problem("metadata", "must be a JSON object");
    } else if value.to_string().len() > MAX_METADATA_BYTES {
        reader.problem(
            "metadata",
            format!("must take at most {MAX_METADATA_BYTES} bytes"),
        );
    }
    Some(value.clone())
}

fn user_agent(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text("userAgent", 1, 256)?;
    if !text.bytes().all(is_header_byte) {
        reader.problem("userAgent", "must be printable ASCII");
    }
    Some(text.to_owned())
}

fn headers(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(value) = reader.value("headers") else {
        return Vec::new();
    };
    let Some(object) = value.as_object() else {
        reader.problem("headers", "must be an object of name to string");
        return Vec::new();
    };
    if object.len() > MAX_HEADERS {
        reader.problem(
            "headers",
            format!("must have at most {MAX_HEADERS} entries"),
        );
    }
    let mut headers = Vec::new();
    for (name, value) in object.iter().take(MAX_HEADERS) {
        let lower = name.to_ascii_lowercase();
        let shown: String = name.chars().take(64).collect();
        let field = format!("headers.{shown}");
        match value.as_str() {
            _ if !is_token(name) => reader.problem(&field, "is not a header name"),
            _ if RESERVED_HEADERS.contains(&lower.as_str()) => {
                reader.problem(&field, "is set by the service and cannot be chosen");
            }
            Some(text) if text.len() <= MAX_HEADER_BYTES && text.bytes().all(is_header_byte) => {
                headers.push((lower, text.to_owned()));
            }
            _ => {
                let message =
                    format!("must be printable ASCII of at most {MAX_HEADER_BYTES} bytes");
                reader.problem(&field, message);
            }
        }
    }
    headers
}

/// A `token` of RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(valid)
}

fn is_header_byte(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: &Value) -> Result<NewJob, Vec<Problem>> {
        NewJob::parse(body, |_| Vec::new())
    }

    fn fields(body: &Value) -> Vec<String> {
        let problems = parse(body).unwrap_err();
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn the_printed_example_is_a_valid_job() {
        let job = parse(&json!({
            "type": "single-page", "url": "https://example.com", "customerId": "customer-123",
            "isNewCustomer": false, "priority": "normal", "delay": 0,
            "metadata": {"source": "api", "tags": ["ecommerce"]}
        }))
        .unwrap();
        assert_eq!(job.customer, CustomerId::parse("customer-123"));
        assert_eq!(job.spec.url, "https://example.com");
        assert_eq!((job.spec.attempts, job.spec.timeout_ms), (3, 30_000));
        assert!(job.deduplicate);
    }

    #[test]
    fn all_problems_of_a_body_come_together() {
        let body = json!({
            "url": "not a url", "priority": "soon", "delay": -1, "attempts": 11, "timeout": 50_001,
            "metadata": [], "headers": {"Host": "x", "a b": "c", "x": "\n"}, "maxPages": 3, "nonsense": 1
        });
        assert_eq!(
            fields(&body),
            [
                "type",
                "url",
                "priority",
                "headers.Host",
                "headers.a b",
                "headers.x",
                "attempts",
                "timeout",
                "delay",
                "metadata",
                "maxPages",
                "nonsense"
            ]
        );
    }

    #[test]
    fn only_plain_web_addresses_are_accepted() {
        for url in [
            "",
            "example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "javascript:1",
            "http://",
            "http://user@example.com/",
            "http://a:b@example.com/",
            "//example.com",
            &format!("http://{}example.com/", "a.".repeat(122)),
        ] {
            assert_eq!(
                fields(&json!({"type": "single-page", "url": url})),
                ["url"],
                "{url}"
            );
        }
        let long = format!("http://example.com/{}", "a".repeat(address::MAX_URL));
        assert_eq!(
            fields(&json!({"type": "single-page", "url": long})),
            ["url"]
        );
    }

    #[test]
    fn a_new_customer_is_lifted_only_from_normal() {
        let priority = |extra: Value| {
            let mut body =
                json!({"type": "single-page", "url": "http://a.example", "isNewCustomer": true});
            body.as_object_mut()
                .unwrap()
                .extend(extra.as_object().unwrap().clone());
            parse(&body).unwrap().priority
        };
        assert_eq!(priority(json!({})), Priority::High);
        assert_eq!(priority(json!({"priority": 3})), Priority::High);
        assert_eq!(priority(json!({"priority": "low"})), Priority::Low);
        assert_eq!(priority(json!({"priority": 9})), Priority::Critical);
    }

    #[test]
    fn a_body_that_is_no_object_says_so() {
        assert_eq!(fields(&json!([1]))[0], "body");
    }
}
