//! The command line: what can be said, in which words, with which bounds.

mod crawl;
mod keys;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use scrape::Targets;
use url::Url;

pub(crate) use crawl::file;
pub use crawl::{Crawl, CrawlCommand, CrawlUrls};
pub use keys::{CreateKey, Keys, KeysCommand, ListKeys, Place, RevokeKey, Whose};

/// Where data lies unless told.
pub const DEFAULT_FOLDER: &str = ".harvestman";

/// Scrape web pages as dependable jobs.
///
/// Without a command this is `serve`.
#[derive(Debug, Parser)]
#[command(name = "harvestman", version, args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  harvestman                                   serve on http://127.0.0.1:3000, data in .harvestman/
  harvestman demo                              see a job from its creation to its result
  harvestman scrape https://example.com        print one page as JSON, without a server
  harvestman crawl https://example.com -o example.ndjson
                                               crawl a site into a file, without a server
  harvestman keys create --customer acme       make an API key for a customer")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: Serve,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API and work on jobs until Ctrl-C.
    Serve(Serve),
    /// Start the service, scrape a page of its own small site, and go on serving.
    Demo(Demo),
    /// Scrape one page and print its result as JSON.
    Scrape(Scrape),
    /// Crawl a site and write its pages as NDJSON.
    Crawl(Box<Crawl>),
    /// Make, list and revoke API keys.
    Keys(Keys),
}

#[derive(Args, Debug)]
pub struct Serve {
    /// Port to listen on; 0 takes any that is free.
    #[arg(long, default_value_t = 3_000)]
    pub port: u16,
    /// Address to listen on; beyond this machine callers need a key.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    pub listen: IpAddr,
    /// Callers need a key, on this machine too.
    #[arg(long)]
    pub require_keys: bool,
    /// SHA-256 of an admin's key that is kept nowhere, as `keys create --offline` prints it.
    #[arg(
        long,
        env = "HARVESTMAN_ADMIN_KEY_HASH",
        hide_env_values = true,
        value_name = "HASH"
    )]
    pub admin_key_hash: Option<String>,
    /// Folder for everything that has to outlive the process.
    #[arg(long, default_value = DEFAULT_FOLDER, value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// Keep nothing: the data ends with the process.
    #[arg(long, conflicts_with = "data_dir")]
    pub in_memory: bool,
    /// Most unfinished jobs of one customer.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub max_unfinished_jobs: u64,
    /// Most jobs of one customer worked on at once; 0 is no limit: customers take turns anyway.
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    pub max_active_jobs: u64,
    /// Most creates of one customer in a minute; 0 is no limit.
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub creates_per_minute: u32,
    /// Most reads of one customer in a minute; 0 is no limit.
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub reads_per_minute: u32,
    /// Jobs worked on at once, 1 to 256.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// Print every event of every job as a line of JSON; webhooks do not need it.
    #[arg(long)]
    pub log_events: bool,
    #[command(flatten)]
    pub targets: TargetArgs,
}

#[derive(Args, Debug)]
pub struct Demo {
    /// Port on 127.0.0.1 to listen on; 0 takes any that is free.
    #[arg(long, default_value_t = 3_000)]
    pub port: u16,
    /// End after the page is printed, instead of serving on.
    #[arg(long)]
    pub once: bool,
}

#[derive(Args, Debug)]
pub struct Scrape {
    /// Address of the page.
    pub url: String,
    /// Write the result to this file instead of the terminal.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub targets: TargetArgs,
}

#[derive(Args, Debug)]
pub struct TargetArgs {
    /// Fetch from private and loopback addresses too; with a list, from those places alone.
    #[arg(long, value_name = "HOST:PORT,...", num_args = 0..=1, require_equals = true, default_missing_value = Targets::ANY)]
    pub allow_private_targets: Option<String>,
}

/// What to say where a place is refused that a flag would allow.
pub(crate) fn hint(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    // The flag wants a port, and an address names none where it is the usual one.
    let port = url.port_or_known_default().unwrap_or_default();
    format!("; --allow-private-targets={host}:{port} lets it be fetched")
}

impl TargetArgs {
    /// What may be fetched. `on_lambda`: this process runs where the flag must not be used.
    pub fn targets(&self, on_lambda: bool) -> anyhow::Result<Targets> {
        if self.allow_private_targets.is_some() && on_lambda {
            anyhow::bail!("--allow-private-targets is refused on AWS Lambda");
        }
        let targets = Targets::parse(self.allow_private_targets.as_deref());
        targets.map_err(|error| anyhow::anyhow!("--allow-private-targets: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_that_a_hint_names_is_taken_and_allows_the_address() {
        for (address, place) in [
            ("http://127.0.0.1/", "127.0.0.1:80"),
            ("https://[::1]/a?b#c", "[::1]:443"),
            ("http://example.com:81/", "example.com:81"),
        ] {
            let url = Url::parse(address).unwrap();
            let hint = hint(&url);
            assert_eq!(
                hint,
                format!("; --allow-private-targets={place} lets it be fetched")
            );
            let targets = Targets::parse(Some(place)).unwrap();
            let scraper = scrape::WebScraper::new(targets).unwrap();
            assert_eq!(scraper.judge(&url), Ok(()));
        }
    }
}
