//! Files that are made to cost, to reach for others, or to break the reader.

use std::fmt::Write;

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;

use super::{gzip, pages, read, refusal, urlset};

const NO_DOCTYPE: &str = "invalid_response: The sitemap has a DOCTYPE, which is not read";

#[test]
fn a_doctype_is_refused_whatever_it_declares() {
    let mut laughs = "<!ENTITY l0 'ha'>".to_owned();
    for level in 1..10 {
        let inner = format!("&l{};", level - 1).repeat(10);
        write!(laughs, "<!ENTITY l{level} '{inner}'>").unwrap();
    }
    for doctype in [
        format!("<!DOCTYPE urlset [{laughs}]>"),
        "<!DOCTYPE urlset [<!ENTITY l9 SYSTEM 'file:///etc/passwd'>]>".to_owned(),
        "<!DOCTYPE urlset [<!ENTITY % x SYSTEM 'http://127.0.0.1/x.dtd'> %x;]>".to_owned(),
        "<!DOCTYPE urlset SYSTEM 'http://127.0.0.1/x.dtd'>".to_owned(),
        "<!DOCTYPE urlset PUBLIC '-//X//Y' 'x.dtd'>".to_owned(),
        "<!doctype urlset>".to_owned(),
    ] {
        let entries = "<urlset><url><loc>/&l9;</loc></url></urlset>";
        let file = format!("<?xml version='1.0'?>{doctype}{entries}");
        assert_eq!(refusal(file.as_str()), NO_DOCTYPE, "{doctype}");
        assert_eq!(refusal(gzip(file.as_bytes())), NO_DOCTYPE, "{doctype}");
        let later = format!("<urlset><url><loc>/a</loc></url>{doctype}</urlset>");
        assert_eq!(refusal(later), NO_DOCTYPE, "{doctype}");
    }
}

#[test]
fn an_entity_that_nobody_declared_is_text() {
    let file = urlset("<url><loc>/a&l9;</loc></url><url><loc>/b&#0;&#xD800;</loc></url>");
    let sitemap = read(file).unwrap();
    assert_eq!(sitemap.pages[0].url, "https://a.example/a&l9;");
}

#[test]
fn a_bomb_of_a_gibibyte_stops_at_the_limit() {
    let mut packer = Compress::new(Compression::fast(), false);
    let mut mebibyte = Vec::with_capacity(64 << 10);
    let nothing = vec![b'\n'; 1 << 20];
    packer
        .compress_vec(&nothing, &mut mebibyte, FlushCompress::Full)
        .unwrap();
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let bomb = [&head[..], &mebibyte.repeat(1_024)].concat();
    for bomb in [gzip(&bomb), bomb] {
        let sitemap = read(bomb).unwrap();
        assert!(sitemap.truncated && sitemap.pages.is_empty());
    }
}

#[test]
fn elements_without_end_are_left() {
    let depth = 1_000_000;
    let good = "<url><loc>/a</loc></url>";
    for tag in ["<a>", "<url>", "<loc>", "<urlset>"] {
        let sitemap = read(format!("<urlset>{good}{}", tag.repeat(depth))).unwrap();
        assert_eq!((sitemap.pages.len(), sitemap.truncated), (1, true), "{tag}");
    }
}

#[test]
fn long_fields_and_many_attributes_cost_their_length() {
    let long = "a".repeat(10 << 20);
    let attributes: Vec<_> = (0..200_000).map(|at| format!("a{at}='x'")).collect();
    let attributes = attributes.join(" ");
    for entry in [
        format!("<url><loc>/{long}</loc></url>"),
        format!("<url><loc>{}/b</loc></url>", "&#97;".repeat(1 << 20)),
        format!("<url><loc {attributes} href='/no'/></url>"),
        format!(
            "<url><loc>/b{}</loc></url>",
            "<![CDATA[a]]>".repeat(1 << 18)
        ),
        format!("<url><loc>/b{}</loc></url>", "\u{30c4}".repeat(1 << 20)),
        format!("<url><lastmod>{long}</lastmod></url>"),
        format!("<!-- {long} --><?x {long}?>"),
    ] {
        let file = urlset(&format!("{entry}<url><loc>/a</loc></url>"));
        assert_eq!(pages(file), ["https://a.example/a"]);
    }
    let date = urlset(&format!(
        "<url><loc>/a</loc><lastmod>{long}</lastmod></url>"
    ));
    assert_eq!(read(date).unwrap().pages[0].last_modified, None);
    let lines = format!("{long}\n{}https://a.example/a", "\n".repeat(10 << 20));
    assert_eq!(pages(lines), ["https://a.example/a"]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, pack: bool) {
        let bytes = if pack { gzip(&bytes) } else { bytes };
        let _ = read(bytes);
    }

    #[test]
    fn any_document_is_read_or_refused(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "<urlset>", "</urlset>", "<url>", "</url>", "<loc>", "</loc>", "<loc/>", "/a",
                "&amp;", "&", "&x;", "&#1;", "<![CDATA[", "]]>", "<!--", "-->", "<?x", "?>", "<feed>",
                "<entry>", "<link href='/b'/>", "<link rel='a", "</entry>", "<rss>", "\u{fc}", "<", ">",
            ]),
            0..40,
        ),
    ) {
        if let Ok(sitemap) = read(pieces.concat()) {
            for page in sitemap.pages {
                prop_assert!(page.url.starts_with("https://a.example/"), "{}", page.url);
            }
        }
    }
}
