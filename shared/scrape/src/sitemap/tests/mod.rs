//! Files as sites and attackers write them, and the addresses that are read from them.

mod bounds;
mod formats;
mod hostile;

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jobs::Failure;
use jobs::crawl::visit::Sitemap;
use url::Url;

use super::MAX_BYTES;
use super::parse::{Limits, parse};
use crate::door::{Body, Download};
use crate::extract::Budget;

/// Where the files are read from.
const AT: &str = "https://a.example/maps/1.xml";

fn download(bytes: impl Into<Vec<u8>>, charset: Option<&str>) -> Download {
    Download {
        final_url: Url::parse(AT).unwrap(),
        body: Body::of(bytes.into(), charset),
        cut: false,
    }
}

/// What a file of these bytes says; a budget that a busy machine does not spend.
fn read(bytes: impl Into<Vec<u8>>) -> Result<Sitemap, Failure> {
    parse(
        download(bytes, None),
        &Limits {
            addresses: 1_000_000,
            bytes: MAX_BYTES,
            budget: &Budget::start(Duration::from_mins(5)),
        },
    )
}

/// The sentence with which a file is refused.
fn refusal(bytes: impl Into<Vec<u8>>) -> String {
    match read(bytes) {
        Ok(sitemap) => panic!("it was read: {sitemap:?}"),
        Err(failure) => failure.to_string(),
    }
}

/// The pages of a sitemap, which must be whole.
fn pages(bytes: impl Into<Vec<u8>>) -> Vec<String> {
    let sitemap = read(bytes).unwrap();
    assert!(
        !sitemap.truncated && sitemap.sitemaps.is_empty(),
        "{sitemap:?}"
    );
    sitemap.pages.into_iter().map(|page| page.url).collect()
}

/// An XML sitemap with these entries.
fn urlset(entries: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?>\n\
         <urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{entries}</urlset>"
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}
