//! The elements that are open while a page is read without a tree, and which of them a tag ends:
//! the rules of the HTML standard (section 13.2.6) as far as they decide what text, links and
//! headings belong to. Refuses to rebuild what misnested formatting would become, to move what
//! stands loose in a table, and to search or grow without bounds.

use super::super::name::Name;

/// Most open elements. Deeper ones are read as if they stood in their parents.
const MAX_OPEN: usize = 64 * 1024;
/// How far an end tag looks for its start tag.
const MAX_SEARCH: usize = 512;

/// What an open element does to its content.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effect {
    /// It is not shown.
    pub(super) hides: bool,
    /// It is no text at all.
    pub(super) mutes: bool,
    /// It is a template: what is in it is no part of the page.
    pub(super) is_template: bool,
    /// It is of SVG or `MathML`.
    pub(super) is_foreign: bool,
    /// It is of SVG or `MathML`, and what is in it is HTML again.
    pub(super) holds_html: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) name: Name,
    /// Tells elements apart whose names are not known.
    key: u32,
    /// Its end tag has come, but elements in it are still open.
    pub(super) is_over: bool,
    pub(super) effect: Effect,
}

impl Open {
    fn is(&self, name: Name, key: u32) -> bool {
        self.name == name && self.key == key && !self.is_over && !self.effect.is_foreign
    }

    fn bounds_scope(&self) -> bool {
        if self.effect.is_foreign {
            self.effect.holds_html
        } else {
            self.name.bounds_scope()
        }
    }
}

pub(super) struct Stack {
    open: Vec<Open>,
    /// How many elements of each name are open.
    counts: [u32; Name::COUNT],
    /// Elements that were too deep to be kept.
    deeper: usize,
}

impl Stack {
    pub(super) fn new() -> Self {
        Self {
            open: Vec::with_capacity(64),
            counts: [0; Name::COUNT],
            deeper: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn top(&self) -> Option<&Open> {
        self.open.last()
    }

    pub(super) fn has(&self, name: Name) -> bool {
        self.counts[name as usize] > 0
    }

    /// Whether the next element can be kept. If not, its end tag will be read over.
    pub(super) fn make_room(&mut self) -> bool {
        let has_room = self.open.len() < MAX_OPEN;
        self.deeper += usize::from(!has_room);
        has_room
    }

    /// Whether an end tag belongs to an element that was not kept.
    pub(super) fn passes(&mut self) -> bool {
        let is_deeper = self.deeper > 0;
        self.deeper -= usize::from(is_deeper);
        is_deeper
    }

    pub(super) fn push(&mut self, name: Name, key: u32, effect: Effect) {
        self.counts[name as usize] += 1;
        self.open.push(Open {
            name,
            key,
            is_over: false,
            effect,
        });
    }

    /// Takes the innermost element off, with its place.
    pub(super) fn pop(&mut self) -> Option<(usize, Open)> {
        let open = self.open.pop()?;
        if !open.is_over {
            self.counts[open.name as usize] -= 1;
        }
        Some((self.open.len(), open))
    }

    /// No further end tag is that of the element at this place.
    pub(super) fn settle(&mut self, at: usize) {
        if let Some(open) = self.open.get_mut(at).filter(|open| !open.is_over) {
            open.is_over = true;
            self.counts[open.name as usize] -= 1;
        }
    }

    /// The element at this place is over, while those in it are not: what it did to them.
    pub(super) fn end_early(&mut self, at: usize) -> Effect {
        self.settle(at);
        self.open
            .get_mut(at)
            .map(|open| std::mem::take(&mut open.effect))
            .unwrap_or_default()
    }

    /// The innermost element that `wanted` is true for, before any that `bound` is true for.
    fn search(
        &self,
        wanted: impl Fn(&Open) -> bool,
        bound: impl Fn(&Open) -> bool,
    ) -> Option<usize> {
        let from = self.open.len().saturating_sub(MAX_SEARCH);
        for (at, open) in self.open.iter().enumerate().skip(from).rev() {
            if wanted(open) {
                return Some(at);
            }
            if bound(open) {
                return None;
            }
        }
        None
    }

    /// "Has an element in scope".
    pub(super) fn in_scope(&self, name: Name) -> Option<usize> {
        self.in_scope_but(name, |_| false)
    }

    pub(super) fn in_button_scope(&self, name: Name) -> Option<usize> {
        self.in_scope_but(name, |name| name == Name::Button)
    }

    pub(super) fn in_list_scope(&self, name: Name) -> Option<usize> {
        self.in_scope_but(name, |name| matches!(name, Name::Ol | Name::Ul))
    }

    fn in_scope_but(&self, name: Name, further: impl Fn(Name) -> bool) -> Option<usize> {
        if !self.has(name) {
            return None;
        }
        let bound = |open: &Open| open.bounds_scope() || further(open.name);
        self.search(|open| open.is(name, 0), bound)
    }

    pub(super) fn heading_in_scope(&self) -> Option<usize> {
        let is_heading = |open: &Open| open.name.heading_level().is_some() && open.is(open.name, 0);
        self.search(is_heading, Open::bounds_scope)
    }

    /// An element of the innermost table.
    pub(super) fn in_table(&self, wanted: &[Name]) -> Option<usize> {
        if !wanted.iter().any(|name| self.has(*name)) {
            return None;
        }
        let bound = |open: &Open| {
            matches!(open.name, Name::Table | Name::Template) && !open.effect.is_foreign
        };
        self.search(
            |open| wanted.contains(&open.name) && open.is(open.name, 0),
            bound,
        )
    }

    /// The list item that the next one ends; see "li" and "dd, dt" in the standard.
    pub(super) fn item(&self, wanted: &[Name]) -> Option<usize> {
        if !wanted.iter().any(|name| self.has(*name)) {
            return None;
        }
        let bound = |open: &Open| {
            open.name.is_special() && !matches!(open.name, Name::Address | Name::Div | Name::P)
        };
        self.search(
            |open| wanted.contains(&open.name) && open.is(open.name, 0),
            bound,
        )
    }

    /// A template in which we are, however deep.
    pub(super) fn template(&self) -> Option<usize> {
        self.search(|open| open.effect.is_template, |_| false)
    }

    /// What an end tag of running text ends.
    pub(super) fn running(&self, name: Name, key: u32) -> Option<usize> {
        if !self.has(name) {
            return None;
        }
        self.search(|open| open.is(name, key), |open| open.name.is_special())
    }

    /// A link that another link ends.
    pub(super) fn link(&self) -> Option<usize> {
        if !self.has(Name::A) {
            return None;
        }
        let bound = |open: &Open| {
            matches!(
                open.name,
                Name::Applet
                    | Name::Caption
                    | Name::Marquee
                    | Name::Object
                    | Name::Td
                    | Name::Template
                    | Name::Th
            )
        };
        self.search(|open| open.is(Name::A, 0), bound)
    }

    /// Whether a block is open within the element at this place.
    pub(super) fn has_block_within(&self, at: usize) -> bool {
        let from = (at + 1).max(self.open.len().saturating_sub(MAX_SEARCH));
        self.open[from..].iter().any(|open| open.name.is_special())
    }

    /// The foreign element that an end tag ends, without leaving the foreign ones.
    pub(super) fn foreign(&self, name: Name, key: u32) -> Option<usize> {
        let wanted = |open: &Open| open.effect.is_foreign && open.name == name && open.key == key;
        self.search(wanted, |open| !open.effect.is_foreign)
    }

    /// How many elements stay open after "generate implied end tags".
    pub(super) fn left_by_implied_ends(&self) -> usize {
        let ends = |open: &Open| open.name.has_implied_end() && !open.effect.is_foreign;
        let stays = |open: &Open| !ends(open);
        self.open.iter().rposition(stays).map_or(0, |at| at + 1)
    }

    /// How many elements stay open where a tag of HTML breaks out of foreign ones.
    pub(super) fn left_by_breaking_out(&self) -> usize {
        let stays = |open: &Open| !open.effect.is_foreign || open.effect.holds_html;
        self.open.iter().rposition(stays).map_or(0, |at| at + 1)
    }
}

/// A number for a name that is not known; 0 for one that is.
pub(super) fn key(name: Name, text: &str) -> u32 {
    if name != Name::Other {
        return 0;
    }
    // FNV-1a: two names with one number would end each other, and that is all.
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
