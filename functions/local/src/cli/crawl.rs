//! What can be said to `crawl`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{DEFAULT_FOLDER, TargetArgs};

/// Crawls a site and writes its pages as NDJSON, a JSON object a line.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  harvestman crawl https://example.com --output example.ndjson
  harvestman crawl https://example.com --max-pages 1000 --depth 10 --formats text,links
  harvestman crawl --resume job_01k9zq3v7m8n4r2t6w0x5y1z3b --output example.ndjson
  harvestman crawl https://example.com --server https://api.example --key hm_...

Exit codes: 0 the crawl is complete, 1 it failed or was cancelled, 2 it could not start,
130 it was interrupted and can be resumed.")]
pub struct Crawl {
    /// Address to start from.
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    pub url: Option<String>,
    /// Go on with this crawl instead of starting one.
    #[arg(long, value_name = "JOB")]
    pub resume: Option<String>,
    /// Most pages, 1 to 100000; 100 unless told.
    #[arg(long, value_name = "N")]
    pub max_pages: Option<u64>,
    /// Most links between the start and a page, 0 to 100; 3 unless told.
    #[arg(long, value_name = "N")]
    pub depth: Option<u64>,
    /// Most requests at once, 1 to 64; 8 unless told.
    #[arg(long, value_name = "N")]
    pub concurrency: Option<u64>,
    /// Crawl the whole registrable domain, not the one host.
    #[arg(long)]
    pub include_subdomains: bool,
    /// Visit only what matches one of these, such as `/blog/*` or `re:/[0-9]+$`.
    #[arg(long, value_name = "PATTERN")]
    pub include: Vec<String>,
    /// Leave out what matches one of these.
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Use sitemaps: include, skip or only.
    #[arg(long, value_name = "USE")]
    pub sitemap: Option<String>,
    /// Do as if there were no robots.txt.
    #[arg(long)]
    pub ignore_robots: bool,
    /// Milliseconds between two requests to a host.
    #[arg(long, value_name = "MS")]
    pub request_delay: Option<u64>,
    /// What to keep of each page: text, markdown, links, metadata, html.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub formats: Vec<String>,
    /// Write the pages to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Folder in which an interrupted crawl waits to be resumed.
    #[arg(long, default_value = DEFAULT_FOLDER, value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// Keep nothing: an interrupted crawl cannot be resumed.
    #[arg(long, conflicts_with_all = ["data_dir", "resume"])]
    pub in_memory: bool,
    /// Let the service at this address crawl, such as `http://127.0.0.1:3000`.
    #[arg(long, value_name = "URL", conflicts_with_all = ["data_dir", "in_memory", "allow_private_targets"])]
    pub server: Option<String>,
    /// The key to use there.
    #[arg(
        long,
        env = "HARVESTMAN_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub key: Option<String>,
    #[command(flatten)]
    pub targets: TargetArgs,
}

/// Fields of the API and the flags that set them.
const FLAGS: [(&str, &str); 11] = [
    ("url", "URL"),
    ("maxPages", "--max-pages"),
    ("depth", "--depth"),
    ("maxConcurrency", "--concurrency"),
    ("includeSubdomains", "--include-subdomains"),
    ("include", "--include"),
    ("exclude", "--exclude"),
    ("sitemap", "--sitemap"),
    ("respectRobots", "--ignore-robots"),
    ("requestDelay", "--request-delay"),
    ("formats", "--formats"),
];

impl Crawl {
    /// The job that is asked for, as a request to the API; that judges every value.
    pub fn body(&self) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("type", json!("full-crawl"));
        put("url", json!(self.url));
        let numbers = [
            ("maxPages", self.max_pages),
            ("depth", self.depth),
            ("maxConcurrency", self.concurrency),
            ("requestDelay", self.request_delay),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                put(name, json!(number));
            }
        }
        let lists = [
            ("include", &self.include),
            ("exclude", &self.exclude),
            ("formats", &self.formats),
        ];
        for (name, list) in lists {
            if !list.is_empty() {
                put(name, json!(list));
            }
        }
        if let Some(sitemap) = &self.sitemap {
            put("sitemap", json!(sitemap));
        }
        if self.include_subdomains {
            put("includeSubdomains", json!(true));
        }
        if self.ignore_robots {
            put("respectRobots", json!(false));
        }
        Value::Object(body)
    }

    /// The flag that sets a field of the API, for a sentence about it.
    pub fn flag_of(field: &str) -> &str {
        let name = field.split('[').next().unwrap_or(field);
        let found = FLAGS.iter().find(|(known, _)| *known == name);
        found.map_or(field, |(_, flag)| *flag)
    }
}
