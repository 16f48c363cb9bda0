//! From the bytes of a file to the addresses in it: unpacked, decoded, and read as what it looks
//! like. Refuses to believe the content type, which is wrong too often.

use jobs::Failure;
use jobs::crawl::visit::Sitemap;

use super::found::Found;
use super::unpack::unpacked;
use super::{list, xml};
use crate::door::Download;
use crate::extract::Budget;

/// How much is taken of one file.
pub(super) struct Limits<'a> {
    /// Most addresses, those of pages and of further sitemaps together.
    pub(super) addresses: usize,
    /// Most bytes, after each unpacking.
    pub(super) bytes: usize,
    pub(super) budget: &'a Budget<'a>,
}

/// Reads a file. One that breaks off, is malformed from some place on, or exceeds a limit yields
/// what comes before that, and is `truncated`.
///
/// What is no sitemap and no feed at all, or has a DOCTYPE, is an `InvalidResponse`.
pub(super) fn parse(download: Download, limits: &Limits<'_>) -> Result<Sitemap, Failure> {
    let base = download.final_url;
    let mut body = download.body;
    let (mut bytes, more) = unpacked(body.take_bytes(), limits)?;
    let cut = download.cut || more;
    if cut {
        whole_pieces(&mut bytes);
    }
    let body = body.with_document(bytes);
    let text = body.decode().text;
    let text = text.trim_start();
    let mut found = Found::new(&base, limits.addresses);
    if text.starts_with('<') {
        xml::read(text, &mut found, limits.budget)?;
    } else {
        list::read(text, &mut found, limits.budget)?;
    }
    let mut sitemap = found.into_sitemap();
    sitemap.truncated |= cut;
    Ok(sitemap)
}

/// Takes off the end of a cut file after its last whole tag or line: half an address is another
/// one, and half a character makes the encoding look like another.
fn whole_pieces(bytes: &mut Vec<u8>) {
    let is_end = |byte: &u8| matches!(byte, b'>' | b'\n' | b'\r');
    let end = bytes.iter().rposition(is_end).map_or(0, |at| at + 1);
    bytes.truncate(end);
}
