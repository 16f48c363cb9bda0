//! A copy of what a page shows, as a tree that the readability and Markdown libraries take. They
//! are recursive and multiply sizes by depths, so the copy is cut to a bounded depth, number of
//! nodes and amount of text. Refuses scripts, comments, and addresses that are not absolute.

use dom_query::{Document, Element, NodeData, NodeId};
use ego_tree::NodeRef;
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, QualName, local_name, ns};
use jobs::Failure;
use scraper::Node;

use super::address::Addresses;
use super::budget::Budget;
use super::walk::{Step, is_hidden, walk};

/// Most nodes of a copy.
const MAX_NODES: usize = 200_000;
/// Most text of a copy, in bytes.
const MAX_TEXT: usize = 2 * 1024 * 1024;
/// Elements deeper than this stand beside each other instead, as in browsers, which stop at 512.
const MAX_DEPTH: usize = 100;
/// Nodes times depth: where there are many nodes they must be flat.
const MAX_AREA: usize = 3_000_000;
/// Nodes between two looks at the clock.
const NODES_PER_LOOK: usize = 256;

/// The id by which the readability library finds what it made.
pub(super) const ARTICLE_ID: &str = "readability-page-1";

/// Marks what was an `<h1>`: the library makes second-level headings of them.
pub(super) const TOP_HEADING: &str = "data-top-heading";

/// The library takes headings that repeat the title, and the author's line, out of the article. A
/// title like no heading and an author named beforehand leave both in.
const NO_TITLE: &str = "\u{2063}\u{2063}\u{2063}\u{2063}\u{2063}\u{2063}\u{2063}\u{2063}\
                        \u{2063}\u{2063}\u{2063}\u{2063}\u{2063}\u{2063}\u{2063}\u{2063}";

/// A document with one body.
pub(super) struct Copy {
    pub(super) document: Document,
    body: NodeId,
    /// The depths of all nodes, summed: what the libraries' work grows with.
    pub(super) area: usize,
}

impl Copy {
    pub(super) fn body(&self) -> dom_query::NodeRef<'_> {
        self.document.tree.get_unchecked(&self.body)
    }
}

/// Copies the subtree of an element into the body of a new document. `nodes` is the size of the
/// page.
pub(super) fn copy(
    root: NodeRef<'_, Node>,
    nodes: usize,
    addresses: &Addresses,
    budget: &Budget<'_>,
) -> Result<Copy, Failure> {
    let max_depth = (MAX_AREA / nodes.clamp(1, MAX_NODES)).clamp(8, MAX_DEPTH);
    let document = Document::default();
    let body = scaffold(&document);
    let mut copy = Copy {
        document,
        body,
        area: 0,
    };
    // The copies of the elements that are open, outermost first; `None` for one left out.
    let mut open: Vec<NodeId> = Vec::new();
    let mut deeper = 0_usize;
    let mut text_left = MAX_TEXT;
    let skip = |node: NodeRef<'_, Node>| is_hidden(node) && node.id() != root.id();
    for (count, step) in walk(root, skip).enumerate() {
        if count % NODES_PER_LOOK == 0 {
            budget.check()?;
        }
        if count / 2 > MAX_NODES || text_left == 0 {
            break;
        }
        let parent = open.last().copied().unwrap_or(copy.body);
        match step {
            Step::Open(node) => {
                let data = match node.value() {
                    Node::Text(text) => {
                        let end = text.floor_char_boundary(text_left);
                        text_left -= if end < text.len() { text_left } else { end };
                        NodeData::Text {
                            contents: text.text.subtendril(0, end as u32),
                        }
                    }
                    Node::Element(element) if node.id() != root.id() => {
                        NodeData::Element(Element::new(
                            element.name.clone(),
                            attributes(element, addresses),
                            None,
                            false,
                        ))
                    }
                    _ => continue,
                };
                let is_element = matches!(data, NodeData::Element(_));
                let id = copy.document.tree.create_node(data);
                copy.document.tree.append_child_of(&parent, &id);
                copy.area += open.len() + 1;
                if is_element && open.len() < max_depth {
                    open.push(id);
                } else if is_element {
                    deeper += 1;
                }
            }
            Step::Close(node) if node.value().is_element() => {
                if deeper > 0 {
                    deeper -= 1;
                } else {
                    open.pop();
                }
            }
            Step::Close(_) => {}
        }
    }
    Ok(copy)
}

fn scaffold(document: &Document) -> NodeId {
    let add = |parent: &NodeId, name: LocalName, attributes: Vec<Attribute>| {
        let name = QualName::new(None, ns!(html), name);
        let element = Element::new(name, attributes, None, false);
        let id = document.tree.create_node(NodeData::Element(element));
        document.tree.append_child_of(parent, &id);
        id
    };
    let html = add(&document.root().id, local_name!("html"), Vec::new());
    let head = add(&html, local_name!("head"), Vec::new());
    let title = add(&head, local_name!("title"), Vec::new());
    let contents = StrTendril::from_slice(NO_TITLE);
    document
        .tree
        .append_child_data_of(&title, NodeData::Text { contents });
    let author = [("name", "author"), ("content", "-")]
        .map(|(name, value)| attribute(LocalName::from(name), StrTendril::from_slice(value)));
    add(&head, local_name!("meta"), author.into());
    add(&html, local_name!("body"), Vec::new())
}

fn attribute(name: LocalName, value: StrTendril) -> Attribute {
    Attribute {
        name: QualName::new(None, ns!(), name),
        value,
    }
}

/// The attributes that say what an element is or where it leads; addresses become absolute, and
/// lazy pictures show what they will.
fn attributes(element: &scraper::node::Element, addresses: &Addresses) -> Vec<Attribute> {
    let mut kept = Vec::new();
    for (name, value) in &element.attrs {
        match &*name.local {
            "id" if &**value == ARTICLE_ID => {}
            "class" | "id" | "role" | "alt" | "title" | "start" | "value" | "itemprop"
            | "aria-hidden" | "aria-modal" | "style" | "summary" | "colspan" | "dir" => {
                kept.push(attribute(name.local.clone(), value.clone()));
            }
            "href" => {
                if let Some(url) = link(value, addresses) {
                    kept.push(attribute(name.local.clone(), url));
                }
            }
            _ => {}
        }
    }
    if element.name() == "h1" {
        kept.push(attribute(LocalName::from(TOP_HEADING), StrTendril::new()));
    }
    if element.name() == "img" {
        let source = ["src", "data-src", "data-original", "data-lazy-src"]
            .into_iter()
            .filter_map(|name| element.attr(name))
            .find_map(|address| addresses.resolve(address));
        if let Some(url) = source {
            kept.push(attribute(
                local_name!("src"),
                StrTendril::from_slice(url.as_str()),
            ));
        }
    }
    kept
}

/// Where a link of the text leads. Mail and telephone links are for readers too.
fn link(href: &str, addresses: &Addresses) -> Option<StrTendril> {
    if let Some(url) = addresses.resolve(href) {
        return Some(StrTendril::from_slice(url.as_str()));
    }
    let scheme = href.trim().split(':').next()?;
    (matches!(scheme, "mailto" | "tel") && href.len() < 200)
        .then(|| StrTendril::from_slice(href.trim()))
}
