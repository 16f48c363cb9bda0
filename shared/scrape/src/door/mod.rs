//! The door to the web: the only place in the project that opens a connection to a foreign server.
//! Refuses to connect to an address that the guard has not judged, and to read anything without a
//! bound on its bytes and its time.

mod address;
mod body;
mod charset;
mod client;
mod download;
mod failures;
mod guard;
mod headers;
mod lookup;
mod media;
mod prescan;
mod redirect;
mod targets;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use jobs::crawl::visit::Validators;
use jobs::{Failure, FailureCode};
use rustls::RootCertStore;
use url::Url;

pub use body::{Body, MAX_BODY};
pub use charset::Decoded;
pub use client::Unbuilt;
pub use download::Download;
pub(crate) use download::late;
pub use guard::MAX_URL;
pub use headers::{KeptHeaders, X_ROBOTS_TAG, is_sendable};
pub use lookup::{Lookup, SystemLookup};
pub use media::Media;
pub use redirect::MAX_REDIRECTS;
pub use targets::{Authority, Targets};

use client::Clocks;
use failures::{Phase, classify};
use guard::Guard;
use redirect::Trail;

/// The one way out. Built once, shared by everything that fetches.
#[derive(Clone)]
pub struct Door {
    client: reqwest::Client,
    guard: Arc<Guard>,
    clocks: Clocks,
}

/// One page to fetch.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    pub url: &'a Url,
    /// Sent to the origin of `url` until a redirect leaves it, and to nobody else.
    pub headers: &'a [(String, String)],
    /// Instead of our own name.
    pub user_agent: Option<&'a str>,
    /// For everything: names, connections, redirects and the body.
    pub timeout: Duration,
}

/// A page as it came.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The address that answered, without a fragment.
    pub final_url: Url,
    /// 200 to 299.
    pub status: u16,
    pub headers: KeptHeaders,
    pub body: Body,
    /// The addresses that redirected, in order.
    pub redirects: Vec<Url>,
}

impl Door {
    /// A door that looks names up as the operating system does.
    pub fn new(targets: Targets) -> Result<Self, Unbuilt> {
        Self::with_lookup(targets, Arc::new(SystemLookup))
    }

    /// A door with a source of addresses of its own.
    pub fn with_lookup(targets: Targets, lookup: Arc<dyn Lookup>) -> Result<Self, Unbuilt> {
        let guard = Guard::new(targets);
        Self::assemble(guard, lookup, Clocks::default(), client::mozilla_roots())
    }

    fn assemble(
        guard: Guard,
        lookup: Arc<dyn Lookup>,
        clocks: Clocks,
        roots: RootCertStore,
    ) -> Result<Self, Unbuilt> {
        let guard = Arc::new(guard);
        let client = client::build(Arc::clone(&guard), lookup, clocks, roots)?;
        Ok(Self {
            client,
            guard,
            clocks,
        })
    }

    /// Whether an address may be fetched, as far as that can be told without looking its name up.
    pub fn judge(&self, url: &Url) -> Result<(), Failure> {
        self.guard.judge(url).map_err(Failure::from)
    }

    /// Fetches a page. Anything but a readable answer with a status of 2xx is a failure; an empty
    /// one (204, 205) is a page without text.
    pub async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Fetched, Failure> {
        let fetched = self.fetch_if_changed(fetch, None).await?;
        fetched.ok_or_else(|| {
            // Nobody asked; `follow` takes it for a failure like any other.
            let sentence = "The server answered 304 Not Modified";
            Failure::new(FailureCode::Http(304), sentence)
        })
    }

    /// Fetches a page unless it is still what it was: `None` where the server says so. What was
    /// known of it is sent to the origin of the address alone, as its headers are.
    pub async fn fetch_if_changed(
        &self,
        fetch: &Fetch<'_>,
        known: Option<&Validators>,
    ) -> Result<Option<Fetched>, Failure> {
        let fetched = tokio::time::timeout(fetch.timeout, self.follow(fetch, known)).await;
        fetched.unwrap_or_else(|_| {
            let sentence = format!("The page took longer than {:?}", fetch.timeout);
            Err(Failure::new(FailureCode::Timeout, sentence))
        })
    }

    async fn follow(
        &self,
        fetch: &Fetch<'_>,
        known: Option<&Validators>,
    ) -> Result<Option<Fetched>, Failure> {
        let Some((response, trail)) = self.answer(fetch, known).await? else {
            return Ok(None);
        };
        let host = trail.host();
        let (status, headers) = (response.status(), KeptHeaders::of(response.headers()));
        let body = body::read(response, &host, self.clocks).await?;
        let (final_url, redirects) = trail.end();
        Ok(Some(Fetched {
            final_url,
            status: status.as_u16(),
            headers,
            body,
            redirects,
        }))
    }

    /// The first answer of 2xx on the way, its body unread; nothing where the server says that the
    /// page is as it is known.
    async fn answer(
        &self,
        fetch: &Fetch<'_>,
        mut known: Option<&Validators>,
    ) -> Result<Option<(reqwest::Response, Trail)>, Failure> {
        let origin = fetch.url.origin();
        let mut own_headers = fetch.headers;
        let mut trail = Trail::from(fetch.url);
        loop {
            let url = trail.current();
            self.judge(url)?;
            if url.origin() != origin {
                // For good: should the way lead back, then to an address that a stranger chose.
                own_headers = &[];
                known = None;
            }
            let response = self
                .client
                .get(url.clone())
                .headers(headers::to_send(own_headers, fetch.user_agent, known))
                .send()
                .await
                .map_err(|error| classify(&error, &trail.host(), Phase::Answer, self.clocks))?;
            if trail.follow(response.status(), response.headers())? {
                continue;
            }
            let status = response.status();
            let conditions = known.is_some_and(headers::is_conditional);
            if status == StatusCode::NOT_MODIFIED && conditions {
                return Ok(None);
            }
            if !status.is_success() {
                return Err(unsuccessful(&response));
            }
            return Ok(Some((response, trail)));
        }
    }
}

fn unsuccessful(response: &reqwest::Response) -> Failure {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or("(no page)");
    let sentence = format!("The server answered {} {reason}", status.as_u16());
    let wait = headers::retry_after(response.headers(), SystemTime::now());
    Failure::new(FailureCode::Http(status.as_u16()), sentence).with_retry_after(wait)
}
