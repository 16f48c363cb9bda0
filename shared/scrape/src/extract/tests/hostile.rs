//! Pages made to hurt. Each must end as a page or as `parse_budget`, never in a stack overflow or
//! in minutes; that the whole set is read in seconds is what its bounds are for.

use std::time::Duration;

use jobs::{Extraction, Failure, FailureCode};
use serde_json::json;
use url::Url;

use super::{URL, many, read};
use crate::extract::address::Addresses;
use crate::extract::content;
use crate::extract::copy::copy;
use crate::extract::parse::parse;
use crate::extract::survey::Survey;
use crate::extract::{Budget, Extracted, Input, Kind, extract_within};

/// Reads with a short wall clock: half a megabyte of nested lists would take minutes without one.
fn read_hurried(html: &str) -> Result<Extracted, Failure> {
    let config = json!({"fields": {
        "a": {"selector": "div:nth-child(2) p ~ p", "multiple": true},
        "b": {"selector": "div div div a", "source": "html", "multiple": true},
        "c": {"type": "regex", "pattern": "(x+x+)+y"},
    }});
    let (extraction, _) = Extraction::parse(&config);
    let input = Input {
        text: html,
        kind: Kind::Html,
        final_url: &Url::parse(URL).unwrap(),
        language: None,
        extraction: &extraction,
    };
    extract_within(&input, &Budget::start(Duration::from_millis(200)))
}

fn assert_bounded(name: &str, html: &str) {
    match read_hurried(html) {
        Ok(page) => {
            assert!(page.text.len() <= 2 * 1024 * 1024, "{name}");
            assert!(page.markdown.len() <= 2 * 1024 * 1024, "{name}");
            assert!(
                page.links.len() <= 10_000 && page.headings.len() <= 1_000,
                "{name}"
            );
        }
        Err(failure) => assert_eq!(failure.code, FailureCode::ParseBudget, "{name}"),
    }
}

#[test]
fn nesting_is_bounded_for_every_kind_of_tag() {
    let tags = [
        "div",
        "b",
        "ul><li",
        "table><tr><td",
        "a href=/x",
        "svg",
        "blockquote",
        "template",
    ];
    for tag in tags {
        for depth in [512, 513, 5_000, 20_000, 200_000] {
            let html = format!("{}deep words", format!("<{tag}>").repeat(depth));
            assert_bounded(&format!("{tag} x {depth}"), &html);
        }
    }
}

#[test]
fn half_a_megabyte_of_nested_lists_is_out_of_budget() {
    let failure = read_hurried(&"<ul><li>".repeat(60_000)).unwrap_err();
    assert_eq!(failure.code, FailureCode::ParseBudget);
}

#[test]
fn deep_pages_within_the_budget_keep_their_words() {
    for tag in [
        "div",
        "ul><li",
        "blockquote",
        "span",
        "table><tr><td",
        "section",
    ] {
        let html = format!("{}deep words", format!("<{tag}>").repeat(1_500));
        let page = read(&html);
        assert_eq!(page.text, "deep words", "{tag}");
        assert!(page.markdown.contains("deep words"), "{tag}");
    }
}

#[test]
fn nesting_that_the_parser_does_not_mind_does_not_overflow_the_rest() {
    let prose = "A line of prose that is long enough to be taken for one, all in all. ".repeat(10);
    for depth in [2_500, 200_000] {
        let html = format!("<p>{prose}</p>{}deep words", "<span>".repeat(depth));
        let page = read(&html);
        assert!(page.text.ends_with("deep words"), "{depth}");
        assert!(page.markdown.ends_with("deep words"), "{depth}");
    }
}

#[test]
fn amplifying_markup_is_bounded() {
    for (name, html) in [
        ("adoption agency", "<a><i>".repeat(20_000)),
        ("misnested", "<b><p><i></b>".repeat(20_000)),
        (
            "reopened formatting",
            format!(
                "{}{}",
                many(3_000, |n| format!("<b c{n}>")),
                "<p>x".repeat(20_000)
            ),
        ),
        ("foster parents", "<table>x<b>".repeat(10_000)),
        ("nested tables", "<table><tr><td>x".repeat(10_000)),
        (
            "nested svg and math",
            "<svg><desc><math><mi>".repeat(10_000),
        ),
        ("templates", "<template><p>x".repeat(10_000)),
        ("options", "<select><option>x".repeat(50_000)),
        ("wide spans", "<table><tr><td colspan=99999>x".repeat(5_000)),
        ("nested headings", "<h1><div>x".repeat(5_000)),
        ("nested links", "<a href=/x><div>x".repeat(5_000)),
    ] {
        assert_bounded(name, &html);
    }
}

#[test]
fn large_markup_is_bounded() {
    let attributes = many(100_000, |n| format!(" a{n}=1"));
    let links = many(100_000, |n| format!("<a href=/{n}>{n}</a>"));
    for (name, html) in [
        ("100,000 attributes", format!("<p{attributes}>x")),
        ("100,000 links", links),
        ("100,000 paragraphs", "<p>a few words".repeat(100_000)),
        ("100,000 line breaks", "a few words<br>".repeat(100_000)),
        (
            "100,000 siblings",
            format!("<div>{}", "<p></p><b></b>".repeat(50_000)),
        ),
        (
            "1 MB attribute",
            format!("<a href='{}'>x", "x".repeat(1_000_000)),
        ),
        (
            "100 titles",
            format!("{}<p>x", "<title>t</title>".repeat(100)),
        ),
        ("1,000 bases", "<base href=/x/>".repeat(1_000)),
        ("NUL bytes", "\u{0}".repeat(1_000_000)),
        (
            "character references",
            "&amp;&#x41;&notanentity;".repeat(50_000),
        ),
    ] {
        assert_bounded(name, &html);
    }
}

#[test]
fn ten_megabytes_of_one_text_are_cut() {
    let page = read(&format!("<p>{}", "word ".repeat(2_000_000)));
    assert!(page.text.starts_with("word word"));
    assert!(page.text.len() <= 2 * 1024 * 1024, "{}", page.text.len());
}

#[test]
fn what_is_never_closed_swallows_the_rest_and_no_more() {
    for open in [
        "<!--",
        "<script>",
        "<style>",
        "<textarea>",
        "<svg><![CDATA[",
        "<noscript>",
    ] {
        let page = read(&format!(
            "<title>t</title><p>before</p>{open}{}",
            "<p>after".repeat(1_000)
        ));
        assert_eq!(page.title.as_deref(), Some("t"), "{open}");
        assert!(page.text.starts_with("before"), "{open}");
        assert!(!page.text.contains("after"), "{open}");
    }
}

#[test]
fn links_beyond_the_bound_are_left_out() {
    let links = many(12_000, |n| format!("<a href=/{n}>{n}</a>"));
    let page = read(&links);
    assert_eq!(page.links.len(), 10_000);
    assert_eq!(page.links[9_999].url, "https://example.com/9999");
}

#[test]
fn every_step_looks_at_the_clock() {
    let spent = Budget::with_clock(Duration::ZERO, || Duration::ZERO);
    let unhurried = Budget::with_clock(Duration::from_secs(1), || Duration::ZERO);
    let addresses = Addresses::at(&Url::parse(URL).unwrap());
    assert!(parse("<p>x", &spent).is_err());
    let html = parse("<p>x", &unhurried).unwrap();
    assert!(Survey::of(&html, &addresses, &spent).is_err());
    assert!(copy(html.tree.root(), 5, &addresses, &spent).is_err());
    let survey = Survey::of(&html, &addresses, &unhurried).unwrap();
    assert!(content::read(&html, &addresses, &survey, true, &spent).is_err());
}

#[test]
fn a_budget_that_ends_anywhere_ends_the_page() {
    let html = format!("{}<p>x", include_str!("pages/article.html").repeat(20));
    let looks = std::cell::Cell::new(0_u64);
    let input = Input {
        text: &html,
        kind: Kind::Html,
        final_url: &Url::parse(URL).unwrap(),
        language: None,
        extraction: &Extraction::default(),
    };
    let run = |limit: u64| {
        looks.set(0);
        let budget = Budget::with_clock(Duration::from_secs(limit), || {
            looks.set(looks.get() + 1);
            Duration::from_secs(looks.get())
        });
        extract_within(&input, &budget)
    };
    run(u64::MAX / 2).unwrap();
    let whole = looks.get();
    assert!(whole > 100, "the clock is looked at all along: {whole}");
    for limit in [1, whole / 4, whole / 2, whole * 3 / 4] {
        assert_eq!(
            run(limit).unwrap_err().code,
            FailureCode::ParseBudget,
            "{limit} of {whole}"
        );
    }
}
