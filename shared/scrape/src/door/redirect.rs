//! Whether an answer sends us elsewhere, and where to. Refuses a redirect without a target, a step
//! down to plain HTTP, loops, and more than five hops.

use http::StatusCode;
use http::header::{self, HeaderMap};
use jobs::{Failure, FailureCode};
use url::Url;

/// Most redirects that are followed for one page.
pub const MAX_REDIRECTS: usize = 5;

/// The addresses that were asked so far, the first one first.
#[derive(Debug)]
pub(super) struct Trail {
    visited: Vec<Url>,
    current: Url,
}

impl Trail {
    pub(super) fn from(start: &Url) -> Self {
        Self {
            visited: Vec::new(),
            current: without_fragment(start.clone()),
        }
    }

    pub(super) fn current(&self) -> &Url {
        &self.current
    }

    /// The host of the current address, as a sentence names it.
    pub(super) fn host(&self) -> String {
        self.current.host_str().unwrap_or_default().to_owned()
    }

    /// The address that answered, and those that redirected to it.
    pub(super) fn end(self) -> (Url, Vec<Url>) {
        (self.current, self.visited)
    }

    /// Goes where the answer points; `false` where it is the last one.
    ///
    /// Whether the new address may be connected to is for the guard to say.
    pub(super) fn follow(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<bool, Failure> {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(false);
        }
        let next = self.target(status, headers)?;
        if self.visited.len() == MAX_REDIRECTS {
            return Err(refused(format!(
                "The page redirects more than {MAX_REDIRECTS} times"
            )));
        }
        if self.current.scheme() == "https" && next.scheme() == "http" {
            return Err(refused(
                "The page redirects from https to plain http".to_owned(),
            ));
        }
        self.visited
            .push(std::mem::replace(&mut self.current, next));
        if self.visited.contains(&self.current) {
            return Err(refused("The page redirects in a circle".to_owned()));
        }
        Ok(true)
    }

    fn target(&self, status: StatusCode, headers: &HeaderMap) -> Result<Url, Failure> {
        let Some(location) = headers.get(header::LOCATION) else {
            let sentence = format!("The server answered {} without a target", status.as_u16());
            return Err(refused(sentence));
        };
        // Bytes beyond ASCII are sent raw by some servers. Escaped, they mean the same in every
        // part of an address.
        let text: String = location
            .as_bytes()
            .iter()
            .map(|byte| escaped(*byte))
            .collect();
        let next = self.current.join(&text).map(without_fragment);
        next.map_err(|_| refused("The page redirects to what is no address".to_owned()))
    }
}

fn escaped(byte: u8) -> String {
    if byte.is_ascii() {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

fn refused(sentence: String) -> Failure {
    Failure::new(FailureCode::Redirects, sentence)
}

/// Fragments stay with us: to the server it is the same page.
fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn followed(start: &str, location: &[u8]) -> Result<String, FailureCode> {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_bytes(location).unwrap());
        let mut trail = Trail::from(&Url::parse(start).unwrap());
        let outcome = trail.follow(StatusCode::FOUND, &headers);
        outcome
            .map(|_| trail.current().to_string())
            .map_err(|failure| failure.code)
    }

    #[test]
    fn a_target_is_read_relative_to_the_page() {
        for (location, expected) in [
            (&b"/x#y"[..], "https://a.example/x"),
            (b"x", "https://a.example/b/x"),
            (b"?q", "https://a.example/b/c?q"),
            (b"//b.example:81", "https://b.example:81/"),
            (b"https://b.example", "https://b.example/"),
            ("/ü".as_bytes(), "https://a.example/%C3%BC"),
            (b"/\xfc", "https://a.example/%FC"),
            (
                "//bücher.example".as_bytes(),
                "https://xn--bcher-kva.example/",
            ),
        ] {
            let target = followed("https://a.example/b/c", location);
            assert_eq!(target.as_deref(), Ok(expected), "{location:?}");
        }
    }

    #[test]
    fn a_page_may_step_up_to_https_but_not_down() {
        assert!(followed("http://a.example/", b"https://a.example/").is_ok());
        let down = followed("https://a.example/", b"http://a.example/");
        assert_eq!(down, Err(FailureCode::Redirects));
    }

    #[test]
    fn a_redirect_without_a_target_is_a_failure() {
        let mut trail = Trail::from(&Url::parse("http://a.example/").unwrap());
        let failure = trail
            .follow(StatusCode::FOUND, &HeaderMap::new())
            .unwrap_err();
        assert_eq!(failure.code, FailureCode::Redirects);
        assert_eq!(
            followed("http://a.example/", b"http://["),
            Err(FailureCode::Redirects)
        );
    }
}
