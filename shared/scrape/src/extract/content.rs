//! The main content of a page as text and as Markdown: the article where one stands out, else what
//! the author marked as `<main>`, else the whole body. Refuses to spend the rest of the budget on
//! telling them apart.

use dom_query::{Document, NodeData, NodeRef, Selection};
use dom_smoothie::{Config, Readability};
use jobs::Failure;
use scraper::Html;

use super::address::Addresses;
use super::budget::Budget;
use super::copy::{ARTICLE_ID, TOP_HEADING, copy};
use super::survey::Survey;
use super::text::{TextWriter, text_of_shown};
use super::walk::role;

/// Most text, and most Markdown, of a page, in bytes.
pub(super) const MAX_CONTENT: usize = 2 * 1024 * 1024;
/// Largest copy on which the readability library runs.
const MAX_READABLE_AREA: usize = 300_000;
/// Share of the budget that must be left for it, in percent.
const READABLE_SHARE: u32 = 30;
/// Characters of a line from which it is prose, not a label. Japanese says a sentence in 60.
const PROSE_LINE: usize = 60;
/// Characters of prose from which a page may have an article.
const ENOUGH_PROSE: usize = 400;
/// Share of the page's prose that an article must hold, in percent: comments are prose too, but a
/// library that kept less has missed what the page is about.
const ARTICLE_SHARE: usize = 40;
/// Characters of text from which a `<main>` stands for the page.
pub(super) const MIN_MAIN: usize = 140;

/// Blocks that the Markdown library takes for running text.
const OTHER_BLOCKS: &str = "address, aside, caption, center, dd, details, dialog, dt, fieldset, \
                            figcaption, figure, footer, form, header, hgroup, legend, main, menu, \
                            nav, search, summary";

pub(super) struct Content {
    pub(super) text: String,
    pub(super) markdown: String,
}

/// Reads the content. `readable` is false where there can be no article.
pub(super) fn read(
    html: &Html,
    addresses: &Addresses,
    survey: &Survey<'_>,
    readable: bool,
    budget: &Budget<'_>,
) -> Result<Content, Failure> {
    let root = root(html);
    let mut whole = copy(root, survey.nodes, addresses, budget)?;
    if readable && whole.area <= MAX_READABLE_AREA && budget.has_left(READABLE_SHARE) {
        let prose = prose(&text_of(&whole.body()));
        if prose >= ENOUGH_PROSE {
            if let Some(content) = article(whole.document, prose) {
                return Ok(content);
            }
            whole = copy(root, survey.nodes, addresses, budget)?;
        }
    }
    if let [main] = survey.mains.as_slice()
        && let Some(main) = html.tree.get(*main)
    {
        let part = copy(main, survey.nodes, addresses, budget)?;
        let content = render(&part.body());
        if content.text.chars().count() >= MIN_MAIN {
            return Ok(content);
        }
    }
    budget.check()?;
    Ok(render(&whole.body()))
}

/// The text alone, of the one `<main>` where it has enough of it, else of the whole body: for who
/// wants no Markdown, and so no search for an article.
pub(super) fn text_alone(
    html: &Html,
    survey: &Survey<'_>,
    budget: &Budget<'_>,
) -> Result<Content, Failure> {
    budget.check()?;
    let mut text = String::new();
    if let [main] = survey.mains.as_slice()
        && let Some(main) = html.tree.get(*main)
    {
        text = text_of_shown(main, MAX_CONTENT);
    }
    if text.chars().count() < MIN_MAIN {
        budget.check()?;
        text = text_of_shown(root(html), MAX_CONTENT);
    }
    Ok(Content {
        text,
        markdown: String::new(),
    })
}

/// What a page shows: its body.
fn root(html: &Html) -> ego_tree::NodeRef<'_, scraper::Node> {
    let body = html
        .root_element()
        .child_elements()
        .find(|element| matches!(element.value().name(), "body" | "frameset"));
    body.map_or(*html.root_element(), |body| *body)
}

/// Characters in lines that are long enough to be sentences.
fn prose(text: &str) -> usize {
    text.lines()
        .map(|line| line.chars().count())
        .filter(|characters| *characters >= PROSE_LINE)
        .sum()
}

/// The article, where the library finds one that holds enough of the page's prose.
fn article(document: Document, page_prose: usize) -> Option<Content> {
    let config = Config {
        disable_json_ld: true,
        ..Config::default()
    };
    let mut readability = Readability::with_document(document, None, Some(config)).ok()?;
    readability.parse().ok()?;
    let marked = format!("[{TOP_HEADING}]");
    readability.doc.select(&marked).rename("h1");
    let found = readability.doc.select_single(&format!("#{ARTICLE_ID}"));
    let content = render(found.nodes().first()?);
    (prose(&content.text) * 100 >= page_prose * ARTICLE_SHARE).then_some(content)
}

fn render(root: &NodeRef<'_>) -> Content {
    let text = text_of(root);
    shape_for_markdown(root);
    let mut markdown = String::from(root.md(None));
    markdown.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    markdown.truncate(markdown.floor_char_boundary(MAX_CONTENT));
    Content { text, markdown }
}

/// The Markdown library knows few elements as blocks and runs the words of the others together;
/// of a table it writes the rows alone.
fn shape_for_markdown(root: &NodeRef<'_>) {
    let content = Selection::from(*root);
    for caption in content.select("table > caption").nodes() {
        if let Some(table) = caption.parent() {
            table.insert_before(caption);
        }
    }
    content.select(OTHER_BLOCKS).rename("div");
}

/// The text of a copied subtree, block by block.
fn text_of(root: &NodeRef<'_>) -> String {
    let tree = root.tree;
    let mut writer = TextWriter::lines(MAX_CONTENT);
    let mut node = *root;
    loop {
        let kind = tree.query_node(&node.id, |node| match &node.data {
            NodeData::Text { contents } => {
                writer.push(contents);
                None
            }
            NodeData::Element(element) => {
                let role = role(&element.name.local);
                writer.open(role);
                Some(role)
            }
            _ => None,
        });
        if let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        if let Some(Some(role)) = kind {
            writer.close(role);
        }
        // Up to the next node that has something after it.
        loop {
            if node.id == root.id {
                return writer.finish();
            }
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            let Some(parent) = node.parent() else {
                return writer.finish();
            };
            node = parent;
            if let Some(role) = tree
                .query_node(&node.id, |node| {
                    node.as_element().map(|element| role(&element.name.local))
                })
                .flatten()
            {
                writer.close(role);
            }
        }
    }
}
