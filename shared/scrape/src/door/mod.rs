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
mod post;
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
pub use post::Message;
pub(crate) use post::{LAST_WORDS, late as late_post};
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

/// What is done about a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// At most [`MAX_REDIRECTS`] of them.
    Followed,
    /// The first one ends the fetch; where it leads is not asked.
    Reported,
}

/// How a fetch ended that did not fail.
#[derive(Clone, Debug)]
pub enum Answer {
    Page(Box<Fetched>),
    /// The server says that the page is as it is known.
    Unchanged,
    /// The page is at another address, which may be any.
    Elsewhere(Url),
}

/// The same before the body is read.
enum First {
    Page(reqwest::Response, Trail),
    Unchanged,
    Elsewhere(Url),
}

/// Says of an address why nothing may be sent there, as far as that can be told without looking
/// its name up: for those who refuse it before anybody has to go there.
pub fn judge(targets: Targets) -> impl Fn(&str) -> Result<(), String> + Send + Sync {
    let guard = Guard::new(targets);
    move |url| {
        let url = Url::parse(url).map_err(|_| "is no address".to_owned())?;
        guard.judge(&url).map_err(|refused| refused.to_string())
    }
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
        let answer = self.fetch_if_changed(fetch, None, Redirects::Followed);
        match answer.await? {
            Answer::Page(fetched) => Ok(*fetched),
            // Nobody asked; `follow` takes it for a failure like any other.
            Answer::Unchanged | Answer::Elsewhere(_) => {
                let sentence = "The server answered 304 Not Modified";
                Err(Failure::new(FailureCode::Http(304), sentence))
            }
        }
    }

    /// Fetches a page as a crawl does, which wants to know of more ends than that of a page. What
    /// was known of it is sent to the origin of the address alone, as its headers are.
    pub async fn fetch_if_changed(
        &self,
        fetch: &Fetch<'_>,
        known: Option<&Validators>,
        redirects: Redirects,
    ) -> Result<Answer, Failure> {
        let fetched =
            tokio::time::timeout(fetch.timeout, self.follow(fetch, known, redirects)).await;
        fetched.unwrap_or_else(|_| {
            let sentence = format!("The page took longer than {:?}", fetch.timeout);
            Err(Failure::new(FailureCode::Timeout, sentence))
        })
    }

    async fn follow(
        &self,
        fetch: &Fetch<'_>,
        known: Option<&Validators>,
        redirects: Redirects,
    ) -> Result<Answer, Failure> {
        let (response, trail) = match self.answer(fetch, known, redirects).await? {
            First::Page(response, trail) => (response, trail),
            First::Unchanged => return Ok(Answer::Unchanged),
            First::Elsewhere(url) => return Ok(Answer::Elsewhere(url)),
        };
        let host = trail.host();
        let (status, headers) = (response.status(), KeptHeaders::of(response.headers()));
        let body = body::read(response, &host, self.clocks).await?;
        let (final_url, redirects) = trail.end();
        Ok(Answer::Page(Box::new(Fetched {
            final_url,
            status: status.as_u16(),
            headers,
            body,
            redirects,
        })))
    }

    /// The first answer of 2xx on the way, its body unread, or what else ends it.
    async fn answer(
        &self,
        fetch: &Fetch<'_>,
        mut known: Option<&Validators>,
        redirects: Redirects,
    ) -> Result<First, Failure> {
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
                if redirects == Redirects::Reported {
                    return Ok(First::Elsewhere(trail.end().0));
                }
                continue;
            }
            let status = response.status();
            let conditions = known.is_some_and(headers::is_conditional);
            if status == StatusCode::NOT_MODIFIED && conditions {
                return Ok(First::Unchanged);
            }
            if !status.is_success() {
                return Err(unsuccessful(&response));
            }
            return Ok(First::Page(response, trail));
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
