//! What realistic pages say.

use jobs::page::Heading;

use super::{many, read, read_as};
use crate::extract::Kind;

const ARTICLE: &str = include_str!("pages/article.html");
const PRODUCT: &str = include_str!("pages/product.html");

#[test]
fn an_article_is_read_without_what_stands_around_it() {
    let page = read(ARTICLE);
    for part in [
        "Why harvestmen gather in autumn\n",
        "By Ada Field",
        "clusters of several hundred. They",
        "\nWarmth, or company?\n",
        "cluster = damp + company\nwarmth != reason",
        "Clusters form in late summer.",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    for part in [
        "Letters",
        "Ten spiders",
        "Imprint",
        "cookies",
        "analytics",
        "color:",
    ] {
        assert!(!page.text.contains(part), "{part}: {}", page.text);
        assert!(!page.markdown.contains(part), "{part}: {}", page.markdown);
    }
}

#[test]
fn markdown_keeps_the_structure_and_has_absolute_links() {
    let markdown = read(ARTICLE).markdown;
    assert!(
        markdown.starts_with("# Why harvestmen gather in autumn\n"),
        "{markdown}"
    );
    for part in [
        "\n\nUnder the eaves of a farmhouse.\n\n",
        "## Warmth, or company?",
        "**several hundred**",
        "[institute in Wageningen](https://example.com/institute/report.html#tables)",
        "> A harvestman alone",
        "- Clusters form in late summer.",
        "```\ncluster = damp + company\nwarmth != reason\n```",
        "![A cluster under the eaves](https://example.com/i/cluster.jpg)",
    ] {
        assert!(markdown.contains(part), "{part}: {markdown}");
    }
}

#[test]
fn every_block_is_a_block_of_the_markdown() {
    let html = "<header>One</header><main>Two</main><dl><dt>Three</dt><dd>Four</dd></dl>\
                <table><caption>Five</caption><tr><th>Six</th></tr><tr><td>7</td></tr></table>\
                <footer>Eight</footer>";
    let page = read(html);
    assert_eq!(page.text, "One\nTwo\nThree\nFour\nFive\nSix\n7\nEight");
    let blocks: Vec<_> = page
        .markdown
        .split("\n\n")
        .map(str::trim)
        .filter(|block| !block.is_empty())
        .collect();
    assert_eq!(
        blocks,
        [
            "One",
            "Two",
            "Three",
            "Four",
            "Five",
            "| Six |\n| --- |\n| 7 |",
            "Eight"
        ]
    );
}

#[test]
fn headings_stand_in_document_order_with_their_levels() {
    let headings = read(ARTICLE).headings;
    let expected = [
        (1, "Why harvestmen gather in autumn"),
        (2, "Warmth, or company?"),
        (3, "Related"),
    ];
    assert_eq!(
        headings,
        expected.map(|(level, text)| Heading {
            level,
            text: text.to_owned()
        })
    );
}

#[test]
fn links_are_absolute_once_each_and_only_those_that_can_be_fetched() {
    let html = "<a href='/a#x' rel='nofollow  noopener'> One\n link </a><a href=/a>again</a>\
                <a href=/b><img alt='A picture' src=b.png></a><a href=/c></a><a href=/c>later</a>\
                <a href=mailto:a@b.c>m</a><a href='javascript:x()'>j</a><a href=tel:1>t</a>\
                <a href=ftp://x/>f</a><a>no target</a><a href='http://['>bad</a>\
                <map><area href=/d alt=Region></map><div hidden><a href=/e>menu</a></div>\
                <svg><a href=/svg>s</a></svg><template><a href=/t>t</a></template>";
    let links: Vec<_> = read(html)
        .links
        .into_iter()
        .map(|link| (link.url, link.text, link.rel))
        .collect();
    let expected = [
        ("a", "One link", Some("nofollow noopener")),
        ("b", "A picture", None),
        ("c", "later", None),
        ("d", "Region", None),
        ("e", "menu", None),
    ];
    assert_eq!(
        links,
        expected.map(|(path, text, rel)| (
            format!("https://example.com/{path}"),
            text.to_owned(),
            rel.map(str::to_owned)
        ))
    );
}

#[test]
fn a_product_page_is_its_main_element() {
    let page = read(PRODUCT);
    assert!(page.text.starts_with("Tischlampe Ada\n"), "{}", page.text);
    assert!(page.text.contains("\nHöhe 32 cm\n"), "{}", page.text);
    assert!(
        page.markdown.contains("| Höhe | 32 cm |"),
        "{}",
        page.markdown
    );
    assert_eq!(
        page.description.as_deref(),
        Some("Eine kleine, warme Lampe.")
    );
    assert_eq!(page.links[0].url, "https://example.com/de/p/rot");
}

#[test]
fn a_list_page_is_its_whole_body() {
    let rows = many(50, |n| {
        format!("<li><a href=/p/{n}>Lamp {n}</a> <b>{n}.99</b></li>")
    });
    let page = read(&format!(
        "<nav>Menu</nav><ul>{rows}</ul><footer>Imprint</footer>"
    ));
    assert!(
        page.text.starts_with("Menu\nLamp 0 0.99\nLamp 1 1.99\n"),
        "{}",
        page.text
    );
    assert!(
        page.text.ends_with("\nLamp 49 49.99\nImprint"),
        "{}",
        page.text
    );
    assert!(
        page.markdown
            .contains("- [Lamp 7](https://example.com/p/7) **7.99**"),
        "{}",
        page.markdown
    );
}

#[test]
fn cards_with_an_article_element_each_are_all_kept() {
    let cards = many(40, |n| {
        format!(
            "<article class=card><h3><a href=/p/{n}>Lamp {n}</a></h3><p class=teaser>A small \
                 lamp for the desk, number {n}.</p><div class=promo>Sale: $ {n}</div></article>"
        )
    });
    let page = read(&format!("<nav>Menu</nav><main>{cards}</main>"));
    for n in 0..40 {
        assert!(
            page.text.contains(&format!("Sale: $ {n}")),
            "{n}: {}",
            page.text
        );
    }
    assert!(!page.text.contains("Menu"), "{}", page.text);
}

#[test]
fn an_article_that_misses_most_of_the_prose_is_not_the_content() {
    let line = "The field was wide, and the harvestmen were many; they walked on and on. ";
    let intro = format!("<p>{}</p>", line.repeat(3)).repeat(3);
    let boards = many(12, |n| {
        format!(
            "<div class=sponsor><span>Board {n}. {}</span></div>",
            line.repeat(3)
        )
    });
    let page = read(&format!(
        "<nav>Menu</nav><main><div class=post>{intro}</div>{boards}</main>"
    ));
    assert!(page.text.contains("Board 11."), "{}", page.text);
    assert!(!page.text.contains("Menu"), "{}", page.text);
}

#[test]
fn a_japanese_article_is_found_by_its_sentences() {
    let sentence = "収穫の季節になると、ザトウムシは軒下に集まり、何百匹もの群れを作ります。\
                    暖かさのためではなく、湿った空気を保つためだと研究者は考えています。";
    let html = format!(
        "<html lang=ja><title>ザトウムシの秋</title><div class=nav><a href=/a>ホーム</a></div>\
         <div id=content><h1>ザトウムシの秋</h1>{}</div><div class=footer>著作権</div>",
        format!("<p>{sentence}</p>").repeat(6)
    );
    let page = read(&html);
    assert_eq!(page.language.as_deref(), Some("ja"));
    assert_eq!(page.title.as_deref(), Some("ザトウムシの秋"));
    assert!(
        page.text.contains(&format!("{sentence}\n{sentence}")),
        "{}",
        page.text
    );
    assert!(!page.text.contains("ホーム"), "{}", page.text);
}

#[test]
fn a_page_without_a_body_or_words_is_an_empty_page() {
    for html in [
        "",
        " ",
        "<html>",
        "<frameset><frame></frameset>",
        "<!-- x -->",
    ] {
        let page = read(html);
        assert_eq!(
            (page.text.as_str(), page.markdown.as_str()),
            ("", ""),
            "{html}"
        );
    }
}

#[test]
fn titles_and_descriptions_have_their_order_of_precedence() {
    let title = |html: &str| read(html).title;
    let og = "<meta property=og:title content=Graph>";
    assert_eq!(
        title(&format!("{og}<title> A\n b</title>")).as_deref(),
        Some("A b")
    );
    assert_eq!(
        title(&format!("<title> </title>{og}")).as_deref(),
        Some("Graph")
    );
    assert_eq!(title("<svg><title>Icon</title></svg>"), None);
    assert_eq!(
        title("<title>One</title><title>Two</title>").as_deref(),
        Some("One")
    );
    let both =
        "<meta property=og:description content=Graph><meta name=Description content='A &amp; b'>";
    assert_eq!(read(both).description.as_deref(), Some("A & b"));
}

#[test]
fn the_language_is_what_the_page_says_before_the_header() {
    for (html, expected) in [
        ("<html lang=' pt_BR '>", Some("pt-BR")),
        ("<html xml:lang=fr>", Some("fr")),
        (
            "<meta http-equiv=Content-Language content='nl, de'>",
            Some("nl"),
        ),
        ("<html lang='{{lang}}'>", None),
    ] {
        assert_eq!(read(html).language.as_deref(), expected, "{html}");
    }
}

#[test]
fn equal_content_has_an_equal_hash() {
    let one = read("<title>a</title><p>Same words.");
    let two = read("<title>b</title><div>Same   words.</div>");
    let other = read("<p>Other words.");
    assert_eq!(one.content_hash.len(), 64);
    assert_eq!(one.content_hash, two.content_hash);
    assert_ne!(one.content_hash, other.content_hash);
}

#[test]
fn a_feed_is_read_as_the_text_of_its_entries() {
    let xml = "<?xml version='1.0'?><rss><channel><title>Feed</title>\
               <item><title>First</title><description>About one.</description></item>\
               <item><title>Second</title></item></channel></rss>";
    let config =
        serde_json::json!({"fields": {"titles": {"selector": "item > title", "multiple": true}}});
    let page = read_as(Kind::Xml, xml, &config).unwrap();
    assert_eq!(page.title.as_deref(), Some("Feed"));
    assert!(
        page.text.contains("First\nAbout one.\nSecond"),
        "{}",
        page.text
    );
    assert_eq!(
        page.fields["titles"],
        serde_json::json!(["First", "Second"])
    );
}
