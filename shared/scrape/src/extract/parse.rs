//! Text to tree, within a budget. The parser is quadratic in nesting depth and can be made to
//! clone elements without end, so the clock and the size of the tree are looked at on the way.
//! Refuses to hand out half a tree.

use std::cell::Cell;

use ego_tree::NodeId;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink};
use jobs::{Failure, FailureCode};
use scraper::{Html, HtmlTreeSink, Node};

use super::budget::Budget;

/// How much text goes to the tokenizer at once; one attribute or comment can span many.
const CHUNK: usize = 4 * 1024;
/// Tokens between two looks at the clock.
const TOKENS_PER_LOOK: u32 = 16;
/// Most memory for a tree, by estimate: some 600,000 nodes.
const MAX_TREE_BYTES: usize = 128 * 1024 * 1024;
const NODE_BYTES: usize = 200;
const ATTRIBUTE_BYTES: usize = 40;

/// Parses a document. Fails with `parse_budget` where it takes too long or grows too large.
pub(super) fn parse(text: &str, budget: &Budget<'_>) -> Result<Html, Failure> {
    let builder = TreeBuilder::new(
        HtmlTreeSink::new(Html::new_document()),
        TreeBuilderOpts::default(),
    );
    let tokenizer = Tokenizer::new(Guard::new(builder, budget), TokenizerOpts::default());
    let whole = StrTendril::from_slice(text);
    let input = BufferQueue::default();
    let mut at = 0;
    while at < text.len() {
        tokenizer.sink.look();
        tokenizer.sink.verdict()?;
        let end = text.floor_char_boundary(at + CHUNK);
        // Shares the buffer of `whole`: pieces of one text node join again without a copy.
        input.push_back(whole.subtendril(at as u32, (end - at) as u32));
        // A pause for a script or an encoding is not for us: go on until the queue is empty.
        while !input.is_empty() {
            let _ = tokenizer.feed(&input);
        }
        at = end;
    }
    tokenizer.end();
    tokenizer.sink.verdict()?;
    Ok(tokenizer.sink.builder.sink.finish())
}

/// Why parsing ended early.
#[derive(Clone, Copy)]
enum Stop {
    Time,
    Size,
}

/// Stands between tokenizer and tree builder and drops every token after the limit is reached,
/// because one chunk of 4 KiB can cost a second, or a gigabyte, on its own.
struct Guard<'a> {
    builder: TreeBuilder<NodeId, HtmlTreeSink>,
    budget: &'a Budget<'a>,
    stop: Cell<Option<Stop>>,
    tokens: Cell<u32>,
    nodes: Cell<usize>,
    bytes: Cell<usize>,
}

impl<'a> Guard<'a> {
    fn new(builder: TreeBuilder<NodeId, HtmlTreeSink>, budget: &'a Budget<'a>) -> Self {
        Self {
            builder,
            budget,
            stop: Cell::new(None),
            tokens: Cell::new(0),
            nodes: Cell::new(0),
            bytes: Cell::new(0),
        }
    }

    fn look(&self) {
        if self.budget.is_spent() {
            self.stop.set(Some(Stop::Time));
        }
    }

    /// Adds up the nodes that the last token made.
    fn weigh(&self) {
        let html = self.builder.sink.0.borrow();
        let values = html.tree.values();
        let all = values.len();
        // From the end: skipping to the fresh ones would step over all the others.
        let fresh = values.rev().take(all - self.nodes.replace(all));
        let bytes: usize = fresh
            .map(|node| match node {
                Node::Element(element) => NODE_BYTES + element.attrs.len() * ATTRIBUTE_BYTES,
                _ => NODE_BYTES,
            })
            .sum();
        self.bytes.set(self.bytes.get() + bytes);
        if self.bytes.get() > MAX_TREE_BYTES {
            self.stop.set(Some(Stop::Size));
        }
    }

    fn verdict(&self) -> Result<(), Failure> {
        match self.stop.get() {
            None => Ok(()),
            Some(Stop::Time) => Err(self.budget.overspent()),
            Some(Stop::Size) => Err(Failure::new(
                FailureCode::ParseBudget,
                format!("The page has too many elements ({})", self.nodes.get()),
            )),
        }
    }
}

impl TokenSink for Guard<'_> {
    type Handle = NodeId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<NodeId> {
        let tokens = self.tokens.get().wrapping_add(1);
        self.tokens.set(tokens);
        if tokens.is_multiple_of(TOKENS_PER_LOOK) {
            self.look();
        }
        if self.stop.get().is_some() {
            return TokenSinkResult::Continue;
        }
        let result = self.builder.process_token(token, line);
        self.weigh();
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn unhurried() -> Budget<'static> {
        Budget::with_clock(Duration::from_secs(1), || Duration::ZERO)
    }

    #[test]
    fn a_page_in_chunks_is_the_page_at_once() {
        let body = "<p title='ä&amp;ö'>日本語 <b>x</b><!-- c --><script>if (a < b) {}</script>\r\n"
            .repeat(500);
        let text = format!("<!doctype html><title>t</title>{body}");
        let parsed = parse(&text, &unhurried()).unwrap();
        assert_eq!(parsed.html(), Html::parse_document(&text).html());
    }

    #[test]
    fn an_empty_page_has_a_root() {
        assert_eq!(
            parse("", &unhurried())
                .unwrap()
                .root_element()
                .value()
                .name(),
            "html"
        );
    }

    #[test]
    fn parsing_ends_within_the_chunk_in_which_the_budget_does() {
        let looks = Cell::new(0);
        let budget = Budget::with_clock(Duration::from_millis(10), || {
            looks.set(looks.get() + 1);
            Duration::from_millis(looks.get())
        });
        let parsed = parse(&"<p>x".repeat(100_000), &budget);
        let failure = parsed.map(|_| ()).unwrap_err();
        assert_eq!(failure.code, FailureCode::ParseBudget);
        // One chunk more, whose tokens are dropped: 2 a paragraph, a look every 16.
        assert!(
            looks.get() < 10 + 2 * CHUNK as u64 / 4 / 16 + 2,
            "{}",
            looks.get()
        );
    }

    #[test]
    fn a_tree_that_multiplies_itself_is_stopped_by_its_size() {
        // Every <p> reopens all the formatting elements before it.
        let names: Vec<_> = (0..3_000).map(|n| format!("<b a{n} c=1>")).collect();
        let mut text = format!("<p>{}", names.concat());
        text.push_str(&"<p>x".repeat(3_000));
        let failure = parse(&text, &unhurried()).map(|_| ()).unwrap_err();
        assert!(failure.message.contains("too many elements"), "{failure}");
    }
}
