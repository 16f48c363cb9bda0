//! When a job recurs: a five-field Unix pattern, what it is in the six fields of EventBridge
//! Scheduler, and the instants at which it fires. Refuses what it cannot translate exactly; a
//! pattern never fires at other times than it says.
//!
//! `croner` reads the fields, so that a pattern means what it means there. At changes of the clock
//! EventBridge Scheduler's rule holds, wherever the service runs: a local time that is skipped does
//! not fire, and one that is repeated fires once, the first time.

mod fields;
mod search;
mod syntax;
mod translate;
mod zone;

use std::fmt;

use fields::Fields;
pub use zone::Zone;

/// The longest pattern, in characters.
pub const LONGEST_PATTERN: usize = 256;
/// No pattern fires after this year: the last that EventBridge Scheduler knows.
pub const LAST_YEAR: i32 = 2_199;

/// A pattern of minute, hour, day of month, month and weekday, as in crontab(5). Names, ranges,
/// steps and lists are known, weekday 7 is Sunday, and `@yearly`, `@annually`, `@monthly`,
/// `@weekly`, `@daily`, `@midnight` and `@hourly` stand for patterns. Where both day fields are
/// restricted, either one is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    fields: Fields,
    expressions: Vec<String>,
}

impl Cron {
    /// Reads a pattern; says in one sentence what is wrong with any other text, with one that never
    /// fires, and with one that crons disagree about.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let text = pattern.trim();
        let five = syntax::check(text)?;
        let fields = Fields::read(&five)?;
        Ok(Self {
            text: text.to_owned(),
            expressions: translate::expressions(&fields),
            fields,
        })
    }

    /// The text that was read, without white space around it.
    pub fn pattern(&self) -> &str {
        &self.text
    }

    /// One or two expressions `cron(minutes hours day-of-month month day-of-week year)` of
    /// EventBridge Scheduler that fire, together, when this pattern does; both may at one instant.
    /// Each has at most 240 characters, of the 256 that it takes.
    pub fn expressions(&self) -> &[String] {
        &self.expressions
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
