//! What can be said to `crawl`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use url::Url;

use super::{DEFAULT_FOLDER, TargetArgs};

/// Crawls a site and writes its pages as NDJSON, a JSON object a line.
#[derive(Args, Debug)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  harvestman crawl https://example.com --output example.ndjson
  harvestman crawl example.com --max-pages 1000 --depth 10 --formats text,links
  harvestman crawl --resume job_01k9zq3v7m8n4r2t6w0x5y1z3b --output example.ndjson
  harvestman crawl urls job_01k9zq3v7m8n4r2t6w0x5y1z3b --state failed
  harvestman crawl https://example.com --server https://api.example

Without --server this process does the work, on the data folder, which no other process may be
using meanwhile. It works on this one crawl and leaves the folder's other jobs as they are.

Ctrl-C keeps what was fetched, writes it to the file of --output and prints the command that goes
on; a second one ends at once. With --server the crawl goes on there.

Exit codes: 0 the crawl is complete, whichever pages have failed; 1 it failed or was cancelled, or
its pages could not be had or written; 2 it could not start, or an option is wrong; 130 it was
interrupted.")]
pub struct Crawl {
    #[command(subcommand)]
    pub command: Option<CrawlCommand>,
    /// Address to start from; without a scheme it is taken for https.
    #[arg(required_unless_present = "resume")]
    pub url: Option<String>,
    /// Go on with this crawl, with the options that it has, instead of starting one.
    #[arg(long, value_name = "JOB", conflicts_with_all = [
        "url", "max_pages", "depth", "concurrency", "include_subdomains", "include", "exclude",
        "sitemap", "ignore_robots", "request_delay", "formats",
    ])]
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
    /// Write the pages to this file instead of standard output, which is `-`.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Folder in which an interrupted crawl waits to be resumed.
    #[arg(long, default_value = DEFAULT_FOLDER, value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// Keep nothing but the output: an interrupted crawl cannot be resumed.
    #[arg(long, conflicts_with_all = ["data_dir", "resume"])]
    pub in_memory: bool,
    /// Let the service at this address crawl, such as `http://127.0.0.1:3000`.
    #[arg(long, value_name = "URL", conflicts_with_all = ["data_dir", "in_memory", "allow_private_targets"])]
    pub server: Option<String>,
    /// The key to use there; other users of this machine may see it here.
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

#[derive(Debug, Subcommand)]
pub enum CrawlCommand {
    /// List every address of a crawl with its state and the reason for it, as NDJSON.
    Urls(CrawlUrls),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  harvestman crawl urls job_01k9zq3v7m8n4r2t6w0x5y1z3b --state failed
  harvestman crawl urls job_01k9zq3v7m8n4r2t6w0x5y1z3b --reason robots
  harvestman crawl urls job_01k9zq3v7m8n4r2t6w0x5y1z3b --server http://127.0.0.1:3000 -o urls.ndjson

Exit codes: 0 all are listed, 1 they could not be had or written, 2 an option is wrong or there is
no such crawl, 130 interrupted.")]
pub struct CrawlUrls {
    /// Id of the crawl, as `crawl` prints it.
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Only those that stand there: queued, done, failed or skipped.
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,
    /// Only those with this reason: `robots`, `pattern`, `depth`, `limit`, `duplicate`, `off_scope`,
    /// `redirect`, `canonical`, `trap`, `too_large`, `wrong_type`, `nofollow`, or the code of a
    /// failure, such as `http_404`.
    #[arg(long, value_name = "CODE")]
    pub reason: Option<String>,
    /// Write them to this file instead of standard output, which is `-`.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Folder that the crawl is kept in.
    #[arg(long, default_value = DEFAULT_FOLDER, value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// Ask the service at this address instead.
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    pub server: Option<String>,
    /// The key to use there; other users of this machine may see it here.
    #[arg(
        long,
        env = "HARVESTMAN_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub key: Option<String>,
}

/// Fields of the API and the flags that set them.
const FLAGS: [(&str, &str); 13] = [
    ("url", "URL"),
    ("state", "--state"),
    ("reason", "--reason"),
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
    /// The address to start from: what was written, or https where no scheme was. The API judges
    /// it.
    pub fn address(&self) -> Option<String> {
        let written = self.url.as_deref()?;
        Some(supposed(written).unwrap_or_else(|| written.to_owned()))
    }

    /// The job that is asked for, as a request to the API; that judges every value.
    pub fn body(&self) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("type", json!("full-crawl"));
        put("url", json!(self.address()));
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

/// What somebody means who writes `example.com:8080/a`; nothing where that is not plain.
fn supposed(written: &str) -> Option<String> {
    let written = written.trim();
    let is_host = |first: char| first.is_alphanumeric() || first == '[';
    // `user@host` may as well be an address to write mail to.
    if written.contains("://") || written.contains('@') || !written.starts_with(is_host) {
        return None;
    }
    let supposed = format!("https://{written}");
    Url::parse(&supposed).is_ok().then_some(supposed)
}

/// The file that an option names; `-` is standard output, as the custom is.
pub(crate) fn file(output: Option<&Path>) -> Option<&Path> {
    output.filter(|place| place.as_os_str() != "-")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn crawl(words: &[&str]) -> Result<Crawl, clap::Error> {
        let all = ["harvestman", "crawl"].iter().chain(words);
        match Cli::try_parse_from(all)?.command {
            Some(Command::Crawl(crawl)) => Ok(*crawl),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_address_without_a_scheme_is_taken_for_https() {
        for (written, meant) in [
            ("example.com", "https://example.com"),
            ("example.com:8080/a?b", "https://example.com:8080/a?b"),
            ("localhost:8000", "https://localhost:8000"),
            (" [::1]:3000", "https://[::1]:3000"),
            ("bücher.example", "https://bücher.example"),
            ("http://a.example", "http://a.example"),
            ("ftp://a.example", "ftp://a.example"),
            ("mailto:a@b.example", "mailto:a@b.example"),
            ("javascript:alert(1)", "javascript:alert(1)"),
            ("/tmp/page.html", "/tmp/page.html"),
            ("", ""),
        ] {
            let address = crawl(&[written]).unwrap().address();
            assert_eq!(address.as_deref(), Some(meant), "{written}");
        }
    }

    #[test]
    fn a_resumed_crawl_takes_no_options_of_a_new_one() {
        for words in [
            &["https://a.example"][..],
            &["--max-pages", "5"],
            &["--depth", "5"],
            &["--concurrency", "5"],
            &["--include-subdomains"],
            &["--include", "/a"],
            &["--exclude", "/a"],
            &["--sitemap", "only"],
            &["--ignore-robots"],
            &["--request-delay", "5"],
            &["--formats", "text"],
        ] {
            let all: Vec<_> = ["--resume", "job_1"].iter().chain(words).copied().collect();
            let refused = crawl(&all).unwrap_err().to_string();
            let name = if words[0].starts_with("--") {
                words[0]
            } else {
                "[URL]"
            };
            assert!(refused.contains(name), "{words:?} {refused}");
        }
        for words in [
            &["--output", "a"][..],
            &["--data-dir", "a"],
            &["--server", "http://127.0.0.1:3000", "--key", "a"],
            &["--allow-private-targets"],
        ] {
            let all: Vec<_> = ["--resume", "job_1"].iter().chain(words).copied().collect();
            assert_eq!(crawl(&all).unwrap().resume.as_deref(), Some("job_1"));
        }
    }

    #[test]
    fn the_help_says_what_ends_how_and_what_is_left_alone() {
        use clap::CommandFactory;

        let mut program = Cli::command();
        let crawl = program.find_subcommand_mut("crawl").unwrap();
        let help = crawl.render_long_help().to_string();
        for part in [
            "0 the crawl is complete",
            "1 it failed or was cancelled",
            "2 it could not start",
            "130 it was",
            "leaves the folder's other jobs as they are",
            "without a scheme it is taken for https",
        ] {
            assert!(help.contains(part), "{part}: {help}");
        }
    }

    #[test]
    fn addresses_are_listed_by_a_word_of_their_own() {
        let crawl = crawl(&["urls", "job_1", "--state", "failed", "-o", "-"]).unwrap();
        let Some(CrawlCommand::Urls(urls)) = crawl.command else {
            panic!("{crawl:?}");
        };
        assert_eq!(
            (urls.job.as_str(), urls.state.as_deref()),
            ("job_1", Some("failed"))
        );
        assert_eq!(file(urls.output.as_deref()), None);
        assert_eq!(file(Some(Path::new("./-"))), Some(Path::new("./-")));
    }
}
