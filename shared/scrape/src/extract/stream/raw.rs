//! Elements whose content is read as text: title, scripts and styles, and what they hold. They are
//! never among the open elements, since nothing opens in them. Refuses to keep what nobody reads.

use super::super::json_ld;
use super::super::name::Name;
use super::super::scan::Tag;
use super::super::survey::{MAX_JSON_LD, MAX_VALUE, Script};
use super::super::text::TextWriter;
use super::super::walk::Role;
use super::label::MAX_LABEL;
use super::reader::{Marks, Reader};

/// The element that is being read as text.
pub(super) struct Raw {
    name: Name,
    keeps: Keeps,
    is_shown: bool,
}

enum Keeps {
    Nothing,
    Title(TextWriter),
    Notice,
    JsonLd,
}

impl Reader {
    pub(super) fn start_raw(&mut self, tag: &Tag<'_>, marks: Marks) {
        let name = tag.name;
        let role = name.role();
        let is_hidden = role == Role::Hidden || marks.is_hidden;
        let is_shown = !is_hidden && !self.is_hiding() && !self.is_in_head();
        let keeps = if self.is_in_template() {
            Keeps::Nothing
        } else {
            self.separate(role, is_shown);
            self.mount_of_raw(marks);
            match name {
                Name::Title if self.title.is_none() => {
                    Keeps::Title(TextWriter::single_line(MAX_VALUE))
                }
                Name::Noscript if self.signs.notice.len() < MAX_LABEL => Keeps::Notice,
                Name::Script => self.script(tag),
                _ => Keeps::Nothing,
            }
        };
        self.raw = Some(Raw {
            name,
            keeps,
            is_shown,
        });
    }

    fn script(&mut self, tag: &Tag<'_>) -> Keeps {
        match Script::of(tag.attribute("type").as_deref()) {
            Script::JsonLd if self.wants_json_ld() && self.json_ld.len() < MAX_JSON_LD => {
                self.json_ld.push(String::new());
                return Keeps::JsonLd;
            }
            Script::Runs => self.signs.scripts += 1,
            Script::JsonLd | Script::Data => {}
        }
        Keeps::Nothing
    }

    pub(super) fn raw_text(&mut self, text: &str) {
        let Some(raw) = &mut self.raw else { return };
        match &mut raw.keeps {
            Keeps::Nothing => {}
            Keeps::Title(title) => title.push(text),
            Keeps::Notice => {
                let left = MAX_LABEL.saturating_sub(self.signs.notice.len());
                let end = text.floor_char_boundary(left);
                self.signs.notice.push_str(&text[..end]);
            }
            Keeps::JsonLd => {
                // One byte too many says that there is too much.
                let left = (json_ld::MAX_BYTES + 1).saturating_sub(self.json_ld_bytes);
                let end = text.ceil_char_boundary(left);
                self.json_ld_bytes += end;
                if let Some(block) = self.json_ld.last_mut() {
                    block.push_str(&text[..end]);
                }
            }
        }
        let (is_shown, is_muted) = (raw.is_shown, raw.name.role() == Role::Hidden);
        if !is_muted && !self.is_in_head() {
            self.show(text, is_shown);
        }
    }

    pub(super) fn end_raw(&mut self) {
        let Some(raw) = self.raw.take() else { return };
        if let Keeps::Title(title) = raw.keeps {
            self.title = Some(title.finish()).filter(|title| !title.is_empty());
        }
        self.part(raw.name.role(), raw.is_shown);
    }
}
