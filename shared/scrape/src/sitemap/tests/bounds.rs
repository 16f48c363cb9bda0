//! Files that are longer than may be read: what comes before the limit is read.

use std::cell::Cell;
use std::time::Duration;

use super::{download, gzip, read, urlset};
use crate::extract::Budget;
use crate::sitemap::MAX_BYTES;
use crate::sitemap::parse::{Limits, parse};

/// How many pages are read of a file, and whether there are more.
fn count(bytes: &[u8], addresses: usize, limit: usize) -> (usize, bool) {
    let limits = Limits {
        addresses,
        bytes: limit,
        budget: &Budget::start(Duration::from_mins(5)),
    };
    let sitemap = parse(download(bytes, None), &limits).unwrap();
    (
        sitemap.pages.len() + sitemap.sitemaps.len(),
        sitemap.truncated,
    )
}

#[test]
fn only_so_many_addresses_are_read() {
    let entry = "<url><loc>/a</loc></url>";
    let list = "https://a.example/a\n";
    let index = "<sitemap><loc>/a</loc></sitemap>";
    for (length, expected) in [
        (49_999, (49_999, false)),
        (50_000, (50_000, false)),
        (50_001, (50_000, true)),
    ] {
        let index = format!("<sitemapindex>{}</sitemapindex>", index.repeat(length));
        for file in [urlset(&entry.repeat(length)), list.repeat(length), index] {
            assert_eq!(
                count(file.as_bytes(), 50_000, MAX_BYTES),
                expected,
                "{length}"
            );
        }
    }
    assert_eq!(count(urlset(entry).as_bytes(), 0, MAX_BYTES), (0, true));
    assert_eq!(count(urlset("").as_bytes(), 0, MAX_BYTES), (0, false));
}

#[test]
fn of_a_file_of_51_mb_the_first_50_mib_are_read() {
    let filler = format!("<url><x>{}</x><loc>/a</loc></url>", "a".repeat(1 << 20));
    let file = urlset(&filler.repeat(54));
    assert!(file.len() > MAX_BYTES);
    assert_eq!(count(&gzip(file.as_bytes()), 50_000, MAX_BYTES), (49, true));
}

#[test]
fn a_cut_leaves_no_half_addresses() {
    let file = "https://a.example/1\nhttps://a.example/22\n";
    for limit in 20..40 {
        let packed = gzip(file.as_bytes());
        assert_eq!(count(&packed, 9, limit), (1, true), "{limit}");
    }
    let file = urlset("<url><loc>/1</loc></url><url><loc>/\u{fc}\u{fc}</loc></url>");
    for limit in file.find("</url>").unwrap() + 6..file.len() {
        let (found, truncated) = count(&gzip(file.as_bytes()), 9, limit);
        assert!((1..=2).contains(&found) && truncated, "{limit}: {found}");
    }
}

#[test]
fn what_comes_before_a_break_is_read() {
    let good = "<url><loc>/a</loc></url>";
    for rest in [
        "",
        "<",
        "<url",
        "<url><loc>/b",
        "<url><loc>/b</lo",
        "</url>",
        "<a></b>",
        "<!-- ",
        "<![CDATA[",
        "<?x",
        "<url><loc>/b</url>",
        "<b></urlset>",
        "</urlset></urlset>",
        "</urlset><urlset><url><loc>/b</loc></url></urlset>",
        "</urlset><html>",
    ] {
        let sitemap = read(format!("<urlset>{good}{rest}")).unwrap();
        assert_eq!(
            (sitemap.pages.len(), sitemap.truncated),
            (1, true),
            "{rest}"
        );
    }
    let whole = gzip(urlset(&good.repeat(100_000)).as_bytes());
    for length in [whole.len() / 2, whole.len() - 1] {
        let sitemap = read(&whole[..length]).unwrap();
        assert!(sitemap.pages.len() > 10_000 && sitemap.truncated);
    }
}

#[test]
fn when_the_time_is_up_what_was_read_counts() {
    for file in [
        urlset(&"<url><loc>/a</loc></url>".repeat(10_000)),
        "https://a.example/a\n".repeat(10_000),
    ] {
        let looks = Cell::new(0);
        let budget = Budget::with_clock(Duration::from_millis(3), || {
            looks.set(looks.get() + 1);
            Duration::from_millis(looks.get())
        });
        let limits = Limits {
            addresses: 50_000,
            bytes: MAX_BYTES,
            budget: &budget,
        };
        let sitemap = parse(download(file, None), &limits).unwrap();
        assert!(
            (50..1_000).contains(&sitemap.pages.len()),
            "{}",
            sitemap.pages.len()
        );
        assert!(sitemap.truncated);
    }
}
