//! Regular expressions of a configuration, bounded in the size to which they compile, in the text
//! they search and in the matches they give.

use regex::{Captures, Regex, RegexBuilder};

/// Largest compiled program.
const MAX_PROGRAM: usize = 1024 * 1024;
/// Most text searched at once, in bytes.
pub(super) const MAX_SEARCHED: usize = 1024 * 1024;
/// Most text searched by a pattern whose program is large: a search costs their product.
const MAX_SEARCHED_BY_LARGE: usize = 64 * 1024;
/// Largest program that still counts as small.
const SMALL_PROGRAM: usize = 64 * 1024;

/// A pattern, its flags and the group that it gives.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    group: usize,
    max_searched: usize,
    /// Flag `g`: every match of a text, not only the first.
    pub(super) global: bool,
}

/// Which part of a field does not compile, and why.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) field: &'static str,
    pub(super) message: String,
}

impl Pattern {
    pub(super) fn compile(
        text: &str,
        flags: Option<&str>,
        group: Option<u32>,
    ) -> Result<Self, Malformed> {
        let flags = flags.unwrap_or_default();
        let build = |size: usize| {
            RegexBuilder::new(text)
                .case_insensitive(flags.contains('i'))
                .multi_line(flags.contains('m'))
                .dot_matches_new_line(flags.contains('s'))
                .ignore_whitespace(flags.contains('x'))
                .size_limit(size)
                .dfa_size_limit(MAX_PROGRAM)
                .build()
        };
        let (regex, max_searched) = match build(SMALL_PROGRAM) {
            Err(regex::Error::CompiledTooBig(_)) => (build(MAX_PROGRAM), MAX_SEARCHED_BY_LARGE),
            other => (other, MAX_SEARCHED),
        };
        let regex = regex.map_err(|error| Malformed {
            field: "pattern",
            message: reason(&error),
        })?;
        let groups = regex.captures_len();
        let group = group.map_or(usize::from(groups > 1), |group| group as usize);
        if group >= groups {
            let message = format!("must be a group of the pattern, which has {}", groups - 1);
            return Err(Malformed {
                field: "group",
                message,
            });
        }
        Ok(Self {
            regex,
            group,
            max_searched,
            global: flags.contains('g'),
        })
    }

    /// The group in every match, in order. A group that took no part in its match gives nothing.
    pub(super) fn find<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let text = &text[..text.floor_char_boundary(self.max_searched)];
        let group = move |captures: Captures<'t>| captures.get(self.group).map(|m| m.as_str());
        self.regex.captures_iter(text).filter_map(group)
    }
}

/// The last line of the library's explanation is the reason; the lines before draw the place.
fn reason(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return "must be a smaller regular expression: it has too many repetitions".to_owned();
    }
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    let reason = last.trim().trim_start_matches("error: ");
    format!("must be a regular expression: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, flags: &str, group: Option<u32>, searched: &str) -> Vec<String> {
        let pattern = Pattern::compile(text, Some(flags), group).unwrap();
        pattern.find(searched).map(str::to_owned).collect()
    }

    #[test]
    fn a_match_gives_the_group_asked_for_or_the_first() {
        assert_eq!(find(r"\d+ (\w)(\w)", "", None, "12 ab, 3 cd"), ["a", "c"]);
        assert_eq!(find(r"\d+ (\w)(\w)", "", Some(2), "12 ab"), ["b"]);
        assert_eq!(find(r"\d+ (\w)(\w)", "", Some(0), "12 ab"), ["12 ab"]);
        assert_eq!(find(r"\d+", "", None, "12 ab"), ["12"]);
        assert_eq!(find("a(b)?", "", None, "a ab"), ["b"]);
    }

    #[test]
    fn flags_change_how_a_pattern_matches() {
        assert_eq!(find("^b$", "im", None, "a\nB"), ["B"]);
        assert_eq!(find("a.b", "s", None, "a\nb"), ["a\nb"]);
        assert_eq!(find("a b # c", "x", None, "ab"), ["ab"]);
        assert_eq!(find("a", "gu", None, "aa"), ["a", "a"]);
    }

    #[test]
    fn what_does_not_compile_says_why() {
        for (pattern, group, field) in [
            ("(", None, "pattern"),
            ("(?=x)", None, "pattern"),
            ("((a{1,100}){1,100}){1,100}", None, "pattern"),
            (r"(\w)", Some(2), "group"),
        ] {
            let malformed = Pattern::compile(pattern, None, group).unwrap_err();
            assert_eq!(malformed.field, field, "{pattern}");
            assert!(
                malformed.message.starts_with("must be"),
                "{}",
                malformed.message
            );
        }
    }
}
