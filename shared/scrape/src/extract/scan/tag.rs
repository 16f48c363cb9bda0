//! One tag: where its attributes are and where it ends. Keeps places instead of copies, and keeps
//! a bounded number of them. Refuses to resolve what nobody asks for.

use std::borrow::Cow;

use memchr::memchr;

use super::super::name::Name;
use super::reference;

/// Attributes of one tag that can be asked for; further ones are read over.
const MAX_ATTRIBUTES: usize = 256;
/// Bytes of a value that are looked at: many times more than any value that is kept.
const MAX_VALUE: usize = 64 * 1024;

/// A tag, start or end.
pub(in super::super) struct Tag<'a> {
    pub(in super::super) name: Name,
    /// Its name as it stands, in lower case.
    pub(in super::super) text: &'a str,
    pub(in super::super) closes_itself: bool,
    page: &'a str,
    attributes: &'a [Attribute],
}

/// Where an attribute stands in the page.
#[derive(Clone, Copy)]
struct Attribute {
    name: (usize, usize),
    value: (usize, usize),
}

impl<'a> Tag<'a> {
    /// Names and values as they stand in the page, in order. Of one name the first counts.
    pub(in super::super) fn raw_attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let page = self.page;
        self.attributes.iter().map(move |attribute| {
            let (start, end) = attribute.name;
            let (from, to) = attribute.value;
            (&page[start..end], &page[from..to])
        })
    }

    /// The value of an attribute, its references resolved. `name` is in lower case.
    pub(in super::super) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw_attributes()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, raw)| value(raw))
    }
}

/// A value that stands in the page as `raw`.
fn value(raw: &str) -> Cow<'_, str> {
    let raw = &raw[..raw.floor_char_boundary(MAX_VALUE)];
    if memchr::memchr3(b'&', b'\r', 0, raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(length) = memchr::memchr3(b'&', b'\r', 0, rest.as_bytes()) {
        out.push_str(&rest[..length]);
        let found = rest.as_bytes()[length];
        rest = &rest[length + 1..];
        match found {
            b'&' => match reference::read(rest, true) {
                Some(found) => {
                    out.push_str(found.text(&mut [0; 8]));
                    rest = &rest[found.length..];
                }
                None => out.push('&'),
            },
            b'\r' => {
                out.push('\n');
                rest = rest.strip_prefix('\n').unwrap_or(rest);
            }
            _ => out.push('\u{fffd}'),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Reads tags, one after the other, into the same memory.
#[derive(Default)]
pub(super) struct Tags {
    name: String,
    attributes: Vec<Attribute>,
}

impl Tags {
    /// Reads the tag whose name starts at `start`: the tag and where the page goes on; `None` where
    /// the page ends before the tag does, which then is none.
    pub(super) fn read<'a>(&'a mut self, page: &'a str, start: usize) -> Option<(Tag<'a>, usize)> {
        let bytes = page.as_bytes();
        self.attributes.clear();
        let mut at = start;
        let mut is_lower = true;
        while !ends_name(*bytes.get(at)?) {
            is_lower &= !bytes[at].is_ascii_uppercase();
            at += 1;
        }
        let mut text = &page[start..at];
        let closes_itself = loop {
            at = skip_space(bytes, at);
            match *bytes.get(at)? {
                b'>' => break false,
                b'/' => {
                    at += 1;
                    if *bytes.get(at)? == b'>' {
                        break true;
                    }
                }
                _ => {
                    let (attribute, end) = attribute(bytes, at)?;
                    if self.attributes.len() < MAX_ATTRIBUTES {
                        self.attributes.push(attribute);
                    }
                    at = end;
                }
            }
        };
        if !is_lower {
            self.name.clear();
            self.name.push_str(text);
            self.name.make_ascii_lowercase();
            text = &self.name;
        }
        let tag = Tag {
            name: Name::of(text),
            text,
            closes_itself,
            page,
            attributes: &self.attributes,
        };
        Some((tag, at + 1))
    }
}

/// The attribute at `start`, and where it ends.
fn attribute(bytes: &[u8], start: usize) -> Option<(Attribute, usize)> {
    // An equals sign in front belongs to the name.
    let mut at = start + 1;
    while !ends_name(*bytes.get(at)?) && bytes[at] != b'=' {
        at += 1;
    }
    let name = (start, at);
    let next = skip_space(bytes, at);
    if *bytes.get(next)? != b'=' {
        let value = (at, at);
        return Some((Attribute { name, value }, at));
    }
    at = skip_space(bytes, next + 1);
    let value = match *bytes.get(at)? {
        quote @ (b'"' | b'\'') => {
            let from = at + 1;
            let to = from + memchr(quote, &bytes[from..])?;
            at = to + 1;
            (from, to)
        }
        b'>' => (at, at),
        _ => {
            let from = at;
            while !is_space(*bytes.get(at)?) && bytes[at] != b'>' {
                at += 1;
            }
            (from, at)
        }
    };
    Some((Attribute { name, value }, at))
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| is_space(*byte)) {
        at += 1;
    }
    at
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// Whether a byte ends the name of a tag.
pub(super) fn ends_name(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'/' | b'>')
}
