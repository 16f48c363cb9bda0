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
use super::shell::Signs;
use super::text::tidy;
use super::walk::{Step, walk};
use surveyor::Surveyor;

pub(crate) const MAX_HEADINGS: usize = 1_000;
pub(crate) const MAX_LINKS: usize = 10_000;
pub(super) const MAX_METAS: usize = 1_000;
pub(super) const MAX_JSON_LD: usize = 100;
const MAX_OPEN_GRAPH: usize = 100;
/// Longest title, description, `og:*` value.
pub(super) const MAX_VALUE: usize = 4_000;
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
    pub(super) signs: Signs,
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
        first_meta(self.named(), name)
    }

    fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metas.iter().map(|meta| (meta.name, meta.content))
    }

    pub(super) fn open_graph(&self) -> BTreeMap<String, String> {
        open_graph(self.named())
    }

    /// Whether `<meta name=robots>` forbids to follow the links.
    pub(super) fn nofollow(&self) -> bool {
        nofollow(self.named())
    }

    /// What `<html lang>` says, else the header, else `<meta http-equiv=content-language>`.
    pub(super) fn language(&self, header: Option<&str>) -> Option<String> {
        language_tag(self.lang)
            .or_else(|| language_tag(header))
            .or_else(|| language_tag(self.meta("content-language").as_deref()))
    }
}

/// The first content of a name that is not empty.
pub(super) fn first_meta<'m>(
    metas: impl Iterator<Item = (&'m str, &'m str)>,
    wanted: &str,
) -> Option<String> {
    metas
        .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, content)| tidy(content, MAX_VALUE))
        .find(|content| !content.is_empty())
}

/// The first value of every `og:` property, without the prefix.
pub(super) fn open_graph<'m>(
    metas: impl Iterator<Item = (&'m str, &'m str)>,
) -> BTreeMap<String, String> {
    let mut graph = BTreeMap::new();
    for (name, content) in metas {
        let Some((prefix, name)) = name.split_at_checked(3) else {
            continue;
        };
        if !prefix.eq_ignore_ascii_case("og:") || graph.len() >= MAX_OPEN_GRAPH {
            continue;
        }
        let (name, content) = (tidy(name, 100), tidy(content, MAX_VALUE));
        if !name.is_empty() && !content.is_empty() {
            graph.entry(name).or_insert(content);
        }
    }
    graph
}

/// Whether any `<meta name=robots>` forbids to follow links.
pub(super) fn nofollow<'m>(mut metas: impl Iterator<Item = (&'m str, &'m str)>) -> bool {
    metas.any(|(name, content)| name.eq_ignore_ascii_case("robots") && forbids_following(content))
}

/// Whether a list of rules for robots, as in `<meta name=robots>` and `X-Robots-Tag`, forbids to
/// follow links.
pub(crate) fn forbids_following(rules: &str) -> bool {
    rules.split(',').any(|rule| {
        let rule = rule.trim();
        rule.eq_ignore_ascii_case("nofollow") || rule.eq_ignore_ascii_case("none")
    })
}

/// Whether a `rel` names the address that the page wants to be known by.
pub(super) fn is_canonical(rel: Option<&str>) -> bool {
    rel.is_some_and(|rel| {
        rel.split_ascii_whitespace()
            .any(|word| word.eq_ignore_ascii_case("canonical"))
    })
}

/// What a script is there for, by its `type`.
pub(super) enum Script {
    JsonLd,
    Runs,
    Data,
}

impl Script {
    pub(super) fn of(kind: Option<&str>) -> Self {
        let kind = kind.unwrap_or_default().trim();
        let kind = kind.split(';').next().unwrap_or_default().trim_end();
        let ends_in_javascript = kind.len() >= 10
            && kind
                .get(kind.len() - 10..)
                .is_some_and(|end| end.eq_ignore_ascii_case("javascript"));
        if kind.eq_ignore_ascii_case("application/ld+json") {
            Self::JsonLd
        } else if kind.is_empty() || kind.eq_ignore_ascii_case("module") || ends_in_javascript {
            Self::Runs
        } else {
            Self::Data
        }
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
