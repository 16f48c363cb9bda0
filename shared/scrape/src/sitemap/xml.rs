//! Sitemaps, their indexes, RSS and Atom: any XML that lists addresses, read in one pass. Refuses
//! a DOCTYPE, and with it every entity but the five of XML itself; keeps one entry at a time.

use jobs::{Failure, FailureCode};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::found::{Found, Target};
use crate::door::MAX_URL;
use crate::extract::Budget;

/// Events between two looks at the clock.
const STEP: usize = 256;
/// Deepest element. Formats that we read have at most four levels; extensions a few more.
const MAX_DEPTH: usize = 64;
/// Most attributes of a link that are looked at.
const MAX_ATTRIBUTES: usize = 32;
/// Most bytes of a field that are kept: an address, and something around it.
const MAX_FIELD: usize = 2 * MAX_URL;

/// A format, by the names of its elements without their prefixes.
struct Format {
    root: &'static str,
    entry: &'static str,
    /// Holds the address as its text, or as `href`.
    location: &'static str,
    date: &'static str,
    target: Target,
}

/// sitemaps.org's two, RSS 2.0 (and 0.9x), RSS 1.0, and Atom (RFC 4287).
const FORMATS: [Format; 5] = [
    Format {
        root: "urlset",
        entry: "url",
        location: "loc",
        date: "lastmod",
        target: Target::Page,
    },
    Format {
        root: "sitemapindex",
        entry: "sitemap",
        location: "loc",
        date: "lastmod",
        target: Target::Sitemap,
    },
    Format {
        root: "rss",
        entry: "item",
        location: "link",
        date: "pubDate",
        target: Target::Page,
    },
    Format {
        root: "RDF",
        entry: "item",
        location: "link",
        date: "date",
        target: Target::Page,
    },
    Format {
        root: "feed",
        entry: "entry",
        location: "link",
        date: "updated",
        target: Target::Page,
    },
];

/// Adds the addresses of a document. Where it breaks, those before the break stay.
pub(super) fn read(text: &str, found: &mut Found<'_>, budget: &Budget<'_>) -> Result<(), Failure> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    // A bare `&` in an address is the commonest mistake of all, and plain to read.
    config.allow_dangling_amp = true;
    let mut walk = Walk::default();
    for step in 1_usize.. {
        let goes_on = match reader.read_event() {
            Ok(Event::DocType(declaration)) => return Err(refused(&declaration)),
            Ok(Event::Start(start)) => walk.open(&start)?,
            Ok(Event::End(_)) => walk.close(found),
            Ok(Event::Text(text)) => walk.text(&text),
            Ok(Event::CData(text)) => walk.text(&text),
            Ok(Event::GeneralRef(reference)) => walk.reference(&reference),
            Ok(Event::Eof) if walk.depth == 0 => break,
            Ok(Event::Eof) | Err(_) => false,
            // Empty elements come as two events.
            Ok(Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => true,
        };
        if !goes_on || step % STEP == 0 && budget.is_spent() {
            found.truncate();
            break;
        }
    }
    walk.format.map(drop).ok_or_else(no_sitemap)
}

/// Where in the document we are, and what the entry that is open says.
#[derive(Default)]
struct Walk {
    format: Option<&'static Format>,
    depth: usize,
    /// At which depth an entry is open.
    entry: Option<usize>,
    field: Option<Field>,
    location: String,
    date: String,
    text: String,
}

/// A child of the entry that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Location,
    Date,
}

/// Each answers whether the document can be read on.
impl Walk {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<bool, Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Ok(false);
        }
        let name = start.local_name();
        let is = |known: &str| name.as_ref() == known.as_bytes();
        let Some(format) = self.format else {
            self.format = FORMATS.iter().find(|format| is(format.root));
            return self.format.map(|_| true).ok_or_else(no_sitemap);
        };
        // A document has one root; what comes after it is none of ours.
        if self.depth == 1 {
            return Ok(false);
        }
        if self.entry.is_none() {
            if is(format.entry) {
                self.entry = Some(self.depth);
                self.location.clear();
                self.date.clear();
            }
        } else if self.entry == Some(self.depth - 1) {
            // The parent is the entry itself, so that the `loc` of its image is not its own.
            self.text.clear();
            if is(format.location) {
                self.field = Some(Field::Location);
                self.text.extend(link(start));
            } else if is(format.date) {
                self.field = Some(Field::Date);
            }
        }
        Ok(true)
    }

    fn close(&mut self, found: &mut Found<'_>) -> bool {
        let ended = self.depth;
        self.depth = ended.saturating_sub(1);
        if self.entry == Some(ended) {
            self.entry = None;
            let target = self.format.map_or(Target::Page, |format| format.target);
            return found.add(target, &self.location, &self.date);
        }
        if self.entry == Some(self.depth) {
            let field = self.field.take();
            let kept = match field {
                Some(Field::Location) => &mut self.location,
                Some(Field::Date) => &mut self.date,
                None => return true,
            };
            // The first that says something: feeds have empty links beside full ones.
            if kept.is_empty() {
                kept.push_str(self.text.trim());
            }
        }
        true
    }

    fn text(&mut self, bytes: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return false;
        };
        let is_field = self.field.is_some() && self.entry == Some(self.depth.saturating_sub(1));
        if is_field {
            // Cut, it stays longer than an address may be, and is left out for that.
            let room = MAX_FIELD.saturating_sub(self.text.len());
            let text = if self.text.is_empty() {
                text.trim_start()
            } else {
                text
            };
            self.text.push_str(&text[..text.floor_char_boundary(room)]);
        }
        true
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> bool {
        let (Ok(character), Ok(name)) = (reference.resolve_char_ref(), reference.decode()) else {
            return false;
        };
        match (character, resolve_predefined_entity(&name)) {
            (Some(character), _) => self.text(character.encode_utf8(&mut [0; 4]).as_bytes()),
            (None, Some(text)) => self.text(text.as_bytes()),
            // In an address it was a parameter after a bare `&`.
            (None, None) => self.text(format!("&{name};").as_bytes()),
        }
    }
}

/// The target of a link that says where the entry is: Atom's, without `rel` or as an alternate.
fn link(start: &BytesStart<'_>) -> Option<String> {
    let mut href = None;
    // Looking for an attribute that is there twice would cost the square of their number.
    for attribute in start.attributes().with_checks(false).take(MAX_ATTRIBUTES) {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        // What does not unescape has a bare `&` in it.
        let value = value.unwrap_or_else(|_| String::from_utf8_lossy(&attribute.value));
        match attribute.key.as_ref() {
            b"href" if value.len() <= MAX_FIELD => href = Some(value.into_owned()),
            b"rel" if value != "alternate" => return None,
            _ => {}
        }
    }
    href
}

fn refused(declaration: &[u8]) -> Failure {
    let name = declaration.trim_ascii_start();
    let is_html = name
        .get(..4)
        .is_some_and(|name| name.eq_ignore_ascii_case(b"html"));
    invalid(if is_html {
        "The answer is a page of HTML, not a sitemap"
    } else {
        "The sitemap has a DOCTYPE, which is not read"
    })
}

fn no_sitemap() -> Failure {
    invalid("The answer is XML, but no sitemap and no feed")
}

fn invalid(sentence: &str) -> Failure {
    Failure::new(FailureCode::InvalidResponse, sentence)
}
