//! Files from the web on the threads that are for it. Refuses to wait longer than it is told.

use std::time::Duration;

use jobs::{Failure, FailureCode};
use url::Url;

use crate::door::{Door, Download, Fetch, late};
use crate::page::GRACE;
use crate::web::Web;

/// Any type will do.
const ACCEPT: (&str, &str) = ("Accept", "*/*");

/// A file to fetch.
pub(crate) struct File {
    pub(crate) url: Url,
    /// Sent to the origin of `url` alone.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) user_agent: Option<String>,
    pub(crate) timeout: Duration,
    /// Most bytes of it that are read.
    pub(crate) most: usize,
}

impl File {
    pub(crate) async fn download(mut self, web: &Web, door: &Door) -> Result<Download, Failure> {
        let (name, value) = ACCEPT;
        if self
            .headers
            .iter()
            .all(|(own, _)| !own.eq_ignore_ascii_case(name))
        {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
        let (door, timeout) = (door.clone(), self.timeout);
        let fetching = web.spawn(async move {
            let fetch = Fetch {
                url: &self.url,
                headers: &self.headers,
                user_agent: self.user_agent.as_deref(),
                timeout,
            };
            door.download(&fetch, self.most).await
        });
        // The door keeps time as well, but a flood may keep the door from looking at its clock.
        let Ok(ended) = tokio::time::timeout(timeout + GRACE, fetching).await else {
            return Err(late(timeout));
        };
        ended.unwrap_or_else(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "fetching a file panicked");
            Err(Failure::new(
                FailureCode::Internal,
                "The file could not be fetched",
            ))
        })
    }
}
