//! Elements whose content is text, whatever it looks like: titles, styles, scripts. Knows the
//! comments in scripts in which another script may stand. Refuses markup.

use jobs::Failure;
use memchr::{memchr_iter, memchr2};

use super::tag::ends_name;
use super::{Content, Receiver, Scanner};

impl<R: Receiver> Scanner<'_, '_, R> {
    /// Reads the content of an element up to its end tag, and the tag.
    pub(super) fn raw(&mut self, name: &str, content: Content) -> Result<(), Failure> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let length = match content {
            Content::Plain => None,
            Content::Script => script_length(rest),
            _ => memchr_iter(b'<', rest).find(|at| is_tag(&rest[*at..], true, name)),
        };
        let end = length.map_or(self.text.len(), |length| start + length);
        if content == Content::EscapableText {
            self.escaped(start, end)?;
        } else {
            self.section(start, end);
        }
        self.at = end;
        if length.is_some() {
            self.end_tag();
        }
        Ok(())
    }

    /// Hands on a text with character references.
    fn escaped(&mut self, start: usize, end: usize) -> Result<(), Failure> {
        self.at = start;
        while self.at < end {
            self.look()?;
            let found = memchr2(b'&', b'\r', &self.text.as_bytes()[self.at..end]);
            let next = found.map_or(end, |length| self.at + length);
            self.replaced(self.at, next);
            self.at = next;
            if next == end {
                break;
            }
            if self.text.as_bytes()[next] == b'&' {
                self.reference();
            } else {
                self.line_break();
            }
        }
        Ok(())
    }

    /// Hands on a text as it stands, with line breaks as they are everywhere.
    pub(super) fn section(&mut self, start: usize, end: usize) {
        let mut at = start;
        while let Some(length) = memchr::memchr(b'\r', &self.text.as_bytes()[at..end]) {
            self.replaced(at, at + length);
            self.receiver.text("\n");
            at += length + 1;
            at += usize::from(self.text[at..end].starts_with('\n'));
        }
        self.replaced(at, end);
    }

    /// Hands on a text with what is no character replaced.
    fn replaced(&mut self, start: usize, end: usize) {
        let text = &self.text[start..end];
        if text.is_empty() {
            return;
        }
        if self.has_nul && text.contains('\0') {
            self.receiver.text(&text.replace('\0', "\u{fffd}"));
        } else {
            self.receiver.text(text);
        }
    }
}

/// Whether the text starts with the tag of an element. `</scripts>` does not end a script.
fn is_tag(text: &[u8], is_end: bool, name: &str) -> bool {
    let prefix: &[u8] = if is_end { b"</" } else { b"<" };
    text.strip_prefix(prefix).is_some_and(|rest| {
        rest.get(name.len()).is_some_and(|byte| ends_name(*byte))
            && rest[..name.len()].eq_ignore_ascii_case(name.as_bytes())
    })
}

/// How a place in a script is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Script,
    /// `<!--`: an end tag still ends the script.
    Comment,
    /// `<!-- <script>`: an end tag leads back into the comment.
    ScriptInComment,
}

/// Where the end tag of a script stands, by the rules for "script data" of the standard.
fn script_length(text: &[u8]) -> Option<usize> {
    const NAME: &str = "script";
    let mut within = Within::Script;
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += if within == Within::Script {
            memchr::memchr(b'<', rest)?
        } else {
            memchr2(b'<', b'-', rest)?
        };
        let rest = &text[at..];
        if rest.starts_with(b"-->") {
            within = Within::Script;
            at += 3;
        } else if rest.starts_with(b"-") {
            at += 1;
        } else if within != Within::ScriptInComment && is_tag(rest, true, NAME) {
            return Some(at);
        } else if within == Within::Script && rest.starts_with(b"<!--") {
            within = Within::Comment;
            // Its dashes may be those of its end: `<!-->`.
            at += 2;
        } else {
            if within == Within::Comment && is_tag(rest, false, NAME) {
                within = Within::ScriptInComment;
            } else if within == Within::ScriptInComment && is_tag(rest, true, NAME) {
                within = Within::Comment;
            }
            at += 1;
        }
    }
}
