//! What an answer's `X-Robots-Tag` tells robots: a list of rules, or the name of one robot and the
//! rules for it. Refuses to heed what is told to others.

use crate::extract::forbids_following as forbids;

/// Rules that have a colon of their own, after which something else than rules comes.
const WITH_VALUE: [&str; 4] = [
    "max-image-preview",
    "max-snippet",
    "max-video-preview",
    "unavailable_after",
];

/// By what name we are spoken to.
const OUR_NAME: &str = "harvestman";

/// Whether the header forbids to follow the links of the page. Headers that came more than once
/// stand in lines.
pub(crate) fn forbids_following(header: Option<&str>) -> bool {
    header.is_some_and(|header| header.lines().any(forbids_line))
}

fn forbids_line(line: &str) -> bool {
    let Some((name, rules)) = line.split_once(':') else {
        return forbids(line);
    };
    let name = name.trim();
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    // A rule before the colon means that all of them are for everybody.
    if name.contains(',') || WITH_VALUE.iter().any(is) {
        return forbids(line);
    }
    is(&OUR_NAME) && forbids(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_to_us_is_heeded_and_nothing_else() {
        for (header, expected) in [
            ("nofollow", true),
            ("noindex, NOFOLLOW", true),
            ("none", true),
            ("noindex", false),
            ("nofollowing", false),
            ("", false),
            ("otherbot: nofollow", false),
            ("Harvestman: noindex, nofollow", true),
            ("otherbot: none\nnoindex, nofollow", true),
            ("max-snippet: 5, nofollow", true),
            (
                "nofollow, unavailable_after: 25 Jun 2030 15:00:00 GMT",
                true,
            ),
            ("noindex, max-snippet: 5", false),
        ] {
            assert_eq!(forbids_following(Some(header)), expected, "{header}");
        }
        assert!(!forbids_following(None));
    }
}
