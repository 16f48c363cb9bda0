//! What RFC 9309 calls other records: delays and sitemaps.

use std::time::Duration;

use super::super::{MAX_SITEMAP, MAX_SITEMAPS, Robots};

/// The delay for `FooBot`, in milliseconds.
fn delay(file: &str) -> Option<u128> {
    let delay = Robots::parse(file.as_bytes(), "FooBot").crawl_delay();
    delay.map(|delay| delay.as_millis())
}

#[test]
fn a_delay_is_a_number_of_seconds_of_at_most_ten_minutes() {
    for (value, expected) in [
        ("5", Some(5_000)),
        ("0", Some(0)),
        ("0.5", Some(500)),
        (".25", Some(250)),
        ("2.", Some(2_000)),
        ("1.0 # patience", Some(1_000)),
        ("600", Some(600_000)),
        ("601", Some(600_000)),
        ("99999999999999999999999999999999", Some(600_000)),
        (&"9".repeat(9_999), Some(600_000)),
        ("-1", None),
        ("+1", None),
        ("1e3", None),
        ("1,5", None),
        ("10s", None),
        ("1.2.3", None),
        ("inf", None),
        ("NaN", None),
        (".", None),
        ("", None),
        ("\u{661}", None),
    ] {
        assert_eq!(
            delay(&format!("User-agent: *\nCrawl-delay: {value}")),
            expected,
            "{value}"
        );
    }
    for key in ["crawl-delay", "CRAWL-DELAY", "Crawl delay", "CrawlDelay"] {
        assert_eq!(
            delay(&format!("User-agent: *\n{key}: 3")),
            Some(3_000),
            "{key}"
        );
    }
}

#[test]
fn our_own_delay_comes_before_that_for_everybody() {
    for (file, expected) in [
        ("", None),
        ("User-agent: BarBot\nCrawl-delay: 9", None),
        (
            "User-agent: *\nCrawl-delay: 2\nUser-agent: FooBot\nCrawl-delay: 1",
            Some(1_000),
        ),
        (
            "User-agent: *\nCrawl-delay: 2\n\nUser-agent: FooBot\nDisallow: /x",
            Some(2_000),
        ),
        (
            "User-agent: FooBot\nCrawl-delay: 0\nUser-agent: *\nCrawl-delay: 2",
            Some(0),
        ),
        (
            "User-agent: FooBot\nDisallow: /x\nCrawl-delay: 3\nDisallow: /y",
            Some(3_000),
        ),
        (
            "User-agent: FooBot\nUser-agent: BarBot\nCrawl-delay: 4",
            Some(4_000),
        ),
        (
            "User-agent: FooBot\nCrawl-delay: 4\nCrawl-delay: 7\nCrawl-delay: 5",
            Some(7_000),
        ),
        ("Crawl-delay: 6\nUser-agent: *\nDisallow:", Some(6_000)),
        ("Crawl-delay: 6\nUser-agent: *\nCrawl-delay: 1", Some(1_000)),
        // Nothing but a delay, ahead of the group for everybody.
        (
            "User-agent: BarBot\nCrawl-delay: 99\n\nUser-agent: *\nDisallow: /x",
            None,
        ),
        (
            "User-agent: BarBot\nCrawl-delay: 99\n\nUser-agent: *\nCrawl-delay: 1",
            Some(1_000),
        ),
    ] {
        assert_eq!(delay(file), expected, "{file:?}");
    }
    assert_eq!(Robots::allow_all().crawl_delay(), None::<Duration>);
}

#[test]
fn sitemaps_are_named_anywhere_and_for_everybody() {
    let file = "Sitemap: https://foo.bar/1.xml\nUser-agent: BarBot\nDisallow: /\n\
                SITEMAP:/2.xml\n  site-map : https://foo.bar/3.xml # the third\n\
                Sitemap:\nSitemap: https://foo.bar/1.xml\nSitemap: /\u{fc}.xml";
    let robots = Robots::parse(file.as_bytes(), "FooBot");
    let expected = [
        "https://foo.bar/1.xml",
        "/2.xml",
        "https://foo.bar/3.xml",
        "/%C3%BC.xml",
    ];
    assert_eq!(robots.sitemaps(), expected);
    assert!(Robots::allow_all().sitemaps().is_empty());
}

#[test]
fn sitemaps_are_bounded_in_number_and_length() {
    let many: Vec<_> = (0..1_000).map(|at| format!("Sitemap: /{at}")).collect();
    let robots = Robots::parse(many.join("\n").as_bytes(), "FooBot");
    assert_eq!(robots.sitemaps().len(), MAX_SITEMAPS);
    for (length, kept) in [(MAX_SITEMAP, 1), (MAX_SITEMAP + 1, 0)] {
        let file = format!("Sitemap: {}", "a".repeat(length));
        assert_eq!(
            Robots::parse(file.as_bytes(), "FooBot").sitemaps().len(),
            kept
        );
    }
}
