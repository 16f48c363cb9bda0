//! Asks an origin for its `robots.txt` (RFC 9309, section 2.3). Refuses to read the file: what it
//! says is for [`jobs::crawl::Robots`].

use std::time::Duration;

use jobs::crawl::visit::RobotsFile;
use jobs::{Failure, FailureCode};
use url::Url;

use crate::door::Door;
use crate::download::File;
use crate::web::Web;

/// For the whole file, redirects and all.
pub(crate) const ROBOTS_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a file is read: what section 2.5 asks for at least.
pub(crate) const MAX_ROBOTS: usize = 500 * 1024;

/// Fetches the file of the origin of any of its addresses. Redirects may lead to other hosts; the
/// file is that of `origin` all the same (section 2.3.1.2).
pub(crate) async fn fetch(
    web: &Web,
    door: &Door,
    origin: &Url,
    user_agent: Option<&str>,
    timeout: Duration,
) -> RobotsFile {
    let Some(url) = address(origin) else {
        let sentence = "An address like this has no robots.txt";
        return RobotsFile::Unreachable(Failure::new(FailureCode::AddressRefused, sentence));
    };
    let file = File {
        url,
        headers: Vec::new(),
        user_agent: user_agent.map(str::to_owned),
        timeout,
        most: MAX_ROBOTS,
    };
    match file.download(web, door).await {
        Ok(mut download) => {
            let mut bytes = download.body.take_bytes();
            if download.cut {
                whole_lines(&mut bytes);
            }
            RobotsFile::Found(bytes)
        }
        Err(failure) if is_absent(failure.code) => RobotsFile::Absent,
        Err(failure) => RobotsFile::Unreachable(failure),
    }
}

fn address(origin: &Url) -> Option<Url> {
    let mut url = Url::parse(&origin.origin().ascii_serialization()).ok()?;
    url.set_path("/robots.txt");
    Some(url)
}

/// Whether a failure means that there are no rules, and not that they cannot be had.
///
/// 4xx does (section 2.3.1.3), but for 429: who asks us to slow down has not said that all is
/// allowed, and Google reads it like this too. So do redirects that lead nowhere: more than five,
/// in a circle, without a target, or down to plain HTTP (section 2.3.1.2).
fn is_absent(code: FailureCode) -> bool {
    match code {
        FailureCode::Http(429) => false,
        FailureCode::Http(status) => (400..500).contains(&status),
        FailureCode::Redirects => true,
        _ => false,
    }
}

/// Takes off a line that is not there whole: half of it may be a rule that nobody wrote.
fn whole_lines(bytes: &mut Vec<u8>) {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let end = bytes.iter().rposition(is_end).map_or(0, |at| at + 1);
    bytes.truncate(end);
}
