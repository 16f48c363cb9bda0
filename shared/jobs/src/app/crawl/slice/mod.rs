//! One slice of a crawl: takes it up where the last commit left it, visits pages until its time is
//! over, publishes on the way, and says what happens next. Only ever writes under the fence of its
//! own claim: whatever dies here loses what was not published, and nothing else.

mod begin;
mod hosts;
mod publish;
mod settle;

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};

use crate::app::App;
use crate::app::crawl::gates::{self, Gates};
use crate::app::crawl::pages::{self, Event};
use crate::app::crawl::refresh::BasePages;
use crate::app::work::COMMIT_MARGIN;
use crate::crawl::frontier::Frontier;
use crate::crawl::{Progress, Trial};
use crate::error::Error;
use crate::failure::Failure;
use crate::job::Job;
use crate::ports::Scraper;
use crate::spec::Spec;
use crate::time::Timestamp;

/// The first commit comes no later than this, so that progress is seen and kept at once.
const FIRST_COMMIT: Duration = Duration::from_millis(700);
/// While something is under way, it is looked after at least this often: places whose term ends are
/// taken anew.
const TICK: Duration = Duration::from_secs(1);
/// Most hosts that it wakes for sooner.
const MOST_AWAITED: usize = 32;
/// Nothing begins while the row has not been looked at for longer: who cancels or pauses a job is
/// heard by then.
const LONGEST_BLIND: Duration = Duration::from_secs(4);
/// A slice that uses slots which were taken for it and then lets others have their turn publishes
/// what it has done at its end, unless it takes longer.
const LONGEST_TURN: Duration = Duration::from_secs(10);
/// A slice that would have to wait longer ends, and comes back by a message.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Messages come late by up to a second: whoever comes back for slots comes earlier than they begin.
const EARLY: Duration = Duration::from_millis(1_500);
/// A slice of no more visits than this is followed by a light one.
const FEW_VISITS: u32 = 4;
/// With less time left than this no visit is begun.
const LAST_START: Duration = Duration::from_secs(3);
/// One page may take this long.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest address that is shown as the current one.
const MAX_CURRENT: usize = 120;

type Pending<'a> = Pin<Box<dyn Future<Output = Event> + Send + 'a>>;

/// Why a slice stops.
enum Stop {
    /// Nothing is left to do.
    Over,
    /// To be gone on with at this time.
    Later(Timestamp),
    /// The start failed; what was learned of it.
    NotBegun(Failure, Option<Duration>),
    /// A client wants it so: the row has been read as no longer ours.
    Revoked,
    /// A pause is asked for.
    Paused,
}

pub(super) struct Slice<'a> {
    app: &'a App,
    spec: &'a Spec,
    scraper: &'a dyn Scraper,
    /// The row as this slice has last written it.
    job: Box<Job>,
    frontier: Frontier,
    progress: Progress,
    gates: Gates<'a>,
    pending: FuturesUnordered<Pending<'a>>,
    visits: pages::Visits,
    is_reading_sitemap: bool,
    /// Where both have to wait for the same host, sitemaps and pages take turns.
    takes_page: bool,
    /// When rules were last looked for that nobody had remembered, by host.
    looked_for: HashMap<String, Timestamp>,
    /// What a refresh compares with.
    base: Option<BasePages>,
    /// The revision up to which everything is told; the next write crosses it out.
    told: Option<u64>,
    /// Whether somebody wants to hear of each page.
    tells_pages: bool,
    /// Packs written under this claim.
    packs: u32,
    began: Timestamp,
    done_before: u32,
    visits_before: u32,
    /// When the row is written or at least looked at next.
    next_commit: Timestamp,
    /// Before this it is only looked at.
    publishes_from: Timestamp,
    ends: Timestamp,
    /// When the worker has to have stopped.
    deadline: Timestamp,
}

impl App {
    /// Works one slice of a crawl that has been claimed.
    pub(in crate::app) async fn work_slice(
        &self,
        job: &Job,
        spec: &Spec,
        scraper: &dyn Scraper,
        deadline: Timestamp,
    ) -> Result<(), Error> {
        let mut slice = Slice::open(self, job, spec, scraper, deadline).await?;
        slice.told = self.try_to_tell(job, Some(spec)).await;
        slice.tells_pages = self.tells_pages(job, spec).await?;
        let stop = slice.run().await;
        slice.give_up_pending();
        // What was taken and not used is for others, whatever became of this slice.
        let left = slice.gates.leave().await;
        slice.stop(stop?).await?;
        left
    }
}

impl<'a> Slice<'a> {
    async fn open(
        app: &'a App,
        job: &Job,
        spec: &'a Spec,
        scraper: &'a dyn Scraper,
        deadline: Timestamp,
    ) -> Result<Self, Error> {
        let now = app.now();
        let mut progress = job.crawl.as_deref().cloned().unwrap_or_default();
        let retry_failed = std::mem::take(&mut progress.retry_failed);
        let is_light =
            std::mem::take(&mut progress.light) && !retry_failed && progress.careful == 0;
        let light = if is_light {
            app.load_light(job, spec, progress.counters).await?
        } else {
            None
        };
        let mut frontier = match light {
            Some(light) => light,
            None => app.load_frontier(job, spec).await?,
        };
        if retry_failed {
            frontier.retry_failed();
        }
        if let Some(trial) = progress.trial.filter(|trial| trial.lapses >= Trial::GUILTY) {
            frontier.blame(trial.number);
            progress.trial = None;
        }
        let options = &frontier.rules().options;
        let delay = Duration::from_millis(options.request_delay);
        let mut gates = Gates::new(app, gates::taker(&job.id), options.max_concurrency, delay);
        let turn = progress.turn.take();
        // Whoever takes turns has shown what there is already, and has not long to go.
        let (first_look, publishes_from) = match &turn {
            Some(turn) => {
                gates.take_up(turn);
                let publishes_from = turn.begins().min(now + LONGEST_WAIT) + LONGEST_TURN;
                (LONGEST_BLIND, publishes_from)
            }
            None => (FIRST_COMMIT, now),
        };
        Ok(Self {
            app,
            spec,
            scraper,
            job: Box::new(job.clone()),
            done_before: frontier.counters().done,
            visits_before: frontier.visits(),
            visits: pages::Visits::of(spec, frontier.config(), options.formats),
            is_reading_sitemap: false,
            takes_page: !job.fence.is_multiple_of(2),
            looked_for: HashMap::new(),
            base: app.base_pages(&frontier).await?,
            frontier,
            progress,
            gates,
            pending: FuturesUnordered::new(),
            told: None,
            deadline,
            tells_pages: false,
            packs: 0,
            began: now,
            next_commit: now + first_look,
            publishes_from,
            ends: deadline - COMMIT_MARGIN,
        })
    }

    async fn run(&mut self) -> Result<Stop, Error> {
        loop {
            if self.gates.has_news() {
                self.gates.tell().await?;
            }
            let now = self.app.now();
            let is_heavy = self.frontier.is_heavy();
            if now >= self.next_commit || is_heavy {
                let stop = if now < self.publishes_from && !is_heavy {
                    self.look().await?
                } else {
                    self.commit().await?
                };
                if let Some(stop) = stop {
                    return Ok(stop);
                }
            }
            if let Some(stop) = self.fill().await? {
                return Ok(stop);
            }
            let now = self.app.now();
            if self.pending.is_empty() {
                if self.frontier.is_spent() {
                    return Ok(Stop::Later(now));
                }
                if self.frontier.is_over() {
                    if self.sweep_base() {
                        continue;
                    }
                    return Ok(Stop::Over);
                }
                if let Some(stop) = self.end_in_time(now) {
                    return Ok(stop);
                }
                if let Some(stop) = self.wait(now).await {
                    return Ok(stop);
                }
                continue;
            }
            if let Some(stop) = self.hear(now).await? {
                return Ok(stop);
            }
            let now = self.app.now();
            if now >= self.ends {
                return Ok(Stop::Later(now));
            }
            if let Some(stop) = self.end_in_time(now) {
                return Ok(stop);
            }
        }
    }

    /// Ends the crawl where its own time is over.
    fn end_in_time(&mut self, now: Timestamp) -> Option<Stop> {
        if !self.is_out_of_time(now) {
            return None;
        }
        if self.frontier.is_light() {
            return Some(Stop::Later(now));
        }
        self.frontier.close("the crawl's own time is over");
        self.give_up_pending();
        Some(Stop::Over)
    }

    /// The job's own working time, over all slices, is used up.
    fn is_out_of_time(&self, now: Timestamp) -> bool {
        let worked = self.progress.worked_ms + now.since(self.began).as_millis() as u64;
        worked >= self.spec.timeout_ms
    }

    /// Waits for the next thing to end, but not beyond the time at which something else may begin,
    /// has to be written or looked after.
    async fn hear(&mut self, now: Timestamp) -> Result<Option<Stop>, Error> {
        let mut until = self.next_commit.min(self.ends).min(now + TICK);
        if self.pending.len() < self.most_at_once() {
            let wakes = self.wakes(now, MOST_AWAITED).into_iter();
            until = wakes.filter(|at| *at > now).fold(until, Timestamp::min);
        }
        let event = {
            let alarm = self.app.ports.clock.alarm(until.since(now));
            match select(self.pending.next(), alarm).await {
                Either::Left((event, _)) => event,
                Either::Right(_) => None,
            }
        };
        match event {
            None => Ok(None),
            Some(event) => self.learn(event).await,
        }
    }

    /// Nothing can be begun and nothing is under way: waits a moment, or ends the slice.
    async fn wait(&mut self, now: Timestamp) -> Option<Stop> {
        let at = self.wakes(now, usize::MAX).into_iter().min();
        let at = at.unwrap_or(now + LONGEST_WAIT);
        let wait = at.since(now);
        let starts_until = self.ends - LAST_START;
        if wait > LONGEST_WAIT || now + wait >= starts_until {
            // The next slice will not do much either: it need not know everything.
            let visits = self.frontier.visits() - self.visits_before;
            self.progress.light = wait > LONGEST_WAIT && visits <= FEW_VISITS;
            self.progress.turn = self.gates.keep_turn(now);
            let turn = self.progress.turn.as_ref();
            let is_turn = turn.is_some_and(|turn| turn.begins() == at);
            return Some(Stop::Later(if is_turn { at - EARLY } else { at }));
        }
        // Never for nothing: whatever says that it is time now is asked again a moment later.
        let wait = wait.max(Duration::from_millis(1));
        self.app.ports.clock.sleep(wait).await;
        None
    }

    fn give_up_pending(&mut self) {
        self.pending = FuturesUnordered::new();
    }
}
