//! The permits of one slice: asks the table for slots and places of each host that the slice meets,
//! for several seconds at a time, and gives back what is left. What to take is decided in
//! [`crate::crawl::host`]; this carries it out and retries where another worker was faster.

mod known;

use std::collections::HashMap;
use std::time::Duration;

use crate::app::App;
use crate::crawl::host::{Gate, Host, Plan, Turn};
use crate::error::Error;
use crate::failure::Failure;
use crate::id::JobId;
use crate::ports::HostSwap;
use crate::time::Timestamp;

pub use crate::crawl::host::Permit;
pub(in crate::app) use known::KnownHosts;

/// Writes that other workers may get ahead of.
const MOST_RACES: usize = 20;
/// Hosts that a slice keeps in mind before it forgets those that it has done with.
const MOST_REMEMBERED: usize = 1_000;

/// The permits of one slice, for every host that it meets. Hosts are named by their authority in
/// lower case: the host, with the port where the URL has one.
pub struct Gates<'a> {
    app: &'a App,
    who: u64,
    most: u8,
    own_delay: Duration,
    by_host: HashMap<String, Gate>,
    /// Holds that others do not know of yet.
    news: HashMap<String, Timestamp>,
}

impl<'a> Gates<'a> {
    /// For a slice of the job that `who` stands for: the same number for every slice of it, so that
    /// the next one keeps its place in the line and takes over from one that died. The job may
    /// have `most` requests to a host at once, `own_delay` apart.
    pub fn new(app: &'a App, who: u64, most: u8, own_delay: Duration) -> Self {
        Self {
            app,
            who,
            most,
            own_delay,
            by_host: HashMap::new(),
            news: HashMap::new(),
        }
    }

    /// What the site's `robots.txt` asks for; at most an hour.
    pub fn set_crawl_delay(&mut self, host: &str, delay: Duration) {
        self.gate(host).keep_delay(delay);
    }

    /// Whether the site's `robots.txt` is still to be asked for. The next request is for it then,
    /// and where nobody else is at the host, nobody comes before it is read: it may name a delay.
    pub fn explore(&mut self, host: &str, explores: bool) {
        self.gate(host).explore(explores);
    }

    /// Whether a request to `host` may start now, by what was taken in advance. Says
    /// [`Permit::Ask`] at most once before each [`Gates::ask`].
    pub fn permit(&mut self, host: &str, now: Timestamp) -> Permit {
        let Some(gate) = self.by_host.get(host) else {
            return Permit::Ask;
        };
        self.app.hosts.with(host, |seen| gate.permit(now, seen))
    }

    /// Takes slots or places of a host from the table for `wanted` requests that wait for it, and
    /// sees what other workers have written. Then [`Gates::permit`] says when to start or to come
    /// back. A read, a write, or both; more where other workers write at the same time.
    pub async fn ask(&mut self, host: &str, wanted: usize) -> Result<(), Error> {
        let now = self.app.now();
        self.gate(host);
        if self.permit(host, now) != Permit::Ask {
            return Ok(());
        }
        if !self.app.hosts.is_fresh(host, now) {
            self.read(host).await?;
        }
        self.take(host, wanted, false).await?;
        let now = self.app.now();
        if self.permit(host, now) == Permit::Ask {
            self.gate(host).breathe(now);
        }
        Ok(())
    }

    /// A request to the host starts.
    pub fn started(&mut self, host: &str, now: Timestamp) {
        self.gate(host).started(now);
    }

    /// A request that was started has ended, after `took`, as a page or with a failure. What it
    /// says of the host counts in this process at once, and for others after [`Gates::tell`].
    pub fn ended(&mut self, host: &str, now: Timestamp, took: Duration, failure: Option<&Failure>) {
        self.gate(host);
        let Some(gate) = self.by_host.get_mut(host) else {
            return;
        };
        let hosts = &self.app.hosts;
        let until = hosts.with(host, |seen| gate.ended(now, took, failure, seen));
        if let Some(until) = until {
            hosts.hold(host, now, until);
            let news = self.news.entry(host.to_owned()).or_default();
            *news = until.max(*news);
        }
    }

    /// Whether there is something that other workers must know: a host that wants to be left
    /// alone, or places whose term ends while requests are still under way. Worth asking whenever
    /// a request ends, and every second while some are under way.
    pub fn has_news(&self) -> bool {
        let now = self.app.now();
        !self.news.is_empty() || self.by_host.values().any(|gate| gate.must_renew(now))
    }

    /// Tells the table what others must know. What could not be told stays news.
    pub async fn tell(&mut self) -> Result<(), Error> {
        self.tell_holds().await?;
        let now = self.app.now();
        let ending = self.by_host.iter().filter(|(_, gate)| gate.must_renew(now));
        let ending: Vec<_> = ending.map(|(host, _)| host.clone()).collect();
        for host in ending {
            self.take(&host, 0, true).await?;
        }
        Ok(())
    }

    async fn tell_holds(&mut self) -> Result<(), Error> {
        let news: Vec<_> = self
            .news
            .iter()
            .map(|(host, at)| (host.clone(), *at))
            .collect();
        for (host, until) in news {
            self.hold(&host, until).await?;
            self.news.remove(&host);
        }
        Ok(())
    }

    /// The slots that the job is to come back for: the first of those that are still to come. They
    /// are not given back by [`Gates::leave`], but taken up by the next slice.
    pub fn keep_turn(&mut self, now: Timestamp) -> Option<Turn> {
        let turn = |(host, gate): (&String, &Gate)| Some((gate.next_slot(now)?, host.clone()));
        let (_, host) = self.by_host.iter().filter_map(turn).min()?;
        self.by_host.get_mut(&host)?.keep_turn(&host, now)
    }

    /// Goes on with what the slice before has kept.
    pub fn take_up(&mut self, turn: &Turn) {
        let now = self.app.now();
        self.gate(&turn.host).take_up(turn, now);
    }

    /// The slice ends, and nothing of it is under way: gives back what was taken and not used.
    pub async fn leave(&mut self) -> Result<(), Error> {
        self.tell_holds().await?;
        for (host, gate) in std::mem::take(&mut self.by_host) {
            if gate.has_taken(self.app.now()) {
                let change = |now, row: Option<&Host>| gate.leaving(now, &mended(row, now));
                change_row(self.app, &host, change).await?;
            }
        }
        Ok(())
    }

    fn gate(&mut self, host: &str) -> &mut Gate {
        let (who, most, delay) = (self.who, self.most, self.own_delay);
        if self.by_host.len() >= MOST_REMEMBERED && !self.by_host.contains_key(host) {
            let now = self.app.now();
            self.by_host.retain(|_, gate| !gate.is_idle(now));
        }
        self.by_host
            .entry(host.to_owned())
            .or_insert_with(|| Gate::new(who, most, delay))
    }

    async fn read(&self, host: &str) -> Result<(), Error> {
        let began = self.app.now();
        let row = self.app.ports.hosts.host(host).await?;
        self.app.hosts.learn(host, row, began, self.app.now());
        Ok(())
    }

    /// Takes what the plan says, unless what is there suffices by now; `anew` in any case.
    async fn take(&mut self, host: &str, wanted: usize, anew: bool) -> Result<(), Error> {
        let app = self.app;
        let gate = self.gate(host);
        let mut done: Option<Plan> = None;
        change_row(app, host, |now, row| {
            let suffices = || app.hosts.with(host, |seen| gate.permit(now, seen));
            if !anew && suffices() != Permit::Ask {
                done = None;
                return None;
            }
            let plan = gate.plan(now, &mended(row, now), wanted, app.random());
            let write = plan.write.clone();
            done = Some(plan);
            write
        })
        .await?;
        if let Some(plan) = done {
            gate.apply(&plan);
        }
        Ok(())
    }

    async fn hold(&self, host: &str, until: Timestamp) -> Result<(), Error> {
        let change = |now, row: Option<&Host>| {
            let before = mended(row, now);
            let mut next = before.clone();
            next.hold(now, until);
            (until > now && next != before).then_some(next)
        };
        change_row(self.app, host, change).await
    }
}

/// The number that stands for a job among those who share a host.
pub(super) fn taker(job: &JobId) -> u64 {
    // FNV-1a: that two differ matters, secrecy does not.
    let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    job.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, hash)
}

fn mended(row: Option<&Host>, now: Timestamp) -> Host {
    row.map(|row| row.mended(now)).unwrap_or_default()
}

/// Writes what `change` makes of the row, judged again where another worker was faster; `None`
/// leaves it as it is.
async fn change_row(
    app: &App,
    host: &str,
    mut change: impl FnMut(Timestamp, Option<&Host>) -> Option<Host>,
) -> Result<(), Error> {
    for _ in 0..MOST_RACES {
        let row = app.hosts.with(host, |seen| seen.row.clone());
        let began = app.now();
        let Some(mut next) = change(began, row.as_ref()) else {
            return Ok(());
        };
        next.nonce = app.random();
        let swap = app.ports.hosts.replace_host(host, row.as_ref(), &next);
        match swap.await? {
            HostSwap::Written => {
                app.hosts.learn(host, Some(next), began, app.now());
                return Ok(());
            }
            HostSwap::Lost(found) => {
                let found = found.map(|found| *found);
                app.hosts.learn(host, found, began, app.now());
            }
        }
    }
    Err(Error::Unavailable {
        part: "table",
        source: format!("the budget of {host} changed {MOST_RACES} times meanwhile").into(),
    })
}
