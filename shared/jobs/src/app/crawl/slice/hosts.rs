//! What a slice waits for of each host, and when it may go on: one budget for every request, of
//! whatever kind. Refuses to begin anything.

use std::time::Duration;

use url::Url;

use super::Slice;
use crate::app::crawl::gates::Permit;
use crate::crawl::scope::authority;
use crate::error::Error;
use crate::time::Timestamp;

/// A robots.txt that was not remembered may have been read by another crawl after this.
const LOOKED_FOR: Duration = Duration::from_secs(1);
/// Most hosts that are asked for before something else has its turn.
const MOST_ASKED: usize = 8;

impl Slice<'_> {
    /// Requests that may be under way at once.
    pub(super) fn most_at_once(&self) -> usize {
        if self.progress.careful > 0 {
            1
        } else {
            usize::from(self.frontier.rules().options.max_concurrency)
        }
    }

    pub(super) fn may_start(&mut self, host: &str, now: Timestamp) -> bool {
        self.gates.permit(host, now) == Permit::Now
    }

    /// Hosts whose rules have to be known before what comes next.
    pub(super) fn unknown_hosts(&mut self, now: Timestamp) -> Vec<(String, Url)> {
        let most = self.most_at_once();
        let gates = &mut self.gates;
        let permitted = |host: &str| gates.permit(host, now) == Permit::Now;
        let mut hosts = self.frontier.unknown_hosts(now, most, permitted);
        for host in [self.trial_host(), self.sitemap_host()]
            .into_iter()
            .flatten()
        {
            let known = hosts.iter().any(|(other, _)| *other == host);
            if let Some(origin) = self.frontier.unknown_origin(&host).filter(|_| !known) {
                hosts.insert(0, (host, origin));
            }
        }
        hosts
    }

    /// Whether it was looked for what is remembered of a host's rules a moment ago.
    pub(super) fn was_looked_for(&self, host: &str, now: Timestamp) -> bool {
        let at = self.looked_for.get(host);
        at.is_some_and(|at| now.since(*at).max(at.since(now)) < LOOKED_FOR)
    }

    /// The host of the address that is fetched alone, where one is.
    pub(super) fn trial_host(&self) -> Option<String> {
        let trial = self.progress.trial.filter(|_| self.progress.careful > 0)?;
        self.frontier.host_to_take(trial.number)
    }

    /// The host of the sitemap that is read next, where one may be read.
    pub(super) fn sitemap_host(&self) -> Option<String> {
        // One at a time: the next may be in it.
        if self.is_reading_sitemap || self.frontier.is_light() {
            return None;
        }
        let (_, sitemap) = self.frontier.next_sitemap()?;
        Some(Url::parse(&sitemap.url).map_or_else(|_| String::new(), |url| authority(&url)))
    }

    pub(super) fn knows_rules(&self, host: &str) -> bool {
        self.frontier.unknown_origin(host).is_none() && !self.frontier.is_asking(host)
    }

    /// Hosts with something that begins as soon as they permit it, and with how much.
    fn wanted_hosts(&mut self, now: Timestamp) -> Vec<(String, usize)> {
        let mut wanted = Vec::new();
        for (host, _) in self.unknown_hosts(now) {
            self.gates.explore(&host, true);
            // Its robots.txt, and a page.
            wanted.push((host, 2));
        }
        // Pages that wait for something else wake nobody.
        let mut waiting = if self.sitemaps_come_first() || self.trial_host().is_some() {
            Vec::new()
        } else {
            self.frontier.waiting_hosts(now)
        };
        for host in [self.trial_host(), self.sitemap_host()]
            .into_iter()
            .flatten()
        {
            if !self.knows_rules(&host) || host.is_empty() {
                continue;
            }
            match waiting.iter_mut().find(|(other, _)| *other == host) {
                Some((_, number)) => *number += 1,
                None => waiting.insert(0, (host, 1)),
            }
        }
        wanted.extend(waiting);
        wanted
    }

    /// Asks the table for hosts, in the order of what waits for them, until enough may begin.
    pub(super) async fn ask_hosts(&mut self, now: Timestamp) -> Result<(), Error> {
        let mut free = self.most_at_once().saturating_sub(self.pending.len());
        let mut asked = 0;
        for (host, wanted) in self.wanted_hosts(now) {
            if free == 0 || asked == MOST_ASKED {
                break;
            }
            if self.gates.permit(&host, self.app.now()) == Permit::Ask {
                asked += 1;
                self.gates.ask(&host, wanted).await?;
            }
            free -= usize::from(self.may_start(&host, self.app.now()));
        }
        Ok(())
    }

    /// When something may begin that has to wait, for itself or for its host; now, where its host
    /// says so or has yet to be asked. Of so many hosts, those first whose turn it is.
    pub(super) fn wakes(&mut self, now: Timestamp, hosts: usize) -> Vec<Timestamp> {
        let mut wakes: Vec<_> = self.frontier.wakes_at().into_iter().collect();
        for (host, _) in self.wanted_hosts(now).into_iter().take(hosts) {
            match self.gates.permit(&host, now) {
                Permit::At(at) => wakes.push(at),
                Permit::Now | Permit::Ask => wakes.push(now),
            }
        }
        wakes
    }
}
