//! Text from elements: white space collapsed, a line for each block, no control characters.
//! Refuses to grow beyond its limit.

use ego_tree::NodeRef;
use scraper::{ElementRef, Node};

use super::run::run_length;
use super::walk::{Role, Step, is_hidden, role, walk};

/// What separates the next word from the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Line,
}

/// Collects text piece by piece.
pub(super) struct TextWriter {
    out: String,
    /// Bytes.
    limit: usize,
    gap: Gap,
    single_line: bool,
    preformatted: u32,
}

impl TextWriter {
    /// A text of lines, of at most `limit` bytes.
    pub(super) fn lines(limit: usize) -> Self {
        Self {
            out: String::new(),
            limit,
            gap: Gap::None,
            single_line: false,
            preformatted: 0,
        }
    }

    /// A text without line breaks.
    pub(super) fn single_line(limit: usize) -> Self {
        Self {
            single_line: true,
            ..Self::lines(limit)
        }
    }

    pub(super) fn is_full(&self) -> bool {
        // Room for a separator and the longest character.
        self.out.len() + 5 > self.limit
    }

    pub(super) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    pub(super) fn push(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() && !self.is_full() {
            let length = run_length(rest.as_bytes(), self.preformatted == 0);
            if length > 0 {
                self.flush();
                // Characters that start where there is room still. For the first there was, before
                // the separator took it.
                let room = self.limit.saturating_sub(self.out.len() + 4).max(1);
                let mut end = rest.ceil_char_boundary(length.min(room));
                if end < length && rest[..end].ends_with(' ') {
                    // A space takes the room of the character that it stands before.
                    end = rest.ceil_char_boundary(end + 1);
                }
                self.out.push_str(&rest[..end]);
                rest = &rest[end..];
            } else if let Some(character) = rest.chars().next() {
                if character.is_whitespace() {
                    self.white(character);
                } else if !character.is_control() {
                    self.flush();
                    self.out.push(character);
                }
                rest = &rest[character.len_utf8()..];
            }
        }
    }

    /// How far the text goes, white space at its end not counted: where a part begins or ends.
    pub(super) fn mark(&self) -> usize {
        self.out.trim_end().len()
    }

    /// What was written between two marks.
    pub(super) fn between(&self, start: usize, end: Option<usize>) -> &str {
        let end = end.unwrap_or(self.out.len()).min(self.out.len());
        self.out.get(start..end).unwrap_or_default().trim()
    }

    /// Makes room for so many bytes from here on.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.limit = self.out.len() + bytes;
    }

    fn white(&mut self, character: char) {
        if self.preformatted == 0 {
            self.gap = self.gap.max(Gap::Space);
        } else if character == '\n' {
            self.line();
        } else {
            // Indentation counts, but only before or between words: `flush` drops the rest.
            self.flush();
            self.out.push(if character == '\t' { '\t' } else { ' ' });
        }
    }

    /// The next word starts a new line.
    pub(super) fn line(&mut self) {
        self.gap = if self.single_line {
            Gap::Space
        } else {
            Gap::Line
        };
    }

    /// The next word is another word.
    pub(super) fn space(&mut self) {
        self.gap = self.gap.max(Gap::Space);
    }

    pub(super) fn open(&mut self, role: Role) {
        match role {
            Role::Block | Role::Break => self.line(),
            Role::Preformatted => {
                self.line();
                self.preformatted += u32::from(!self.single_line);
            }
            Role::Cell => self.space(),
            Role::Inline | Role::Hidden => {}
        }
    }

    pub(super) fn close(&mut self, role: Role) {
        match role {
            Role::Block => self.line(),
            Role::Preformatted => {
                self.line();
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            Role::Cell => self.space(),
            Role::Break | Role::Inline | Role::Hidden => {}
        }
    }

    fn flush(&mut self) {
        let separator = match std::mem::replace(&mut self.gap, Gap::None) {
            Gap::None => return,
            Gap::Space => ' ',
            Gap::Line => '\n',
        };
        self.out.truncate(self.out.trim_end().len());
        if !self.out.is_empty() {
            self.out.push(separator);
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        let start = self.out.len() - self.out.trim_start().len();
        self.out.drain(..start);
        self.out
    }
}

/// The text of a subtree, block by block.
pub(super) fn text_of(root: NodeRef<'_, Node>, limit: usize) -> String {
    text_without(root, limit, is_hidden)
}

/// The same of an element that counts as shown, whatever it says of itself.
pub(super) fn text_of_shown(root: NodeRef<'_, Node>, limit: usize) -> String {
    text_without(root, limit, |node| {
        is_hidden(node) && node.id() != root.id()
    })
}

fn text_without<'a>(
    root: NodeRef<'a, Node>,
    limit: usize,
    skip: impl Fn(NodeRef<'a, Node>) -> bool,
) -> String {
    let mut writer = TextWriter::lines(limit);
    for step in walk(root, skip) {
        match step {
            Step::Open(node) => match node.value() {
                Node::Text(text) => writer.push(text),
                Node::Element(element) => writer.open(role(element.name())),
                _ => {}
            },
            Step::Close(node) => {
                if let Node::Element(element) = node.value() {
                    writer.close(role(element.name()));
                }
            }
        }
        if writer.is_full() {
            break;
        }
    }
    writer.finish()
}

/// The text of an element that someone asked for by name: of a script its source, of a hidden
/// element what it would show.
pub(super) fn text_of_selected(element: ElementRef<'_>, limit: usize) -> String {
    if role(element.value().name()) != Role::Hidden && element.attr("hidden").is_none() {
        return text_of(*element, limit);
    }
    let mut writer = TextWriter::lines(limit);
    for text in element.text() {
        writer.push(text);
        if writer.is_full() {
            break;
        }
    }
    writer.finish()
}

/// One line of clean text.
pub(super) fn tidy(text: &str, limit: usize) -> String {
    let mut writer = TextWriter::single_line(limit);
    writer.push(text);
    writer.finish()
}

/// Plain text as sent, less control characters and trailing spaces.
pub(super) fn tidy_lines(text: &str, limit: usize) -> String {
    let text = &text[..text.floor_char_boundary(limit)];
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        out.extend(
            line.trim_end()
                .chars()
                .filter(|c| !c.is_control() || *c == '\t'),
        );
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scraper::Html;

    use super::*;

    fn text(html: &str) -> String {
        text_of(*Html::parse_document(html).root_element(), 10_000)
    }

    #[test]
    fn blocks_are_lines_and_white_space_is_one_space() {
        let html = "<h1> A\n  title </h1><p>One <b>bold</b>\u{a0}\t word.<p>Two<br>lines";
        assert_eq!(text(html), "A title\nOne bold word.\nTwo\nlines");
    }

    #[test]
    fn cells_are_words_of_a_row() {
        let html = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>";
        assert_eq!(text(html), "a b\nc d");
    }

    #[test]
    fn scripts_styles_templates_and_hidden_elements_are_not_text() {
        let html = "<title>no</title><p>yes<script>no</script><style>no</style></p>\
                    <template><p>no</p></template><noscript>no</noscript><p hidden>no</p>\
                    <svg><title>no</title></svg><!-- no -->";
        assert_eq!(text(html), "yes");
    }

    #[test]
    fn preformatted_lines_keep_their_indentation() {
        assert_eq!(
            text("<p>x<pre>fn a() {  \n    b\n}\n</pre>y"),
            "x\nfn a() {\n    b\n}\ny"
        );
    }

    #[test]
    fn control_characters_are_dropped() {
        assert_eq!(text("<p>a\u{1}b\u{7f}c\u{85}d"), "abc d");
        assert_eq!(tidy_lines("a\u{0}b \r\n\tc\u{1b}\n\n", 100), "ab\n\tc");
    }

    /// One character after the other.
    fn pushed_slowly(text: &str, limit: usize, is_preformatted: bool) -> String {
        let mut writer = TextWriter::lines(limit);
        writer.preformatted = u32::from(is_preformatted);
        for character in text
            .chars()
            .filter(|c| !c.is_control() || c.is_whitespace())
        {
            if writer.is_full() {
                break;
            }
            if character.is_whitespace() {
                writer.white(character);
            } else {
                writer.flush();
                writer.out.push(character);
            }
        }
        writer.finish()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn words_taken_at_once_are_the_words_taken_one_by_one(
            parts in prop::collection::vec("[a-z ]{0,20}|[ \\t\\n\\r\\x00-\\x1f\\x7f]{0,3}|[\\u{80}-\\u{a1}\\u{2000}-\\u{200b}\u{3000}\u{1680}é日😀x ]{0,6}", 0..6),
            limit in 5..120_usize,
            is_preformatted: bool,
        ) {
            let mut writer = TextWriter::lines(limit);
            writer.preformatted = u32::from(is_preformatted);
            for part in &parts {
                writer.push(part);
            }
            prop_assert_eq!(writer.finish(), pushed_slowly(&parts.concat(), limit, is_preformatted));
        }
    }

    #[test]
    fn a_text_ends_at_its_limit() {
        let html = "<p>word".repeat(10_000);
        assert!(text_of(*Html::parse_document(&html).root_element(), 100).len() <= 100);
    }

    #[test]
    fn the_source_of_a_script_is_there_for_who_selects_it() {
        let html = Html::parse_document("<script>let a = 1;</script>");
        let selector = scraper::Selector::parse("script").unwrap();
        let script = html.select(&selector).next().unwrap();
        assert_eq!(text_of_selected(script, 100), "let a = 1;");
    }
}
