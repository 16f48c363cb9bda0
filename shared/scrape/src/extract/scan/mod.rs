//! Markup to tags and texts, in one pass and without a tree: the tokenizer of the HTML standard
//! (section 13.2.5) for who needs neither comments nor parse errors. Borrows from the page; its
//! memory does not grow with it, and its work grows with the page's length alone. Refuses to know
//! what an element means.

mod raw;
mod reference;
mod tag;

use jobs::Failure;
use memchr::{memchr, memchr3};

use super::budget::Budget;
use super::name::Name;

pub(super) use tag::Tag;
use tag::Tags;

/// Bytes between two looks at the clock.
const BYTES_PER_LOOK: usize = 16 * 1024;

/// How the content of an element is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Markup,
    /// Text with character references, up to the end tag: RCDATA.
    EscapableText,
    /// Text up to the end tag: RAWTEXT.
    Text,
    Script,
    /// Text up to the end of the page.
    Plain,
}

impl Content {
    /// How the content of an element of HTML is read, where scripts run.
    pub(super) fn of(name: Name) -> Self {
        match name {
            Name::Title | Name::Textarea => Self::EscapableText,
            Name::Style | Name::Xmp | Name::Iframe | Name::Noembed | Name::Noframes => Self::Text,
            Name::Noscript => Self::Text,
            Name::Script => Self::Script,
            Name::Plaintext => Self::Plain,
            _ => Self::Markup,
        }
    }
}

/// Takes what a page consists of, in order.
pub(super) trait Receiver {
    /// A start tag. The answer counts for elements whose names are known.
    fn start(&mut self, tag: &Tag<'_>) -> Content;

    /// An end tag, its name in lower case.
    fn end(&mut self, name: &str);

    /// Part of a text, its references resolved and its line breaks `\n`.
    fn text(&mut self, text: &str);

    /// Whether the innermost open element is one of SVG or `MathML`, where CDATA sections are.
    fn is_foreign(&self) -> bool;
}

/// Reads a document to its end. Fails with `parse_budget` where that takes too long.
pub(super) fn scan(
    text: &str,
    receiver: &mut impl Receiver,
    budget: &Budget<'_>,
) -> Result<(), Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let scanner = Scanner {
        text,
        at: 0,
        has_nul: memchr(0, text.as_bytes()).is_some(),
        tags: Tags::default(),
        looked: 0,
        budget,
        receiver,
    };
    scanner.run()
}

struct Scanner<'a, 'b, R> {
    text: &'a str,
    /// What comes before is done.
    at: usize,
    has_nul: bool,
    tags: Tags,
    /// Where the clock was last looked at.
    looked: usize,
    budget: &'b Budget<'b>,
    receiver: &'b mut R,
}

impl<R: Receiver> Scanner<'_, '_, R> {
    fn run(mut self) -> Result<(), Failure> {
        self.budget.check()?;
        while self.at < self.text.len() {
            self.look()?;
            let rest = &self.text.as_bytes()[self.at..];
            let Some(length) = memchr3(b'<', b'&', b'\r', rest) else {
                self.plain(self.at, self.text.len());
                break;
            };
            let found = rest[length];
            self.plain(self.at, self.at + length);
            self.at += length;
            match found {
                b'<' => self.markup()?,
                b'&' => self.reference(),
                _ => self.line_break(),
            }
        }
        Ok(())
    }

    fn look(&mut self) -> Result<(), Failure> {
        if self.at - self.looked >= BYTES_PER_LOOK {
            self.looked = self.at;
            self.budget.check()?;
        }
        Ok(())
    }

    /// Hands on a text without references and returns. What is no character of a page is left out,
    /// as the standard says; in SVG it is replaced.
    fn plain(&mut self, start: usize, end: usize) {
        let text = &self.text[start..end];
        if text.is_empty() {
            return;
        }
        if !self.has_nul {
            return self.receiver.text(text);
        }
        for (number, part) in text.split('\0').enumerate() {
            if number > 0 && self.receiver.is_foreign() {
                self.receiver.text("\u{fffd}");
            }
            if !part.is_empty() {
                self.receiver.text(part);
            }
        }
    }

    /// At an `&`.
    fn reference(&mut self) {
        match reference::read(&self.text[self.at + 1..], false) {
            Some(found) => {
                self.receiver.text(found.text(&mut [0; 8]));
                self.at += 1 + found.length;
            }
            None => {
                self.receiver.text("&");
                self.at += 1;
            }
        }
    }

    /// At a carriage return: it is a line break, with or without a line feed.
    fn line_break(&mut self) {
        self.receiver.text("\n");
        self.at += 1;
        if self.text.as_bytes().get(self.at) == Some(&b'\n') {
            self.at += 1;
        }
    }

    /// At a `<`.
    fn markup(&mut self) -> Result<(), Failure> {
        let bytes = &self.text.as_bytes()[self.at..];
        match bytes.get(1) {
            Some(letter) if letter.is_ascii_alphabetic() => return self.start_tag(),
            Some(b'/') => match bytes.get(2) {
                Some(letter) if letter.is_ascii_alphabetic() => self.end_tag(),
                Some(_) => self.skip_past_bracket(),
                None => {
                    self.receiver.text("</");
                    self.at += 2;
                }
            },
            Some(b'!') => self.declaration(),
            Some(b'?') => self.skip_past_bracket(),
            _ => {
                self.receiver.text("<");
                self.at += 1;
            }
        }
        Ok(())
    }

    fn start_tag(&mut self) -> Result<(), Failure> {
        let Some((tag, end)) = self.tags.read(self.text, self.at + 1) else {
            self.at = self.text.len();
            return Ok(());
        };
        let name = tag.name;
        let content = self.receiver.start(&tag);
        self.at = end;
        match content {
            Content::Markup => Ok(()),
            content => self.raw(name.as_str(), content),
        }
    }

    fn end_tag(&mut self) {
        let Some((tag, end)) = self.tags.read(self.text, self.at + 2) else {
            self.at = self.text.len();
            return;
        };
        self.receiver.end(tag.text);
        self.at = end;
    }

    /// At `<!`: a comment, a doctype, a CDATA section, or nothing that is known.
    fn declaration(&mut self) {
        let rest = &self.text[self.at + 2..];
        if let Some(comment) = rest.strip_prefix("--") {
            self.at = self.text.len() - comment.len() + comment_length(comment.as_bytes());
        } else if rest.starts_with("[CDATA[") && self.receiver.is_foreign() {
            let start = self.at + "<![CDATA[".len();
            let section = &self.text[start..];
            let end = section.find("]]>").map(|length| start + length);
            self.section(start, end.unwrap_or(self.text.len()));
            self.at = end.map_or(self.text.len(), |end| end + "]]>".len());
        } else {
            self.skip_past_bracket();
        }
    }

    fn skip_past_bracket(&mut self) {
        let found = memchr(b'>', &self.text.as_bytes()[self.at..]);
        self.at = found.map_or(self.text.len(), |length| self.at + length + 1);
    }
}

/// How long a comment is, its end included, from behind its `<!--`.
pub(super) fn comment_length(comment: &[u8]) -> usize {
    if comment.starts_with(b">") {
        return 1;
    }
    if comment.starts_with(b"->") {
        return 2;
    }
    let mut at = 0;
    while let Some(length) = memchr(b'-', &comment[at..]) {
        at += length + 1;
        if comment.get(at) != Some(&b'-') {
            continue;
        }
        while comment.get(at) == Some(&b'-') {
            at += 1;
        }
        match comment.get(at..) {
            Some([b'>', ..]) => return at + 1,
            Some([b'!', b'>', ..]) => return at + 2,
            _ => {}
        }
    }
    comment.len()
}

#[cfg(test)]
mod tests;
