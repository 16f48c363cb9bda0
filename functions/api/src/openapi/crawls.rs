//! The bodies of crawls and refreshes in the document: what a single page takes, and what is their
//! own. What each type of job does not take is not in its body, as in the service.

use jobs::Formats;
use jobs::crawl::SitemapUse;
use jobs::crawl::options::{
    MAX_CONCURRENCY, MAX_DEPTH, MAX_PAGES, MAX_PATTERN, MAX_PATTERNS, MAX_REQUEST_DELAY_MS,
    MAX_TIMEOUT_MS,
};
use serde_json::{Map, Value, json};

use super::schedules;

/// The last millisecond of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// Schemas by name, made of the bodies of one page and of many.
pub(super) fn schemas(page: &Value, pages: &Value) -> [(&'static str, Value); 8] {
    let crawl = body(page, "full-crawl", "A site to crawl.", &crawl());
    let mut refresh = body(
        page,
        "refresh",
        "What was scraped before, to be scraped again: the latest crawl that started at this address, else the page.",
        &refresh(),
    );
    let mut of_job = refresh.clone();
    of_job["description"] = json!("What an earlier job has scraped, to be scraped again.");
    of_job["required"] = json!(["type", "jobId"]);
    // Of the two the other may be null, which is absent.
    let none = json!({"type": "null"});
    of_job["properties"]["jobId"] = job("The earlier job.");
    of_job["properties"]["url"] = none.clone();
    refresh["properties"]["jobId"] = none;
    let many = "one job for each address: all of them or, where anything is wrong, none.";
    let crawls = body(
        pages,
        "full-crawl",
        &format!("Sites to crawl, {many}"),
        &self::crawl(),
    );
    let refreshes = format!("What was scraped before, to be scraped again, {many}");
    let refreshes = body(pages, "refresh", &refreshes, &self::refresh());
    let bodies = [
        "SinglePageBody",
        "FullCrawlBody",
        "RefreshBody",
        "RefreshOfJobBody",
        "SinglePageBatchBody",
        "FullCrawlBatchBody",
        "RefreshBatchBody",
    ];
    let create = json!({
        "description": "One job, with `urls` a batch, or with `cronPattern` one that recurs.",
        "oneOf": bodies.into_iter().chain(schedules::names()).map(reference).collect::<Vec<_>>(),
    });
    [
        ("QuestionBody", question(&page["properties"]["url"])),
        ("CrawlOptions", options(&crawl)),
        ("FullCrawlBody", crawl),
        ("RefreshBody", refresh),
        ("RefreshOfJobBody", of_job),
        ("FullCrawlBatchBody", crawls),
        ("RefreshBatchBody", refreshes),
        ("CreateBody", create),
    ]
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The body of another type of job, with the properties of its own behind its address.
fn body(page: &Value, kind: &str, description: &str, own: &Map<String, Value>) -> Value {
    let mut body = page.clone();
    body["description"] = json!(description);
    body["properties"]["type"] = json!({"type": "string", "enum": [kind], "description": "What the job does.", "example": kind});
    body["properties"]["timeout"] = json!({
        "type": ["integer", "null"], "minimum": 1, "maximum": MAX_TIMEOUT_MS, "default": MAX_TIMEOUT_MS,
        "description": "The job's own working time in milliseconds, waiting not counted; a day unless told.",
    });
    let mut properties = Map::new();
    for (name, property) in body["properties"].as_object().into_iter().flatten() {
        properties.insert(name.clone(), property.clone());
        if ["url", "urls"].contains(&name.as_str()) {
            properties.extend(own.clone());
        }
    }
    body["properties"] = Value::Object(properties);
    body
}

fn job(description: &str) -> Value {
    json!({
        "type": "string", "pattern": "^job_[0-7][0-9a-hjkmnp-tv-z]{25}$",
        "description": description, "example": "job_01k9zq3v7m8n4r2t6w0x5y1z3b",
    })
}

fn number(min: u64, max: u64, unless_told: u64, description: &str) -> Value {
    json!({
        "type": ["integer", "null"], "minimum": min, "maximum": max, "default": unless_told,
        "description": description,
    })
}

fn flag(unless_told: bool, description: &str) -> Value {
    json!({"type": ["boolean", "null"], "default": unless_told, "description": description})
}

fn patterns(description: &str, example: &str) -> Value {
    let pattern = json!({
        "type": "string", "format": "crawl-pattern", "minLength": 1, "maxLength": MAX_PATTERN,
    });
    json!({
        "type": ["array", "null"], "items": pattern, "maxItems": MAX_PATTERNS, "example": [example],
        "description": format!(
            "{description} `*` stands for any run of characters; after `re:` it is a regular expression \
             in the syntax of the Rust crate `regex`, which is searched for. A pattern is held against \
             path and query, or against the whole address where it holds `://`."
        ),
    })
}

fn crawl() -> Map<String, Value> {
    let mut sitemaps: Vec<Value> = SitemapUse::ALL.map(|it| json!(it.as_str())).to_vec();
    sitemaps.push(Value::Null);
    let formats = json!({"type": "string", "enum": Formats::NAMES});
    let properties = json!({
        "maxPages": number(1, MAX_PAGES, 100, "Most results. Failed fetches are bounded by the same number."),
        "depth": number(0, MAX_DEPTH, 3, "Most links between the start and a page."),
        "includeSubdomains": flag(false, "The whole registrable domain instead of the one host."),
        "include": patterns("Only addresses that match one of these are fetched, besides the start.", "/shop/*"),
        "exclude": patterns("Addresses that match one of these are not fetched.", "*.pdf"),
        "sitemap": {
            "type": ["string", "null"], "enum": sitemaps, "default": "include",
            "description": "Whether addresses come from sitemaps and links (`include`), from links alone (`skip`), or from sitemaps alone (`only`).",
        },
        "respectRobots": flag(true, "Whether robots.txt (RFC 9309) is obeyed."),
        "maxConcurrency": number(1, MAX_CONCURRENCY, 8, "Most requests at once."),
        "requestDelay": number(0, MAX_REQUEST_DELAY_MS, 0, "Milliseconds between two requests to a host."),
        "pageEvents": flag(false, "Whether its pages are told of in events of type `crawl.page`, some in each."),
        "formats": {
            "type": ["array", "null"], "items": formats, "maxItems": Formats::NAMES.len(),
            "default": Formats::default().names(), "example": ["text", "links"],
            "description": "In which forms a page is kept, besides title, description, headings and the facts of the fetch; all but `html` unless told.",
        },
    });
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}

fn refresh() -> Map<String, Value> {
    let instant = json!([
        {"type": "string", "format": "date-time"},
        {"type": "integer", "minimum": 0, "maximum": LAST_MS},
        {"type": "null"},
    ]);
    let properties = json!({
        "lastCrawledAt": {
            "oneOf": instant, "example": "2024-01-01T00:00:00.000Z",
            "description": "When the pages were last seen, in ISO 8601 or in epoch milliseconds: those seen later are left alone.",
        },
        "forceRefresh": flag(false, "Fetch also what was seen a moment ago."),
        "pageEvents": flag(false, "Whether its pages are told of in events of type `crawl.page`, some in each."),
        "fullRefresh": flag(false, "Crawl the site anew instead of the pages that are known."),
    });
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}

/// A crawl without its type, and without an address where that goes without saying.
fn options(crawl: &Value) -> Value {
    let mut options = crawl.clone();
    options["description"] = json!(
        "The body of a crawl. It starts at the root of the address's site unless `url` says where."
    );
    options["properties"]["type"]["type"] = json!(["string", "null"]);
    options["properties"]["type"]["enum"] = json!(["full-crawl", null]);
    options["properties"]["url"]["type"] = json!(["string", "null"]);
    if let Some(options) = options.as_object_mut() {
        options.remove("required");
    }
    options
}

fn question(url: &Value) -> Value {
    let one = |title: &str, own: &Value, required: &[&str]| {
        let mut properties = json!({"url": url});
        if let (Value::Object(properties), Value::Object(own)) = (&mut properties, own) {
            properties.extend(own.clone());
        }
        json!({
            "title": title, "type": "object", "properties": properties, "required": required,
            "additionalProperties": false,
        })
    };
    let none = json!({"type": "null"});
    let job = json!({"jobId": job("The job that it is about."), "options": none});
    let options = json!({
        "jobId": none, "options": {"oneOf": [reference("CrawlOptions"), none]},
    });
    json!({
        "description": "An address, and the crawl that it is about.",
        "oneOf": [
            one("In a job that exists", &job, &["url", "jobId"]),
            one("In a crawl that would be asked for like this", &options, &["url"]),
        ],
        "example": {
            "url": "https://example.com/shop/tea",
            "options": {"url": "https://example.com/", "depth": 2, "exclude": ["/shop/*"]},
        },
    })
}
