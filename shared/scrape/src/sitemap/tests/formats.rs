//! Every format and encoding that is read.

use super::{download, gzip, pages, read, refusal, urlset};
use crate::extract::Budget;
use crate::sitemap::parse::{Limits, parse};

#[test]
fn a_sitemap_lists_pages_with_the_dates_as_they_are_written() {
    let sitemap = read(urlset(
        "<url><loc>https://a.example/</loc><lastmod>2024-05-01T10:00:00+02:00</lastmod>\
         <changefreq>daily</changefreq><priority>0.8</priority></url>\
         <url><lastmod> yesterday </lastmod><loc>\n  https://a.example/b\n</loc></url>\
         <url><loc>https://a.example/c</loc><lastmod></lastmod></url>\
         <url><loc>https://a.example/d</loc><lastmod/></url>",
    ));
    let sitemap = sitemap.unwrap();
    let found: Vec<_> = sitemap
        .pages
        .iter()
        .map(|page| (page.url.as_str(), page.last_modified.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("https://a.example/", Some("2024-05-01T10:00:00+02:00")),
            ("https://a.example/b", Some("yesterday")),
            ("https://a.example/c", None),
            ("https://a.example/d", None),
        ]
    );
    assert!(!sitemap.truncated);
}

#[test]
fn an_index_lists_further_sitemaps() {
    let sitemap = read(
        "<sitemapindex><sitemap><loc>https://a.example/2.xml.gz</loc><lastmod>2024</lastmod>\
         </sitemap><sitemap><loc>3.xml</loc></sitemap></sitemapindex>",
    );
    let sitemap = sitemap.unwrap();
    assert_eq!(
        sitemap.sitemaps,
        ["https://a.example/2.xml.gz", "https://a.example/maps/3.xml"]
    );
    assert!(sitemap.pages.is_empty() && !sitemap.truncated);
}

#[test]
fn prefixes_remarks_and_extensions_change_nothing() {
    let file = "<?xml version=\"1.0\"?><?xml-stylesheet href='x.xsl'?><!-- <url><loc>/no</loc></url> -->\
        <sm:urlset xmlns:sm='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:image='i'>\
        <sm:url><image:image><image:loc>/image.png</image:loc></image:image>\
        <sm:loc><!-- here -->/a</sm:loc>\
        <xhtml:link rel='alternate' hreflang='de' href='/de'/>\
        <video:video><video:loc>/video</video:loc><url><loc>/inner</loc></url></video:video>\
        </sm:url><loc>/outside</loc><sm:url><news:news/></sm:url></sm:urlset><!-- end -->";
    assert_eq!(pages(file), ["https://a.example/a"]);
}

#[test]
fn text_may_be_escaped_or_not() {
    for (written, expected) in [
        ("/a?b=1&amp;c=2", "/a?b=1&c=2"),
        ("/a?b=1&#38;c=2", "/a?b=1&c=2"),
        ("/a?b=1&#x26;c=2", "/a?b=1&c=2"),
        ("<![CDATA[/a?b=1&c=2]]>", "/a?b=1&c=2"),
        ("\n<![CDATA[\n/a]]>?b=<![CDATA[1]]>\n", "/a?b=1"),
        ("/a?b=1&c=2", "/a?b=1&c=2"),
        ("/a?b=1&c;=2&amp;d", "/a?b=1&c;=2&d"),
        ("/&lt;&gt;&quot;&apos;", "/%3C%3E%22'"),
        ("/\u{fc}", "/%C3%BC"),
        ("/a#b", "/a"),
        ("<b>/no</b>/a<b/>", "/a"),
    ] {
        let file = urlset(&format!("<url><loc>{written}</loc></url>"));
        assert_eq!(
            pages(file),
            [format!("https://a.example{expected}")],
            "{written}"
        );
    }
}

#[test]
fn an_address_is_read_relative_to_the_sitemap_and_must_be_of_the_web() {
    let long = format!("/{}", "a".repeat(2_048));
    let wide = format!("/{}", "\u{30c4}".repeat(500));
    let entries: String = [
        "2",
        "/3",
        "//b.example/4",
        "?5",
        "http://c.example:8080/6",
        "",
        " ",
        "javascript:alert(1)",
        "ftp://a.example/",
        "data:text/html,x",
        "http://",
        "https://[",
        "mailto:a@a.example",
        &long,
        &wide,
    ]
    .map(|location| format!("<url><loc>{location}</loc></url>"))
    .concat();
    let expected = [
        "https://a.example/maps/2",
        "https://a.example/3",
        "https://b.example/4",
        "https://a.example/maps/1.xml?5",
        "http://c.example:8080/6",
    ];
    assert_eq!(pages(urlset(&entries)), expected);
}

#[test]
fn feeds_list_what_their_entries_link_to() {
    let rss = "<rss version='2.0'><channel><title>T</title><link>/home</link>\
        <atom:link rel='self' href='/feed'/>\
        <item><title>A</title><atom:link href='/no' rel='self'/><link>/a</link>\
        <pubDate>Sun, 06 Nov 1994 08:49:37 GMT</pubDate><link>/second</link></item>\
        <item><description><![CDATA[<link>/no</link>]]></description><guid>x</guid></item>\
        <item><link> <![CDATA[/b]]> </link></item></channel></rss>";
    let sitemap = read(rss).unwrap();
    let dates: Vec<_> = sitemap
        .pages
        .iter()
        .map(|page| page.last_modified.as_deref())
        .collect();
    assert_eq!(dates, [Some("Sun, 06 Nov 1994 08:49:37 GMT"), None]);
    assert_eq!(pages(rss), ["https://a.example/a", "https://a.example/b"]);
    let rdf = "<rdf:RDF><channel><link>/home</link></channel><item><link>/a</link>\
        <dc:date>2024</dc:date></item></rdf:RDF>";
    assert_eq!(pages(rdf), ["https://a.example/a"]);
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><link href='/home'/>\
        <entry><link rel='self' href='/no'/><link rel='alternate' href='/a?b=1&amp;c'/>\
        <updated>2024-01-01T00:00:00Z</updated></entry>\
        <entry><link href='/b?c&d'></link><source><link href='/no'/></source></entry>\
        <entry><link href=\"/c\" rel=\"enclosure\"/></entry><entry/></feed>";
    assert_eq!(
        pages(atom),
        ["https://a.example/a?b=1&c", "https://a.example/b?c&d"]
    );
}

#[test]
fn a_list_has_a_whole_address_on_each_line() {
    let file = "\u{feff}https://a.example/1\r\n\r\n  https://a.example/2  \rhttps://a.example/3\n\
        hello\n/relative\nftp://a.example/\n# a remark\nhttps://a.example/4 # 4\n\n\n";
    let expected = ["1", "2", "3", "4%20"].map(|name| format!("https://a.example/{name}"));
    assert_eq!(pages(file), expected);
    for blank in ["", "\n\n", "\u{feff}", "  \t\r\n"] {
        assert!(pages(blank).is_empty(), "{blank:?}");
    }
}

#[test]
fn what_is_no_sitemap_is_refused() {
    const NO_XML: &str = "invalid_response: The answer is XML, but no sitemap and no feed";
    const NO_LINE: &str = "invalid_response: The answer is no sitemap: no line of it is an address";
    for (file, expected) in [
        ("<html><body>404</body></html>", NO_XML),
        ("<svg/>", NO_XML),
        ("<", NO_XML),
        ("<url><loc>/a</loc></url>", NO_XML),
        ("<?xml version='1.0'?>", NO_XML),
        ("hello", NO_LINE),
        ("error: not found", NO_LINE),
        ("http:", NO_LINE),
        ("{\"error\": \"not found\"}", NO_LINE),
        ("\u{0}\u{0}\u{0}", NO_LINE),
        (
            "<!doctype html><title>404</title>",
            "invalid_response: The answer is a page of HTML, not a sitemap",
        ),
    ] {
        assert_eq!(refusal(file), expected, "{file}");
    }
}

#[test]
fn encodings_are_those_of_any_page() {
    let utf_8 = urlset("<url><loc>/ü</loc></url>");
    let utf_16: Vec<u16> = utf_8.replace("UTF-8", "UTF-16").encode_utf16().collect();
    let little: Vec<u8> = utf_16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = utf_16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let latin = |text: &str| text.chars().map(|letter| letter as u8).collect::<Vec<u8>>();
    for (name, bytes) in [
        ("UTF-8", utf_8.clone().into_bytes()),
        ("UTF-8 with a mark", format!("\u{feff}{utf_8}").into_bytes()),
        ("blank lines first", format!("\n\n  {utf_8}").into_bytes()),
        ("little endian", little.clone()),
        ("big endian", big.clone()),
        (
            "little endian with a mark",
            [&b"\xff\xfe"[..], &little].concat(),
        ),
        ("big endian with a mark", [&b"\xfe\xff"[..], &big].concat()),
        ("latin1", latin(&utf_8.replace("UTF-8", "ISO-8859-1"))),
        (
            "nothing declared",
            utf_8.replace(" encoding='UTF-8'", "").into_bytes(),
        ),
    ] {
        assert_eq!(pages(bytes.clone()), ["https://a.example/%C3%BC"], "{name}");
        assert_eq!(
            pages(gzip(&bytes)),
            ["https://a.example/%C3%BC"],
            "{name}, packed"
        );
    }
    let limits = Limits {
        addresses: 9,
        bytes: 999,
        budget: &Budget::start(std::time::Duration::from_mins(5)),
    };
    let list = download(latin("https://a.example/ü"), Some("iso-8859-1"));
    assert_eq!(
        parse(list, &limits).unwrap().pages[0].url,
        "https://a.example/%C3%BC"
    );
}

#[test]
fn a_file_may_be_packed_twice_and_in_several_members() {
    let file = urlset("<url><loc>/a</loc></url>");
    let (start, end) = file.split_at(99);
    for packed in [
        gzip(file.as_bytes()),
        gzip(&gzip(file.as_bytes())),
        [gzip(start.as_bytes()), gzip(end.as_bytes())].concat(),
        [gzip(b""), gzip(file.as_bytes()), gzip(b"")].concat(),
    ] {
        assert_eq!(pages(packed), ["https://a.example/a"]);
    }
    let thrice = gzip(&gzip(&gzip(file.as_bytes())));
    assert_eq!(
        refusal(thrice),
        "invalid_response: The sitemap is packed more than twice"
    );
    let list = gzip(b"https://a.example/1\nhttps://a.example/2");
    assert_eq!(pages(list).len(), 2);
}
