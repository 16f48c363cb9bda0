//! Files that are made to cost, and files that are broken.

use proptest::prelude::*;
use url::Url;

use super::super::{MAX_RULE, MAX_WILDCARDS, Robots};
use super::{assert_judged, judged};

const LIMIT: usize = 500 * 1024;

/// As often as fits into the largest file.
fn filled(line: &str) -> String {
    format!("User-agent: *\n{}", line.repeat(LIMIT / line.len()))
}

#[test]
fn a_file_full_of_one_line_is_judged() {
    let stars = format!("Disallow: /{}$b\n", "*a".repeat(40));
    let path = format!("/{}", "a".repeat(2_000));
    // More wildcards than are compared: what begins like this is forbidden.
    for line in [
        "Disallow: /*a*a*a*a*a*a*a*a*b\n",
        "Disallow: *b$\n",
        "Disallow: /**************************b\n",
        &stars,
    ] {
        assert!(judged(&filled(line), &path).is_err(), "{line}");
    }
    for line in [
        "Disallow: /b\n",
        "a\n",
        "a:\n",
        "\n",
        "User-agent: *\nDisallow:\n",
    ] {
        assert!(judged(&filled(line), &path).is_ok(), "{line}");
    }
}

#[test]
fn a_star_without_end_matches_without_looking_back() {
    let pattern = format!("/{}b", "*a".repeat(8_000));
    let file = format!("User-agent: *\nDisallow: {pattern}\nDisallow: /z");
    assert_judged(
        &file,
        &[(&format!("/{}", "a".repeat(9_000)), true), ("/z", false)],
    );
    assert_judged(&file, &[(&format!("/{}b", "a".repeat(9_000)), false)]);
}

#[test]
fn beyond_the_limit_of_wildcards_what_was_forbidden_stays_forbidden() {
    let wildcards = (0..MAX_WILDCARDS).map(|at| format!("Disallow: /{at}*x"));
    let wildcards = wildcards.collect::<Vec<_>>().join("\n");
    let rest = [
        "Disallow: /open/*/closed",
        "Allow: /open/*/closed/not",
        "Disallow: /shut",
        "Allow: /shut/not",
    ];
    let file = format!("User-agent: *\n{wildcards}\n{}", rest.join("\n"));
    assert_judged(
        &file,
        &[
            ("/7/x", false),
            ("/7/y", true),
            ("/open/a/closed", false),
            ("/open/a/closed/not", false),
            ("/open/a", false),
            ("/shut", false),
            ("/shut/not", true),
        ],
    );
}

#[test]
fn a_line_counts_up_to_16_kib() {
    for filler in ["x", "\u{fc}", "\u{30c4}", "%zz", "%c3%bc"] {
        let long = filler.repeat(60_000 / filler.len());
        let file = format!(
            "User-agent: *\nDisallow: /{long}\nDisallow: /y # {long}\n\
                            {long}\nDisallow: /z"
        );
        assert_judged(&file, &[("/x", true), ("/y", false), ("/z", false)]);
    }
    let rule = judged(
        &format!("User-agent: *\nDisallow: /{}", "x".repeat(300)),
        &{ format!("/{}", "x".repeat(300)) },
    );
    assert_eq!(rule.unwrap_err().text.len(), MAX_RULE);
}

#[test]
fn files_of_another_kind_forbid_nothing() {
    let url = Url::parse("http://foo.bar/x").unwrap();
    let wide: Vec<u8> = "\u{feff}User-agent: *\nDisallow: /"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for body in [
        &b"\0\0\0\0"[..],
        b"\x89PNG\r\n\x1a\n",
        b"\x1f\x8b\x08",
        &wide,
        &[0xff; 99],
    ] {
        assert!(
            Robots::parse(body, "FooBot").judge(&url).is_ok(),
            "{body:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_file(body: Vec<u8>, path in "/[ -~]{0,40}") {
        let url = Url::parse(&format!("http://foo.bar{path}")).unwrap();
        let robots = Robots::parse(&body, "FooBot");
        if let Err(rule) = robots.judge(&url) {
            prop_assert!(rule.line > 0 && rule.text.is_ascii() && rule.text.len() <= MAX_RULE);
        }
    }

    #[test]
    fn any_lines_are_a_file(
        lines in proptest::collection::vec(
            "(user-agent|allow|disallow|sitemap|crawl-delay|x)[: \t]{0,2}[/*$%#a-f\u{e9}0-9. ]{0,12}(\r|\n|\r\n)",
            0..12,
        ),
        path in "/[a-f*$%/]{0,12}",
    ) {
        let url = Url::parse(&format!("http://foo.bar{path}")).unwrap();
        let file = format!("user-agent: *\n{}", lines.concat());
        if let Err(rule) = Robots::parse(file.as_bytes(), "FooBot").judge(&url) {
            let text = file.replace("\r\n", "\n").replace('\r', "\n");
            let line = text.lines().nth(rule.line as usize - 1).unwrap();
            prop_assert!(line.starts_with("disallow"), "line {}: {line:?}", rule.line);
        }
    }
}
