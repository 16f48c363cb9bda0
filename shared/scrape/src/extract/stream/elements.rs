//! Which elements a tag opens and ends. Refuses what a page may not open where it stands: cells
//! without a table, a form in a form.

use super::super::name::Name;
use super::super::scan::{Content, Receiver, Tag};
use super::super::shell;
use super::super::walk::Role;
use super::reader::{Marks, Reader};
use super::stack::{Effect, key};

impl Marks {
    fn of(tag: &Tag<'_>) -> Self {
        let mut marks = Self {
            is_main: tag.name == Name::Main,
            is_mount: tag.name == Name::AppRoot,
            ..Self::default()
        };
        for (name, _) in tag.raw_attributes() {
            match name.len() {
                2 if name.eq_ignore_ascii_case("id") => {
                    marks.is_mount |= shell::is_mount("", tag.attribute("id").as_deref());
                }
                4 if name.eq_ignore_ascii_case("role") => {
                    marks.is_main |= tag.attribute("role").as_deref() == Some("main");
                }
                6 => marks.is_hidden |= name.eq_ignore_ascii_case("hidden"),
                _ => {}
            }
        }
        marks
    }
}

impl Receiver for Reader {
    fn start(&mut self, tag: &Tag<'_>) -> Content {
        if tag.name == Name::Base {
            self.base(tag);
        }
        let marks = Marks::of(tag);
        if self.is_read_as_foreign(tag) {
            self.open_foreign(tag, marks);
            return Content::Markup;
        }
        let content = Content::of(tag.name);
        if tag.name == Name::Frameset && !self.in_head {
            return content;
        }
        if !self.is_in_template() {
            self.in_head &= tag.name.is_of_head();
        }
        if content != Content::Markup {
            if tag.name.closes_paragraph() {
                self.end_paragraph();
            }
            self.start_raw(tag, marks);
            return content;
        }
        self.open_html(tag, marks);
        Content::Markup
    }

    fn end(&mut self, text: &str) {
        if self.raw.is_some() {
            return self.end_raw();
        }
        if self.stack.passes() {
            return;
        }
        let name = Name::of(text);
        if self.in_head && !self.is_in_template() {
            // The body begins with these, and with no other end tag.
            self.in_head = !matches!(name, Name::Body | Name::Html | Name::Br);
        }
        let key = key(name, text);
        if self.is_foreign() {
            if matches!(name, Name::P | Name::Br) {
                self.close_down_to(self.stack.left_by_breaking_out());
            } else if let Some(at) = self.stack.foreign(name, key) {
                return self.close_down_to(at);
            }
        }
        self.end_html(name, key);
    }

    fn text(&mut self, text: &str) {
        if self.raw.is_some() {
            return self.raw_text(text);
        }
        if self.in_head && !self.is_in_template() {
            if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
                return;
            }
            self.in_head = false;
        }
        let is_shown = !self.is_hiding();
        self.show(text, is_shown);
    }

    fn is_foreign(&self) -> bool {
        self.stack.top().is_some_and(|open| open.effect.is_foreign)
    }
}

impl Reader {
    /// Whether a start tag is one of SVG or `MathML`; ends those where it is not.
    fn is_read_as_foreign(&mut self, tag: &Tag<'_>) -> bool {
        let Some(top) = self.stack.top().filter(|open| open.effect.is_foreign) else {
            return false;
        };
        let is_embedded = tag.name == Name::Svg && top.name == Name::AnnotationXml;
        let is_glyph = matches!(tag.text, "mglyph" | "malignmark")
            && !matches!(top.name, Name::ForeignObject | Name::Desc | Name::Title);
        if is_embedded || (top.effect.holds_html && !is_glyph) {
            return false;
        }
        let is_styled = tag.name == Name::Font
            && tag.raw_attributes().any(|(name, _)| {
                ["color", "face", "size"]
                    .iter()
                    .any(|styled| name.eq_ignore_ascii_case(styled))
            });
        if tag.name.breaks_out() || is_styled {
            self.close_down_to(self.stack.left_by_breaking_out());
            return false;
        }
        true
    }

    fn open_foreign(&mut self, tag: &Tag<'_>, marks: Marks) {
        // The standard has one more, `annotation-xml` of HTML. No tree of ours has it.
        let holds_html = matches!(
            tag.name,
            Name::Mi | Name::Mn | Name::Mo | Name::Ms | Name::Mtext
        ) || matches!(tag.name, Name::ForeignObject | Name::Desc | Name::Title);
        let effect = Effect {
            is_foreign: true,
            holds_html,
            ..Effect::default()
        };
        self.open(
            tag,
            Marks {
                is_main: false,
                is_mount: false,
                ..marks
            },
            effect,
        );
    }

    fn open_html(&mut self, tag: &Tag<'_>, marks: Marks) {
        match tag.name {
            Name::Html | Name::Body => {
                if !self.is_in_template() {
                    self.page(tag, marks);
                }
                return;
            }
            Name::Head | Name::Frame => return,
            Name::Form if self.stack.has(Name::Form) && !self.is_in_template() => return,
            Name::Select if self.stack.has(Name::Select) => return self.end_html(Name::Select, 0),
            Name::Caption
            | Name::Col
            | Name::Colgroup
            | Name::Tbody
            | Name::Td
            | Name::Tfoot
            | Name::Th
            | Name::Thead
            | Name::Tr => {
                if !self.make_way_in_table(tag.name) {
                    return;
                }
            }
            Name::Table if !self.has_quirks => self.end_paragraph(),
            name => self.make_way(name),
        }
        let is_foreign = matches!(tag.name, Name::Svg | Name::Math);
        let effect = Effect {
            is_foreign,
            ..Effect::default()
        };
        self.open(tag, marks, effect);
    }

    /// Ends what cannot hold such an element.
    fn make_way(&mut self, name: Name) {
        if name.closes_paragraph() {
            if name.heading_level().is_some() {
                self.end_paragraph();
                let is_heading = |open: &super::stack::Open| open.name.heading_level().is_some();
                if self.stack.top().is_some_and(is_heading) {
                    self.close_down_to(self.stack.len() - 1);
                }
                return;
            }
            let items: &[Name] = match name {
                Name::Li => &[Name::Li],
                Name::Dd | Name::Dt => &[Name::Dd, Name::Dt],
                _ => &[],
            };
            if let Some(at) = self.stack.item(items) {
                self.close_down_to(at);
            }
            self.end_paragraph();
            return;
        }
        let ended = match name {
            Name::A => return self.end_link(),
            Name::Button => self.stack.in_scope(Name::Button),
            Name::Input => self.stack.in_scope(Name::Select),
            Name::Option | Name::Optgroup => {
                let is_option = self
                    .stack
                    .top()
                    .is_some_and(|open| open.name == Name::Option);
                is_option.then(|| self.stack.len() - 1)
            }
            _ => None,
        };
        if let Some(at) = ended {
            self.close_down_to(at);
        }
    }

    /// Ends the parts of a table that cannot hold such a part; `false` where there is no table.
    fn make_way_in_table(&mut self, name: Name) -> bool {
        if self.is_in_template() {
            return true;
        }
        let holders: &[Name] = match name {
            Name::Td | Name::Th => &[Name::Tr, Name::Tbody, Name::Thead, Name::Tfoot, Name::Table],
            Name::Tr => &[Name::Tbody, Name::Thead, Name::Tfoot, Name::Table],
            _ => &[Name::Table],
        };
        let Some(holder) = self.stack.in_table(holders) else {
            return false;
        };
        self.close_down_to(holder + 1);
        true
    }

    fn end_paragraph(&mut self) {
        if let Some(at) = self.stack.in_button_scope(Name::P) {
            self.close_down_to(at);
        }
    }

    fn end_link(&mut self) {
        if let Some(at) = self.stack.link() {
            self.end_formatting(at);
        }
    }

    fn end_formatting(&mut self, at: usize) {
        if !self.stack.has_block_within(at) {
            return self.close_down_to(at);
        }
        let effect = self.stack.end_early(at);
        self.count(effect, false);
        self.ended(at);
    }

    /// Opens an element, and ends it where it has no content.
    fn open(&mut self, tag: &Tag<'_>, marks: Marks, effect: Effect) {
        let role = tag.name.role();
        let mutes = role == Role::Hidden;
        let hides = mutes || marks.is_hidden;
        let is_shown = !hides && !self.is_hiding();
        let is_void = if effect.is_foreign {
            tag.closes_itself
        } else {
            tag.name.is_void()
        };
        let at = self.stack.len();
        let is_kept = is_void || self.stack.make_room();
        if !self.is_in_template() {
            self.separate(role, is_shown);
            if !effect.is_foreign {
                self.element(tag, marks, at);
            }
        }
        if is_void || !is_kept {
            self.part(role, is_shown);
            self.ended(at);
        } else {
            let effect = Effect {
                hides,
                mutes,
                is_template: tag.name == Name::Template && !effect.is_foreign,
                ..effect
            };
            self.stack.push(tag.name, key(tag.name, tag.text), effect);
            self.count(effect, true);
        }
    }

    fn end_html(&mut self, name: Name, key: u32) {
        let found = match name {
            Name::Br => return self.separate(Role::Break, !self.is_hiding()),
            Name::P => {
                let found = self.stack.in_button_scope(Name::P);
                if found.is_none() && !self.in_head && !self.is_in_template() {
                    // An end without a beginning is an empty paragraph.
                    self.separate(Role::Block, !self.is_hiding());
                }
                found
            }
            Name::Li => self.stack.in_list_scope(Name::Li),
            Name::Caption
            | Name::Table
            | Name::Tbody
            | Name::Td
            | Name::Tfoot
            | Name::Th
            | Name::Thead
            | Name::Tr => self.stack.in_table(&[name]),
            Name::Form => {
                let found = self.stack.in_scope(Name::Form);
                if found.is_some() {
                    self.close_down_to(self.stack.left_by_implied_ends());
                }
                let is_last = found.is_none_or(|at| at + 1 == self.stack.len());
                if let Some(at) = found.filter(|_| !is_last) {
                    return self.stack.settle(at);
                }
                found
            }
            Name::Template if !self.is_in_template() => None,
            // Nothing in a template ends it but its own tag.
            Name::Template => self.stack.template(),
            Name::Button | Name::Select | Name::Object | Name::Applet | Name::Marquee => {
                self.stack.in_scope(name)
            }
            name if name.heading_level().is_some() => self.stack.heading_in_scope(),
            name if name.is_formatting() => {
                if let Some(at) = self.stack.in_scope(name) {
                    self.end_formatting(at);
                }
                None
            }
            name if matches!(name.role(), Role::Block | Role::Preformatted) => {
                self.stack.in_scope(name)
            }
            name => self.stack.running(name, key),
        };
        if let Some(at) = found {
            self.close_down_to(at);
        }
    }

    /// Closes the innermost elements until so many are left.
    fn close_down_to(&mut self, left: usize) {
        // One that is over goes with the last element that was open in it.
        while self.stack.len() > left || self.stack.top().is_some_and(|open| open.is_over) {
            let Some((at, open)) = self.stack.pop() else {
                return;
            };
            let effect = open.effect;
            let was_in_template = self.is_in_template();
            self.count(effect, false);
            if !was_in_template {
                self.part(open.name.role(), !effect.hides && !self.is_hiding());
                self.ended(at);
            }
        }
    }

    pub(super) fn close_all(&mut self) {
        self.close_down_to(0);
    }
}
