//! Everything a page says about itself, from one walk over the tree: title, metadata, headings,
//! links, and the signs of a shell for scripts. Refuses unbounded lists.

mod surveyor;

use std::collections::BTreeMap;

use ego_tree::{NodeId, NodeRef};
use jobs::Failure;
use jobs::page::{Heading, Link};
use scraper::node::Element;
use scraper::{Html, Node};

use super::address::Addresses;
use super::budget::Budget;
use super::text::tidy;
use super::walk::{Step, walk};
use surveyor::Surveyor;

const MAX_OPEN_GRAPH: usize = 100;
/// Longest title, description, `og:*` value.
const MAX_VALUE: usize = 4_000;
/// Nodes between two looks at the clock.
const NODES_PER_LOOK: usize = 256;

/// A `<meta>` with a name and a content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta<'a> {
    pub(super) element: &'a Element,
    /// From `name`, `property`, `itemprop` or `http-equiv`.
    pub(super) name: &'a str,
    pub(super) content: &'a str,
}

#[derive(Default)]
pub(super) struct Survey<'a> {
    lang: Option<&'a str>,
    title: Option<String>,
    pub(super) metas: Vec<Meta<'a>>,
    pub(super) canonical: Option<&'a str>,
    pub(super) headings: Vec<Heading>,
    pub(super) links: Vec<Link>,
    pub(super) json_ld: Vec<String>,
    /// `<main>` and `role=main` elements that are shown, up to two.
    pub(super) mains: Vec<NodeId>,
    /// Elements and texts of the page.
    pub(super) nodes: usize,
    /// Length of the text that is shown, white space not counted.
    pub(super) shown: usize,
    /// The beginning of the text that is shown.
    pub(super) first_words: String,
    /// Scripts that run: not data blocks.
    pub(super) scripts: usize,
    /// The shortest text found in an element that frameworks mount applications on.
    pub(super) mount: Option<usize>,
    /// What `<noscript>` in the body says.
    pub(super) noscript: String,
}

impl<'a> Survey<'a> {
    pub(super) fn of(
        html: &'a Html,
        addresses: &Addresses,
        budget: &Budget<'_>,
    ) -> Result<Self, Failure> {
        let mut surveyor = Surveyor::new(addresses);
        let skip = |node: NodeRef<'a, Node>| matches!(node.value(), Node::Fragment);
        for (count, step) in walk(html.tree.root(), skip).enumerate() {
            if count % NODES_PER_LOOK == 0 {
                budget.check()?;
            }
            match step {
                Step::Open(node) => surveyor.open(node),
                Step::Close(node) => surveyor.close(node),
            }
        }
        Ok(surveyor.finish())
    }

    /// `<title>`, else `og:title`.
    pub(super) fn title(&self) -> Option<String> {
        self.title.clone().or_else(|| self.meta("og:title"))
    }

    pub(super) fn description(&self) -> Option<String> {
        self.meta("description")
            .or_else(|| self.meta("og:description"))
    }

    fn meta(&self, name: &str) -> Option<String> {
        self.metas
            .iter()
            .filter(|meta| meta.name.eq_ignore_ascii_case(name))
            .map(|meta| tidy(meta.content, MAX_VALUE))
            .find(|content| !content.is_empty())
    }

    /// The first value of every `og:` property, without the prefix.
    pub(super) fn open_graph(&self) -> BTreeMap<String, String> {
        let mut graph = BTreeMap::new();
        for meta in &self.metas {
            let Some((prefix, name)) = meta.name.split_at_checked(3) else {
                continue;
            };
            let content = tidy(meta.content, MAX_VALUE);
            let name = tidy(name, 100);
            if prefix.eq_ignore_ascii_case("og:")
                && !name.is_empty()
                && !content.is_empty()
                && graph.len() < MAX_OPEN_GRAPH
            {
                graph.entry(name).or_insert(content);
            }
        }
        graph
    }

    /// What `<html lang>` says, else the header, else `<meta http-equiv=content-language>`.
    pub(super) fn language(&self, header: Option<&str>) -> Option<String> {
        language_tag(self.lang)
            .or_else(|| language_tag(header))
            .or_else(|| language_tag(self.meta("content-language").as_deref()))
    }
}

/// The first of a list of language tags, where it looks like one.
pub(super) fn language_tag(text: Option<&str>) -> Option<String> {
    let tag = text?.split(',').next()?.trim().replace('_', "-");
    let plain = (2..=35).contains(&tag.len())
        && tag.starts_with(|c: char| c.is_ascii_alphabetic())
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    plain.then_some(tag)
}
