//! The addresses that a client may ask for: one in `url`, or many in `urls`. What they may point
//! at is for the door to the web to judge, when they are fetched.

use serde_json::Value;
use url::Url;

use crate::body::Reader;

/// Longest address, in bytes.
pub const MAX_URL: usize = 2_048;
const MAX_HOST: usize = 253;
/// Most addresses of one batch.
pub const MAX_URLS: usize = 100;

/// Says what is wrong with an address, if anything.
fn problem_with_url(text: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(text) else {
        return Some("Invalid URL format");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Some("must start with http:// or https://");
    }
    match url.host_str() {
        None | Some("") => return Some("must name a host"),
        // RFC 1035, section 2.3.4: no such name can be looked up.
        Some(host) if host.len() > MAX_HOST => {
            return Some("must name a host of at most 253 characters");
        }
        Some(_) => {}
    }
    if url.as_str().len() > MAX_URL {
        return Some("is too long: at most 2048 bytes, encoded as it is sent");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must not contain a user name or password; use headers");
    }
    None
}

/// The address that a value holds, without white space around it, or what is wrong with it.
fn parse(value: &Value) -> Result<String, String> {
    let text = value.as_str().ok_or("must be a string")?;
    if !(1..=MAX_URL).contains(&text.chars().count()) {
        return Err(format!("must have 1 to {MAX_URL} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    let text = text.trim();
    if text.len() > MAX_URL {
        return Err(format!("must have at most {MAX_URL} bytes"));
    }
    match problem_with_url(text) {
        Some(problem) => Err(problem.to_owned()),
        None => Ok(text.to_owned()),
    }
}

/// Reads the address in `url`, where there is one. One that is wrong is said to be so, and empty.
pub(crate) fn optional(reader: &mut Reader<'_>) -> Option<String> {
    match parse(reader.value("url")?) {
        Ok(url) => Some(url),
        Err(problem) => {
            reader.problem("url", problem);
            Some(String::new())
        }
    }
}

/// Refuses the fields of a batch; `batches` says where they belong.
pub(crate) fn refuse_batches(reader: &mut Reader<'_>, batches: &str) {
    for field in ["urls", "staggerDelay"] {
        if reader.value(field).is_some() {
            reader.problem(field, batches);
        }
    }
}

/// Reads the addresses of a batch. Each that is wrong is named by its place, counted from 0.
pub(crate) fn many(reader: &mut Reader<'_>) -> Vec<String> {
    if reader.value("url").is_some() {
        reader.problem("url", "must not be given together with `urls`");
    }
    let list = reader.value("urls").and_then(Value::as_array);
    let Some(list) = list else {
        reader.problem("urls", "must be a list of addresses");
        return Vec::new();
    };
    if !(1..=MAX_URLS).contains(&list.len()) {
        reader.problem("urls", format!("must have 1 to {MAX_URLS} addresses"));
        return Vec::new();
    }
    let mut urls = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        match parse(value) {
            Ok(url) => urls.push(url),
            Err(problem) => reader.problem(&format!("urls[{index}]"), problem),
        }
    }
    urls
}
