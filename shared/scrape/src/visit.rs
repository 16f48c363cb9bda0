//! One page of a crawl from its address to its result, on the threads that speak with the web:
//! handing it to other threads would cost as much as reading it. Only what may take long to read
//! is kept away from the fetches beside it. Refuses to keep a page longer than its result.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jobs::crawl::visit::{
    FoundLink, MAX_PAGE, Validators, Visit, Visited, VisitedPage, digest, forbids_following,
};
use jobs::page::Link;
use jobs::{Failure, FailureCode};
use tokio::sync::Semaphore;
use url::Url;

use crate::door::{Answer, Door, Fetch, Fetched, Media, Redirects, X_ROBOTS_TAG};
use crate::extract::is_streamed;
use crate::page::{Reading, now, page};
use crate::robots_tag;

/// Largest body that is read between two fetches: without a tree it costs a millisecond or two, and
/// where it was made to cost more, some milliseconds.
const MAX_BETWEEN: usize = 256 * 1024;
/// Most of a document that is kept as it came, in bytes.
const MAX_HTML: usize = 2 * 1024 * 1024;

/// Fetches and reads a page; meant for a thread of the web.
pub(crate) async fn visit(
    door: Door,
    readers: Arc<Semaphore>,
    visit: Visit,
) -> Result<Visited, Failure> {
    let started = Instant::now();
    let fetch = Fetch {
        url: &visit.url,
        headers: &visit.headers,
        user_agent: visit.user_agent.as_deref(),
        timeout: visit.timeout,
    };
    let redirects = if visit.follow {
        Redirects::Followed
    } else {
        Redirects::Reported
    };
    let answer = door.fetch_if_changed(&fetch, visit.known.as_ref(), redirects);
    let fetched = match answer.await? {
        // What else may be read is for whoever names it: a crawl is of pages.
        Answer::Page(fetched) if !visit.follow && fetched.body.media() != Media::Html => {
            let media = fetched.body.media();
            let message = format!("A crawl keeps HTML alone, and this is {media}");
            return Err(Failure::new(FailureCode::NotHtml, message));
        }
        Answer::Page(fetched) => fetched,
        Answer::Unchanged => return Ok(Visited::Unchanged),
        Answer::Elsewhere(url) => return Ok(Visited::Redirected(url)),
    };
    let read = || {
        let left = visit.timeout.saturating_sub(started.elapsed());
        visited(&fetched, &visit, left, started)
    };
    let is_quick =
        fetched.body.bytes().len() <= MAX_BETWEEN && is_streamed(&visit.extraction, visit.formats);
    let page = if is_quick {
        read()
    } else {
        // Never closed; if it were, the page would be read without waiting its turn.
        let _turn = readers.acquire().await.ok();
        tokio::task::block_in_place(read)
    };
    page.map(|page| Visited::Page(Box::new(page)))
}

fn visited(
    fetched: &Fetched,
    visit: &Visit,
    left: Duration,
    started: Instant,
) -> Result<VisitedPage, Failure> {
    let fetched_at = now();
    let decoded = fetched.body.decode();
    let reading = Reading {
        fetched,
        text: &decoded.text,
        extraction: &visit.extraction,
        formats: visit.formats,
    };
    let extracted = reading.read(left)?;
    let is_forbidden = robots_tag::forbids_following(fetched.headers.get(&X_ROBOTS_TAG));
    let nofollow = extracted.nofollow || is_forbidden;
    let canonical = extracted.canonical.as_deref();
    let canonical = canonical.and_then(|address| Url::parse(address).ok());
    let digest = digest(extracted.title.as_deref(), &extracted.text);
    let took = started.elapsed();
    let mut page = page(fetched, &visit.url, extracted, fetched_at, took);
    if visit.formats.html {
        let end = decoded.text.floor_char_boundary(MAX_HTML);
        page.html = Some(decoded.text[..end].to_owned());
        page.truncated |= end < decoded.text.len();
    }
    let json = page.to_json_in(visit.formats, MAX_PAGE).map_err(|_| {
        let message = "The page cannot be written down";
        Failure::new(FailureCode::Internal, message)
    })?;
    Ok(VisitedPage {
        final_url: fetched.final_url.clone(),
        json,
        links: page.links.into_iter().map(found).collect(),
        canonical,
        nofollow,
        digest,
        content_hash: page.content_hash,
        text: page.text,
        validators: Validators {
            etag: page.etag,
            last_modified: page.last_modified,
        },
        bytes: page.bytes,
    })
}

fn found(link: Link) -> FoundLink {
    FoundLink {
        nofollow: link.rel.as_deref().is_some_and(forbids_following),
        url: link.url,
    }
}
