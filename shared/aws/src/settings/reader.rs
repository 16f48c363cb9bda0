//! How the value of a variable is read: what is missing or wrong becomes a sentence, and reading goes
//! on, so that all problems are found. Refuses to know which variables there are.

use std::ops::RangeInclusive;

use jobs::KeyHash;
use jobs::webhook::WebhookKey;

use super::VARIABLES;

/// Reads on after a problem.
pub(super) struct Reader<F> {
    pub(super) lookup: F,
    pub(super) problems: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    pub(super) fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            let known = VARIABLES.iter().find(|variable| variable.name == name);
            let about = known.map_or("a setting", |variable| variable.about);
            self.problems.push(format!("{name} is not set: {about}."));
            String::new()
        })
    }

    pub(super) fn required_url(&mut self, name: &str) -> String {
        let value = self.required(name);
        if !value.is_empty() {
            self.check_url(name, &value);
        }
        value
    }

    pub(super) fn required_arn(&mut self, name: &str) -> String {
        let value = self.required(name);
        if !value.is_empty() && !value.starts_with("arn:") {
            let problem = format!("{name} is '{value}', which is no ARN.");
            self.problems.push(problem);
        }
        value
    }

    pub(super) fn optional_url(&mut self, name: &str) -> Option<String> {
        let value = self.optional(name)?;
        self.check_url(name, &value);
        Some(value)
    }

    fn check_url(&mut self, name: &str, value: &str) {
        if !value.starts_with("https://") && !value.starts_with("http://") {
            self.problems.push(format!(
                "{name} is '{value}', which is no http or https URL."
            ));
        }
    }

    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let Some(text) = self.optional(name) else {
            return default;
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (least, most) = range.into_inner();
                self.problems.push(format!(
                    "{name} is '{text}', which is no whole number from {least} to {most}."
                ));
                default
            }
        }
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.optional(name).as_deref() {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(text) => {
                let problem = format!("{name} is '{text}', which is neither true nor false.");
                self.problems.push(problem);
                default
            }
        }
    }

    pub(super) fn hash(&mut self, name: &str) -> Option<KeyHash> {
        let hash = KeyHash::parse(&self.optional(name)?);
        if hash.is_none() {
            // Not repeated: it may be the key itself, put here by mistake.
            let problem = format!("{name} is not the SHA-256 of a key in 64 hexadecimal digits.");
            self.problems.push(problem);
        }
        hash
    }

    pub(super) fn webhook_key(&mut self, name: &str) -> Option<WebhookKey> {
        let key = WebhookKey::of_text(&self.optional(name)?);
        if key.is_none() {
            // Not repeated: it is a secret all the same.
            let problem = format!("{name} has fewer than 43 random characters.");
            self.problems.push(problem);
        }
        key
    }
}
