//! The frontier against sites made by chance: whatever the order in which visits end, however often
//! a slice ends in the middle, what is done is what can be reached, each page once.

mod site;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::crawl::robots::Robots;
use crate::crawl::visit::Visited;
use crate::crawl::{CrawlOptions, PackName, SitemapUse, UrlState};
use crate::failure::Failure;
use crate::spec::JobType;
use site::{ATTEMPTS, Kind, MOST_DEATHS, Site, address, page_of, site};

fn spec(options: CrawlOptions) -> Spec {
    Spec {
        kind: JobType::FullCrawl,
        url: address(0),
        config: crate::Extraction::default(),
        crawl: Some(options),
        refresh: None,
        headers: Vec::new(),
        user_agent: None,
        attempts: ATTEMPTS,
        timeout_ms: 1_000,
        delay_ms: 0,
        metadata: None,
        page_events: false,
        webhook: None,
    }
}

/// What was published: results of all commits, and the last manifest.
#[derive(Default)]
struct Published {
    packs: BTreeMap<PackName, Vec<u8>>,
    manifest: Option<crate::crawl::Part>,
}

impl Published {
    fn read(&self, part: crate::crawl::Part) -> Vec<u8> {
        let (from, length) = (part.offset as usize, part.length as usize);
        self.packs[&part.pack][from..from + length].to_vec()
    }

    fn commit(&mut self, frontier: &mut Frontier, number: u32) {
        let packed = frontier.pack(PackName(1, number)).unwrap();
        assert_eq!(packed.counters, frontier.counters());
        self.packs.insert(packed.name, packed.body);
        self.manifest = Some(packed.manifest);
    }

    fn manifest(&self) -> Manifest {
        Manifest::decode(&self.read(self.manifest.unwrap())).unwrap()
    }

    /// The head of the crawl alone, where that will do.
    fn resume_light(&self, spec: &Spec, counters: Counters) -> Option<Frontier> {
        let manifest = self.manifest();
        let head = light_head(&manifest)?;
        let frame = self.read(manifest.chunks[head].part);
        let start = Url::parse(&address(0)).unwrap();
        let light = Frontier::resume_light(spec, &start, manifest, head, &frame, counters);
        Some(light.unwrap())
    }

    fn resume(&self, spec: &Spec) -> Frontier {
        let manifest = self.manifest();
        let notes: Vec<_> = notes_of(&manifest)
            .iter()
            .map(|part| self.read(*part))
            .collect();
        let chunks = manifest.chunks.iter().map(|chunk| self.read(chunk.part));
        let chunks: Vec<_> = chunks.collect();
        let start = Url::parse(&address(0)).unwrap();
        Frontier::resume(spec, &start, manifest.clone(), &chunks, &notes).unwrap()
    }

    fn results(&self) -> Vec<usize> {
        let segments = self.manifest().results;
        let lines = segments.iter().flat_map(|segment| {
            let lines = unpack_segment(&self.read(segment.part)).unwrap();
            let text = String::from_utf8(lines).unwrap();
            assert_eq!(text.lines().count(), segment.pages as usize);
            text.lines()
                .map(|line| line.parse().unwrap())
                .collect::<Vec<_>>()
        });
        lines.collect()
    }

    fn entries(&self) -> Vec<Entry> {
        let chunks = self.manifest().chunks;
        let read = |chunk: &crate::crawl::table::StoredChunk| entries_of(&self.read(chunk.part));
        chunks
            .iter()
            .flat_map(|chunk| read(chunk).unwrap())
            .collect()
    }
}

fn learn(frontier: &mut Frontier) {
    frontier.learn_robots("site.example", Access::Rules(Box::new(Robots::allow_all())));
}

fn end(
    frontier: &mut Frontier,
    ticket: &Ticket,
    outcome: Result<Visited, Failure>,
    now: Timestamp,
) -> Ended {
    match outcome {
        Ok(Visited::Page(page)) => frontier.page(ticket, &page),
        Ok(Visited::Redirected(url)) => frontier.redirected(ticket, &url),
        Ok(Visited::Unchanged) => panic!("nothing is known of any page"),
        Err(failure) => frontier.failed(ticket, &failure, now, 0),
    }
}

/// Crawls with up to `concurrency` visits at once that end in an order by chance; `choices` also
/// say when to commit and when the slice dies.
fn crawl(site: &Site, spec: &Spec, concurrency: usize, choices: &[u8]) -> Published {
    let mut published = Published::default();
    let start = Url::parse(&address(0)).unwrap();
    let mut frontier = Frontier::begin(spec, &start).unwrap();
    learn(&mut frontier);
    let mut visits: Vec<Ticket> = Vec::new();
    let mut now = Timestamp::from_millis(1_000);
    let mut counted = Counters::default();
    let (mut commits, mut deaths, mut choice) = (0, 0, choices.iter().cycle());
    for step in 0.. {
        assert!(step < 20_000, "the crawl does not end");
        while visits.len() < concurrency
            && let Some(ticket) = frontier.next(now, |_| true)
        {
            visits.push(ticket);
        }
        let chosen = usize::from(*choice.next().unwrap());
        if visits.is_empty() && frontier.is_spent() {
            commits += 1;
            published.commit(&mut frontier, commits);
            frontier = published.resume(spec);
            learn(&mut frontier);
            continue;
        }
        if visits.is_empty() {
            if frontier.is_over() {
                break;
            }
            now = frontier.wakes_at().expect("something waits").max(now);
            continue;
        }
        let ticket = visits.swap_remove(chosen % visits.len());
        let outcome = site.visit(page_of(&ticket.url), ticket.tries);
        end(&mut frontier, &ticket, outcome, now);
        let counters = frontier.counters();
        assert_eq!(counters.discovered(), frontier.table.len());
        if chosen % 5 == 0 {
            commits += 1;
            published.commit(&mut frontier, commits);
            counted = frontier.counters();
        }
        // The slice dies: what was published is taken up again.
        if chosen % 11 == 0 && published.manifest.is_some() && deaths < MOST_DEATHS {
            deaths += 1;
            let light = (chosen % 2 == 0).then(|| published.resume_light(spec, counted));
            frontier = light.flatten().unwrap_or_else(|| published.resume(spec));
            learn(&mut frontier);
            visits.clear();
        }
    }
    published.commit(&mut frontier, commits + 1);
    published
}

fn options(depth: u8, max_pages: u32) -> CrawlOptions {
    CrawlOptions {
        depth,
        max_pages,
        sitemap: SitemapUse::Skip,
        ..CrawlOptions::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_is_done_is_what_can_be_reached(
        site in site(), depth in 0_u8..6, concurrency in 1_usize..9,
        choices in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let spec = spec(options(depth, 1_000));
        let published = crawl(&site, &spec, concurrency, &choices);
        let results = published.results();
        let done: BTreeSet<_> = results.iter().copied().collect();
        prop_assert_eq!(done.len(), results.len(), "a page is there twice");
        prop_assert_eq!(done, site.reachable(depth));
        let entries = published.entries();
        prop_assert!(entries.iter().all(|entry| entry.state() != UrlState::Queued));
        let spelled: BTreeSet<_> = entries.iter().map(|entry| &entry.url).collect();
        prop_assert_eq!(spelled.len(), entries.len(), "an address is there twice");
        let manifest = published.manifest();
        let in_results = manifest.results.iter().map(|segment| segment.pages).sum::<u32>();
        prop_assert_eq!(in_results as usize, results.len());
    }

    #[test]
    fn no_crawl_has_more_results_than_it_may(
        site in site(), max_pages in 1_u32..10, concurrency in 1_usize..9,
        choices in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let spec = spec(options(100, max_pages));
        let published = crawl(&site, &spec, concurrency, &choices);
        let results = published.results().len();
        let reachable = site.reachable(100).len();
        prop_assert!(results <= max_pages as usize);
        let failed = published.entries().iter().filter(|entry| entry.state() == UrlState::Failed).count();
        if failed < max_pages as usize {
            prop_assert_eq!(results, reachable.min(max_pages as usize));
        }
    }
}

#[test]
fn failed_pages_alone_are_visited_again() {
    let broken = Site {
        pages: vec![
            (Kind::Page, vec![1, 2]),
            (Kind::Gone, vec![]),
            (Kind::Page, vec![]),
        ],
    };
    let spec = spec(options(3, 100));
    let mut published = crawl(&broken, &spec, 2, &[1]);
    assert_eq!(published.results(), [0, 2]);
    let mended = Site {
        pages: vec![
            (Kind::Page, vec![1, 2]),
            (Kind::Page, vec![]),
            (Kind::Page, vec![]),
        ],
    };
    let mut frontier = published.resume(&spec);
    frontier.retry_failed();
    learn(&mut frontier);
    let ticket = frontier.next(Timestamp::default(), |_| true).unwrap();
    assert_eq!(page_of(&ticket.url), 1);
    end(
        &mut frontier,
        &ticket,
        mended.visit(1, 0),
        Timestamp::default(),
    );
    assert!(frontier.is_over());
    published.commit(&mut frontier, 99);
    assert_eq!(published.results(), [0, 2, 1]);
}

#[test]
fn a_site_of_many_chunks_is_packed_by_what_changed() {
    let links: Vec<_> = (1..6_000).collect();
    let mut pages = vec![(Kind::Page, links)];
    pages.extend((1..6_000).map(|_| (Kind::Page, Vec::new())));
    let site = Site { pages };
    let spec = spec(options(3, 10_000));
    let published = crawl(
        &site,
        &spec,
        8,
        &[0, 1, 2, 3, 4, 6, 7, 8, 9, 12, 13, 14, 17, 18],
    );
    let results: BTreeSet<_> = published.results().into_iter().collect();
    assert_eq!(results.len(), 6_000);
    assert_eq!(published.manifest().chunks.len(), 3);
}

#[test]
fn what_is_heavy_does_not_wait_for_the_time_of_a_commit() {
    let most = 40;
    let pages = (0..most).map(|page| (Kind::Page, vec![(page + 1) % most]));
    let site = Site {
        pages: pages.collect(),
    };
    let spec = spec(options(100, 1_000));
    let start = Url::parse(&address(0)).unwrap();
    let mut frontier = Frontier::begin(&spec, &start).unwrap();
    learn(&mut frontier);
    let (mut published, mut waiting, mut commits) = (Published::default(), 0, 0);
    while let Some(ticket) = frontier.next(Timestamp::default(), |_| true) {
        let Ok(Visited::Page(mut page)) = site.visit(page_of(&ticket.url), 0) else {
            panic!("every address is a page");
        };
        // Nothing of it repeats, so that it stays as large as it is.
        let mut state = page.digest;
        page.json = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8 | 0x80
        })
        .take(1024 * 1024)
        .collect();
        waiting += page.json.len();
        let _ = frontier.page(&ticket, &page);
        assert!(waiting <= 12 * 1024 * 1024, "{waiting} bytes wait");
        if frontier.is_heavy() {
            commits += 1;
            published.commit(&mut frontier, commits);
            assert!(!frontier.is_heavy());
            waiting = 0;
        }
    }
    assert!(commits >= 3, "{commits} commits of 40 MB");
}

#[test]
fn a_redirect_to_another_host_of_the_site_waits_for_the_robots_txt_of_that_one() {
    let spec = spec(CrawlOptions {
        include_subdomains: true,
        ..options(3, 100)
    });
    let start = Url::parse(&address(0)).unwrap();
    let mut frontier = Frontier::begin(&spec, &start).unwrap();
    learn(&mut frontier);
    let now = Timestamp::default();
    let site = Site {
        pages: vec![(Kind::Page, vec![1]), (Kind::Page, vec![])],
    };
    let ticket = frontier.next(now, |_| true).unwrap();
    end(&mut frontier, &ticket, site.visit(0, 0), now);
    let ticket = frontier.next(now, |_| true).unwrap();
    let target = Url::parse("http://shop.site.example/private").unwrap();
    frontier.redirected(&ticket, &target);
    assert_eq!(frontier.next(now, |_| true), None);
    let unknown = frontier.unknown_hosts(now, 1, |_| true);
    let authority = unknown[0].0.clone();
    assert_eq!(authority, "shop.site.example");
    frontier.set_asking(&authority, true);
    assert_eq!(frontier.next(now, |_| true), None);
    let robots = Robots::parse(b"User-agent: *\nDisallow: /private\n", "harvestman");
    frontier.learn_robots(&authority, Access::Rules(Box::new(robots)));
    assert_eq!(frontier.next(now, |_| true), None);
    let reasons = [1, 2].map(|number| frontier.entry(number).unwrap().reason().unwrap().code());
    assert_eq!(reasons, ["redirect", "robots"]);
    assert!(frontier.is_over());
}

#[test]
fn a_page_whose_canonical_address_fails_is_a_page_however_many_lie_between() {
    let links: Vec<_> = (1..5_000).collect();
    let mut pages = vec![(Kind::Page, links)];
    pages.extend((1..5_000).map(|_| (Kind::Page, Vec::new())));
    pages[1].0 = Kind::Canonical(4_900);
    pages[4_900].0 = Kind::Gone;
    let site = Site { pages };
    let spec = spec(options(3, 10_000));
    for choices in [&[0, 1, 2, 3, 4][..], &[0, 11, 22, 5, 7]] {
        let published = crawl(&site, &spec, 8, choices);
        let results = published.results();
        assert!(results.contains(&1), "{choices:?}");
        assert_eq!(results.len(), 4_999);
    }
}
