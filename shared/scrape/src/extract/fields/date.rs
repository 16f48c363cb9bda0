//! Dates as pages write them, to ISO 8601. Refuses forms that read differently in different
//! countries (`03/04/2024`).

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// Longest text that can be a date.
const MAX_LENGTH: usize = 80;

/// An instant becomes UTC (`2024-03-05T10:00:00.000Z`), a local time stays one
/// (`2024-03-05T10:00:00`), and so does a day (`2024-03-05`).
pub(super) fn parse(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.len() > MAX_LENGTH {
        return None;
    }
    if let Some(instant) = instant(&text) {
        return Some(instant.to_rfc3339_opts(SecondsFormat::Millis, true));
    }
    let plain = plain_english(&text);
    if let Some(local) = first(&LOCAL_TIMES, |form| {
        NaiveDateTime::parse_from_str(&plain, form)
    }) {
        return in_range(local.date()).then(|| local.format("%Y-%m-%dT%H:%M:%S").to_string());
    }
    let day = first(&DAYS, |form| NaiveDate::parse_from_str(&plain, form))?;
    in_range(day).then(|| day.format("%Y-%m-%d").to_string())
}

const INSTANTS: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y-%m-%d %H:%M %#z",
];

const LOCAL_TIMES: [&str; 9] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%B %d %Y %H:%M",
    "%B %d %Y %I:%M %p",
    "%d %B %Y %H:%M",
    "%d %B %Y %I:%M %p",
];

const DAYS: [&str; 8] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%B %d %Y",
    "%d %B %Y",
    "%d-%B-%Y",
    "%d.%m.%Y",
    "%Y年%m月%d日",
];

fn first<T, E>(forms: &[&str], read: impl Fn(&str) -> Result<T, E>) -> Option<T> {
    forms.iter().find_map(|form| read(form).ok())
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    let zoned = text
        .strip_suffix(" UTC")
        .or_else(|| text.strip_suffix(" GMT"))
        .map_or_else(|| text.to_owned(), |rest| format!("{rest} +0000"));
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_rfc2822(text))
        .ok()
        .or_else(|| first(&INSTANTS, |form| DateTime::parse_from_str(&zoned, form)))
        .map(|instant| instant.to_utc())
        .or_else(|| unix(text))
        .filter(|instant| in_range(instant.date_naive()))
}

/// Seconds or milliseconds since 1970, told apart by their number of digits.
fn unix(text: &str) -> Option<DateTime<Utc>> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        10 => DateTime::from_timestamp(text.parse().ok()?, 0),
        13 => DateTime::from_timestamp_millis(text.parse().ok()?),
        _ => None,
    }
}

fn in_range(day: NaiveDate) -> bool {
    use chrono::Datelike as _;
    (1..=9999).contains(&day.year())
}

/// Without weekday, ordinal endings, commas, full stops after months, and "at".
fn plain_english(text: &str) -> String {
    const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let is_weekday = |word: &str| {
        word.get(..3)
            .is_some_and(|start| WEEKDAYS.contains(&start.to_ascii_lowercase().as_str()))
            && (word.len() == 3 || word.to_ascii_lowercase().ends_with("day"))
    };
    let words = text
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .map(|word| {
            let starts_with_letter = word.starts_with(|c: char| c.is_ascii_alphabetic());
            let word = if starts_with_letter {
                word.trim_end_matches('.')
            } else {
                word
            };
            let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let ending = &word[number.len()..];
            let is_day = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            if is_day
                && matches!(
                    ending.to_ascii_lowercase().as_str(),
                    "st" | "nd" | "rd" | "th"
                )
            {
                number
            } else if word.eq_ignore_ascii_case("sept") {
                "Sep"
            } else {
                word
            }
        })
        .filter(|word| !is_weekday(word) && !matches!(*word, "at" | "of" | "-" | "|" | "·"));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_pages_write_them() {
        for (text, expected) in [
            ("2024-03-05", "2024-03-05"),
            ("2024/3/5", "2024-03-05"),
            ("05.03.2024", "2024-03-05"),
            ("March 5, 2024", "2024-03-05"),
            ("Mar. 5th, 2024", "2024-03-05"),
            ("Tuesday, 5 March 2024", "2024-03-05"),
            ("5th of March 2024", "2024-03-05"),
            ("Sept 5, 2024", "2024-09-05"),
            ("2024年3月5日", "2024-03-05"),
            ("2024-03-05T10:00:00Z", "2024-03-05T10:00:00.000Z"),
            ("2024-03-05T10:00:00.25+02:00", "2024-03-05T08:00:00.250Z"),
            ("2024-03-05T10:00+0200", "2024-03-05T08:00:00.000Z"),
            ("2024-03-05 10:00:00 UTC", "2024-03-05T10:00:00.000Z"),
            ("Tue, 05 Mar 2024 10:00:00 GMT", "2024-03-05T10:00:00.000Z"),
            ("2024-03-05 10:00", "2024-03-05T10:00:00"),
            ("March 5, 2024 at 3:07 PM", "2024-03-05T15:07:00"),
            ("1709632800", "2024-03-05T10:00:00.000Z"),
            ("1709632800123", "2024-03-05T10:00:00.123Z"),
        ] {
            assert_eq!(parse(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_or_may_be_two_is_none() {
        for text in [
            "",
            "soon",
            "03/04/2024",
            "2024",
            "2024-13-01",
            "2024-02-30",
            "12345",
            "99999-01-01",
            "yesterday",
            "10:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
