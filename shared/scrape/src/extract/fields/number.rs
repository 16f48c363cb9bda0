//! Numbers as people write them: currencies, thousands, decimal points and commas. Refuses texts
//! without a digit.

use serde_json::{Number, Value};

/// Which sign separates the decimals where the text alone does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decimals {
    Point,
    Comma,
}

impl Decimals {
    /// The custom of a language. Switzerland and Spanish-speaking North and Central America write
    /// points.
    pub(super) fn of(language: Option<&str>) -> Self {
        const COMMA: &str = " bg cs da de el es fi fr hr hu id it nb nl nn no pl pt ro ru sk sl sr \
                             sv tr uk vi ";
        const POINT_REGIONS: &str = " CH LI MX US GB GT HN NI PA PE SV DO ";
        let mut parts = language.unwrap_or_default().split('-');
        let language = parts.next().unwrap_or_default().to_ascii_lowercase();
        let has = |list: &str, word: &str| list.contains(&format!(" {word} "));
        let pointed = parts.any(|part| has(POINT_REGIONS, &part.to_ascii_uppercase()));
        if has(COMMA, &language) && !pointed {
            Self::Comma
        } else {
            Self::Point
        }
    }
}

/// The first number in a text.
pub(super) fn parse(text: &str, decimals: Decimals) -> Option<Value> {
    let text = text.trim();
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let (before, rest) = text.split_at(start);
    // ".5" and "-.5"
    let leading_point = before.ends_with(['.', ','])
        && !before
            .trim_end_matches(['.', ','])
            .ends_with(char::is_alphanumeric);
    let body = if leading_point {
        let fraction: String = rest.chars().take_while(char::is_ascii_digit).collect();
        format!("0.{fraction}")
    } else {
        digits(rest, decimals)
    };
    let sign = if is_negative(before.trim_end_matches(['.', ','])) {
        "-"
    } else {
        ""
    };
    let exponent = exponent(rest).filter(|_| decimals == Decimals::Point);
    let number: f64 = match exponent {
        Some(whole) => format!("{sign}{whole}").parse().ok()?,
        None => format!("{sign}{body}").parse().ok()?,
    };
    // Prices and counts read best without ".0"; beyond 2^53 a float is what it is.
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Some(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number)
}

/// A minus right before the number or before the currency in front of it.
fn is_negative(before: &str) -> bool {
    let mut symbols = before.chars().rev().filter(|c| !c.is_whitespace());
    match symbols.next() {
        Some('-' | '\u{2212}') => {
            // "5-10" is a range and "A-1" a name, but those start at an earlier digit or a letter.
            !symbols.next().is_some_and(char::is_alphanumeric)
        }
        Some('$' | '€' | '£' | '¥' | '₹' | '₽' | '₩' | '₺') => {
            matches!(symbols.next(), Some('-' | '\u{2212}'))
        }
        _ => false,
    }
}

/// `1.5e3`, as machines write it.
fn exponent(text: &str) -> Option<&str> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-')))
        .unwrap_or(text.len());
    let token = &text[..end];
    (end == text.len() && token.contains(['e', 'E'])).then_some(token)
}

/// The number's digits, with a point before the decimals and no other signs.
fn digits(text: &str, decimals: Decimals) -> String {
    let token = token(text);
    let points = token.matches('.').count();
    let commas = token.matches(',').count();
    let decimal = match (points, commas) {
        (1.., 1..) => {
            // The sign that comes last separates the decimals, unless it comes twice.
            let last = token.rfind(['.', ',']).map(|at| &token[at..=at]);
            last.filter(|sign| token.matches(sign).count() == 1)
        }
        (1, 0) => {
            Some(".").filter(|_| decimals == Decimals::Point || !groups_thousands(token, '.'))
        }
        (0, 1) => {
            Some(",").filter(|_| !groups_thousands(token, ',') || decimals == Decimals::Comma)
        }
        _ => None,
    };
    let (whole, fraction) = match decimal.and_then(|sign| token.rsplit_once(sign)) {
        Some((whole, fraction)) => (whole, fraction),
        None => (token, ""),
    };
    let only_digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let fraction = only_digits(fraction);
    if fraction.is_empty() {
        return only_digits(whole);
    }
    format!("{}.{fraction}", only_digits(whole))
}

/// Whether exactly three digits follow the sign and one to three precede it.
fn groups_thousands(token: &str, sign: char) -> bool {
    token.split_once(sign).is_some_and(|(whole, fraction)| {
        fraction.len() == 3 && (1..=3).contains(&whole.len()) && whole != "0"
    })
}

/// From the first digit to the last that belongs to it: a separator must stand before a digit, and
/// a space or an apostrophe before exactly three.
fn token(text: &str) -> &str {
    let bytes: Vec<(usize, char)> = text.char_indices().take(64).collect();
    let is_digit = |at: usize| bytes.get(at).is_some_and(|(_, c)| c.is_ascii_digit());
    let mut at = 0;
    while let Some((_, character)) = bytes.get(at) {
        let joins = match character {
            '0'..='9' => true,
            '.' | ',' => is_digit(at + 1),
            ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '\u{2019}' => {
                (1..=3).all(|next| is_digit(at + next)) && !is_digit(at + 4)
            }
            _ => false,
        };
        if !joins {
            break;
        }
        at += 1;
    }
    &text[..bytes
        .get(at)
        .map_or_else(|| end_of(&bytes), |(index, _)| *index)]
}

fn end_of(characters: &[(usize, char)]) -> usize {
    characters
        .last()
        .map_or(0, |(index, character)| index + character.len_utf8())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (text, expected) in [
            ("19", json!(19)),
            ("$ 19", json!(19)),
            ("19.99 USD", json!(19.99)),
            ("1,234.50", json!(1234.5)),
            ("1.234,50 €", json!(1234.5)),
            ("1 234,50 kr", json!(1234.5)),
            ("1\u{202f}234\u{a0}567,8", json!(1_234_567.8)),
            ("CHF 1'234.50", json!(1234.5)),
            ("1,234,567", json!(1_234_567)),
            ("1.234.567", json!(1_234_567)),
            ("12,50", json!(12.5)),
            ("0,123", json!(0.123)),
            ("-5", json!(-5)),
            ("\u{2212}5,5 °C", json!(-5.5)),
            ("-$19.50", json!(-19.5)),
            ("45 %", json!(45)),
            ("4.5 out of 5", json!(4.5)),
            ("rated 4 of 5", json!(4)),
            ("v-1", json!(1)),
            ("5-10", json!(5)),
            (".5", json!(0.5)),
            ("1.5e3", json!(1500)),
            ("12.", json!(12)),
            ("12, 13", json!(12)),
            ("007", json!(7)),
        ] {
            assert_eq!(parse(text, Decimals::Point), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_language_decides_where_the_text_does_not() {
        assert_eq!(parse("1.234 €", Decimals::Comma), Some(json!(1234)));
        assert_eq!(parse("1.234", Decimals::Point), Some(json!(1.234)));
        assert_eq!(parse("1,234", Decimals::Comma), Some(json!(1.234)));
        assert_eq!(parse("1,234", Decimals::Point), Some(json!(1234)));
        assert_eq!(parse("12.5", Decimals::Comma), Some(json!(12.5)));
        for (language, decimals) in [
            ("de", Decimals::Comma),
            ("pt-BR", Decimals::Comma),
            ("de-CH", Decimals::Point),
            ("es-MX", Decimals::Point),
            ("en-GB", Decimals::Point),
            ("ja", Decimals::Point),
        ] {
            assert_eq!(Decimals::of(Some(language)), decimals, "{language}");
        }
    }

    #[test]
    fn a_text_without_digits_is_no_number() {
        for text in ["", "-", "free", "NaN", "inf", "٣"] {
            assert_eq!(parse(text, Decimals::Point), None, "{text}");
        }
    }

    #[test]
    fn a_number_too_large_for_a_float_is_none() {
        assert_eq!(parse("1e400", Decimals::Point), None);
        assert_eq!(parse(&"9".repeat(60), Decimals::Point), Some(json!(1e60)));
    }
}
