//! Looks for the encoding that a page declares in its first bytes: an XML declaration or a `meta`
//! element, by the HTML standard's "prescan a byte stream to determine its encoding". Refuses to
//! look further than 1,024 bytes.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// Where a declaration must stand to be heeded.
const PRESCANNED: usize = 1_024;

/// The encoding that the page declares.
pub(super) fn prescan(bytes: &[u8]) -> Option<&'static Encoding> {
    let bytes = &bytes[..bytes.len().min(PRESCANNED)];
    // `<?x` in 16 bits: the declaration cannot be read, and need not be.
    match bytes {
        [b'<', 0, b'?', 0, b'x', 0, ..] => return Some(UTF_16LE),
        [0, b'<', 0, b'?', 0, b'x', ..] => return Some(UTF_16BE),
        _ => {}
    }
    xml_declaration(bytes).or_else(|| Scanner { bytes, at: 0 }.meta())
}

/// `<?xml ... encoding="..."` at the very start.
fn xml_declaration(bytes: &[u8]) -> Option<&'static Encoding> {
    let end = bytes.iter().position(|byte| *byte == b'>')?;
    let declaration = bytes[..end].strip_prefix(b"<?xml")?;
    let start = find(declaration, b"encoding")? + b"encoding".len();
    let value = declaration[start..]
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let (quote, rest) = value.split_first()?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let end = rest.iter().position(|byte| byte == quote)?;
    declared(&rest[..end])
}

/// An encoding as a page may name it: a page that can be read this far is not in UTF-16.
fn declared(label: &[u8]) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label)?;
    Some(if encoding == UTF_16LE || encoding == UTF_16BE {
        UTF_8
    } else if encoding == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        encoding
    })
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.rest()
            .get(..text.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(text))
    }

    fn skip_past(&mut self, text: &[u8]) {
        let found = find(self.rest(), text).map(|start| start + text.len());
        self.at += found.unwrap_or(self.rest().len());
    }

    fn skip_while(&mut self, skipped: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    /// The first `meta` element that declares an encoding we know.
    fn meta(mut self) -> Option<&'static Encoding> {
        while let Some(byte) = self.peek() {
            if byte != b'<' {
                self.at += 1;
            } else if self.starts_with(b"<!--") {
                // `<!-->` is a comment too: the dashes may be shared.
                self.at += 2;
                self.skip_past(b"-->");
            } else if self.starts_with(b"<meta")
                && self
                    .rest()
                    .get(5)
                    .is_some_and(|byte| is_space(*byte) || *byte == b'/')
            {
                self.at += 6;
                if let Some(encoding) = self.meta_attributes() {
                    return Some(encoding);
                }
            } else if self.is_tag() {
                self.skip_while(|byte| !is_space(byte) && byte != b'>');
                while self.attribute().is_some() {}
            } else if matches!(self.rest().get(1), Some(b'!' | b'/' | b'?')) {
                self.skip_past(b">");
            } else {
                self.at += 1;
            }
        }
        None
    }

    fn is_tag(&self) -> bool {
        let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
        match self.rest().get(1) {
            Some(b'/') => letter(self.rest().get(2)),
            byte => letter(byte),
        }
    }

    fn meta_attributes(&mut self) -> Option<&'static Encoding> {
        let mut seen: Vec<Vec<u8>> = Vec::new();
        let mut got_pragma = false;
        let mut need_pragma = None;
        let mut encoding = None;
        while let Some((name, value)) = self.attribute() {
            if seen.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => got_pragma |= value == b"content-type",
                b"content" if encoding.is_none() => {
                    encoding = from_content(&value);
                    need_pragma = encoding.map(|_| true).or(need_pragma);
                }
                b"charset" => {
                    encoding = declared(&value);
                    need_pragma = Some(false);
                }
                _ => {}
            }
            seen.push(name);
        }
        encoding.filter(|_| need_pragma.is_some_and(|needed| !needed || got_pragma))
    }

    /// The standard's "get an attribute": name and value in lower case.
    fn attribute(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.skip_while(|byte| is_space(byte) || byte == b'/');
        if self.peek()? == b'>' {
            return None;
        }
        let start = self.at;
        // A `=` in front belongs to the name.
        self.at += 1;
        self.skip_while(|byte| !is_space(byte) && !b"/>=".contains(&byte));
        let name = self.bytes[start..self.at].to_ascii_lowercase();
        self.skip_while(is_space);
        if self.peek() != Some(b'=') {
            return Some((name, Vec::new()));
        }
        self.at += 1;
        self.skip_while(is_space);
        let value = if let quote @ (b'"' | b'\'') = self.peek()? {
            self.at += 1;
            let start = self.at;
            self.skip_while(|byte| byte != quote);
            // Not closed within what we look at: there is no such attribute.
            self.peek()?;
            self.at += 1;
            &self.bytes[start..self.at - 1]
        } else {
            let start = self.at;
            self.skip_while(|byte| !is_space(byte) && byte != b'>');
            &self.bytes[start..self.at]
        };
        Some((name, value.to_ascii_lowercase()))
    }
}

/// The standard's "extracting a character encoding from a meta element".
fn from_content(value: &[u8]) -> Option<&'static Encoding> {
    let mut rest = value;
    loop {
        rest = &rest[find(rest, b"charset")? + b"charset".len()..];
        let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else {
            continue;
        };
        let value = value.trim_ascii_start();
        return match value.split_first()? {
            (quote @ (b'"' | b'\''), rest) => {
                let end = rest.iter().position(|byte| byte == quote)?;
                declared(&rest[..end])
            }
            _ => declared(
                value
                    .split(|byte| is_space(*byte) || *byte == b';')
                    .next()?,
            ),
        };
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page and the encoding that it declares; empty where it declares none.
    const PAGES: &[(&str, &str)] = &[
        ("<meta charset=koi8-r>", "KOI8-R"),
        ("<META CHARSET = 'Shift_JIS' >", "Shift_JIS"),
        ("<meta/charset=\"euc-jp\"/>", "EUC-JP"),
        (
            "<!doctype html><html lang=ja><head><meta charset=gbk>",
            "GBK",
        ),
        (
            "<meta http-equiv=content-type content='text/html; charset=big5'>",
            "Big5",
        ),
        (
            "<meta content='text/html;charset=big5;x' http-equiv=Content-Type>",
            "Big5",
        ),
        (
            "<meta content='charset charset = \"euc-kr\"' http-equiv=content-type>",
            "EUC-KR",
        ),
        ("<meta content='text/html; charset=big5'>", ""),
        ("<meta http-equiv=refresh content='1; charset=big5'>", ""),
        ("<meta charset=nonsense><meta charset=koi8-u>", "KOI8-U"),
        ("<meta charset=utf-16le>", "UTF-8"),
        ("<meta charset=x-user-defined>", "windows-1252"),
        ("<meta charset=a charset=koi8-r>", ""),
        ("<metacharset=koi8-r>", ""),
        ("<!-- <meta charset=koi8-r> --><meta charset=gbk>", "GBK"),
        ("<!--><meta charset=gbk>", "GBK"),
        ("<!-- <meta charset=koi8-r>", ""),
        ("<p title='<meta charset=koi8-r>'><meta charset=gbk>", "GBK"),
        (
            "</p title='<meta charset=koi8-r>'><meta charset=gbk>",
            "GBK",
        ),
        ("<?php <meta charset=koi8-r><meta charset=gbk>", "GBK"),
        ("<meta charset='koi8-r", ""),
        ("<meta charset", ""),
        ("<meta =charset=koi8-r>", ""),
        ("<", ""),
        ("< meta charset=koi8-r>", ""),
        (
            "<?xml version='1.0' encoding='iso-8859-2'?><a/>",
            "ISO-8859-2",
        ),
        ("<?xml version=\"1.0\" encoding = \"utf-16\"?>", "UTF-8"),
        ("<?xml version='1.0'?><meta charset=gbk>", "GBK"),
        (" <?xml version='1.0' encoding='iso-8859-2'?>", ""),
        ("<\0?\0x\0m\0l\0", "UTF-16LE"),
        ("\0<\0?\0x\0m\0l", "UTF-16BE"),
    ];

    #[test]
    fn a_declaration_is_found_where_the_standard_says() {
        for (page, expected) in PAGES {
            let found = prescan(page.as_bytes()).map_or("", Encoding::name);
            assert_eq!(found, *expected, "{page}");
        }
    }

    #[test]
    fn a_declaration_behind_the_first_kilobyte_is_not_looked_for() {
        let meta = "<meta charset=gbk>";
        for (padding, found) in [(PRESCANNED - meta.len(), true), (PRESCANNED, false)] {
            let page = format!("{}{meta}", " ".repeat(padding));
            assert_eq!(prescan(page.as_bytes()).is_some(), found, "{padding}");
        }
    }

    #[test]
    fn any_bytes_are_scanned_to_their_end() {
        for page in PAGES.iter().map(|(page, _)| page.as_bytes()) {
            for end in 0..page.len() {
                prescan(&page[..end]);
            }
        }
    }
}
