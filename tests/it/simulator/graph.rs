//! A site made by chance, as a crawl of the simulator finds it, and what a crawl of it must come
//! to. Knows nothing of how crawls work.

use std::collections::{BTreeMap, BTreeSet};

use jobs::crawl::visit::{FoundLink, Sitemap, SitemapPage, Validators, Visited, VisitedPage};
use jobs::{Failure, FailureCode};
use url::Url;

use super::world::Dice;

const ORIGIN: &str = "http://site.example";
/// Redirects that a request follows.
const MOST_HOPS: usize = 5;

/// What lies at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Page,
    /// A page that calls another its canonical one.
    Canonical(usize),
    Redirect(usize),
    Gone,
}

#[derive(Debug)]
struct Node {
    kind: Kind,
    /// Where its links lead, and how the address is spelled.
    links: Vec<(usize, Spelling)>,
}

#[derive(Clone, Copy, Debug)]
enum Spelling {
    Plain,
    Visitor,
    Slashes,
}

/// The site, and what was asked of it.
#[derive(Debug)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    listed: Vec<usize>,
    /// Whoever asks for this page is taken down by it, every time.
    killer: Option<usize>,
    pub(crate) depth: u8,
    pub(crate) max_pages: usize,
}

impl Graph {
    pub(crate) fn by_chance(dice: &mut Dice, kills: bool) -> Self {
        let size = match dice.below(20) {
            0 => 1 + dice.below(500),
            1..5 => 1 + dice.below(120),
            _ => 1 + dice.below(30),
        };
        let mut nodes: Vec<_> = (0..size).map(|_| node(dice, size)).collect();
        nodes[0].kind = Kind::Page;
        let mut graph = Self {
            nodes,
            listed: Vec::new(),
            killer: None,
            depth: 0,
            max_pages: 0,
        };
        // Where pages call each other canonical, which of them counts depends on who comes first.
        for page in 0..size {
            if let Kind::Canonical(target) = graph.nodes[page].kind
                && let Some(end) = graph.follow(target)
                && end != page
                && matches!(graph.nodes[end].kind, Kind::Canonical(_))
            {
                graph.nodes[page].kind = Kind::Page;
            }
        }
        graph.depth = if dice.chance(40) {
            100
        } else {
            dice.below(8) as u8
        };
        graph.listed = if dice.chance(30) {
            (0..dice.below(10)).map(|_| dice.below(size)).collect()
        } else {
            Vec::new()
        };
        graph.max_pages = if dice.chance(15) {
            1 + dice.below(size)
        } else {
            1_000
        };
        graph.killer = (kills && size > 1).then(|| 1 + dice.below(size - 1));
        graph
    }

    pub(crate) fn has_sitemap(&self) -> bool {
        !self.listed.is_empty()
    }

    pub(crate) fn sitemap(&self) -> Sitemap {
        let pages = self.listed.iter().map(|page| SitemapPage {
            url: address(*page),
            last_modified: None,
        });
        Sitemap {
            pages: pages.collect(),
            ..Sitemap::default()
        }
    }

    /// Where a request for a page ends, unless it goes in a circle.
    fn follow(&self, mut page: usize) -> Option<usize> {
        for _ in 0..=MOST_HOPS {
            match self.nodes[page].kind {
                Kind::Redirect(target) => page = target,
                _ => return Some(page),
            }
        }
        None
    }

    /// Whether the address that a page calls its canonical one leads to another page.
    fn stands_for(&self, page: usize, canonical: usize, dead: &BTreeSet<usize>) -> bool {
        let end = self.follow(canonical).filter(|end| *end != page);
        end.is_some_and(|end| self.nodes[end].kind != Kind::Gone && !dead.contains(&end))
    }

    /// Whether a request for this address takes whoever makes it down.
    pub(crate) fn kills(&self, asked: usize) -> bool {
        self.killer == Some(asked)
    }

    /// What the site says to a request.
    pub(crate) fn answer(&self, url: &Url) -> Result<Visited, Failure> {
        let page = page_of(url);
        let node = &self.nodes[page];
        let canonical = match node.kind {
            Kind::Redirect(target) if target == page => {
                return Err(Failure::new(FailureCode::Redirects, "to itself"));
            }
            Kind::Redirect(target) => {
                let target = Url::parse(&address(target)).unwrap();
                return Ok(Visited::Redirected(target));
            }
            Kind::Gone => return Err(Failure::new(FailureCode::Http(404), "gone")),
            Kind::Canonical(target) => Some(Url::parse(&address(target)).unwrap()),
            Kind::Page => None,
        };
        let links = node.links.iter().map(|(to, spelling)| FoundLink {
            url: spelled(*to, *spelling),
            nofollow: false,
        });
        Ok(Visited::Page(Box::new(VisitedPage {
            final_url: url.clone(),
            json: format!("{{\"page\":{page}}}").into_bytes(),
            links: links.collect(),
            canonical,
            nofollow: false,
            digest: page as u64 + 1,
            content_hash: String::new(),
            text: String::new(),
            validators: Validators::default(),
            bytes: 0,
        })))
    }

    /// Pages that a crawl must have, by the shortest way to each, where requests for `dead` take
    /// down whoever makes them.
    pub(crate) fn reachable(&self, dead: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut best: BTreeMap<usize, u8> = BTreeMap::new();
        let mut done = BTreeSet::new();
        let mut open = vec![(0, 0)];
        open.extend(self.listed.iter().map(|page| (*page, 1)));
        while let Some((page, far)) = open.pop() {
            let known = best.get(&page).is_some_and(|known| *known <= far);
            if far > self.depth || known || dead.contains(&page) {
                continue;
            }
            best.insert(page, far);
            let node = &self.nodes[page];
            match node.kind {
                Kind::Gone => continue,
                Kind::Redirect(target) => {
                    open.push((target, far));
                    continue;
                }
                Kind::Canonical(target) if self.stands_for(page, target, dead) => {
                    open.push((target, far));
                }
                // A page that nobody else stands for is one.
                Kind::Canonical(_) | Kind::Page => {
                    done.insert(page);
                }
            }
            open.extend(
                node.links
                    .iter()
                    .map(|(to, _)| (*to, far.saturating_add(1))),
            );
        }
        done
    }
}

fn node(dice: &mut Dice, size: usize) -> Node {
    let kind = match dice.below(12) {
        0 => Kind::Canonical(dice.below(size)),
        1 => Kind::Redirect(dice.below(size)),
        2 => Kind::Gone,
        _ => Kind::Page,
    };
    let links = (0..dice.below(6)).map(|_| {
        let spelling = match dice.below(10) {
            0 => Spelling::Visitor,
            1 => Spelling::Slashes,
            _ => Spelling::Plain,
        };
        (dice.below(size), spelling)
    });
    Node {
        kind,
        links: links.collect(),
    }
}

fn address(page: usize) -> String {
    format!("{ORIGIN}/{page}")
}

fn spelled(page: usize, spelling: Spelling) -> String {
    match spelling {
        Spelling::Plain => address(page),
        Spelling::Visitor => format!("{ORIGIN}/{page}?utm_source=a"),
        Spelling::Slashes => format!("{ORIGIN}//{page}"),
    }
}

pub(crate) fn page_of(url: &Url) -> usize {
    url.path().trim_start_matches('/').parse().unwrap()
}
