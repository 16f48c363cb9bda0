//! Which texts are five-field Unix patterns, and what is wrong with the others. Stricter than
//! `croner`, which reads what passes here: no seconds, no years, none of the letters that other
//! crons add.

use super::LONGEST_PATTERN;

const ALIASES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// A field and the numbers that it may have.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    /// Three letters each, for the numbers from `least` on.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        names: &[],
    },
    Field {
        name: "day-of-month",
        least: 1,
        most: 31,
        names: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
    },
    Field {
        name: "weekday",
        least: 0,
        most: 7,
        names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    },
];

/// Checks a trimmed pattern; gives its five fields, as `croner` is to read them.
pub(super) fn check(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("The pattern is empty.".to_owned());
    }
    if text.chars().count() > LONGEST_PATTERN {
        return Err(format!(
            "The pattern has more than {LONGEST_PATTERN} characters."
        ));
    }
    if let Some(odd) = text
        .chars()
        .find(|it| !(it.is_ascii_graphic() || *it == ' ' || *it == '\t'))
    {
        return Err(format!(
            "The pattern has the character {odd:?}, which no cron knows."
        ));
    }
    if text.starts_with('@') {
        return alias(text);
    }
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    if parts.len() != FIELDS.len() {
        let fields = if parts.len() == 1 { "field" } else { "fields" };
        return Err(format!(
            "The pattern has {} {fields}, but five are needed: minute, hour, day of month, month and weekday, without seconds or years.",
            parts.len()
        ));
    }
    for (field, part) in FIELDS.iter().zip(&parts) {
        for item in part.split(',') {
            field.check(item)?;
            if item == "*" && part.len() > 1 {
                return Err(format!(
                    "The {} field has * in a list; it stands alone.",
                    field.name
                ));
            }
        }
    }
    check_days(parts[2], parts[4])?;
    Ok(parts.join(" "))
}

fn alias(text: &str) -> Result<String, String> {
    let known = ALIASES
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    known
        .map(|(_, pattern)| (*pattern).to_owned())
        .ok_or_else(|| {
            let names = ALIASES.map(|(name, _)| name).join(", ");
            format!("'{text}' is not known; use one of {names} or five fields.")
        })
}

/// Two day fields are alternatives, unless one of them is `*`. Where one merely begins with it,
/// crontab(5) demands both and `croner` either, so that nobody can know which one is meant.
fn check_days(of_month: &str, of_week: &str) -> Result<(), String> {
    let stepped = |field: &str| field != "*" && field.contains('*');
    if of_month == "*" || of_week == "*" || !(stepped(of_month) || stepped(of_week)) {
        return Ok(());
    }
    Err(format!(
        "Crons disagree whether '{of_month}' as day of month and '{of_week}' as weekday must both match; write a range such as 1-31/2 or MON-SUN/2 instead of '*/2' where either is enough."
    ))
}

impl Field {
    /// Checks `*`, a value or a range, each but the value with or without a step.
    fn check(&self, item: &str) -> Result<(), String> {
        let name = self.name;
        if item.is_empty() {
            return Err(format!("The {name} field has an empty place in its list."));
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        if let Some(step) = step {
            self.check_step(range, step)?;
        }
        if range == "*" {
            return Ok(());
        }
        let Some((from, to)) = range.split_once('-') else {
            self.value(range)?;
            return Ok(());
        };
        let (from, to) = (self.value(from)?, self.end(to)?);
        if from > to {
            return Err(format!(
                "The {name} range '{range}' runs backwards; write two, with a comma between them."
            ));
        }
        if range.to_ascii_uppercase().ends_with("-SUN") && from == 0 {
            return Err(format!(
                "The {name} range '{range}' has Sunday at both ends; write SUN for that day, or * for all."
            ));
        }
        Ok(())
    }

    fn check_step(&self, range: &str, step: &str) -> Result<(), String> {
        let name = self.name;
        if range != "*" && !range.contains('-') {
            return Err(format!(
                "The {name} field has a step after '{range}'; a step follows * or a range, as in */5 or 10-50/5."
            ));
        }
        let number = number(step).filter(|it| (1..=self.most).contains(it));
        number.map(|_| ()).ok_or_else(|| {
            format!(
                "The {name} field has the step '{step}', which is no whole number from 1 to {}.",
                self.most
            )
        })
    }

    /// The end of a range: there Sunday is the last day of the week.
    fn end(&self, text: &str) -> Result<u8, String> {
        if self.names.first() == Some(&"SUN") && text.eq_ignore_ascii_case("SUN") {
            return Ok(self.most);
        }
        self.value(text)
    }

    fn value(&self, text: &str) -> Result<u8, String> {
        let named = self.names.iter().zip(self.least..);
        let mut named = named.filter(|(name, _)| text.eq_ignore_ascii_case(name));
        if let Some((_, value)) = named.next() {
            return Ok(value);
        }
        let known = number(text).filter(|it| (self.least..=self.most).contains(it));
        known.ok_or_else(|| self.unknown(text))
    }

    fn unknown(&self, text: &str) -> String {
        let name = self.name;
        // `L`, `W`, `#`, `?`, `+` and `H` belong to other crons.
        let foreign = text.chars().find(|it| !it.is_ascii_alphanumeric());
        let digits = text.trim_matches(|it: char| it.is_ascii_digit());
        if let Some(letter) = foreign.or(digits.chars().next().filter(|_| digits.len() == 1)) {
            return format!("The {name} field has '{letter}', which Unix cron does not know.");
        }
        let names = match self.names {
            [first, .., last] => format!(" or a name from {first} to {last}"),
            _ => String::new(),
        };
        let (least, most) = (self.least, self.most);
        format!("The {name} '{text}' is no whole number from {least} to {most}{names}.")
    }
}

/// One or two digits.
fn number(text: &str) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && text.len() <= 2).then(|| text.parse().ok())?
}
