//! What the domain needs from outside, as traits. Each has one conformance suite that runs on
//! every implementation. Refuses SDK types in its signatures.

use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use crate::extraction::Extraction;
use crate::failure::Failure;
use crate::page::Page;

/// A port did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Nothing is known about whether the call took effect.
    #[error("the {part} cannot be reached")]
    Unavailable {
        part: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is stored does not read back.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
}

/// One page to fetch and read.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub url: Url,
    /// Sent to the host of `url` alone, never forwarded to another.
    pub headers: Vec<(String, String)>,
    pub user_agent: Option<String>,
    /// The whole attempt: connecting, reading, extracting.
    pub timeout: Duration,
    pub extraction: Extraction,
}

/// Fetches a page and reads it: the one door to the web.
#[async_trait]
pub trait Scraper: Send + Sync {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure>;
}
