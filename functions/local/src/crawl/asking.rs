//! Asks whoever has a crawl, with patience: what passes, such as a busy service or a broken
//! connection, is waited for within a bound, and as long as the service says. Refuses to wait for a
//! service that has never answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, bail};
use aws::host::SystemClock;
use hyper::Method;
use jobs::ports::Clock;
use serde_json::{Value, json};

use super::progress::notice;
use crate::cli::Crawl;
use crate::client::Answer;
use crate::endpoint::Endpoint;
use crate::remote::Insecure;

/// How long a service may be out of reach.
const PATIENCE: Duration = Duration::from_mins(5);
/// The first pause before it is asked again, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that grow by half, so that what changes is seen soon and what lasts is not asked for all
/// the time.
pub(super) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pauses {
    /// The next pause: 1 s, then ever longer, 5 s at most.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 3 / 2).min(LONGEST);
        pause
    }
}

pub(super) struct Asking {
    endpoint: Endpoint,
    /// Who is asked, for a sentence.
    name: String,
    has_answered: AtomicBool,
}

impl Asking {
    pub(super) fn new(endpoint: Endpoint, name: String) -> Self {
        Self {
            endpoint,
            name,
            has_answered: AtomicBool::new(false),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The answer to a request, once it is one that does not pass by itself.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        seen: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let began = Instant::now();
        let mut pauses = Pauses::default();
        let mut is_told = false;
        loop {
            let asked = self.endpoint.ask(method.clone(), path, body, seen).await;
            let (why, wait) = match asked {
                Ok(answer) => {
                    self.has_answered.store(true, Ordering::Relaxed);
                    if !self.passes(answer.status) {
                        return Ok(answer);
                    }
                    let wait = retry_after(&answer, SystemClock.now().as_millis());
                    (self.refusal(&answer), wait.unwrap_or_default())
                }
                Err(error) => {
                    let known = self.has_answered.load(Ordering::Relaxed);
                    if !known || error.is::<Insecure>() {
                        return Err(error);
                    }
                    (format!("{error:#}"), Duration::ZERO)
                }
            };
            let wait = wait.max(pauses.next());
            if began.elapsed() + wait > PATIENCE {
                bail!("{why}");
            }
            if !std::mem::replace(&mut is_told, true) {
                let seconds = wait.as_secs();
                notice(&format!("{why}; asking again after {seconds} s"));
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// What lies at a path. What is refused is an error that says why.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.accepted(self.ask(Method::GET, path, None, None).await?)
    }

    /// An answer that is no refusal.
    pub(super) fn accepted(&self, answer: Answer) -> anyhow::Result<Answer> {
        if answer.status >= 300 {
            bail!("{}", self.refusal(&answer));
        }
        Ok(answer)
    }

    /// Creates a job; gives its id, and whether it was there before.
    pub(super) async fn create(&self, body: &Value) -> anyhow::Result<(String, bool)> {
        // Asked twice it is made once: equal jobs that are not finished are one.
        let asked = self
            .ask(Method::POST, "/api/jobs", Some(body), None)
            .await?;
        let created = self.accepted(asked)?;
        let answer = created.json()?;
        let id = answer["jobId"].as_str().context("no job is named")?;
        Ok((id.to_owned(), created.status == 200))
    }

    /// Does something to a job; `false` where its status forbids that.
    pub(super) async fn control(&self, path: &str, action: &str) -> anyhow::Result<bool> {
        let body = json!({ "action": action });
        let answer = self.ask(Method::PUT, path, Some(&body), None).await?;
        if answer.status == 409 {
            return Ok(false);
        }
        self.accepted(answer).map(|_| true)
    }

    /// Whether another try may be answered otherwise. On the way to a service there are others, whose
    /// 500 may be of the moment; ours here is not.
    fn passes(&self, status: u16) -> bool {
        match self.endpoint {
            Endpoint::Here(_) => status == 503,
            Endpoint::Running(_) => matches!(status, 408 | 425 | 429 | 500 | 502..=504),
        }
    }

    /// What an answer says that is no success, in the words of the command line.
    fn refusal(&self, answer: &Answer) -> String {
        let said = said(&answer.json().unwrap_or_default());
        match (answer.status, &self.endpoint) {
            // The values are the user's own.
            (400, _) | (_, Endpoint::Here(_)) => said,
            (401 | 403, _) => format!(
                "{} answers {}: {said}; a key is given with --key or in HARVESTMAN_API_KEY",
                self.name, answer.status
            ),
            (status, _) => format!("{} answers {status}: {said}", self.name),
        }
    }
}

/// How long a service asks to be left alone: in seconds, or until a date (RFC 9110, section
/// 10.2.3).
fn retry_after(answer: &Answer, now_ms: i64) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let until = date.duration_since(UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now_ms).ok()?);
    Some(until.saturating_sub(now))
}

fn said(answer: &Value) -> String {
    let error = answer["error"].as_str().unwrap_or("no reason is given");
    let details = answer["details"].as_array();
    let sentence = |problem: &Value| {
        let field = Crawl::flag_of(problem["field"].as_str()?);
        Some(format!("{field} {}", problem["message"].as_str()?))
    };
    let sentences: Vec<_> = details.into_iter().flatten().filter_map(sentence).collect();
    let text = match answer["details"].as_str() {
        Some(details) => format!("{error}: {details}"),
        None if sentences.is_empty() => error.to_owned(),
        None => sentences.join("; "),
    };
    // It goes to a terminal.
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use hyper::body::Bytes;
    use hyper::header::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn pauses_grow_from_a_second_to_five() {
        let mut pauses = Pauses::default();
        let millis: Vec<_> = (0..6).map(|_| pauses.next().as_millis()).collect();
        assert_eq!(millis, [1_000, 1_500, 2_250, 3_375, 5_000, 5_000]);
    }

    #[test]
    fn a_service_says_in_seconds_or_by_a_date_when_to_come_back() {
        for (said, millis) in [
            ("7", Some(7_000)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37_000)),
            ("Sun, 06 Nov 1994 08:48:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", HeaderValue::from_static(said));
            let answer = Answer {
                status: 429,
                headers,
                body: Bytes::new(),
            };
            // 1994-11-06T08:49:00Z
            let wait = retry_after(&answer, 784_111_740_000);
            assert_eq!(wait.map(|wait| wait.as_millis()), millis, "{said}");
        }
    }

    #[test]
    fn what_is_refused_is_told_in_the_words_of_the_command_line() {
        let body = json!({"error": "Validation failed", "details": [
            {"field": "maxPages", "message": "must be a number"},
            {"field": "include[1]", "message": "is no pattern"},
        ]});
        let sentence = "--max-pages must be a number; --include is no pattern";
        assert_eq!(said(&body), sentence);
        let body = json!({"error": "Not found", "details": "No job\u{1b}[2J"});
        assert_eq!(said(&body), "Not found: No job[2J");
        assert_eq!(said(&Value::Null), "no reason is given");
    }
}
