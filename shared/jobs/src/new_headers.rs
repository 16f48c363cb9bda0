//! Reads what a new job sends with its requests besides what they need: headers and `User-Agent`.
//! Refuses headers that belong to the connection or to us.

use crate::body::Reader;

const MAX_HEADERS: usize = 32;
const MAX_HEADER_BYTES: usize = 4_096;

/// Headers that belong to the connection or to us, and that no job may set.
pub const RESERVED_HEADERS: [&str; 15] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

pub(crate) fn user_agent(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text("userAgent", 1, 256)?;
    if !text.bytes().all(is_header_byte) {
        reader.problem("userAgent", "must be printable ASCII");
    }
    Some(text.to_owned())
}

pub(crate) fn headers(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(value) = reader.value("headers") else {
        return Vec::new();
    };
    let Some(object) = value.as_object() else {
        reader.problem("headers", "must be an object of name to string");
        return Vec::new();
    };
    if object.len() > MAX_HEADERS {
        reader.problem(
            "headers",
            format!("must have at most {MAX_HEADERS} entries"),
        );
    }
    let mut headers = Vec::new();
    for (name, value) in object.iter().take(MAX_HEADERS) {
        let lower = name.to_ascii_lowercase();
        let shown: String = name.chars().take(64).collect();
        let field = format!("headers.{shown}");
        match value.as_str() {
            _ if !is_token(name) => reader.problem(&field, "is not a header name"),
            _ if RESERVED_HEADERS.contains(&lower.as_str()) => {
                reader.problem(&field, "is set by the service and cannot be chosen");
            }
            Some(text) if text.len() <= MAX_HEADER_BYTES && text.bytes().all(is_header_byte) => {
                headers.push((lower, text.to_owned()));
            }
            _ => {
                let message =
                    format!("must be printable ASCII of at most {MAX_HEADER_BYTES} bytes");
                reader.problem(&field, message);
            }
        }
    }
    headers
}

/// A `token` of RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(valid)
}

fn is_header_byte(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) || byte == b'\t'
}
