//! Walking a parsed tree in document order without recursion: a page may nest a hundred thousand
//! deep. Knows which elements show no text.

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use scraper::Node;

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
    match name {
        "script" | "style" | "template" | "noscript" | "head" | "iframe" | "object" | "embed"
        | "svg" | "canvas" | "audio" | "video" | "select" | "datalist" | "textarea"
        | "frameset" | "noframes" | "noembed" => Role::Hidden,
        "address" | "article" | "aside" | "blockquote" | "body" | "caption" | "center" | "dd"
        | "details" | "dialog" | "dir" | "div" | "dl" | "dt" | "fieldset" | "figcaption"
        | "figure" | "footer" | "form" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "header"
        | "hgroup" | "hr" | "html" | "legend" | "li" | "main" | "menu" | "nav" | "ol" | "p"
        | "search" | "section" | "summary" | "table" | "tbody" | "tfoot" | "thead" | "title"
        | "tr" | "ul" => Role::Block,
        "td" | "th" | "button" | "option" | "input" | "img" | "label" => Role::Cell,
        "br" => Role::Break,
        "pre" | "listing" | "xmp" | "plaintext" => Role::Preformatted,
        _ => Role::Inline,
    }
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
