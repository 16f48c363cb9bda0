//! What holds for every text, however malformed.

use proptest::prelude::*;
use serde_json::json;

use super::read_as;
use crate::extract::{Extracted, Kind};

/// Tags that change how the parser reads what follows, in any order, closed or not.
fn soup() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "a",
        "b",
        "p",
        "div",
        "table",
        "tr",
        "td",
        "svg",
        "math",
        "title",
        "select",
        "option",
        "template",
        "script",
        "style",
        "textarea",
        "pre",
        "h1",
        "li",
        "ul",
        "form",
        "frameset",
        "body",
        "html",
        "main",
        "noscript",
        "base",
        "button",
        "img",
        "br",
        "caption",
        "plaintext",
    ]);
    let text = prop::sample::select(vec![
        "words ",
        "\u{0}",
        "\u{1b}[1m",
        "&amp;",
        "&#0;",
        "<!--",
        "-->",
        "<![CDATA[",
        "\u{202e}",
        "日本",
        "\u{85}",
        "\t\n",
        " a long line of prose that has enough words in it to count as such. ",
    ]);
    let attribute = prop::sample::select(vec![
        "",
        " href=/x",
        " href='javascript:y'",
        " id=root",
        " hidden",
        " class='nav sidebar'",
        " role=main",
        " id=readability-page-1",
        " style='display:none'",
    ]);
    let piece = prop_oneof![
        (names.clone(), attribute).prop_map(|(name, attribute)| format!("<{name}{attribute}>")),
        names.prop_map(|name| format!("</{name}>")),
        text.prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

fn read(kind: Kind, text: &str) -> Extracted {
    let config = json!({"fields": {
        "a": {"selector": ["p > b:not(.x)", "td ~ td", "*"], "multiple": true, "dataType": "number"},
        "b": {"type": "regex", "pattern": "(\\w+) \\w+", "source": "html", "multiple": true},
        "c": {"selector": ":has(a)", "source": "html"},
        "d": {"type": "jsonld", "selector": "a[0].b"},
    }});
    read_as(kind, text, &config).unwrap()
}

fn is_clean(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
}

fn holds(page: &Extracted) -> bool {
    is_clean(&page.text)
        && is_clean(&page.markdown)
        && page.headings.iter().all(|heading| is_clean(&heading.text))
        && page
            .links
            .iter()
            .all(|link| is_clean(&link.text) && link.url.starts_with("http"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_tag_soup_panics_and_texts_are_clean(text in soup()) {
        prop_assert!(holds(&read(Kind::Html, &text)));
    }

    #[test]
    fn no_text_panics_and_texts_are_clean(text in any::<String>()) {
        for kind in [Kind::Html, Kind::Xml, Kind::Json, Kind::Text] {
            prop_assert!(holds(&read(kind, &text)));
        }
    }
}
