//! From the bytes of a page to text: byte order mark, header, declaration in the page, detection,
//! in this order, as the WHATWG standards have it. Refuses nothing: what is malformed becomes
//! U+FFFD, and the result is always text.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

use super::body::Body;
use super::media::Media;
use super::prescan::prescan;

/// How many bytes the detector looks at, from the first that is not plain ASCII.
const DETECTED: usize = 256 * 1024;

/// A body as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    /// The name of the encoding that it was read in, in the standard's spelling.
    pub encoding: &'static str,
}

pub(super) fn decode(body: &Body) -> Decoded<'_> {
    let bytes = body.bytes.as_slice();
    let named = body.charset.as_deref();
    let encoding = named
        .and_then(|name| Encoding::for_label(name.as_bytes()))
        .or_else(|| by_declaration(bytes, body.media))
        .unwrap_or_else(|| detect(bytes, body.top_level.as_deref()));
    // A byte order mark outweighs all of these, and is taken off.
    let (text, encoding, _) = encoding.decode(bytes);
    Decoded {
        text,
        encoding: encoding.name(),
    }
}

fn by_declaration(bytes: &[u8], media: Media) -> Option<&'static Encoding> {
    match media {
        Media::Html | Media::Xml => prescan(bytes),
        Media::Json | Media::Plain => None,
    }
}

/// Guesses. Bytes that are valid UTF-8 are UTF-8, unless they shift as ISO-2022-JP does, which
/// writes Japanese in ASCII.
fn detect(bytes: &[u8], top_level: Option<&str>) -> &'static Encoding {
    const ESCAPE: u8 = 0x1b;
    let Some(start) = bytes
        .iter()
        .position(|byte| !byte.is_ascii() || *byte == ESCAPE)
    else {
        return UTF_8;
    };
    if !bytes.contains(&ESCAPE) && std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let telling = &bytes[start..];
    let seen = &telling[..telling.len().min(DETECTED)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(seen, seen.len() == telling.len());
    detector.guess(top_level.map(str::as_bytes), Utf8Detection::Allow)
}
