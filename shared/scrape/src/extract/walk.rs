//! Walking a parsed tree in document order without recursion: a page may nest a hundred thousand
//! deep. Knows which elements show no text.

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use scraper::Node;

use super::name::Name;

/// What an element means for the text around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Its content is not text of the page.
    Hidden,
    /// Starts and ends a line.
    Block,
    /// Separates words.
    Cell,
    /// Ends a line.
    Break,
    /// A block whose white space counts.
    Preformatted,
    /// Flows with the text.
    Inline,
}

/// The role of an HTML element by its name.
pub(super) fn role(name: &str) -> Role {
    Name::of(name).role()
}

/// A step of a walk.
pub(super) enum Step<'a> {
    Open(NodeRef<'a, Node>),
    Close(NodeRef<'a, Node>),
}

/// Every node below (and with) a root, with the subtrees left out for which `skip` is true. Those
/// are neither opened nor closed.
pub(super) fn walk<'a>(
    root: NodeRef<'a, Node>,
    skip: impl Fn(NodeRef<'a, Node>) -> bool,
) -> impl Iterator<Item = Step<'a>> {
    let mut within = None;
    root.traverse().filter_map(move |edge| match edge {
        Edge::Open(node) => {
            if within.is_none() && skip(node) {
                within = Some(node.id());
            }
            within.is_none().then_some(Step::Open(node))
        }
        Edge::Close(node) => {
            if within == Some(node.id()) {
                within = None;
                return None;
            }
            within.is_none().then_some(Step::Close(node))
        }
    })
}

/// Whether a node and what is below it shows no text.
pub(super) fn is_hidden(node: NodeRef<'_, Node>) -> bool {
    match node.value() {
        Node::Element(element) => {
            role(element.name()) == Role::Hidden || element.attr("hidden").is_some()
        }
        Node::Fragment | Node::Document | Node::Text(_) => false,
        _ => true,
    }
}
