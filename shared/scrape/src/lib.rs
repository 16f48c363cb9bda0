//! Stands where the door to the web will: it never opens.

use async_trait::async_trait;
use jobs::ports::{PageRequest, Scraper};
use jobs::{Failure, FailureCode, Page};

#[derive(Clone, Copy, Debug)]
pub enum Targets {
    Public,
}

#[derive(Debug)]
pub struct WebScraper;

impl WebScraper {
    pub fn new(_: Targets) -> Result<Self, std::io::Error> {
        Ok(Self)
    }
}

#[async_trait]
impl Scraper for WebScraper {
    async fn scrape(&self, _: &PageRequest) -> Result<Page, Failure> {
        Err(Failure::new(FailureCode::Internal, "not built yet"))
    }
}
