//! Crawls of sites made by chance in the simulated world. Whatever went wrong: a crawl ends; what it
//! has is what can be reached, each page once; its counters are what a recount gives, at every step.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jobs::app::{Action, Creation, ResultsCursor, UrlFilter, UrlRow};
use jobs::crawl::{Counters, UrlState};
use jobs::{Caller, FailureCode, Job, JobId, Limits, NewJob, State};
use serde_json::{Value, json};
use url::Url;

use super::database::read_rows;
use super::graph::{Graph, page_of};
use super::run::{Kind, Report, Simulation, finish};
use super::web::Site;
use super::world::{Dice, Planted, World};

/// Rounds of peace after which whatever still goes on goes on for ever.
const ROUNDS: usize = 600;

/// What differs from seed to seed.
struct Chances {
    steps: usize,
    /// Of a task that dies instead of coming to its next await, in percent.
    death: u64,
    attempts: u8,
    /// Whether clients pause, resume and cancel.
    controls: bool,
}

pub(crate) fn run_crawl(seed: u64, planted: Planted) -> Report {
    let world = World::new(seed, planted);
    let mut dice = Dice::new(!seed);
    let chances = Chances {
        steps: dice.below(2_000),
        death: [0, 1, 3, 10][dice.below(4)],
        attempts: [3, 10][dice.below(2)],
        controls: dice.chance(25),
    };
    let kills = dice.chance(20);
    let graph = Graph::by_chance(&mut dice, kills);
    let site = Site::new(graph, chances.attempts);
    let mut simulation = Simulation::new(&world, Limits::default(), Some(site));
    let Some(id) = simulation.create_crawl(&chances) else {
        return Report::of(&world);
    };
    for _ in 0..chances.steps {
        simulation.step_crawl(&chances, &id);
        if simulation.is_idle() && world.rows.lock().unwrap()[&id].state.is_terminal() {
            break;
        }
    }
    world.faults.store(false, Ordering::Relaxed);
    let job = simulation.make_crawl_peace(&id);
    simulation.reckon_crawl(&job, &chances);
    Report::of(&world)
}

impl Simulation {
    fn graph(&self) -> &Graph {
        &self.scraper.site.as_ref().unwrap().graph
    }

    fn create_crawl(&self, chances: &Chances) -> Option<JobId> {
        let graph = self.graph();
        let body = json!({
            "type": "full-crawl",
            "url": "http://site.example/0",
            "depth": graph.depth,
            "maxPages": graph.max_pages,
            "sitemap": if graph.has_sitemap() { "include" } else { "skip" },
            "maxConcurrency": 1 + self.world.below(8),
            "attempts": chances.attempts,
        });
        let new = NewJob::parse(&body, |_| Vec::new()).unwrap();
        self.world.faults.store(false, Ordering::Relaxed);
        let created = finish(self.app.create(&Caller::Anyone, &new)).unwrap();
        self.world.faults.store(true, Ordering::Relaxed);
        match created {
            Creation::New(job) => Some(job.id),
            Creation::Duplicate(_) => None,
        }
    }

    /// One thing happens.
    fn step_crawl(&mut self, chances: &Chances, id: &JobId) {
        let world = Arc::clone(&self.world);
        if self.is_idle() {
            match world.below(8) {
                0..4 => self.deliver(),
                4 => world.advance(Duration::from_secs(3)),
                _ => {
                    world.advance(Duration::from_secs(66));
                    self.sweep();
                }
            }
            return;
        }
        match world.below(200) {
            0..180 if world.strikes("a worker dies between two awaits", chances.death) => {
                self.crash();
            }
            0..180 => self.poll_any(),
            180 => self.step_rarely(),
            181..184 if chances.controls => self.control_crawl(id),
            181..192 => self.deliver(),
            192 => self.sweep(),
            193..198 => world.advance(Duration::from_millis(world.roll() % 2_000)),
            198 => world.advance(Duration::from_secs(20)),
            _ => world.advance(Duration::from_secs(70)),
        }
        if world.below(20) == 0 {
            self.recount(id);
        }
    }

    fn control_crawl(&mut self, id: &JobId) {
        let action = match self.world.below(12) {
            0 => Action::Cancel,
            1..6 => Action::Pause,
            _ => Action::Resume,
        };
        self.world.count("a crawl is controlled");
        self.world.note(|| format!("{action:?} {id}"));
        self.world.touched.lock().unwrap().insert(id.clone());
        let (app, id) = (self.app.clone(), id.clone());
        self.spawn(Kind::Call, async move {
            let _ = app.control(&Caller::Anyone, &id, action).await;
            None
        });
    }

    /// Nothing goes wrong any more but what the site itself does.
    fn make_crawl_peace(&mut self, id: &JobId) -> Job {
        self.let_all_arrive();
        for _ in 0..ROUNDS {
            self.settle();
            self.recount(id);
            let job = read_rows(&self.world).remove(id).unwrap();
            if job.state.is_terminal() {
                return job;
            }
            if job.state == State::Paused {
                finish(self.app.control(&Caller::Anyone, id, Action::Resume)).unwrap();
            }
            self.world.advance(Duration::from_secs(30));
            self.sweep();
        }
        let job = read_rows(&self.world).remove(id).unwrap();
        self.world.violation(format!("{id} never ended: {job:?}"));
        job
    }

    /// What is published is read as any client reads it, and counted.
    fn recount(&self, id: &JobId) {
        let Some(job) = self.world.rows.lock().unwrap().get(id).cloned() else {
            return;
        };
        let faults = self.world.faults.swap(false, Ordering::Relaxed);
        let (urls, results) = (self.read_urls(&job), self.read_pages(&job));
        self.world.faults.store(faults, Ordering::Relaxed);
        let counters = job
            .crawl
            .map_or_else(Counters::default, |crawl| crawl.counters);
        let mut recount = Counters::default();
        for url in &urls {
            *match url.state {
                UrlState::Queued => &mut recount.queued,
                UrlState::Done => &mut recount.done,
                UrlState::Failed => &mut recount.failed,
                UrlState::Skipped => &mut recount.skipped,
            } += 1;
        }
        let spelled: BTreeSet<_> = urls.iter().map(|url| &url.url).collect();
        let pages: BTreeSet<_> = results.iter().collect();
        let says = |what: String| self.world.violation(format!("{id} {what}"));
        if recount != counters {
            says(format!("says {counters:?}, a recount gives {recount:?}"));
        }
        if spelled.len() != urls.len() {
            says("lists an address twice".to_owned());
        }
        if pages.len() != results.len() {
            says(format!("has a page twice: {results:?}"));
        }
        if results.len() != recount.done as usize {
            says(format!("has {} results: {recount:?}", results.len()));
        }
    }

    fn read_urls(&self, job: &Job) -> Vec<UrlRow> {
        let (mut urls, mut from) = (Vec::new(), 0);
        loop {
            match finish(self.app.urls(job, &UrlFilter::default(), from, 100)) {
                Ok(page) => {
                    urls.extend(page.urls);
                    match page.next {
                        Some(next) => from = next,
                        None => return urls,
                    }
                }
                Err(error) => {
                    self.world
                        .violation(format!("addresses do not read: {error}"));
                    return urls;
                }
            }
        }
    }

    fn read_pages(&self, job: &Job) -> Vec<usize> {
        let (mut pages, mut from) = (Vec::new(), ResultsCursor::default());
        loop {
            match finish(self.app.results_from(job, from, 50, 1_000_000)) {
                Ok(part) => {
                    let read = part.results.iter().map(|line| {
                        let line: Value = serde_json::from_str(line).unwrap();
                        line["page"].as_u64().unwrap() as usize
                    });
                    let before = pages.len();
                    pages.extend(read);
                    match part.next {
                        Some(next) if pages.len() > before => from = next,
                        _ => return pages,
                    }
                }
                Err(error) => {
                    self.world
                        .violation(format!("results do not read: {error}"));
                    return pages;
                }
            }
        }
    }

    fn reckon_crawl(&self, job: &Job, chances: &Chances) {
        let says = |what: String| self.world.violation(format!("{} {what}", job.id));
        match job.state {
            State::Cancelled => return self.world.count("a crawl is cancelled"),
            State::Failed => {
                self.world.count("a crawl fails");
                // Only of leases that are lost again and again before anything is published.
                let lost = |code| matches!(code, FailureCode::LeaseLost);
                let attempts = job.attempts.iter().map(|attempt| attempt.failure.code);
                if !attempts.clone().any(lost) {
                    says(format!("failed: {:?}", job.attempts));
                }
                return;
            }
            _ => {}
        }
        let urls = self.read_urls(job);
        let dead = self.taken_down(&urls);
        let done: BTreeSet<_> = self.read_pages(job).into_iter().collect();
        let graph = self.graph();
        let reachable = graph.reachable(&dead);
        let failed = urls.iter().filter(|url| url.state == UrlState::Failed);
        let most = graph.max_pages;
        if reachable.len() <= most && failed.count() < most {
            if done != reachable {
                let missing: Vec<_> = reachable.difference(&done).collect();
                let extra: Vec<_> = done.difference(&reachable).collect();
                for row in &urls {
                    self.world.note(|| format!("{row:?}"));
                }
                self.world.note(|| format!("{graph:?}"));
                says(format!("lacks {missing:?} and has {extra:?} too many"));
            }
        } else {
            // Not all of them, but none that could not be reached one way or the other.
            let mut possible = graph.reachable(&BTreeSet::new());
            possible.extend(&reachable);
            if done.len() > most || !done.is_subset(&possible) {
                let extra: Vec<_> = done.difference(&possible).collect();
                says(format!(
                    "has {} pages of {most}, {extra:?} too many",
                    done.len()
                ));
            }
        }
        if urls.iter().any(|url| url.state == UrlState::Queued) {
            says("completed with addresses in the queue".to_owned());
        }
        if chances.attempts > 3 {
            self.world.count("a crawl completes after many attempts");
        }
        self.world.count("a crawl completes");
    }

    /// The addresses that have failed because they take their worker down: only those that have.
    fn taken_down(&self, urls: &[UrlRow]) -> BTreeSet<usize> {
        let trials = self.world.trials.lock().unwrap();
        let mut dead = BTreeSet::new();
        for (number, row) in urls.iter().enumerate() {
            let code = row.reason.as_ref().map(jobs::crawl::Reason::code);
            if code.as_deref() != Some("lease_lost") {
                continue;
            }
            let page = page_of(&Url::parse(&row.url).unwrap());
            let lapses = trials.get(&(number as u32)).copied().unwrap_or(0);
            if lapses < 2 {
                let what = format!("{} is blamed for {lapses} leases", row.url);
                self.world.violation(what);
            }
            if self.graph().kills(page) {
                self.world.count("a page that kills fails alone");
            }
            dead.insert(page);
        }
        dead
    }
}
