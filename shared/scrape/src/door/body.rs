//! Reads the body of an answer chunk by chunk and counts what comes out of the decoder. Refuses
//! more than a fixed number of bytes, whatever the answer said of its own length.

use http::header::{self, HeaderMap};
use jobs::{Failure, FailureCode};
use reqwest::Response;

use super::charset::{self, Decoded};
use super::client::Clocks;
use super::failures::{Phase, classify};
use super::media::{self, Declared, Media, SNIFFED};

/// Most decoded bytes of one page.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// Most bytes that room is made for before they come.
const MAX_RESERVED: u64 = 256 * 1024;

/// The bytes of a page, with what the server said about their meaning.
#[derive(Clone, Debug)]
pub struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) media: Media,
    /// The `charset` of the `Content-Type` header.
    pub(super) charset: Option<String>,
    /// The last label of the host's name, which hints at the language of a page that does not say.
    pub(super) top_level: Option<String>,
}

impl Body {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[cfg(test)]
    pub(crate) fn of(bytes: Vec<u8>, charset: Option<&str>) -> Self {
        Self {
            bytes,
            media: Media::Plain,
            charset: charset.map(str::to_owned),
            top_level: None,
        }
    }

    /// Takes the bytes out.
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// The same answer with other bytes, such as those that were packed in it, to be decoded as a
    /// document that may declare its encoding.
    pub(crate) fn with_document(self, bytes: Vec<u8>) -> Self {
        let media = Media::Xml;
        Self {
            bytes,
            media,
            ..self
        }
    }

    pub fn media(&self) -> Media {
        self.media
    }

    /// The body as text. May take a tenth of a second for a large one: not for an async thread.
    pub fn decode(&self) -> Decoded<'_> {
        charset::decode(self)
    }
}

/// Reads the body of an answer whose status is that of a page.
pub(super) async fn read(
    mut response: Response,
    host: &str,
    clocks: Clocks,
) -> Result<Body, Failure> {
    let declared = match media::declared(response.headers()) {
        Declared::Unreadable(name) => return Err(not_html(&format!("is {name}"))),
        Declared::Readable(media, charset) => Some((media, charset)),
        Declared::Unknown => None,
    };
    refuse_encoding(response.headers(), host)?;
    if response
        .content_length()
        .is_some_and(|length| length > MAX_BODY as u64)
    {
        return Err(too_large());
    }
    // What was announced need not come, so not all of it is believed.
    let announced = response.content_length().unwrap_or_default();
    let mut bytes = Vec::with_capacity(announced.min(MAX_RESERVED) as usize);
    let mut sniffed = None;
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| classify(&error, host, Phase::Body, clocks))?
    {
        if bytes.len() + chunk.len() > MAX_BODY {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
        if declared.is_none() && sniffed.is_none() && bytes.len() >= SNIFFED {
            sniffed = Some(sniff(&bytes)?);
        }
    }
    let (media, charset) = match (declared, sniffed) {
        (Some(declared), _) => declared,
        (None, Some(media)) => (media, None),
        (None, None) => (sniff(&bytes)?, None),
    };
    let top_level = response.url().domain().and_then(top_level);
    Ok(Body {
        bytes,
        media,
        charset,
        top_level,
    })
}

/// Reads a body of any type, up to `most` decoded bytes of it, and says whether it has more.
pub(super) async fn read_any(
    mut response: Response,
    host: &str,
    clocks: Clocks,
    most: usize,
) -> Result<(Body, bool), Failure> {
    refuse_encoding(response.headers(), host)?;
    let (media, charset) = match media::declared(response.headers()) {
        Declared::Readable(media, charset) => (media, charset),
        Declared::Unreadable(_) | Declared::Unknown => (Media::Plain, None),
    };
    let top_level = response.url().domain().and_then(top_level);
    let (mut bytes, mut cut) = (Vec::new(), false);
    while !cut
        && let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| classify(&error, host, Phase::Body, clocks))?
    {
        let fits = chunk.len().min(most - bytes.len());
        bytes.extend_from_slice(&chunk[..fits]);
        cut = fits < chunk.len();
    }
    let body = Body {
        bytes,
        media,
        charset,
        top_level,
    };
    Ok((body, cut))
}

fn sniff(bytes: &[u8]) -> Result<Media, Failure> {
    media::sniff(bytes).ok_or_else(|| not_html("has no type and is no text"))
}

/// What the client decodes it also takes out of the headers, so what is left there is more than it
/// could: an unknown encoding, or one inside another.
fn refuse_encoding(headers: &HeaderMap, host: &str) -> Result<(), Failure> {
    let left = headers
        .get(header::CONTENT_ENCODING)
        .map(|value| value.as_bytes().trim_ascii());
    if left.is_none_or(|left| left.is_empty() || left.eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    let sentence = format!("The body that {host} sent is compressed in a way that we cannot read");
    Err(Failure::new(FailureCode::InvalidResponse, sentence))
}

fn not_html(what: &str) -> Failure {
    Failure::new(
        FailureCode::NotHtml,
        format!("The answer {what}, not a page"),
    )
}

fn too_large() -> Failure {
    let sentence = format!("The page is larger than {} MiB", MAX_BODY / (1024 * 1024));
    Failure::new(FailureCode::TooLarge, sentence)
}

/// As the detector wants it: lower-case ASCII without dots, which the URL standard has seen to for
/// any host that resolves.
fn top_level(name: &str) -> Option<String> {
    let label = name.trim_end_matches('.').rsplit('.').next()?;
    let tame = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (!label.is_empty() && label.bytes().all(tame)).then(|| label.to_owned())
}
