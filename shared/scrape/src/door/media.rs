//! Which content types a page can be read from, decided before the body is read; where the server
//! names none, by the first bytes. Refuses images, documents, archives and programs.

use http::header::{self, HeaderMap};

/// What kind of text a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `text/html` and XHTML.
    Html,
    Xml,
    Json,
    /// Text without markup.
    Plain,
}

impl std::fmt::Display for Media {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Html => "HTML",
            Self::Xml => "XML",
            Self::Json => "JSON",
            Self::Plain => "plain text",
        })
    }
}

/// What a `Content-Type` header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    Readable(Media, Option<String>),
    /// A type that no page is of. Its name is short and tame enough for a sentence.
    Unreadable(String),
    /// Absent, or as good as absent.
    Unknown,
}

/// How many bytes a guess may look at (the MIME Sniffing standard's resource header).
pub(super) const SNIFFED: usize = 1_445;

/// Reads the `Content-Type` of an answer.
pub(super) fn declared(headers: &HeaderMap) -> Declared {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Declared::Unknown;
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    let (essence, parameters) = text.split_once(';').unwrap_or((&text, ""));
    let essence = essence.trim().to_ascii_lowercase();
    if let Some(media) = readable(&essence) {
        return Declared::Readable(media, charset(parameters));
    }
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
    let well_formed = essence.len() <= 100
        && essence.split('/').count() == 2
        && essence
            .split('/')
            .all(|part| !part.is_empty() && part.bytes().all(is_token));
    // Those that the MIME Sniffing standard treats as if nothing had been said.
    if !well_formed || matches!(essence.as_str(), "unknown/unknown" | "application/unknown") {
        return Declared::Unknown;
    }
    Declared::Unreadable(essence)
}

fn readable(essence: &str) -> Option<Media> {
    let (kind, subtype) = essence.split_once('/')?;
    match (kind, subtype) {
        ("text", "html") | ("application", "xhtml+xml") => Some(Media::Html),
        ("text" | "application", "xml") => Some(Media::Xml),
        ("text" | "application", "json") => Some(Media::Json),
        ("text", "plain") => Some(Media::Plain),
        ("application" | "text", other) if other.ends_with("+xml") => Some(Media::Xml),
        ("application" | "text", other) if other.ends_with("+json") => Some(Media::Json),
        _ => None,
    }
}

/// The `charset` parameter: the first of that name, quoted or not.
fn charset(parameters: &str) -> Option<String> {
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']).trim();
        let found = name.trim().eq_ignore_ascii_case("charset") && !value.is_empty();
        (found && value.len() <= 64).then(|| value.to_owned())
    })
}

/// Guesses from the first bytes of a body of which the type is unknown; `None` for what is no text.
pub(super) fn sniff(head: &[u8]) -> Option<Media> {
    let head = &head[..head.len().min(SNIFFED)];
    // A mark of UTF-16 says text, and explains zero bytes.
    let (wide, head) = match head {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => (true, rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => (false, rest),
        _ => (false, head),
    };
    let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if !wide && head.iter().any(binary) {
        return None;
    }
    let first = head
        .iter()
        .find(|byte| !byte.is_ascii_whitespace() && **byte != 0);
    Some(match first {
        Some(b'<') => Media::Html,
        Some(b'{' | b'[') => Media::Json,
        _ => Media::Plain,
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn declared_as(value: &'static [u8]) -> Declared {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_bytes(value).unwrap(),
        );
        declared(&headers)
    }

    #[test]
    fn types_that_hold_text_are_readable() {
        for (value, media, charset) in [
            (&b"text/html"[..], Media::Html, None),
            (b"Text/HTML; Charset=\"utf-8\"", Media::Html, Some("utf-8")),
            (b"text/html;charset=a;charset=b", Media::Html, Some("a")),
            (
                b"text/html ; boundary=x; charset = 'koi8-r' ",
                Media::Html,
                Some("koi8-r"),
            ),
            (b"text/html; charset=", Media::Html, None),
            (b"text/html; x=\xff\xfe", Media::Html, None),
            (b"application/xhtml+xml", Media::Html, None),
            (b"text/xml", Media::Xml, None),
            (b"application/rss+xml", Media::Xml, None),
            (b"application/json", Media::Json, None),
            (b"application/ld+json", Media::Json, None),
            (b"text/plain", Media::Plain, None),
        ] {
            let charset = charset.map(str::to_owned);
            assert_eq!(
                declared_as(value),
                Declared::Readable(media, charset),
                "{value:?}"
            );
        }
    }

    #[test]
    fn types_that_hold_none_are_not() {
        for value in [
            "image/png",
            "image/svg+xml",
            "application/pdf",
            "application/zip",
            "application/octet-stream",
            "application/javascript",
            "text/css",
            "video/mp4",
            "multipart/form-data",
        ] {
            let expected = Declared::Unreadable(value.to_owned());
            assert_eq!(declared_as(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn a_type_that_says_nothing_is_unknown() {
        assert_eq!(declared(&HeaderMap::new()), Declared::Unknown);
        for value in [
            &b""[..],
            b"html",
            b"a/b/c",
            b"*/*",
            b"/",
            b"<b>/x",
            b"unknown/unknown",
        ] {
            assert_eq!(declared_as(value), Declared::Unknown, "{value:?}");
        }
    }

    #[test]
    fn the_first_bytes_tell_text_from_the_rest() {
        for (head, expected) in [
            (&b""[..], Some(Media::Plain)),
            (b"\xef\xbb\xbf\n <!doctype html>", Some(Media::Html)),
            (b"<?xml version='1.0'?>", Some(Media::Html)),
            (b"\xff\xfe<\0p\0", Some(Media::Html)),
            (b"\xfe\xff\0<\0p", Some(Media::Html)),
            (b" {\"a\": 1}", Some(Media::Json)),
            (b"User-agent: *\n", Some(Media::Plain)),
            (b"\x1b$B", Some(Media::Plain)),
            (b"\x89PNG\r\n\x1a\n\0", None),
            (b"PK\x03\x04", None),
            (b"\x1f\x8b\x08", None),
            (b"<\0html>", None),
        ] {
            assert_eq!(sniff(head), expected, "{head:?}");
        }
    }
}
