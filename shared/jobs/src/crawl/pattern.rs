//! `include` and `exclude` patterns: which addresses they match. A pattern is matched from its
//! beginning to its end, `*` standing for any characters. With `re:` before it, it is a regular
//! expression that is searched for. Both are held against path and query, or against the whole
//! address where they hold `://`. Refuses patterns that cost much to compile.

use regex::{Regex, RegexBuilder};
use url::Url;

/// Most memory of one compiled expression, in bytes.
const MAX_COMPILED: usize = 1024 * 1024;

#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    /// Held against the whole address.
    is_whole: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The parts between the stars.
    Glob(Vec<String>),
    Expression(Regex),
}

/// What is wrong with a pattern, if anything.
pub fn check(pattern: &str) -> Option<String> {
    Pattern::compile(pattern).err()
}

impl Pattern {
    pub fn compile(text: &str) -> Result<Self, String> {
        let kind = match text.strip_prefix("re:") {
            Some("") => return Err("must have a regular expression after `re:`".to_owned()),
            Some(expression) => {
                let built = RegexBuilder::new(expression)
                    .size_limit(MAX_COMPILED)
                    .build();
                Kind::Expression(built.map_err(|error| match error {
                    regex::Error::CompiledTooBig(_) => "is too large when compiled".to_owned(),
                    _ => "is not a regular expression".to_owned(),
                })?)
            }
            None => Kind::Glob(text.split('*').map(str::to_owned).collect()),
        };
        Ok(Self {
            text: text.to_owned(),
            is_whole: text.contains("://"),
            kind,
        })
    }

    /// As the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn matches(&self, url: &Url) -> bool {
        let held_against = if self.is_whole {
            url.as_str()
        } else {
            &url[url::Position::BeforePath..url::Position::AfterQuery]
        };
        match &self.kind {
            Kind::Expression(expression) => expression.is_match(held_against),
            Kind::Glob(parts) => glob(parts, held_against),
        }
    }
}

/// Whether `text` is the parts in order with anything between them. Each middle part is taken
/// where it comes first, which leaves most for the rest.
fn glob(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else {
        return parts.first().is_some_and(|only| only == text);
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    for part in middle {
        let Some(at) = rest.find(part.as_str()) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, url: &str) -> bool {
        let pattern = Pattern::compile(pattern).unwrap();
        pattern.matches(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_star_stands_for_anything_and_the_rest_for_itself() {
        let page = "http://a.example/blog/2024/post?page=2#top";
        for (pattern, expected) in [
            ("/blog/*", true),
            ("/blog", false),
            ("*post*", true),
            ("*page=2", true),
            ("/blog/*/post*", true),
            ("/blog/*/*/*/post", false),
            ("*", true),
            ("", false),
            ("http://a.example/*", true),
            ("http://b.example/*", false),
            ("*://a.example/blog/*", true),
            ("re:/20\\d\\d/", true),
            ("re:^/blog", true),
            ("re:^/2024", false),
            ("re:example", false),
            ("re:^http://a\\.example/blog", true),
            ("re:://b\\.", false),
            ("re:top$", false),
        ] {
            assert_eq!(matches(pattern, page), expected, "{pattern}");
        }
        assert!(matches("/a*a", "http://a.example/aa"));
        assert!(!matches("/a*a", "http://a.example/a"));
    }

    #[test]
    fn what_does_not_compile_says_so() {
        for pattern in ["re:", "re:(", "re:[", "re:\\p{Han}{1000}{1000}"] {
            assert!(check(pattern).is_some(), "{pattern}");
        }
        assert_eq!(check("(*"), None);
    }
}
