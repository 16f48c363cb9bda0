//! Regular expressions of a configuration, bounded in the size to which they compile, in the text
//! they search and in the matches they give.

use regex::{Captures, Regex, RegexBuilder};

/// Largest compiled program of an ordinary pattern. One `\w` is about 25 KiB: it knows every script.
const ORDINARY: usize = 64 * 1024;
/// Larger programs, and what they may search: a search can cost the product of the two.
const LARGE: [(usize, usize); 2] = [
    (512 * 1024, MAX_SEARCHED / 8),
    (1024 * 1024, MAX_SEARCHED / 32),
];
/// Most patterns of a configuration that are larger than ordinary; compiling one takes 10 ms.
pub(super) const MAX_LARGE: usize = 10;
/// Most text searched at once, in bytes.
pub(super) const MAX_SEARCHED: usize = 1024 * 1024;

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
        large_left: &mut usize,
    ) -> Result<Self, Malformed> {
        let flags = flags.unwrap_or_default();
        let build = |size: usize| {
            RegexBuilder::new(text)
                .case_insensitive(flags.contains('i'))
                .multi_line(flags.contains('m'))
                .dot_matches_new_line(flags.contains('s'))
                .ignore_whitespace(flags.contains('x'))
                .size_limit(size)
                .dfa_size_limit(MAX_SEARCHED)
                .build()
        };
        let mut regex = build(ORDINARY);
        let mut max_searched = MAX_SEARCHED;
        if is_too_big(&regex) {
            *large_left = large_left.checked_sub(1).ok_or_else(|| Malformed {
                field: "pattern",
                message: format!(
                    "must be a smaller regular expression: {MAX_LARGE} large ones are the most"
                ),
            })?;
            for (size, searched) in LARGE {
                if is_too_big(&regex) {
                    regex = build(size);
                    max_searched = searched;
                }
            }
        }
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

fn is_too_big(built: &Result<Regex, regex::Error>) -> bool {
    matches!(built, Err(regex::Error::CompiledTooBig(_)))
}

/// The last line of the library's explanation is the reason; the lines before draw the place.
fn reason(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return "must be a smaller regular expression: counted repetitions multiply it (`\\w{1,50}`)"
            .to_owned();
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
        let pattern = Pattern::compile(text, Some(flags), group, &mut 1).unwrap();
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
    fn large_patterns_are_few_and_search_less() {
        let mut left = 1;
        let large = r"\w{1,15}\s";
        let first = Pattern::compile(large, None, None, &mut left).unwrap();
        assert!(first.max_searched < MAX_SEARCHED);
        let second = Pattern::compile(large, None, None, &mut left).unwrap_err();
        assert!(
            second.message.contains("are the most"),
            "{}",
            second.message
        );
        let ordinary = Pattern::compile(r"(\w+)", None, None, &mut left).unwrap();
        assert_eq!(ordinary.max_searched, MAX_SEARCHED);
    }

    #[test]
    fn what_does_not_compile_says_why() {
        for (pattern, group, field) in [
            ("(", None, "pattern"),
            ("(?=x)", None, "pattern"),
            ("((a{1,100}){1,100}){1,100}", None, "pattern"),
            (r"(\w)", Some(2), "group"),
        ] {
            let malformed = Pattern::compile(pattern, None, group, &mut 1).unwrap_err();
            assert_eq!(malformed.field, field, "{pattern}");
            assert!(
                malformed.message.starts_with("must be"),
                "{}",
                malformed.message
            );
        }
    }
}
