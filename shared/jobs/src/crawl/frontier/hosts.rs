//! The addresses of each host in the order in which they are visited, and what its robots.txt
//! says.

use std::collections::BTreeSet;

use url::Url;

use super::Frontier;
use crate::crawl::reason::Reason;
use crate::crawl::robots::Robots;
use crate::crawl::scope::authority;
use crate::crawl::table::Number;
use crate::time::Timestamp;

/// What is known of a host's robots.txt.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// It has not been asked for.
    #[default]
    Unknown,
    /// It is being asked for.
    Asked,
    Rules(Box<Robots>),
    /// It cannot be read: nothing may be visited, for this reason.
    Denied(String),
}

#[derive(Debug)]
pub(super) struct HostQueue {
    pub(super) authority: String,
    /// Scheme, host and port of the first address that was found on it.
    pub(super) origin: Url,
    pub(super) access: Access,
    /// By depth, then by discovery.
    pub(super) ready: BTreeSet<(u8, Number)>,
    /// Not before their time.
    pub(super) later: BTreeSet<(Timestamp, (u8, Number))>,
}

impl HostQueue {
    /// Lets those go whose time has come.
    pub(super) fn wake(&mut self, now: Timestamp) {
        while let Some(&(at, entry)) = self.later.first() {
            if at > now {
                return;
            }
            self.later.pop_first();
            self.ready.insert(entry);
        }
    }

    pub(super) fn is_known(&self) -> bool {
        matches!(self.access, Access::Rules(_) | Access::Denied(_))
    }

    pub(super) fn clear(&mut self) {
        self.ready.clear();
        self.later.clear();
    }
}

impl Frontier {
    /// The queue of the host of an address.
    pub(super) fn host(&mut self, url: &Url) -> usize {
        let authority = authority(url);
        if let Some(&index) = self.host_of.get(&authority) {
            return index;
        }
        let mut origin = url.clone();
        origin.set_path("/");
        origin.set_query(None);
        origin.set_fragment(None);
        let index = self.hosts.len();
        self.hosts.push(HostQueue {
            authority: authority.clone(),
            origin,
            access: Access::Unknown,
            ready: BTreeSet::new(),
            later: BTreeSet::new(),
        });
        self.host_of.insert(authority, index);
        index
    }

    pub(super) fn enqueue(&mut self, number: Number, url: &Url, depth: u8, at: Timestamp) {
        let host = self.host(url);
        let queue = &mut self.hosts[host];
        if at == Timestamp::default() {
            queue.ready.insert((depth, number));
        } else {
            queue.later.insert((at, (depth, number)));
        }
    }

    /// Takes an address out of its queue.
    pub(super) fn dequeue(&mut self, number: Number, url: &Url, depth: u8) {
        let host = self.host(url);
        let queue = &mut self.hosts[host];
        if !queue.ready.remove(&(depth, number)) {
            queue.later.retain(|(_, entry)| *entry != (depth, number));
        }
    }

    pub(super) fn judge_robots(&self, host: usize, url: &Url) -> Result<(), Reason> {
        match &self.hosts[host].access {
            Access::Rules(robots) => self.rules.judge_robots(url, robots),
            Access::Denied(why) => Err(Reason::Robots(why.clone())),
            // Judged before it is visited, at the latest.
            Access::Unknown | Access::Asked => Ok(()),
        }
    }

    /// Whether this is the host of the start.
    pub fn is_start_host(&self, authority: &str) -> bool {
        self.host_of.get(authority) == Some(&0)
    }

    /// The `most` hosts with something to visit now whose turn comes first, and how much.
    pub fn waiting_hosts(&mut self, now: Timestamp, most: usize) -> Vec<(String, usize)> {
        let mut waiting = Vec::new();
        for (index, host) in self.hosts.iter_mut().enumerate() {
            host.wake(now);
            if let Some(first) = host.ready.first().filter(|_| host.is_known()) {
                waiting.push((*first, index));
            }
        }
        waiting.sort_unstable();
        let of = |(_, index): &(_, usize)| {
            let host = &self.hosts[*index];
            (host.authority.clone(), host.ready.len())
        };
        waiting.iter().take(most).map(of).collect()
    }

    /// The host of what would be visited next, where its robots.txt is to be asked for first; marked
    /// as asked. A host whose turn may never come is not asked at all.
    pub fn next_robots(
        &mut self,
        now: Timestamp,
        mut permitted: impl FnMut(&str) -> bool,
    ) -> Option<(String, Url)> {
        if self.limit_reached(self.in_flight.len() as u32).is_some() {
            return None;
        }
        let known = self.first_ready(now, &mut permitted);
        let first = |(index, host): (usize, &HostQueue)| {
            let unknown = matches!(host.access, Access::Unknown);
            let &(depth, number) = host.ready.first().filter(|_| unknown)?;
            Some((depth, number, index))
        };
        let first = self.hosts.iter().enumerate().filter_map(first).min()?;
        if known.is_some_and(|known| known < first) || self.awaits_less_than(first.0) {
            return None;
        }
        let host = &mut self.hosts[first.2];
        host.access = Access::Asked;
        Some((host.authority.clone(), host.origin.clone()))
    }

    pub(super) fn knows_host(&self, url: &Url) -> bool {
        self.host_of.contains_key(&authority(url))
    }

    /// What the robots.txt of a host says. Of the start's host it also names sitemaps.
    pub fn learn_robots(&mut self, authority: &str, access: Access) {
        if let Some(&index) = self.host_of.get(authority) {
            let sitemaps = match &access {
                Access::Rules(robots) => robots.sitemaps().to_vec(),
                _ => Vec::new(),
            };
            self.hosts[index].access = access;
            if index == 0 {
                let origin = self.hosts[index].origin.clone();
                self.offer_sitemaps(&origin, &sitemaps);
            }
        }
    }
}
