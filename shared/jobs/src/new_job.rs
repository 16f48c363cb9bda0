//! Reads what a client posts into a job that is wholly valid, or names every problem. The same
//! reading serves every way in; refuses fields that it does not know.

use std::time::Duration;

use serde_json::Value;

use crate::address;
use crate::body::Reader;
use crate::crawl::options::MAX_TIMEOUT_MS as MAX_CRAWL_TIMEOUT_MS;
use crate::error::Problem;
use crate::extraction::{Check, Extraction};
pub use crate::new_headers::RESERVED_HEADERS;
use crate::new_headers::{headers, user_agent};
use crate::spec::{CustomerId, JobType, MAX_TIMEOUT, Priority, Spec};
use crate::webhook::JobWebhook;
use crate::{new_crawl, new_refresh, schedule};

/// The longest time that a job may be put off: 30 days.
pub(crate) const MAX_DELAY_MS: u64 = 30 * 24 * 3_600 * 1_000;
const MAX_METADATA_BYTES: usize = 16 * 1_024;
const MAX_TIMEOUT_MS: u64 = MAX_TIMEOUT.as_millis() as u64;
const DEFAULT_TIMEOUT_MS: u64 = 30_000;

/// What the printed documents offer and this version does not do yet: said, never ignored.
const NOT_YET: [(&str, &str); 5] = [
    ("steps", "navigations are"),
    ("variables", "navigations are"),
    ("prompt", "generated configurations are"),
    ("previousJobId", "generated configurations are"),
    ("options", "generated configurations are"),
];

const RECURRING: &str = "is for recurring jobs: give `cronPattern` with it";

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
        let url = address::optional(&mut reader);
        address::refuse_batches(&mut reader, "is for batches: give `urls` with it");
        let new = Self::read(&mut reader, check, kind, url);
        schedule::refuse(&mut reader, RECURRING);
        finished(reader, new)
    }

    /// As [`NewJob::parse`], for the way in that scrapes single pages alone and therefore need not
    /// be told.
    pub fn parse_scrape(body: &Value, check: Check) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new("", body);
        known_type(
            &mut reader,
            JobType::SinglePage,
            "here; POST /api/jobs takes others",
        );
        let url = address::optional(&mut reader);
        address::refuse_batches(&mut reader, "is for batches, which POST /api/jobs takes");
        let new = Self::read(&mut reader, check, JobType::SinglePage, url);
        let why = "is for recurring jobs, which POST /api/jobs takes";
        schedule::refuse(&mut reader, why);
        finished(reader, new)
    }

    /// The name under which an equal job is found, where this one takes part in deduplication.
    pub fn fingerprint(&self, customer: &CustomerId) -> Option<String> {
        self.deduplicate.then(|| self.spec.fingerprint(customer))
    }

    /// Reads everything but type and address. Without an address it has to be a refresh of a job;
    /// its `url` stays empty until that job's is known.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        check: Check,
        kind: JobType,
        url: Option<String>,
    ) -> Self {
        if url.is_none() && kind != JobType::Refresh {
            reader.problem("url", "is required");
        }
        let (crawl, refresh) = match kind {
            JobType::FullCrawl => (Some(new_crawl::options(reader)), None),
            JobType::Refresh => (None, Some(new_refresh::options(reader, url.is_some()))),
            JobType::SinglePage => (None, None),
        };
        if kind != JobType::FullCrawl {
            new_crawl::refuse(reader);
        }
        if kind != JobType::Refresh {
            new_refresh::refuse(reader);
        }
        let customer = customer(reader);
        let is_new = reader.bool("isNewCustomer").unwrap_or(false);
        let priority = priority(reader, is_new);
        let spec = Spec {
            kind,
            url: url.unwrap_or_default(),
            config: extraction(reader, check),
            crawl,
            refresh,
            headers: headers(reader),
            user_agent: user_agent(reader),
            attempts: reader.integer("attempts", 1, 10).unwrap_or(3) as u8,
            timeout_ms: timeout(reader, kind),
            delay_ms: reader.integer("delay", 0, MAX_DELAY_MS).unwrap_or(0),
            metadata: metadata(reader),
            page_events: page_events(reader, kind),
            webhook: JobWebhook::read(reader),
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
const TYPES_NOT_YET: [&str; 2] = ["navigate", "generate-config"];

fn known_types() -> String {
    JobType::ALL.map(JobType::as_str).join(", ")
}

/// Says that jobs of a type cannot be created yet.
pub fn not_yet(kind: &str) -> Problem {
    let known = known_types();
    Problem::new("type", format!("{kind} is not available yet; {known} are"))
}

pub(crate) fn required_type(reader: &mut Reader<'_>) -> JobType {
    let Some(value) = reader.value("type") else {
        reader.problem("type", format!("is required; one of: {}", known_types()));
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

/// Reads a type that need not be given, since there is only one; `place` says where that is so.
pub(crate) fn known_type(reader: &mut Reader<'_>, kind: JobType, place: &str) {
    let given = reader.value("type");
    if given.is_some_and(|value| value.as_str() != Some(kind.as_str())) {
        reader.problem("type", format!("must be {} {place}", kind.as_str()));
    }
}

/// The job's own working time: of a crawl over all its slices.
fn timeout(reader: &mut Reader<'_>, kind: JobType) -> u64 {
    let (most, unless_told) = if kind.is_crawl() {
        (MAX_CRAWL_TIMEOUT_MS, MAX_CRAWL_TIMEOUT_MS)
    } else {
        (MAX_TIMEOUT_MS, DEFAULT_TIMEOUT_MS)
    };
    reader.integer("timeout", 1, most).unwrap_or(unless_told)
}

/// Pages are events of their own where a client says so; a single page is told of by its end.
fn page_events(reader: &mut Reader<'_>, kind: JobType) -> bool {
    if !kind.is_crawl() && reader.value("pageEvents").is_some() {
        reader.problem("pageEvents", "is for full-crawl and refresh");
    }
    reader.bool("pageEvents").unwrap_or(false)
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

#[cfg(test)]
mod tests;
