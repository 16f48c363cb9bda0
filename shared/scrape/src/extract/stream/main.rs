//! The text of the element that the author marked as the main one, as a part of the body's. Refuses
//! to choose where there are several.

use super::super::content::{MAX_CONTENT, MIN_MAIN};
use super::super::text::TextWriter;

/// The text of an element marked as the main one, within the text of the body.
#[derive(Default)]
pub(super) struct Main {
    /// How many there are.
    count: u32,
    /// The place of the first among the open elements, while it is open.
    at: Option<usize>,
    start: usize,
    end: Option<usize>,
}

impl Main {
    /// A main element starts. `at` is its place among the open ones; the body has none.
    pub(super) fn begin(&mut self, at: Option<usize>, body: &mut TextWriter) {
        self.count += 1;
        if self.count == 1 {
            self.at = at;
            self.start = body.mark();
            // What came before must not take its room.
            body.allow(MAX_CONTENT);
        }
    }

    /// The element at a place ends.
    pub(super) fn end(&mut self, at: usize, body: &TextWriter) {
        if self.at == Some(at) {
            self.at = None;
            self.end = Some(body.mark());
        }
    }

    /// The text of the one main element where there is enough of it, else that of the body.
    pub(super) fn text(&self, body: TextWriter) -> String {
        if self.count == 1 {
            let text = body.between(self.start, self.end);
            let text = &text[..text.floor_char_boundary(MAX_CONTENT)];
            if text.chars().nth(MIN_MAIN - 1).is_some() {
                return text.to_owned();
            }
        }
        let mut text = body.finish();
        let end = text.floor_char_boundary(MAX_CONTENT);
        text.truncate(text[..end].trim_end().len());
        text
    }
}
