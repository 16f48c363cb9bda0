//! Takes tags and texts as they come and knows what they belong to. Refuses lists without an end.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use jobs::crawl::Formats;
use jobs::page::{Heading, Link, Metadata};

use super::super::address::Addresses;
use super::super::content::MAX_CONTENT;
use super::super::name::Name;
use super::super::scan::Tag;
use super::super::shell::{self, MAX_AROUND, Signs};
use super::super::survey::{self, MAX_HEADINGS, MAX_LINKS, is_canonical};
use super::super::text::{TextWriter, tidy};
use super::super::walk::Role;
use super::super::{Extracted, json_ld};
use super::label::{Kind, Label, Labels, MAX_LABEL};
use super::main::Main;
use super::metas::Metas;
use super::raw::Raw;
use super::stack::{Effect, Stack};

/// Where the page's own address for its links comes from.
enum Base {
    /// No `<base href>` so far.
    Page,
    /// One that came after links had been resolved.
    Late(Addresses),
    Settled,
}

/// What the attributes of any element may say.
#[derive(Clone, Copy, Default)]
pub(super) struct Marks {
    pub(super) is_hidden: bool,
    pub(super) is_main: bool,
    pub(super) is_mount: bool,
}

pub(super) struct Reader {
    addresses: Addresses,
    base: Base,
    formats: Formats,
    /// A table does not end the paragraph that it stands in.
    pub(super) has_quirks: bool,
    pub(super) stack: Stack,
    pub(super) raw: Option<Raw>,
    /// Open elements that are not shown, that are no text, that are templates.
    hiding: usize,
    muting: usize,
    templates: usize,
    pub(super) in_head: bool,
    /// `<html>` or `<body>` are hidden: then nothing is shown, but read all the same.
    page_is_hidden: bool,
    /// The text shown before a `<body>` on which applications are mounted.
    page_mount: Option<usize>,
    labels: Labels,
    lang: Option<String>,
    xml_lang: Option<String>,
    pub(super) title: Option<String>,
    metas: Metas,
    canonical: Option<String>,
    headings: Vec<Heading>,
    links: Vec<Link>,
    /// Where in the list the address of a number stands. The numbers cannot be guessed.
    seen: HashMap<u64, usize>,
    numbers: RandomState,
    pub(super) json_ld: Vec<String>,
    pub(super) json_ld_bytes: usize,
    pub(super) signs: Signs,
    first_words: TextWriter,
    body: TextWriter,
    main: Main,
}

impl Reader {
    pub(super) fn new(addresses: Addresses, formats: Formats, has_quirks: bool) -> Self {
        Self {
            addresses,
            base: Base::Page,
            formats,
            has_quirks,
            stack: Stack::new(),
            raw: None,
            hiding: 0,
            muting: 0,
            templates: 0,
            in_head: true,
            page_is_hidden: false,
            page_mount: None,
            labels: Labels::default(),
            lang: None,
            xml_lang: None,
            title: None,
            metas: Metas::default(),
            canonical: None,
            headings: Vec::new(),
            links: Vec::new(),
            seen: HashMap::new(),
            numbers: RandomState::new(),
            json_ld: Vec::new(),
            json_ld_bytes: 0,
            signs: Signs::default(),
            first_words: TextWriter::single_line(200),
            body: TextWriter::lines(MAX_CONTENT),
            main: Main::default(),
        }
    }

    /// A reader that knows the base of the page already.
    pub(super) fn based(addresses: Addresses, formats: Formats, has_quirks: bool) -> Self {
        Self {
            base: Base::Settled,
            ..Self::new(addresses, formats, has_quirks)
        }
    }

    /// The base of the page, where links had been resolved before it came.
    pub(super) fn late_base(&mut self) -> Option<Addresses> {
        match std::mem::replace(&mut self.base, Base::Settled) {
            Base::Late(addresses) => Some(addresses),
            Base::Page | Base::Settled => None,
        }
    }

    pub(super) fn is_hiding(&self) -> bool {
        self.hiding > 0
    }

    pub(super) fn is_in_head(&self) -> bool {
        self.in_head
    }

    pub(super) fn is_in_template(&self) -> bool {
        self.templates > 0
    }

    pub(super) fn wants_json_ld(&self) -> bool {
        self.formats.metadata && self.json_ld_bytes <= json_ld::MAX_BYTES
    }

    /// An element starts.
    pub(super) fn separate(&mut self, role: Role, is_shown: bool) {
        if role == Role::Inline {
            return;
        }
        self.labels.open(role);
        self.first_words.open(role);
        if is_shown {
            self.body.open(role);
        }
    }

    /// An element ends.
    pub(super) fn part(&mut self, role: Role, is_shown: bool) {
        if role == Role::Inline || self.templates > 0 {
            return;
        }
        self.labels.close(role);
        self.first_words.close(role);
        if is_shown {
            self.body.close(role);
        }
    }

    /// A text that is one for links and headings; `is_shown` where the page shows it, too.
    pub(super) fn show(&mut self, text: &str, is_shown: bool) {
        if self.templates > 0 {
            return;
        }
        if self.muting == 0 {
            self.labels.push(text);
        }
        if !is_shown {
            return;
        }
        self.body.push(text);
        if !self.page_is_hidden && self.signs.shown <= MAX_AROUND {
            self.first_words.push(text);
            let visible = text.chars().filter(|c| !c.is_whitespace());
            self.signs.shown += visible.take(MAX_AROUND + 1).count();
        }
    }

    /// `<html>` and `<body>`, which may come more than once and still are one.
    pub(super) fn page(&mut self, tag: &Tag<'_>, marks: Marks) {
        if tag.name == Name::Html {
            let kept = |name| tag.attribute(name).map(Into::into);
            self.lang = self.lang.take().or_else(|| kept("lang"));
            self.xml_lang = self.xml_lang.take().or_else(|| kept("xml:lang"));
        }
        self.page_is_hidden |= marks.is_hidden;
        if marks.is_mount {
            self.page_mount.get_or_insert(self.signs.shown);
        }
        if marks.is_main && !self.page_is_hidden {
            self.main.begin(None, &mut self.body);
        }
    }

    pub(super) fn base(&mut self, tag: &Tag<'_>) {
        if !matches!(self.base, Base::Page) {
            return;
        }
        let Some(href) = tag.attribute("href") else {
            return;
        };
        self.base = match self.addresses.based_on(&href) {
            Some(addresses) if self.links.is_empty() => {
                self.addresses = addresses;
                Base::Settled
            }
            Some(addresses) => Base::Late(addresses),
            None => Base::Settled,
        };
    }

    /// What an element of HTML says by itself. `at` is its place among the open ones.
    pub(super) fn element(&mut self, tag: &Tag<'_>, marks: Marks, at: usize) {
        match tag.name {
            Name::Meta => self.metas.add(tag),
            Name::Link if self.canonical.is_none() => {
                if is_canonical(tag.attribute("rel").as_deref()) {
                    self.canonical = tag.attribute("href").map(Into::into);
                }
            }
            Name::A | Name::Area => self.link(tag, at),
            Name::Img | Name::Image => {
                if let Some(alt) = tag.attribute("alt") {
                    self.labels.picture(&alt);
                }
            }
            name => {
                if let Some(level) = name.heading_level()
                    && self.headings.len() < MAX_HEADINGS
                {
                    self.labels.begin(at, Kind::Heading(level));
                }
            }
        }
        let is_shown = self.hiding == 0 && !self.page_is_hidden && !marks.is_hidden;
        if marks.is_main && is_shown && tag.name.role() != Role::Hidden {
            self.main.begin(Some(at), &mut self.body);
        }
        if marks.is_mount {
            self.labels.begin(at, Kind::Mount(self.signs.shown));
        }
    }

    fn link(&mut self, tag: &Tag<'_>, at: usize) {
        let href = tag
            .attribute("href")
            .filter(|_| self.links.len() < MAX_LINKS);
        let Some(url) = href.and_then(|href| self.addresses.resolve_link(&href)) else {
            return;
        };
        let number = self.numbers.hash_one(&url);
        let known = self.seen.get(&number).copied();
        let index = match known.filter(|index| self.links[*index].url == url) {
            // The first link to an address stands, but one without a text learns it from others.
            Some(index) if !self.links[index].text.is_empty() => return,
            Some(index) => index,
            None => {
                let index = self.links.len();
                let rel = tag.attribute("rel").map(|rel| tidy(&rel, 200));
                self.links.push(Link {
                    url,
                    text: String::new(),
                    rel: rel.filter(|rel| !rel.is_empty()),
                });
                self.seen.insert(number, index);
                index
            }
        };
        if !self.formats.links {
            return;
        }
        if let Some(alt) = tag.attribute("alt") {
            self.links[index].text = tidy(&alt, MAX_LABEL);
        }
        self.labels.begin(at, Kind::Link(index));
    }

    /// A mount point that can hold no elements.
    pub(super) fn mount_of_raw(&mut self, marks: Marks) {
        if marks.is_mount {
            self.signs.mount(self.signs.shown);
        }
    }

    /// What an element started that was at this place ends with it.
    pub(super) fn ended(&mut self, at: usize) {
        self.main.end(at, &self.body);
        while let Some(label) = self.labels.end(at) {
            self.conclude(label);
        }
    }

    fn conclude(&mut self, label: Label) {
        match label.kind {
            Kind::Heading(level) => {
                let text = label.text.finish();
                if !text.is_empty() && self.headings.len() < MAX_HEADINGS {
                    self.headings.push(Heading { level, text });
                }
            }
            Kind::Link(index) => {
                let link = &mut self.links[index];
                if link.text.is_empty() {
                    link.text = label.text.finish();
                }
            }
            Kind::Mount(before) => self.signs.mount(before),
        }
    }

    /// One more or one less element that hides what is in it.
    pub(super) fn count(&mut self, effect: Effect, opens: bool) {
        let step = |count: &mut usize, applies: bool| {
            *count = match (applies, opens) {
                (false, _) => *count,
                (true, true) => *count + 1,
                (true, false) => count.saturating_sub(1),
            };
        };
        step(&mut self.hiding, effect.hides);
        step(&mut self.muting, effect.mutes);
        step(&mut self.templates, effect.is_template);
    }

    /// What the page says, after its end. `language` is the header of that name.
    pub(super) fn finish(mut self, language: Option<&str>) -> Extracted {
        self.end_raw();
        self.close_all();
        if let Some(before) = self.page_mount {
            self.signs.mount(before);
        }
        self.signs.first_words = self.first_words.finish();
        let lang = self.lang.or(self.xml_lang);
        let metas = self.metas.iter();
        let meta = |name| survey::first_meta(metas.clone(), name);
        let open_graph = survey::open_graph(metas.clone());
        let canonical = self.canonical.as_deref();
        let canonical = canonical.and_then(|href| self.addresses.resolve(href));
        Extracted {
            language: survey::language_tag(lang.as_deref())
                .or_else(|| survey::language_tag(language))
                .or_else(|| survey::language_tag(meta("content-language").as_deref())),
            title: self.title.or_else(|| meta("og:title")),
            description: meta("description").or_else(|| meta("og:description")),
            canonical: canonical.map(Into::into),
            nofollow: survey::nofollow(metas.clone()),
            js_required: shell::needs_scripts(&self.signs),
            metadata: Metadata {
                open_graph,
                json_ld: json_ld::read(&self.json_ld),
            },
            headings: self.headings,
            links: self.links,
            text: self.main.text(self.body),
            ..Extracted::default()
        }
    }
}
