//! Posts to somebody who has asked to be told. Refuses what the door refuses of any address,
//! redirects to another one, and to read more of an answer than its beginning.

use std::time::{Duration, SystemTime};

use jobs::ports::Posted;
use jobs::{Failure, FailureCode};
use url::Url;

use super::failures::{Phase, classify};
use super::{Door, headers};

/// Most bytes of an answer that are read.
const MAX_READ: usize = 4 * 1_024;
/// How long the body of an answer may take to come, once its head is there.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(2);
/// Most characters of it that are kept.
const MAX_EXCERPT: usize = 500;
/// Longest wait that a receiver may ask of us.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// What is posted.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub url: &'a Url,
    /// Sent to this address and to no other.
    pub headers: &'a [(String, String)],
    pub body: &'a str,
    /// For the way to the receiver and the head of its answer.
    pub timeout: Duration,
}

impl Door {
    /// Posts once, and gives what was answered, with whatever status: a redirect too.
    pub async fn post(&self, message: &Message<'_>) -> Result<Posted, Failure> {
        let (url, timeout) = (message.url, message.timeout);
        self.judge(url)?;
        let host = url.host_str().unwrap_or_default();
        let mut own = headers::to_send(message.headers, None, None);
        own.insert(http::header::ACCEPT, http::HeaderValue::from_static("*/*"));
        let posting = self
            .client
            .post(url.clone())
            .headers(own)
            .body(message.body.to_owned())
            .send();
        let answered = tokio::time::timeout(timeout, posting).await;
        let mut response = answered
            .map_err(|_| late(timeout))?
            .map_err(|error| classify(&error, host, Phase::Answer, self.clocks))?;
        let mut bytes = Vec::new();
        // What comes after the status changes nothing any more: it is for people to read.
        let reading = async {
            while bytes.len() < MAX_READ
                && let Ok(Some(chunk)) = response.chunk().await
            {
                let room = MAX_READ - bytes.len();
                bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, reading).await;
        let wait = headers::asked_wait(response.headers(), SystemTime::now());
        Ok(Posted {
            status: response.status().as_u16(),
            retry_after: wait.map(|wait| wait.min(MAX_RETRY_AFTER)),
            excerpt: excerpt(&bytes),
        })
    }
}

pub(crate) fn late(timeout: Duration) -> Failure {
    let sentence = format!("There was no answer within {} ms", timeout.as_millis());
    Failure::new(FailureCode::Timeout, sentence)
}

/// The beginning of an answer, as text for people.
fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = text.trim().chars().take(MAX_EXCERPT);
    let plain = |it: char| {
        if it.is_control() && it != '\n' {
            ' '
        } else {
            it
        }
    };
    shown.map(plain).collect()
}
