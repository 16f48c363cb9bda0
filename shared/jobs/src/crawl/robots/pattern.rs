//! The path of a rule, and whether an address matches it (RFC 9309, sections 2.2.2 and 2.2.3).
//! Refuses to look back: however many wildcards there are, each byte of the address is looked at a
//! fixed number of times.

/// What a rule says of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// Escaped like [`comparable`] text, but for `*`, which is a wildcard.
    text: Box<str>,
    /// It ended in `$`: the path must end there.
    anchored: bool,
    wild: bool,
}

impl Pattern {
    pub(super) fn new(value: &str) -> Self {
        let (value, anchored) = match value.strip_suffix('$') {
            Some(value) => (value, true),
            None => (value, false),
        };
        Self {
            text: escaped(value, true).into(),
            anchored,
            wild: value.contains('*'),
        }
    }

    pub(super) fn is_wild(&self) -> bool {
        self.wild
    }

    /// The same up to its first wildcard: matches all that it did, and more.
    pub(super) fn widened(self) -> Self {
        match self.text.split_once('*') {
            Some((start, _)) => Self {
                text: start.into(),
                anchored: false,
                wild: false,
            },
            None => self,
        }
    }

    /// In bytes: the longer one decides.
    pub(super) fn length(&self) -> usize {
        self.text.len() + usize::from(self.anchored)
    }

    /// Whether a [`comparable`] path matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        if !self.wild {
            let ended = !self.anchored || path.len() == self.text.len();
            return ended && path.starts_with(&*self.text);
        }
        let mut parts = self.text.split('*');
        let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
            return false;
        };
        let mut parts = parts.peekable();
        while let Some(part) = parts.next() {
            if self.anchored && parts.peek().is_none() {
                return rest.ends_with(part);
            }
            // The first place is the best one: it leaves the most for the parts that follow.
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }

    /// The rule as it is shown, cut to `most` bytes.
    pub(super) fn sentence(&self, key: &str, most: usize) -> String {
        let anchor = if self.anchored { "$" } else { "" };
        let mut text = format!("{key}{}{anchor}", self.text);
        // ASCII, so that every byte is a boundary.
        text.truncate(most);
        text
    }
}

/// The path and query of an address as they are compared: escapes of letters, digits and `-._~` are
/// undone, other escapes are in capitals, and what must be escaped is. A literal `*` or `$` is
/// escaped, as a rule has to write them.
pub(super) fn comparable(path: &str) -> String {
    escaped(path, false)
}

fn escaped(text: &str, keep_wildcards: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match *byte {
            b'%' => match bytes.get(at..at + 2).and_then(octet) {
                Some(octet) => {
                    at += 2;
                    if is_unreserved(octet) {
                        out.push(char::from(octet));
                    } else {
                        escape(octet, &mut out);
                    }
                }
                // No escape: the URL standard lets it stand.
                None => out.push('%'),
            },
            b'*' if keep_wildcards => out.push('*'),
            plain if is_unreserved(plain) || is_kept(plain) => out.push(char::from(plain)),
            other => escape(other, &mut out),
        }
    }
    out
}

/// The octet that two hexadecimal digits stand for.
pub(super) fn octet(digits: &[u8]) -> Option<u8> {
    let mut value = 0;
    for digit in digits {
        value = value << 4 | char::from(*digit).to_digit(16)?;
    }
    u8::try_from(value).ok()
}

/// Adds `%` and two hexadecimal digits.
pub(super) fn escape(octet: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(octet >> 4)]));
    out.push(char::from(DIGITS[usize::from(octet & 15)]));
}

/// RFC 3986, section 2.3.
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

/// What is reserved (RFC 3986, section 2.2) stands as it is written, less the two that mean
/// something to a rule, and the apostrophe, which addresses have escaped in one part and not in
/// another.
fn is_kept(byte: u8) -> bool {
    b":/?#[]@!&()+,;=".contains(&byte)
}
