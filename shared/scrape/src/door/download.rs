//! Fetches what is no page: files for machines, of whatever type their server calls them. Refuses
//! what the door refuses of any address, and more bytes than it is told to take.

use std::time::Duration;

use jobs::{Failure, FailureCode};
use url::Url;

use super::{Body, Door, Fetch, First, Redirects, body};

/// A file as it came.
#[derive(Clone, Debug)]
pub struct Download {
    /// The address that answered, without a fragment.
    pub final_url: Url,
    pub body: Body,
    /// The file has more bytes than were asked for.
    pub cut: bool,
}

impl Door {
    /// Fetches a file of any type: at most `most` bytes of it, counted as they come out of the
    /// decoder of its `Content-Encoding`. Anything but an answer with a status of 2xx is a failure.
    pub async fn download(&self, fetch: &Fetch<'_>, most: usize) -> Result<Download, Failure> {
        let download = tokio::time::timeout(fetch.timeout, self.take(fetch, most)).await;
        download.unwrap_or_else(|_| Err(late(fetch.timeout)))
    }

    async fn take(&self, fetch: &Fetch<'_>, most: usize) -> Result<Download, Failure> {
        // Nothing is known of it, so nothing can be as it was.
        let First::Page(response, trail) = self.answer(fetch, None, Redirects::Followed).await?
        else {
            let sentence = "The server says that nothing has changed, unasked";
            return Err(Failure::new(FailureCode::InvalidResponse, sentence));
        };
        let (body, cut) = body::read_any(response, &trail.host(), self.clocks, most).await?;
        let (final_url, _) = trail.end();
        Ok(Download {
            final_url,
            body,
            cut,
        })
    }
}

pub(crate) fn late(timeout: Duration) -> Failure {
    let sentence = format!("The file was not there within {} ms", timeout.as_millis());
    Failure::new(FailureCode::Timeout, sentence)
}
