//! That a page read without a tree says what it says with one, and that a hostile one costs little.

use std::time::Duration;

use jobs::crawl::Formats;
use jobs::{Extraction, FailureCode};
use proptest::prelude::*;
use url::Url;

use super::{URL, many};
use crate::extract::{Budget, Extracted, Input, Kind, extract_in, extract_within};

fn input<'a>(text: &'a str, url: &'a Url, extraction: &'a Extraction) -> Input<'a> {
    Input {
        text,
        kind: Kind::Html,
        final_url: url,
        language: Some("fr"),
        extraction,
    }
}

fn no_markdown() -> Formats {
    Formats {
        markdown: false,
        ..Formats::default()
    }
}

fn streamed(html: &str) -> Extracted {
    let (url, extraction) = (Url::parse(URL).unwrap(), Extraction::default());
    let budget = Budget::with_clock(Duration::from_secs(1), || Duration::ZERO);
    extract_in(&input(html, &url, &extraction), no_markdown(), &budget).unwrap()
}

/// The same from a tree, where nobody looks for an article.
fn from_tree(html: &str) -> Extracted {
    let (url, extraction) = (Url::parse(URL).unwrap(), Extraction::default());
    let budget = Budget::with_clock(Duration::from_secs(1), || Duration::ZERO);
    let input = Input {
        kind: Kind::Xml,
        ..input(html, &url, &extraction)
    };
    Extracted {
        markdown: String::new(),
        ..extract_within(&input, &budget).unwrap()
    }
}

fn from_tree_with_a_field(html: &str) -> Extracted {
    let config = serde_json::json!({"fields": {"none": {"selector": ".none-such"}}});
    let (url, (extraction, _)) = (Url::parse(URL).unwrap(), Extraction::parse(&config));
    let budget = Budget::with_clock(Duration::from_secs(1), || Duration::ZERO);
    extract_in(&input(html, &url, &extraction), no_markdown(), &budget).unwrap()
}

#[track_caller]
fn assert_same(html: &str) {
    assert_eq!(streamed(html), from_tree(html), "{html}");
    assert_eq!(streamed(html), from_tree_with_a_field(html), "{html}");
}

/// Elements as authors write them: closed, or left open where the standard lets them.
fn block(depth: u32) -> BoxedStrategy<String> {
    let words = prop::sample::select(vec![
        "some words ",
        "\n  ",
        "&amp; &nbsp;x",
        "caf\u{e9}\r\n",
        "a < b",
        "&copy=1",
        "\u{2003}wide\t",
        "<!-- not <p> shown -->",
        "a long line that says enough to be counted as the content of it all ",
    ]);
    let attribute = prop::sample::select(vec![
        "",
        "",
        "",
        " class=x",
        " hidden",
        " id=app",
        " id=\"root\"",
        " role='note'",
        " role=main",
    ]);
    let href = prop::sample::select(vec![
        "/a",
        "/a#b",
        "b?c=d&amp;e",
        "//example.org/",
        "../up",
        "https://example.com/x.html",
        "mailto:a@b.c",
        "javascript:void(0)",
        "",
        "#top",
        "/%7Euser/./x",
        "/a b",
        " /c\n",
    ]);
    let inline = prop_oneof![
        3 => words.clone().prop_map(str::to_owned),
        1 => href.clone().prop_map(|href| format!("<a href='{href}'>link</a>")),
        1 => href.prop_map(|href| format!("<a HREF=\"{href}\" rel='nofollow  x'><b>bold</b> <img alt='a &lt; b'></a>")),
        1 => words.clone().prop_map(|text| format!("<span hidden>{text}<i>x</i></span>")),
        1 => words.prop_map(|text| format!("<em>{text}</em><br><input value=x>")),
        1 => Just("<svg><title>no</title><a href=/svg>s</a><path d='M0'/></svg>".to_owned()),
        1 => Just("<math><mi>x</mi><mo>&gt;</mo><mn>1</mn></math>".to_owned()),
        1 => Just("<script>if (a < b) { '<p>' }</script>".to_owned()),
        1 => Just("<template><a href=/t>t</a><h2>t</h2><div>t</div></template>".to_owned()),
        1 => Just("<select><option>one<option selected>two</select>".to_owned()),
        1 => Just("<noscript>Please enable JavaScript.</noscript>".to_owned()),
        1 => Just("<textarea>a <b>c</textarea><button>press</button>".to_owned()),
        1 => Just("<iframe src=x><p>no</iframe><label>name</label>".to_owned()),
    ];
    let inlines = prop::collection::vec(inline, 0..4).prop_map(|parts| parts.concat());
    if depth == 0 {
        return inlines.boxed();
    }
    let inner = prop::collection::vec(block(depth - 1), 0..3).prop_map(|parts| parts.concat());
    let container = prop::sample::select(vec![
        "div",
        "section",
        "article",
        "nav",
        "main",
        "aside",
        "footer",
        "blockquote",
        "figure",
        "custom-card",
        "details",
        "form",
        "center",
    ]);
    let heading = prop::sample::select(vec!["h1", "h2", "h3", "h4", "h6"]);
    prop_oneof![
        2 => inlines.clone(),
        3 => (container, attribute.clone(), inner.clone())
            .prop_map(|(name, attribute, inner)| format!("<{name}{attribute}>{inner}</{name}>")),
        2 => (attribute.clone(), inlines.clone())
            .prop_map(|(attribute, text)| format!("<p{attribute}>{text}</p>")),
        1 => inlines.clone().prop_map(|text| format!("<p>{text}\n")).prop_filter("open", |text| !text.contains("<p><form")),
        1 => (heading, inlines.clone()).prop_map(|(name, text)| format!("<{name}>{text}</{name}>")),
        1 => (inlines.clone(), inner.clone())
            .prop_map(|(text, inner)| format!("<ul><li>{text}<li>{inner}</ul>")),
        1 => inlines.clone().prop_map(|text| format!("<dl><dt>{text}<dd>{text}<dt>x</dl>")),
        1 => (inlines.clone(), inner)
            .prop_map(|(text, inner)| format!(
                "<table><caption>{text}</caption><tr><th>{text}<td>{inner}<tr><td>x</td></tr></table>"
            )),
        1 => inlines.prop_map(|text| format!("<pre>\n  {text}\n    x</pre>")),
    ]
    .boxed()
}

fn page() -> impl Strategy<Value = String> {
    let head = prop::sample::select(vec![
        "<title>A &amp; B</title>",
        "<title> </title>",
        "<meta name=description content='What &quot;it&quot; is'>",
        "<meta property='og:title' content='Open'><meta property=OG:image content=/i.png>",
        "<meta name=ROBOTS content='noindex, NoFollow'>",
        "<link rel='canonical' href='/one'>",
        "<link rel=stylesheet href=/s.css><style>p > a { color: red }</style>",
        "<base href=/docs/>",
        "<script type='application/ld+json'>{\"@type\": \"Thing\", \"name\": \"</b>\"}</script>",
        "<script src=/app.js></script>",
        "<noscript><link rel=stylesheet href=/n.css></noscript>",
        "<meta http-equiv=content-language content=de>",
        "\n",
    ]);
    let head = prop::collection::vec(head, 0..5).prop_map(|parts| parts.concat());
    let html = prop::sample::select(vec![
        "",
        "<html>",
        "<html lang=en>",
        "<HTML xml:lang='de-AT'>",
    ]);
    let body = prop::sample::select(vec!["", "<body>", "</head><body class=x>", "<body id=app>"]);
    let blocks = prop::collection::vec(block(3), 0..5).prop_map(|parts| parts.concat());
    (html, head, body, blocks)
        .prop_map(|(html, head, body, blocks)| format!("<!doctype html>{html}{head}{body}{blocks}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_well_formed_page_says_the_same_without_a_tree(html in page()) {
        prop_assert_eq!(streamed(&html), from_tree(&html));
    }
}

#[test]
fn the_pages_at_hand_say_the_same_without_a_tree() {
    assert_same(include_str!("pages/article.html"));
    assert_same(include_str!("pages/product.html"));
}

#[test]
fn what_authors_leave_open_ends_where_the_standard_says() {
    let enough = "These are words enough to fill a main element. ".repeat(4);
    for html in [
        "<p hidden>no<p>yes<div hidden>no<p>no</div>yes",
        "<a href=/1>one <a href=/2>two</a> three",
        "<a href=/1><div>block</div></a> after <h2>A<a href=/2>b</a></h2>",
        "<h1>one<h2>two</h2>three</h1>",
        "<ul><li hidden>a<li>b<ul><li>c</ul><li>d</ul>e",
        "<dl><dt hidden>a<dd>b<dt>c</dl>d",
        "<table><tr><td hidden>a<td>b<tr><td>c</table>d",
        "<td>no cell</td><tr><li>item",
        "text</div></span></p>more</li></table></nonsense>",
        "<span hidden><span>a</span>b</span>c",
        "<b hidden>a</b>b<x-y hidden>c<x-y>d</x-y>e</x-y>f",
        "<svg><foreignObject><a href=/in>in</a><p>x</foreignObject></svg>after",
        "<svg><p>breaks out</svg>after",
        "<math><annotation-xml encoding=text/html><a href=/m>m</a></annotation-xml></math>",
        "<svg><![CDATA[<a href=/no>]]></svg><![CDATA[x]]>y",
        "<select><option>a<option>b<input>after",
        "<button>a<button>b</button>c",
        "<form><div></form>in</div>out<form>x</form>",
        "<form><p>in\n</form><textarea>a</textarea><button>out</button>",
        "<form><ul><li>in<p>in</form>still</ul>out",
        "<!doctype html><p hidden>no<table><tr><td>yes</table>",
        "<p hidden>no<table><tr><td>no</table>no",
        "<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01 Transitional//EN'><p hidden>no<table><tr><td>no</table>",
        "<!-- x --> <!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01 Transitional//EN' 'http://x'><p hidden>no<table><tr><td>yes</table>",
        "<!DOCTYPE html SYSTEM 'about:legacy-compat'><p hidden>no<table><tr><td>yes</table>",
        "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML//EN\"><p hidden>no<table><tr><td>no</table>",
        "<?xml version='1.0'?><!doctype html><p hidden>no<table><tr><td>yes</table>",
        "<!doctype x><p hidden>no<table><tr><td>no</table>",
        "<!doctype html public><p hidden>no<table><tr><td>no</table>",
        "<form hidden><ul><li><form></form></ul></form>out",
        "<template><div></template></div>out<title>late</title>",
        "<title>first</title><p>x<title>second</title>",
        "<a href=x>before</a><base href=/b/><a href=y>after</a><link rel=canonical href=c>",
        "<base target=_top><base href='http://['><base href=/b/><a href=x>x</a>",
        "<link rel=canonical><link rel='x CANONICAL' href=/c><link rel=canonical href=/d>",
        "<body hidden><main>m</main>x",
        "<html hidden>x<a href=/a>a</a>",
        "<body id=root><script src=x></script>short",
        "<body><p>x<body lang=de><html lang=en>",
        "<script id=app></script><p>short",
        "<a href=/a><img alt=''><img alt='say'>word</a><a href=/a>again</a>",
        "<a href=/a></a><a href=/a>later</a><area href=/a alt=Area><area href=/b>",
        "<a href=/x rel=' '>x</a><a>none</a><a href>empty</a>",
        "x<br>y</br>z<hr>w<wbr>v",
        "<xmp><b>x</b></xmp>y<listing>\n a\n  b</listing><plaintext></plaintext> <p>z",
        "<p>a<textarea>b</textarea>c<iframe>d</iframe>e<noscript>f</noscript>g<object>h</object>i",
        "<frameset><frame src=x></frameset><noframes>no</noframes>",
        "<p>x<frameset>y",
        "\u{feff}<p>bom",
        "\u{0}<p>n\u{0}l<svg>\u{0}</svg>",
        "<",
        "",
    ] {
        assert_same(html);
    }
    for html in [
        format!("<header>no</header><main>{enough}</main>no"),
        format!("no<main>{enough}"),
        format!("no<div role=main><p>{enough}</div><p>no"),
        format!("yes<main>{enough}</main><main>two</main>"),
        format!("yes<main><div role=main>{enough}</div></main>"),
        format!("no<div hidden><main>hidden</main></div><main>{enough}"),
        format!("a <span role=main>{enough}</span> b"),
        "yes<main>short</main>yes".to_owned(),
    ] {
        assert_same(&html);
    }
}

#[test]
fn hostile_markup_costs_little_and_overflows_nothing() {
    let attributes = many(1_000_000, |n| format!(" a{n}=1"));
    for (name, html) in [
        ("nested blocks", "<div>".repeat(200_000) + "deep words"),
        ("nested spans", "<span>".repeat(200_000) + "deep words"),
        (
            "nested unknowns",
            "<x>".repeat(500_000) + &"</y>".repeat(500_000),
        ),
        (
            "end tags that search",
            "<span><div>".to_owned() + &"<q>".repeat(60_000) + &"</span>".repeat(300_000),
        ),
        ("a million attributes", format!("<p{attributes}>x")),
        (
            "ten megabytes of text",
            format!("<p>{}", "word ".repeat(2_000_000)),
        ),
        ("an open comment", format!("x<!--{}", "-".repeat(5_000_000))),
        ("open comments", "<!--".repeat(1_000_000)),
        (
            "an open script",
            format!("<script>{}", "<!--<script>".repeat(400_000)),
        ),
        (
            "an open title",
            format!("<title>{}", "</titl".repeat(800_000)),
        ),
        (
            "an open attribute",
            format!("<a href='{}", "x&amp;".repeat(800_000)),
        ),
        ("references", "&amp;&#x41;&nonsense;&".repeat(250_000)),
        ("returns", "\r\n\r".repeat(1_000_000)),
        ("zeros", "\0".repeat(5_000_000)),
        ("links", many(200_000, |n| format!("<a href=/{n}>{n}</a>"))),
        (
            "open links",
            many(200_000, |n| format!("<a href=/{n}><div>{n}")),
        ),
        ("misnested", "<b><p><i></b>".repeat(200_000)),
        ("tables", "<table><tr><td>x".repeat(200_000)),
        ("svg", "<svg><desc>".repeat(200_000)),
        (
            "templates",
            "<template>".repeat(200_000) + &"</template>".repeat(200_000),
        ),
        ("mount points", "<div id=app>".repeat(200_000)),
        ("notices", "<noscript>\r\r\r\rx</noscript>".repeat(100_000)),
        ("forms", "<form><div></form>".repeat(200_000)),
        ("markup of none", "<".repeat(5_000_000)),
        (
            "metas",
            "<meta name=description content=' '>".repeat(100_000),
        ),
    ] {
        let page = streamed(&html);
        assert!(page.text.len() <= 2 * 1024 * 1024, "{name}");
        assert!(page.links.len() <= 10_000, "{name}");
        assert!(
            !name.starts_with("nested b") || page.text == "deep words",
            "{name}"
        );
    }
}

#[test]
fn what_stands_before_the_main_element_takes_none_of_its_room() {
    let menu = "<p>menu".repeat(500_000);
    let page = streamed(&format!("{menu}<main>{}</main>end", "word ".repeat(40)));
    assert_eq!(page.text, "word ".repeat(40).trim());
    let page = streamed(&format!(
        "{menu}<main>{}</main>end",
        "word ".repeat(1_000_000)
    ));
    assert!(page.text.starts_with("word word") && page.text.len() <= 2 * 1024 * 1024);
}

#[test]
fn a_budget_ends_a_page_without_a_tree_as_well() {
    let (url, extraction) = (Url::parse(URL).unwrap(), Extraction::default());
    let html = "<p>words &amp; words".repeat(50_000);
    let looks = std::cell::Cell::new(0_u64);
    let budget = Budget::with_clock(Duration::from_secs(20), || {
        looks.set(looks.get() + 1);
        Duration::from_secs(looks.get())
    });
    let ended = extract_in(&input(&html, &url, &extraction), no_markdown(), &budget);
    assert_eq!(ended.unwrap_err().code, FailureCode::ParseBudget);
    assert_eq!(looks.get(), 20);
}
