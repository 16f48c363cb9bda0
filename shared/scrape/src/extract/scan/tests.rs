//! That pages are cut into the same tags and texts as by the tokenizer of the tree's parser.

use std::cell::RefCell;
use std::time::Duration;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use proptest::prelude::*;

use super::*;
use crate::extract::name::Name;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Start(String, Vec<(String, String)>, bool),
    End(String),
    Text(String),
}

#[derive(Default)]
struct Pieces {
    list: Vec<Piece>,
    is_foreign: bool,
}

impl Pieces {
    fn add_text(&mut self, more: &str) {
        if more.is_empty() {
            return;
        }
        if let Some(Piece::Text(text)) = self.list.last_mut() {
            text.push_str(more);
        } else {
            self.list.push(Piece::Text(more.to_owned()));
        }
    }
}

impl Receiver for Pieces {
    fn start(&mut self, tag: &Tag<'_>) -> Content {
        let mut attributes: Vec<(String, String)> = Vec::new();
        for (name, _) in tag.raw_attributes() {
            let name = name.to_ascii_lowercase();
            if attributes.iter().all(|(other, _)| *other != name) {
                let value = tag.attribute(&name).unwrap().into_owned();
                attributes.push((name, value));
            }
        }
        for (name, _) in &mut attributes {
            *name = name.replace('\0', "\u{fffd}");
        }
        let text = tag.text.replace('\0', "\u{fffd}");
        self.list
            .push(Piece::Start(text, attributes, tag.closes_itself));
        Content::of(tag.name)
    }

    fn end(&mut self, name: &str) {
        self.list.push(Piece::End(name.replace('\0', "\u{fffd}")));
    }

    fn text(&mut self, text: &str) {
        self.add_text(text);
    }

    fn is_foreign(&self) -> bool {
        self.is_foreign
    }
}

struct Reference(RefCell<Pieces>);

impl TokenSink for Reference {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut pieces = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => pieces.add_text(&text),
            Token::NullCharacterToken if pieces.is_foreign => pieces.add_text("\u{fffd}"),
            Token::TagToken(tag) if tag.kind == TagKind::EndTag => {
                pieces.list.push(Piece::End(tag.name.to_string()));
            }
            Token::TagToken(tag) => {
                let attributes = tag.attrs.iter();
                let attributes = attributes
                    .map(|it| (it.name.local.to_string(), it.value.to_string()))
                    .collect();
                let name = tag.name.to_string();
                pieces
                    .list
                    .push(Piece::Start(name, attributes, tag.self_closing));
                return match Content::of(Name::of(&tag.name)) {
                    Content::Markup => TokenSinkResult::Continue,
                    Content::EscapableText => TokenSinkResult::RawData(Rcdata),
                    Content::Text => TokenSinkResult::RawData(Rawtext),
                    Content::Script => TokenSinkResult::RawData(ScriptData),
                    Content::Plain => TokenSinkResult::Plaintext,
                };
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.0.borrow().is_foreign
    }
}

fn expected(text: &str, is_foreign: bool) -> Vec<Piece> {
    let pieces = Pieces {
        is_foreign,
        ..Pieces::default()
    };
    let tokenizer = Tokenizer::new(Reference(RefCell::new(pieces)), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(text));
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().list
}

fn found(text: &str, is_foreign: bool) -> Vec<Piece> {
    let mut pieces = Pieces {
        is_foreign,
        ..Pieces::default()
    };
    let budget = Budget::with_clock(Duration::from_secs(1), || Duration::ZERO);
    scan(text, &mut pieces, &budget).unwrap();
    pieces.list
}

/// What markup is made of, and what looks like it.
fn markup() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<",
        ">",
        "/",
        "=",
        "\"",
        "'",
        "!",
        "--",
        "-",
        "?",
        " ",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "&",
        ";",
        "#",
        "x",
        "a",
        "A",
        "é",
        "日",
        "\u{feff}",
        "amp",
        "lt;",
        "&notit;",
        "&#x41;",
        "&copy=",
        "<!--",
        "-->",
        "--!>",
        "<![CDATA[",
        "]]>",
        "]",
        "<!doctype html>",
        "<p",
        "<p>",
        "</p>",
        "<br/>",
        "<A HREF=",
        "<a href='",
        "<a b=c d>",
        "</",
        "<script>",
        "</script>",
        "</script",
        "<!--<script",
        "<title>",
        "</title>",
        "<textarea>",
        "</textarea >",
        "<style>",
        "</style/",
        "</style>",
        "<xmp>",
        "</xmp>",
        "<noscript>",
        "</noscript>",
        "<iframe>",
        "</iframe>",
        "<plaintext>",
        "words and words",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn any_markup_is_read_as_the_reference_reads_it(text in markup(), is_foreign: bool) {
        prop_assert_eq!(found(&text, is_foreign), expected(&text, is_foreign));
    }

    #[test]
    fn any_text_is_read_as_the_reference_reads_it(text in any::<String>()) {
        prop_assert_eq!(found(&text, false), expected(&text, false));
    }
}

#[test]
fn comments_and_scripts_end_where_the_standard_says() {
    for text in [
        "<!-->a",
        "<!--->a",
        "<!---->a",
        "<!----!>a",
        "<!--a--!-->b",
        "<!--a-->b-->c",
        "<!--",
        "<script><!--</script>a",
        "<script><!--<script></script>a</script>b",
        "<script><!--<script>-->a</script>b",
        "<script><!--><script></script>a",
        "<script><!--<scripty></script>a",
        "<script>a</scripts></SCRIPT\n>b",
        "<script>a</script",
        "<title>&lt;b></titles></title x=1>b",
        "<svg><![CDATA[a<b>]]]>c",
    ] {
        for is_foreign in [false, true] {
            assert_eq!(
                found(text, is_foreign),
                expected(text, is_foreign),
                "{text}"
            );
        }
    }
}

#[test]
fn the_pages_at_hand_are_read_as_the_reference_reads_them() {
    for page in [
        include_str!("../tests/pages/article.html"),
        include_str!("../tests/pages/product.html"),
    ] {
        assert_eq!(found(page, false), expected(page, false));
    }
}
