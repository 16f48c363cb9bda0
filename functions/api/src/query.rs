//! Reads query parameters and collects every problem on the way. Refuses unknown ones, and the
//! same one twice.

use std::str::FromStr;

use jobs::Problem;

use crate::error::Refusal;

/// Parameters being read. They are taken out one by one; [`Query::finish`] refuses what is left.
pub(crate) struct Query {
    left: Vec<(String, String)>,
    problems: Vec<Problem>,
}

impl Query {
    pub(crate) fn new(raw: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(raw.unwrap_or("").as_bytes());
        Self {
            left: pairs.into_owned().collect(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(name, message));
    }

    /// The parameter's text; empty counts as absent.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.value(name).filter(|value| !value.is_empty())
    }

    /// The parameter as it was sent, empty too: `customerId=` must not mean every customer.
    pub(crate) fn value(&mut self, name: &str) -> Option<String> {
        let (found, left) = std::mem::take(&mut self.left)
            .into_iter()
            .partition(|(candidate, _)| candidate == name);
        self.left = left;
        let mut found: Vec<(String, String)> = found;
        if found.len() > 1 {
            self.problem(name, "must be given once");
        }
        found.pop().map(|(_, value)| value)
    }

    pub(crate) fn bool(&mut self, name: &str, default: bool) -> bool {
        match self.value(name).as_deref() {
            None => default,
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            Some(_) => {
                self.problem(name, "must be true or false");
                default
            }
        }
    }

    /// A whole number within `min..=max`.
    pub(crate) fn number<T>(&mut self, name: &str, min: T, max: T, default: T) -> T
    where
        T: Copy + FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(text) = self.value(name) else {
            return default;
        };
        match text.parse() {
            Ok(number) if (min..=max).contains(&number) => number,
            _ => {
                self.problem(name, format!("must be a whole number from {min} to {max}"));
                default
            }
        }
    }

    /// As [`Query::parsed`], where empty is as good as absent.
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.left
            .retain(|(candidate, value)| candidate != name || !value.is_empty());
        self.parsed(name, expected, parse)
    }

    /// Reads a parameter through `parse`; `expected` says what would be right.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.value(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.problem(name, expected);
        }
        value
    }

    pub(crate) fn finish(mut self) -> Result<(), Refusal> {
        for (name, _) in std::mem::take(&mut self.left) {
            let shown: String = name.chars().take(64).collect();
            self.problem(&shown, "is not a known parameter");
        }
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Refusal::InvalidQuery(self.problems))
        }
    }
}
