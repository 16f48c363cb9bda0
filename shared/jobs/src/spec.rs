//! What a job is asked to do: immutable, stored apart from the row that changes. Refuses to be
//! half valid; [`crate::NewJob`] is the only way from the wire to here.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use crate::crawl::CrawlOptions;
use crate::extraction::Extraction;
use crate::time::Timestamp;
use crate::webhook::JobWebhook;

/// Most bytes that a stored specification may take (one item of its own).
pub const MAX_SPEC_BYTES: usize = 64 * 1024;
/// The longest working time that a job may ask for.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(50);

/// Who a job belongs to: 1 to 128 printable characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomerId(String);

impl CustomerId {
    pub const MAX_CHARS: usize = 128;

    /// Reads an id that a client gave; `None` where it is empty, too long or not printable.
    pub fn parse(text: &str) -> Option<Self> {
        let length = text.chars().count();
        let fits = (1..=Self::MAX_CHARS).contains(&length);
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A short stable name without the customer's own text, for message groups and shards.
    pub fn digest(&self) -> String {
        Self::digest_of(&self.0)
    }

    /// The same of any text.
    pub fn digest_of(text: &str) -> String {
        hex(&Sha256::digest(text.as_bytes())[..16])
    }
}

impl Default for CustomerId {
    /// The customer of a request that names none.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What kind of work a job is. More kinds join as their engines stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobType {
    #[serde(rename = "single-page")]
    SinglePage,
    #[serde(rename = "full-crawl")]
    FullCrawl,
    #[serde(rename = "refresh")]
    Refresh,
}

impl JobType {
    pub const ALL: [Self; 3] = [Self::SinglePage, Self::FullCrawl, Self::Refresh];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SinglePage => "single-page",
            Self::FullCrawl => "full-crawl",
            Self::Refresh => "refresh",
        }
    }

    /// Whether the work is done in slices, over many pages.
    pub const fn is_crawl(self) -> bool {
        matches!(self, Self::FullCrawl | Self::Refresh)
    }

    /// The `name` that the Queue System API gives to such a job.
    pub const fn v1_name(self) -> &'static str {
        match self {
            Self::SinglePage => "extract-data",
            Self::FullCrawl => "crawl",
            Self::Refresh => "refresh",
        }
    }

    /// The `queueName` that the Queue System API shows: a view, not one of our queues.
    pub const fn v1_queue(self) -> &'static str {
        match self {
            Self::SinglePage | Self::Refresh => "scraping-jobs",
            Self::FullCrawl => "crawl-jobs",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Which of the five queues carries a job; bigger is sooner.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
    Critical,
}

impl Priority {
    pub const ALL: [Self; 5] = [
        Self::Low,
        Self::Normal,
        Self::High,
        Self::Urgent,
        Self::Critical,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
            Self::Critical => "critical",
        }
    }

    pub const fn number(self) -> u64 {
        match self {
            Self::Low => 1,
            Self::Normal => 3,
            Self::High => 5,
            Self::Urgent => 7,
            Self::Critical => 9,
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.as_str() == name)
    }

    /// Reads the name or its number.
    pub fn parse(value: &Value) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| match value {
            Value::String(name) => name == priority.as_str(),
            other => other.as_f64() == Some(priority.number() as f64),
        })
    }
}

/// What a refresh is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RefreshOptions {
    /// The job whose pages are refreshed, where it was named instead of an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// Pages that were seen after this are left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_crawled_at: Option<Timestamp>,
    /// Fetch also what was seen a moment ago.
    pub force_refresh: bool,
    /// Crawl the site anew instead of the pages that are known.
    pub full_refresh: bool,
}

/// Everything that a job is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    #[serde(rename = "type")]
    pub kind: JobType,
    /// The address as the client wrote it; [`Spec::address`] is what is fetched.
    pub url: String,
    #[serde(default)]
    pub config: Extraction,
    /// Of a crawl; a refresh has those of the crawl that it refreshes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawl: Option<CrawlOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshOptions>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Most attempts at the work, 1 to 10.
    pub attempts: u8,
    /// The job's own working time, in milliseconds.
    #[serde(rename = "timeout")]
    pub timeout_ms: u64,
    /// How long after its creation it became eligible, in milliseconds.
    #[serde(rename = "delay")]
    pub delay_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// Of a crawl: each of its pages is an event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub page_events: bool,
    /// Who is told over HTTP of what happens to the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<JobWebhook>,
}

impl Spec {
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The `User-Agent` that is sent, where it is not ours.
    pub fn agent(&self) -> Option<&str> {
        let is_agent = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("user-agent");
        self.user_agent.as_deref().or_else(|| {
            let header = self.headers.iter().find(is_agent);
            header.map(|(_, value)| value.as_str())
        })
    }

    /// The canonical address: WHATWG-parsed, without fragment, default port or empty query, host
    /// in lower case, order of the query kept. `None` where the text is no URL.
    pub fn address(&self) -> Option<Url> {
        canonical(&self.url)
    }

    /// The same as a job for its page alone.
    #[must_use]
    pub fn as_page(&self) -> Self {
        Self {
            kind: JobType::SinglePage,
            crawl: None,
            refresh: None,
            ..self.clone()
        }
    }

    /// The name under which an equal job of this customer is found: customer, type, canonical
    /// address and what changes the output, and nothing else.
    pub fn fingerprint(&self, customer: &CustomerId) -> String {
        let address = self
            .address()
            .map_or_else(|| self.url.clone(), String::from);
        let output = serde_json::json!([
            customer,
            self.kind,
            address,
            self.config,
            self.headers,
            self.user_agent,
            self.crawl,
            self.refresh
        ]);
        hex(&Sha256::digest(output.to_string().as_bytes()))
    }
}

/// See [`Spec::address`].
pub fn canonical(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    url.set_fragment(None);
    if url.query() == Some("") {
        url.set_query(None);
    }
    Some(url)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(url: &str) -> Spec {
        Spec {
            kind: JobType::SinglePage,
            url: url.to_owned(),
            config: Extraction::default(),
            crawl: None,
            refresh: None,
            headers: Vec::new(),
            user_agent: None,
            attempts: 3,
            timeout_ms: 30_000,
            delay_ms: 0,
            metadata: None,
            page_events: false,
            webhook: None,
        }
    }

    #[test]
    fn spellings_of_one_address_have_one_fingerprint() {
        let customer = CustomerId::default();
        let plain = spec("https://example.com/a?b=1&a=2").fingerprint(&customer);
        for other in [
            "https://EXAMPLE.com:443/a?b=1&a=2#part",
            "https://example.com/x/../a?b=1&a=2",
        ] {
            assert_eq!(spec(other).fingerprint(&customer), plain, "{other}");
        }
        assert_ne!(
            spec("https://example.com/a?a=2&b=1").fingerprint(&customer),
            plain
        );
        assert_eq!(
            spec("https://example.com/?").fingerprint(&customer),
            spec("https://example.com").fingerprint(&customer)
        );
    }

    #[test]
    fn what_does_not_change_the_output_does_not_change_the_fingerprint() {
        let customer = CustomerId::default();
        let mut other = spec("https://example.com/");
        let plain = other.fingerprint(&customer);
        other.attempts = 9;
        other.timeout_ms = 1;
        other.delay_ms = 5;
        other.metadata = Some(json!({"a": 1}));
        other.webhook = Some(JobWebhook {
            url: "https://example.com/hook".to_owned(),
            events: Vec::new(),
        });
        assert_eq!(other.fingerprint(&customer), plain);
        other.user_agent = Some("x".to_owned());
        assert_ne!(other.fingerprint(&customer), plain);
        let someone = CustomerId::parse("someone").unwrap();
        assert_ne!(spec("https://example.com/").fingerprint(&someone), plain);
    }

    #[test]
    fn a_priority_is_its_name_or_its_number() {
        assert_eq!(Priority::parse(&json!("urgent")), Some(Priority::Urgent));
        assert_eq!(Priority::parse(&json!(7)), Some(Priority::Urgent));
        assert_eq!(Priority::parse(&json!(7.0)), Some(Priority::Urgent));
        for wrong in [
            json!("7"),
            json!(2),
            json!("HIGH"),
            json!(true),
            json!(null),
        ] {
            assert_eq!(Priority::parse(&wrong), None, "{wrong}");
        }
    }
}
