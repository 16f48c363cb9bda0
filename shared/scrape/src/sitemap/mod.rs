//! Sitemaps and feeds from their address to the addresses in them: XML by the protocol of
//! sitemaps.org, lists in plain text, RSS and Atom, packed or not. Refuses to follow an index into
//! the sitemaps that it names, and to fetch what a sitemap names.

mod found;
mod list;
mod parse;
#[cfg(test)]
mod tests;
mod unpack;
mod xml;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jobs::crawl::visit::{Sitemap, SitemapRequest};
use jobs::{Failure, FailureCode};
use tokio::sync::Semaphore;

use crate::door::{Door, Download};
use crate::download::File;
use crate::extract::Budget;
use crate::page::thread_time;
use crate::web::Web;

use parse::{Limits, parse};

/// Most bytes of a sitemap that are read, packed or not: what the protocol allows it to have. Of a
/// longer one, this much.
pub(crate) const MAX_BYTES: usize = 50 * 1024 * 1024;

/// Processor time for reading one. Where it does not suffice, what was read so far counts.
const BUDGET: Duration = Duration::from_secs(2);

/// Fetches a sitemap and reads it.
pub(crate) async fn fetch(
    web: &Web,
    door: &Door,
    readers: &Arc<Semaphore>,
    request: &SitemapRequest,
) -> Result<Sitemap, Failure> {
    let started = Instant::now();
    let file = File {
        url: request.url.clone(),
        headers: request.headers.to_vec(),
        user_agent: request.user_agent.as_deref().map(str::to_owned),
        timeout: request.timeout,
        most: MAX_BYTES,
    };
    let download = file.download(web, door).await?;
    // Never closed; if it were, the sitemap would be read without waiting its turn.
    let turn = Arc::clone(readers).acquire_owned().await.ok();
    let left = request.timeout.saturating_sub(started.elapsed());
    let most = request.most;
    let read = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        read(download, most, left)
    });
    read.await.unwrap_or_else(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "reading a sitemap panicked");
        let message = "The sitemap could not be read";
        Err(Failure::new(FailureCode::Internal, message))
    })
}

fn read(download: Download, addresses: usize, left: Duration) -> Result<Sitemap, Failure> {
    let (started, spent_before) = (Instant::now(), thread_time());
    let late = || started.elapsed() >= left;
    let budget = Budget::with_clock(BUDGET, || {
        if late() {
            BUDGET
        } else {
            thread_time().saturating_sub(spent_before)
        }
    });
    let limits = Limits {
        addresses,
        bytes: MAX_BYTES,
        budget: &budget,
    };
    let sitemap = parse(download, &limits)?;
    let is_empty = sitemap.pages.is_empty() && sitemap.sitemaps.is_empty();
    if is_empty && sitemap.truncated && late() {
        let message = "The time ended while the sitemap was read";
        return Err(Failure::new(FailureCode::Timeout, message));
    }
    Ok(sitemap)
}
