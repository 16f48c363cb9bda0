//! Workers that share the budget of one host, in a time of their own: their calls to the table
//! take a while and overtake each other, and now and then one of them dies.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::crawl::host::{Gate, Host, Permit, Plan, Seen, Turn};
use crate::failure::{Failure, FailureCode};
use crate::time::Timestamp;

pub(super) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const EARLY: Duration = Duration::from_millis(1_500);

/// What happens, in what order and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) workers: usize,
    /// Pages of each worker.
    pub(super) pages: usize,
    pub(super) delay: Duration,
    pub(super) most: u8,
    /// Longest time of a page, in milliseconds.
    pub(super) takes: u64,
    /// Of a thousand steps of a worker, so many are its last ones.
    pub(super) deaths: u64,
    /// The start that is answered by 429, to come back after 10 s.
    pub(super) refused: Option<usize>,
}

enum Doing {
    /// Looks again then.
    Waits,
    /// The answer is on its way.
    Reads(Option<Host>),
    Writes(Option<Host>, Plan),
    Tells(Option<Host>, Host),
}

struct Worker {
    who: u64,
    gate: Gate,
    seen: Seen,
    doing: Doing,
    at: Timestamp,
    left: usize,
    /// When its requests end, and whether they are refused.
    running: Vec<(Timestamp, Timestamp, bool)>,
    hold: Option<Timestamp>,
    /// What it comes back for.
    turn: Option<Turn>,
}

pub(super) struct World {
    script: Script,
    random: u64,
    now: Timestamp,
    row: Option<Host>,
    workers: Vec<Worker>,
    pub(super) starts: Vec<Timestamp>,
    pub(super) most_at_once: usize,
    pub(super) writes: usize,
    /// When the row has said that everybody is to stay away, and until when.
    pub(super) held: Option<(Timestamp, Timestamp)>,
}

impl World {
    pub(super) fn run(script: Script) -> Self {
        let worker = |number| Worker {
            who: number as u64 * 7_919,
            gate: Gate::new(number as u64 * 7_919, script.most, script.delay),
            seen: Seen::default(),
            doing: Doing::Waits,
            at: START,
            left: script.pages,
            running: Vec::new(),
            hold: None,
            turn: None,
        };
        let mut world = Self {
            script,
            random: script.seed,
            now: START,
            row: None,
            workers: (0..script.workers).map(worker).collect(),
            starts: Vec::new(),
            most_at_once: 0,
            writes: 0,
            held: None,
        };
        while let Some(next) = world.next() {
            world.step(next);
            let passed = world.now.since(START);
            assert!(passed < Duration::from_hours(2), "somebody starves");
        }
        world
    }

    pub(super) fn passed(&self) -> Duration {
        self.now.since(START)
    }

    fn roll(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// The worker that does something next.
    fn next(&self) -> Option<usize> {
        let is_busy = |worker: &Worker| {
            worker.left > 0 || !worker.running.is_empty() || worker.hold.is_some()
        };
        let workers = self.workers.iter().enumerate();
        let workers = workers.filter(|(_, worker)| is_busy(worker));
        workers
            .min_by_key(|(_, worker)| worker.at)
            .map(|(it, _)| it)
    }

    fn later(&mut self, number: usize, below: u64) {
        let millis = self.roll(below);
        self.workers[number].at = self.now + Duration::from_millis(millis);
    }

    fn step(&mut self, number: usize) {
        self.now = self.now.max(self.workers[number].at);
        if self.roll(1_000) < self.script.deaths {
            return self.die(number);
        }
        self.end_requests(number);
        let doing = std::mem::replace(&mut self.workers[number].doing, Doing::Waits);
        let now = self.now;
        match doing {
            Doing::Waits => {
                let worker = &mut self.workers[number];
                if let Some(turn) = worker.turn.take() {
                    worker.gate.take_up(&turn, now);
                }
                self.look(number);
            }
            Doing::Reads(row) => {
                let seen = &mut self.workers[number].seen;
                (seen.row, seen.at) = (row, now);
                self.plan(number);
            }
            Doing::Writes(before, plan) => {
                let next = plan.write.clone();
                if next.is_none_or(|next| self.replace(number, before.as_ref(), next)) {
                    self.workers[number].gate.apply(&plan);
                    let worker = &mut self.workers[number];
                    if worker.gate.permit(now, &worker.seen) == Permit::Ask {
                        worker.gate.breathe(now);
                    }
                } else {
                    self.plan(number);
                }
            }
            Doing::Tells(before, next) => {
                let until = next.held_until;
                if self.replace(number, before.as_ref(), next) {
                    self.workers[number].hold = None;
                    self.held = self.held.or(Some((now, until)));
                }
            }
        }
    }

    fn replace(&mut self, number: usize, before: Option<&Host>, mut next: Host) -> bool {
        self.writes += 1;
        let written = before.map(|row| row.nonce) == self.row.as_ref().map(|row| row.nonce);
        if written {
            next.nonce = self.roll(u64::MAX);
            assert!(next.takers.len() <= super::super::MOST_TAKERS);
            self.row = Some(next);
        }
        let seen = &mut self.workers[number].seen;
        (seen.row, seen.at) = (self.row.clone(), self.now);
        written
    }

    fn plan(&mut self, number: usize) {
        let (now, chance) = (self.now, self.roll(u64::MAX));
        let worker = &mut self.workers[number];
        if worker.gate.permit(now, &worker.seen) == Permit::Ask {
            let row = worker.seen.row.clone();
            let host = row.as_ref().map(|row| row.mended(now)).unwrap_or_default();
            let plan = worker.gate.plan(now, &host, worker.left, chance);
            worker.doing = Doing::Writes(row, plan);
            self.later(number, 30);
        }
    }

    /// What a driver does when it is woken.
    fn look(&mut self, number: usize) {
        let now = self.now;
        let worker = &mut self.workers[number];
        if let Some(until) = worker.hold {
            let row = worker.seen.row.clone();
            let before = row.as_ref().map(|row| row.mended(now)).unwrap_or_default();
            let mut next = before.clone();
            next.hold(now, until);
            worker.doing = Doing::Tells(row, next);
            return self.later(number, 30);
        }
        if worker.gate.must_renew(now) {
            let row = worker.seen.row.clone();
            let host = row.as_ref().map(|row| row.mended(now)).unwrap_or_default();
            let plan = worker.gate.plan(now, &host, 0, 0);
            worker.doing = Doing::Writes(row, plan);
            return self.later(number, 30);
        }
        let ends = worker.running.iter().map(|(_, end, _)| *end).min();
        let tick = now + Duration::from_secs(1);
        if worker.left == 0 || worker.running.len() >= usize::from(self.script.most) {
            worker.at = ends.unwrap_or(tick).min(tick);
            return;
        }
        match worker.gate.permit(now, &worker.seen) {
            Permit::Now => self.start(number),
            Permit::Ask => {
                worker.doing = Doing::Reads(self.row.clone());
                self.later(number, 30);
            }
            Permit::At(at) if worker.running.is_empty() && at.since(now) > LONGEST_WAIT => {
                let turn = worker.gate.keep_turn("site.example", now);
                let is_turn = turn.is_some();
                worker.turn = turn;
                self.leave(number);
                let late = Duration::from_millis(self.roll(1_000));
                // Whoever has slots comes before they begin.
                let at = if is_turn { at - EARLY } else { at };
                self.workers[number].at = at + late;
            }
            Permit::At(at) => worker.at = ends.unwrap_or(at).min(at).min(tick),
        }
    }

    fn start(&mut self, number: usize) {
        let refused = self.script.refused == Some(self.starts.len());
        let takes = 1 + self.roll(self.script.takes);
        let now = self.now;
        let worker = &mut self.workers[number];
        worker.gate.started(now);
        worker.left -= 1;
        let end = now + Duration::from_millis(takes);
        worker.running.push((now, end, refused));
        self.starts.push(now);
        // Work that keeps the worker from being on time.
        self.later(number, 20);
        let running = self.workers.iter().map(|worker| {
            let under_way = worker.running.iter().filter(|(_, end, _)| *end > now);
            under_way.count()
        });
        self.most_at_once = self.most_at_once.max(running.sum());
    }

    fn end_requests(&mut self, number: usize) {
        let now = self.now;
        let worker = &mut self.workers[number];
        let running = std::mem::take(&mut worker.running);
        let (ended, running) = running.into_iter().partition(|(_, end, _)| *end <= now);
        worker.running = running;
        for (start, end, refused) in Vec::from_iter::<Vec<(_, _, bool)>>(ended) {
            let failure = Failure::new(FailureCode::Http(429), "Too many");
            let failure = failure.with_retry_after(Some(Duration::from_secs(10)));
            let failure = refused.then_some(&failure);
            let took = Timestamp::since(end, start);
            if let Some(until) = worker.gate.ended(now, took, failure, &worker.seen) {
                worker.seen.held_until = worker.seen.held_until.max(until);
                worker.hold = Some(until);
            }
        }
    }

    /// The slice ends: gives back what it has, where nobody is faster.
    fn leave(&mut self, number: usize) {
        let now = self.now;
        let worker = &self.workers[number];
        if worker.gate.has_taken(now) {
            let row = worker.seen.row.clone();
            let host = row.as_ref().map(|row| row.mended(now)).unwrap_or_default();
            if let Some(next) = worker.gate.leaving(now, &host) {
                self.replace(number, row.as_ref(), next);
            }
        }
        self.renew(number);
    }

    /// A new slice of the same job.
    fn renew(&mut self, number: usize) {
        let worker = &mut self.workers[number];
        worker.gate = Gate::new(worker.who, self.script.most, self.script.delay);
        worker.doing = Doing::Waits;
    }

    /// Its requests end with it; it comes back some time later.
    fn die(&mut self, number: usize) {
        self.workers[number].running.clear();
        self.workers[number].hold = None;
        self.renew(number);
        self.later(number, 15_000);
    }

    /// Whether the budget is free for all after the workers have left.
    pub(super) fn is_free_after(&self, time: Duration) -> bool {
        let host = self.row.as_ref().map(|row| row.mended(self.now + time));
        host.is_none_or(|host| host.takers.is_empty())
    }

    pub(super) fn gaps(&self) -> impl Iterator<Item = Duration> {
        self.starts.windows(2).map(|pair| pair[1].since(pair[0]))
    }

    pub(super) fn distinct_starts(&self) -> usize {
        self.starts.iter().collect::<BTreeSet<_>>().len()
    }
}
