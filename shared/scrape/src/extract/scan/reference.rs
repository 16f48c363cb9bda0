//! Character references (section 13.2.5.72 of the HTML standard): `&amp;`, `&#233;`, `&#xe9;`, and
//! the old names that do without a semicolon. Refuses nothing: what is no reference is text.

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// The longest name, its semicolon included.
const MAX_NAME: usize = 32;
/// The longest name that does without a semicolon.
const MAX_OLD_NAME: usize = 6;

/// What a reference stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    first: char,
    second: Option<char>,
    /// Bytes it takes, without its ampersand.
    pub(super) length: usize,
}

impl Reference {
    pub(super) fn text(self, buffer: &mut [u8; 8]) -> &str {
        let mut length = self.first.encode_utf8(buffer).len();
        if let Some(second) = self.second {
            length += second.encode_utf8(&mut buffer[length..]).len();
        }
        std::str::from_utf8(&buffer[..length]).unwrap_or_default()
    }
}

/// The reference that a text behind an ampersand starts with.
pub(super) fn read(text: &str, in_attribute: bool) -> Option<Reference> {
    match text.as_bytes() {
        [b'#', b'x' | b'X', ..] => numbered(text, 2, 16),
        [b'#', ..] => numbered(text, 1, 10),
        [letter, ..] if letter.is_ascii_alphabetic() => named(text, in_attribute),
        _ => None,
    }
}

fn numbered(text: &str, start: usize, radix: u32) -> Option<Reference> {
    let mut number = 0_u32;
    let mut length = start;
    let digits = text.bytes().skip(start);
    for digit in digits.map_while(|byte| char::from(byte).to_digit(radix)) {
        // Beyond all characters it stays there.
        number = number.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    if length == start {
        return None;
    }
    length += usize::from(text.as_bytes().get(length) == Some(&b';'));
    let replaced = match number {
        0x80..=0x9f => C1_REPLACEMENTS[number as usize - 0x80],
        _ => None,
    };
    let character = replaced.or_else(|| char::from_u32(number));
    Some(Reference {
        first: character
            .filter(|character| *character != '\0')
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        second: None,
        length,
    })
}

fn named(text: &str, in_attribute: bool) -> Option<Reference> {
    let bytes = text.as_bytes();
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    let letters = bytes
        .iter()
        .take(MAX_NAME)
        .take_while(|byte| is_letter(byte));
    let letters = letters.count();
    if bytes.get(letters) == Some(&b';')
        && let Some(found) = look_up(&text[..=letters])
    {
        return Some(found);
    }
    let mut old = (2..=letters.min(MAX_OLD_NAME)).rev();
    let found = old.find_map(|length| look_up(&text[..length]))?;
    // In addresses an ampersand is more often what it is.
    let goes_on = bytes
        .get(found.length)
        .is_some_and(|next| *next == b'=' || is_letter(next));
    (!in_attribute || !goes_on).then_some(found)
}

fn look_up(name: &str) -> Option<Reference> {
    let (first, second) = *NAMED_ENTITIES.get(name)?;
    Some(Reference {
        // The beginnings of names are listed as well, with a zero.
        first: char::from_u32(first).filter(|character| *character != '\0')?,
        second: char::from_u32(second).filter(|character| *character != '\0'),
        length: name.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, in_attribute: bool) -> Option<(String, usize)> {
        let found = read(text, in_attribute)?;
        Some((found.text(&mut [0; 8]).to_owned(), found.length))
    }

    #[test]
    fn names_and_numbers_stand_for_characters() {
        for (text, expected, length) in [
            ("amp;x", "&", 4),
            ("ampx", "&", 3),
            ("notit;", "\u{ac}", 3),
            ("notin;", "\u{2209}", 6),
            ("NotEqualTilde;", "\u{2242}\u{338}", 14),
            ("CounterClockwiseContourIntegral;", "\u{2233}", 32),
            ("frac12", "\u{bd}", 6),
            ("#65;", "A", 4),
            ("#65", "A", 3),
            ("#x1F600;", "\u{1f600}", 8),
            ("#128;", "\u{20ac}", 5),
            ("#0;", "\u{fffd}", 3),
            ("#xd800;", "\u{fffd}", 7),
            ("#99999999999999999999;", "\u{fffd}", 22),
        ] {
            assert_eq!(
                resolved(text, false),
                Some((expected.to_owned(), length)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_reference_is_text() {
        for text in ["", " ", "#", "#x", "#xg", "#;", "nonsense;", "a", ";", "é;"] {
            assert_eq!(resolved(text, false), None, "{text}");
        }
    }

    #[test]
    fn an_address_keeps_its_ampersands() {
        assert_eq!(resolved("copy=1", true), None);
        assert_eq!(resolved("copy2", true), None);
        assert!(resolved("copy=1", false).is_some());
        assert!(resolved("copy;=1", true).is_some());
        assert!(resolved("copy&", true).is_some());
    }

    #[test]
    fn the_bounds_hold_for_every_name() {
        for name in NAMED_ENTITIES.keys() {
            let is_whole = NAMED_ENTITIES[name].0 != 0;
            assert!(name.len() <= MAX_NAME);
            assert!(
                !is_whole || name.ends_with(';') || name.len() <= MAX_OLD_NAME,
                "{name}"
            );
        }
    }
}
