//! Reads a JSON object field by field and collects every problem on the way, so that a client
//! hears of all of them at once. Refuses unknown fields.

use serde_json::{Map, Value};

use crate::error::Problem;

/// An object being read. Fields are taken out one by one; [`Reader::finish`] refuses what is left.
pub struct Reader<'a> {
    path: String,
    object: Option<&'a Map<String, Value>>,
    known: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Starts reading `value`, whose own path is `path` (empty for the body itself).
    pub fn new(path: &str, value: &'a Value) -> Self {
        let mut reader = Self {
            path: path.to_owned(),
            object: value.as_object(),
            known: Vec::new(),
            problems: Vec::new(),
        };
        if reader.object.is_none() {
            let field = if path.is_empty() { "body" } else { path };
            reader
                .problems
                .push(Problem::new(field, "must be a JSON object"));
        }
        reader
    }

    /// The path of a field of this object.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub fn problem(&mut self, name: &str, message: impl Into<String>) {
        let problem = Problem::new(self.path_of(name), message);
        self.problems.push(problem);
    }

    pub fn extend(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems);
    }

    /// Whether nothing was found wrong so far.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// The field's value; `None` where it is absent or `null`.
    pub fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.object?.get(name).filter(|value| !value.is_null())
    }

    pub fn bool(&mut self, name: &'static str) -> Option<bool> {
        let value = self.value(name)?;
        if value.as_bool().is_none() {
            self.problem(name, "must be true or false");
        }
        value.as_bool()
    }

    /// A whole number within `min..=max`.
    pub fn integer(&mut self, name: &'static str, min: u64, max: u64) -> Option<u64> {
        let value = self.value(name)?;
        // 5.0 is the same number as 5 in JSON; 5.5 is none of ours.
        let whole = value.as_u64().or_else(|| {
            let float = value.as_f64()?;
            (float.fract() == 0.0 && (0.0..=9e15).contains(&float)).then_some(float as u64)
        });
        match whole {
            Some(number) if (min..=max).contains(&number) => Some(number),
            _ => {
                self.problem(name, format!("must be a whole number from {min} to {max}"));
                None
            }
        }
    }

    /// A string of `min..=max` characters without control characters.
    pub fn text(&mut self, name: &'static str, min: usize, max: usize) -> Option<&'a str> {
        let value = self.value(name)?;
        let Some(text) = value.as_str() else {
            self.problem(name, "must be a string");
            return None;
        };
        let length = text.chars().count();
        if !(min..=max).contains(&length) {
            self.problem(name, format!("must have {min} to {max} characters"));
            return None;
        }
        if text.chars().any(char::is_control) {
            self.problem(name, "must not contain control characters");
            return None;
        }
        Some(text)
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let value = self.value(name)?;
        let found = value
            .as_str()
            .and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let list: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.problem(name, format!("must be one of: {}", list.join(", ")));
        }
        found.map(|(_, value)| *value)
    }

    /// Ends reading: every field that nobody asked for is a problem.
    pub fn finish(mut self) -> Vec<Problem> {
        for name in self.object.into_iter().flat_map(Map::keys) {
            if !self.known.contains(&name.as_str()) {
                let shown: String = name.chars().take(64).collect();
                self.problem(&shown, "is not a known field");
            }
        }
        self.problems
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_problems_are_named_at_once() {
        let body = json!({"count": 11, "name": "", "flag": "yes", "other": 1, "kind": "z"});
        let mut reader = Reader::new("", &body);
        assert_eq!(reader.integer("count", 1, 10), None);
        assert_eq!(reader.text("name", 1, 5), None);
        assert_eq!(reader.bool("flag"), None);
        assert_eq!(reader.one_of("kind", &[("a", 1), ("b", 2)]), None);
        let fields: Vec<_> = reader.finish().into_iter().map(|p| p.field).collect();
        assert_eq!(fields, ["count", "name", "flag", "kind", "other"]);
    }

    #[test]
    fn null_is_absent_and_a_round_float_is_a_whole_number() {
        let body = json!({"a": null, "b": 5.0});
        let mut reader = Reader::new("config", &body);
        assert_eq!(reader.integer("a", 0, 9), None);
        assert_eq!(reader.integer("b", 0, 9), Some(5));
        assert_eq!(reader.finish(), []);
    }
}
