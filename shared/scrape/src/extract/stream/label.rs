//! Headings, links and mount points that are open, with their texts. Refuses more of them at once
//! than readers could follow.

use super::super::text::TextWriter;
use super::super::walk::Role;

/// Headings and links that may be open at once.
const MAX_OPEN: usize = 8;
/// Longest text of a heading or a link, in bytes.
pub(super) const MAX_LABEL: usize = 1_000;

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Heading(u8),
    /// The index of the link.
    Link(usize),
    /// The length of the text shown before it.
    Mount(usize),
}

pub(super) struct Label {
    /// The place of its element among the open ones.
    at: usize,
    pub(super) kind: Kind,
    pub(super) text: TextWriter,
}

#[derive(Default)]
pub(super) struct Labels(Vec<Label>);

impl Labels {
    pub(super) fn begin(&mut self, at: usize, kind: Kind) {
        if self.0.len() < MAX_OPEN {
            let text = TextWriter::single_line(MAX_LABEL);
            self.0.push(Label { at, kind, text });
        }
    }

    /// Takes off a label of the element at this place, the last first.
    pub(super) fn end(&mut self, at: usize) -> Option<Label> {
        let found = self.0.iter().rposition(|label| label.at == at)?;
        Some(self.0.remove(found))
    }

    pub(super) fn push(&mut self, text: &str) {
        for label in &mut self.0 {
            label.text.push(text);
        }
    }

    pub(super) fn open(&mut self, role: Role) {
        for label in &mut self.0 {
            label.text.open(role);
        }
    }

    pub(super) fn close(&mut self, role: Role) {
        for label in &mut self.0 {
            label.text.close(role);
        }
    }

    /// A picture in a link that has no words yet says what the link is.
    pub(super) fn picture(&mut self, alt: &str) {
        for label in &mut self.0 {
            if matches!(label.kind, Kind::Link(_)) && label.text.is_empty() {
                label.text.push(alt);
                label.text.space();
            }
        }
    }
}
