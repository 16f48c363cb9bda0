//! The walk itself: takes every node as it opens and closes, and knows what is open, hidden or no
//! text at all. Refuses lists and labels without an end.

use std::collections::HashMap;

use ego_tree::{NodeId, NodeRef};
use html5ever::ns;
use jobs::page::{Heading, Link};
use scraper::Node;
use scraper::node::Element;

use super::super::address::Addresses;
use super::super::shell;
use super::super::text::{TextWriter, tidy};
use super::super::walk::{Role, is_hidden, role};
use super::{
    MAX_HEADINGS, MAX_JSON_LD, MAX_LINKS, MAX_METAS, MAX_VALUE, Meta, Script, Survey, is_canonical,
};

/// Longest text of a heading or a link.
const MAX_LABEL: usize = 1_000;
/// Headings and links that may be open at once; markup that nests more is not for readers.
const MAX_OPEN: usize = 8;

/// A heading, a link or a mount point whose end has not come yet.
struct Open {
    id: NodeId,
    kind: OpenKind,
    text: TextWriter,
}

#[derive(Clone, Copy)]
enum OpenKind {
    Heading(u8),
    /// The index of the link.
    Link(usize),
    /// The length of the text shown before it.
    Mount(usize),
}

pub(super) struct Surveyor<'a, 'b> {
    survey: Survey<'a>,
    addresses: &'b Addresses,
    /// Where in the list each address stands.
    seen: HashMap<String, usize>,
    open: Vec<Open>,
    /// The outermost hidden element that is open: what is in it is not shown. A hidden menu still
    /// has links with words.
    hidden: Option<NodeId>,
    /// The outermost open element whose content is no text at all.
    mute: Option<NodeId>,
    title_is_set: bool,
    first_words: TextWriter,
}

impl<'a, 'b> Surveyor<'a, 'b> {
    pub(super) fn new(addresses: &'b Addresses) -> Self {
        Self {
            survey: Survey::default(),
            addresses,
            seen: HashMap::new(),
            open: Vec::new(),
            hidden: None,
            mute: None,
            title_is_set: false,
            first_words: TextWriter::single_line(200),
        }
    }

    pub(super) fn finish(self) -> Survey<'a> {
        let mut survey = self.survey;
        survey.signs.first_words = self.first_words.finish();
        survey
    }

    pub(super) fn open(&mut self, node: NodeRef<'a, Node>) {
        match node.value() {
            Node::Element(element) => {
                self.survey.nodes += 1;
                let role = role(element.name());
                for open in &mut self.open {
                    open.text.open(role);
                }
                self.first_words.open(role);
                // Foreign elements have names of their own: <title> and <a> of an SVG are not ours.
                if element.name.ns == ns!(html) {
                    self.element(node, element);
                }
                if role == Role::Hidden {
                    self.mute.get_or_insert(node.id());
                }
                if is_hidden(node) {
                    self.hidden.get_or_insert(node.id());
                }
            }
            Node::Text(text) => {
                self.survey.nodes += 1;
                self.text(text);
            }
            _ => {}
        }
    }

    pub(super) fn close(&mut self, node: NodeRef<'a, Node>) {
        let Node::Element(element) = node.value() else {
            return;
        };
        self.hidden.take_if(|id| *id == node.id());
        self.mute.take_if(|id| *id == node.id());
        for open in &mut self.open {
            open.text.close(role(element.name()));
        }
        self.first_words.close(role(element.name()));
        while self.open.last().is_some_and(|open| open.id == node.id()) {
            if let Some(open) = self.open.pop() {
                self.end(open);
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.mute.is_none() {
            for open in &mut self.open {
                open.text.push(text);
            }
        }
        if self.hidden.is_some() {
            return;
        }
        self.first_words.push(text);
        self.survey.signs.shown += text.chars().filter(|c| !c.is_whitespace()).count();
    }

    fn element(&mut self, node: NodeRef<'a, Node>, element: &'a Element) {
        match element.name() {
            "html" => self.survey.lang = element.attr("lang").or(element.attr("xml:lang")),
            "title" if !self.title_is_set => {
                let title = tidy(&raw_text(node), MAX_VALUE);
                self.title_is_set = !title.is_empty();
                self.survey.title = self.title_is_set.then_some(title);
            }
            "meta" => self.meta(element),
            "link" if self.survey.canonical.is_none() && is_canonical(element.attr("rel")) => {
                self.survey.canonical = element.attr("href");
            }
            "script" => self.script(node, element),
            "noscript" if self.survey.signs.notice.len() < MAX_LABEL => {
                let raw = raw_text(node);
                let end = raw.floor_char_boundary(MAX_LABEL);
                self.survey.signs.notice.push_str(&raw[..end]);
            }
            "a" | "area" => self.link(node, element),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading(node, element),
            "main" => self.main(node),
            "img" => self.picture(element),
            _ => {}
        }
        if element.attr("role") == Some("main") && element.name() != "main" {
            self.main(node);
        }
        if shell::is_mount(element.name(), element.attr("id")) {
            self.begin(node, OpenKind::Mount(self.survey.signs.shown));
        }
    }

    fn main(&mut self, node: NodeRef<'a, Node>) {
        if self.hidden.is_none() && !is_hidden(node) && self.survey.mains.len() < 2 {
            self.survey.mains.push(node.id());
        }
    }

    fn meta(&mut self, element: &'a Element) {
        let name = ["name", "property", "itemprop", "http-equiv"]
            .into_iter()
            .find_map(|attribute| element.attr(attribute));
        if let (Some(name), Some(content)) = (name, element.attr("content"))
            && self.survey.metas.len() < MAX_METAS
        {
            self.survey.metas.push(Meta {
                element,
                name: name.trim(),
                content,
            });
        }
    }

    fn script(&mut self, node: NodeRef<'a, Node>, element: &Element) {
        match Script::of(element.attr("type")) {
            Script::JsonLd if self.survey.json_ld.len() < MAX_JSON_LD => {
                self.survey.json_ld.push(raw_text(node));
            }
            Script::Runs => self.survey.signs.scripts += 1,
            Script::JsonLd | Script::Data => {}
        }
    }

    fn heading(&mut self, node: NodeRef<'a, Node>, element: &Element) {
        let level = element
            .name()
            .as_bytes()
            .get(1)
            .map_or(1, |digit| digit - b'0');
        if self.survey.headings.len() < MAX_HEADINGS {
            self.begin(node, OpenKind::Heading(level));
        }
    }

    fn link(&mut self, node: NodeRef<'a, Node>, element: &'a Element) {
        let Some(url) = element
            .attr("href")
            .filter(|_| self.survey.links.len() < MAX_LINKS)
            .and_then(|href| self.addresses.resolve_link(href))
        else {
            return;
        };
        let index = match self.seen.get(&url) {
            // The first link to an address stands, but one without a text learns it from others.
            Some(&index) if !self.survey.links[index].text.is_empty() => return,
            Some(&index) => index,
            None => {
                let index = self.survey.links.len();
                self.survey.links.push(Link {
                    url: url.clone(),
                    text: String::new(),
                    rel: element
                        .attr("rel")
                        .map(|rel| tidy(rel, 200))
                        .filter(|rel| !rel.is_empty()),
                });
                self.seen.insert(url, index);
                index
            }
        };
        if let Some(alt) = element.attr("alt") {
            self.survey.links[index].text = tidy(alt, MAX_LABEL);
        }
        self.begin(node, OpenKind::Link(index));
    }

    /// A picture in a link that has no words yet says what the link is.
    fn picture(&mut self, element: &Element) {
        let Some(alt) = element.attr("alt") else {
            return;
        };
        for open in &mut self.open {
            if matches!(open.kind, OpenKind::Link(_)) && open.text.is_empty() {
                open.text.push(alt);
                open.text.space();
            }
        }
    }

    fn begin(&mut self, node: NodeRef<'a, Node>, kind: OpenKind) {
        if self.open.len() < MAX_OPEN {
            self.open.push(Open {
                id: node.id(),
                kind,
                text: TextWriter::single_line(MAX_LABEL),
            });
        }
    }

    fn end(&mut self, open: Open) {
        match open.kind {
            OpenKind::Heading(level) => {
                let text = open.text.finish();
                if !text.is_empty() && self.survey.headings.len() < MAX_HEADINGS {
                    self.survey.headings.push(Heading { level, text });
                }
            }
            OpenKind::Link(index) => {
                let link = &mut self.survey.links[index];
                if link.text.is_empty() {
                    link.text = open.text.finish();
                }
            }
            OpenKind::Mount(before) => self.survey.signs.mount(before),
        }
    }
}

/// The text children of an element whose content is raw text.
fn raw_text(node: NodeRef<'_, Node>) -> String {
    node.children()
        .filter_map(|child| child.value().as_text().map(|text| &**text))
        .collect()
}
