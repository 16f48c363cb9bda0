//! Sites made by chance: pages, redirects, aliases and failures, and what a crawl of them must find.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use url::Url;

use crate::crawl::visit::{FoundLink, Validators, Visited, VisitedPage};
use crate::failure::{Failure, FailureCode};

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Page,
    /// Another page under this address.
    Canonical(usize),
    Redirect(usize),
    Gone,
    /// Fails this often, then is a page.
    Fails(u8),
}

#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) pages: Vec<(Kind, Vec<usize>)>,
}

pub(super) const ATTEMPTS: u8 = 3;
/// Whoever dies before every commit gets nowhere.
pub(super) const MOST_DEATHS: u32 = 20;

pub(super) fn site() -> impl Strategy<Value = Site> {
    (1_usize..40).prop_flat_map(|size| {
        let kind = prop_oneof![
            6 => Just(Kind::Page),
            1 => (0..size).prop_map(Kind::Canonical),
            1 => (0..size).prop_map(Kind::Redirect),
            1 => Just(Kind::Gone),
            1 => (1_u8..4).prop_map(Kind::Fails),
        ];
        let page = (kind, prop::collection::vec(0..size, 0..4));
        prop::collection::vec(page, size).prop_map(|mut pages| {
            pages[0].0 = Kind::Page;
            let plain: Vec<_> = pages
                .iter()
                .map(|(kind, _)| matches!(kind, Kind::Page))
                .collect();
            for (kind, _) in &mut pages {
                if let Kind::Canonical(target) = kind
                    && !plain[*target]
                {
                    *kind = Kind::Page;
                }
            }
            Site { pages }
        })
    })
}

pub(super) fn address(page: usize) -> String {
    format!("http://site.example/{page}")
}

pub(super) fn page_of(url: &Url) -> usize {
    url.path()[1..].parse().unwrap()
}

impl Site {
    pub(super) fn visit(&self, page: usize, tries: u8) -> Result<Visited, Failure> {
        let (kind, links) = &self.pages[page];
        match kind {
            Kind::Redirect(target) if *target == page => {
                return Err(Failure::new(FailureCode::Redirects, "to itself"));
            }
            Kind::Redirect(target) => {
                let target = Url::parse(&address(*target)).unwrap();
                return Ok(Visited::Redirected(target));
            }
            Kind::Gone => return Err(Failure::new(FailureCode::Http(404), "gone")),
            Kind::Fails(times) if tries < *times => {
                return Err(Failure::new(FailureCode::Http(503), "busy"));
            }
            _ => {}
        }
        let links = links.iter().map(|page| FoundLink {
            url: address(*page),
            nofollow: false,
        });
        let canonical = match kind {
            Kind::Canonical(target) => Some(Url::parse(&address(*target)).unwrap()),
            _ => None,
        };
        Ok(Visited::Page(Box::new(VisitedPage {
            final_url: Url::parse(&address(page)).unwrap(),
            json: page.to_string().into_bytes(),
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

    /// Pages that a crawl of this depth must have, by the shortest way to each.
    pub(super) fn reachable(&self, depth: u8) -> BTreeSet<usize> {
        let mut best: BTreeMap<usize, u8> = BTreeMap::new();
        let mut done = BTreeSet::new();
        let mut open = vec![(0, 0)];
        while let Some((page, far)) = open.pop() {
            if far > depth || best.get(&page).is_some_and(|known| *known <= far) {
                continue;
            }
            best.insert(page, far);
            let (kind, links) = &self.pages[page];
            let follow = |open: &mut Vec<_>| open.extend(links.iter().map(|to| (*to, far + 1)));
            match kind {
                Kind::Redirect(target) => open.push((*target, far)),
                Kind::Gone => {}
                Kind::Fails(times) if *times >= ATTEMPTS => {}
                Kind::Canonical(target) => {
                    // A page that calls itself canonical is one.
                    if *target == page {
                        done.insert(page);
                    } else {
                        open.push((*target, far));
                    }
                    follow(&mut open);
                }
                Kind::Page | Kind::Fails(_) => {
                    done.insert(page);
                    follow(&mut open);
                }
            }
        }
        done
    }
}
