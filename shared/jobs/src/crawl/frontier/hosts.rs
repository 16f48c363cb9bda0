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

    /// Whether this is the host of the start, or of where that has led to.
    pub fn is_start_host(&self, name: &str) -> bool {
        self.host_of.get(name) == Some(&0) || authority(&self.rules.start) == name
    }

    /// The hosts with something to visit now, those whose turn comes first in front, and how much.
    pub fn waiting_hosts(&mut self, now: Timestamp) -> Vec<(String, usize)> {
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
        waiting.iter().map(of).collect()
    }

    /// The hosts, `most` of them, of what would be visited next where their robots.txt has to be
    /// read first, each with its origin. A host whose turn may never come is not among them.
    pub fn unknown_hosts(
        &mut self,
        now: Timestamp,
        most: usize,
        mut permitted: impl FnMut(&str) -> bool,
    ) -> Vec<(String, Url)> {
        let is_unknown = |host: &HostQueue| matches!(host.access, Access::Unknown);
        let any = self.hosts.iter().any(is_unknown);
        if !any || self.limit_reached(self.in_flight.len() as u32).is_some() {
            return Vec::new();
        }
        let known = self.first_ready(now, &mut permitted);
        let first = |(index, host): (usize, &HostQueue)| {
            let &(depth, number) = host.ready.first().filter(|_| is_unknown(host))?;
            Some((depth, number, index))
        };
        let is_next = |first: &(u8, Number, usize)| {
            known.is_none_or(|known| *first <= known) && !self.awaits_less_than(first.0)
        };
        let hosts = self.hosts.iter().enumerate().filter_map(first);
        let mut hosts: Vec<_> = hosts.filter(is_next).collect();
        hosts.sort_unstable();
        let of = |(_, _, index): &(u8, Number, usize)| {
            let host = &self.hosts[*index];
            (host.authority.clone(), host.origin.clone())
        };
        hosts.iter().take(most).map(of).collect()
    }

    /// The origin of a host of this crawl whose robots.txt nobody has asked for.
    pub fn unknown_origin(&self, authority: &str) -> Option<Url> {
        let host = &self.hosts[*self.host_of.get(authority)?];
        matches!(host.access, Access::Unknown).then(|| host.origin.clone())
    }

    /// Whether the rules of a host are being asked for.
    pub fn is_asking(&self, authority: &str) -> bool {
        let host = self.host_of.get(authority).map(|index| &self.hosts[*index]);
        host.is_some_and(|host| matches!(host.access, Access::Asked))
    }

    /// The robots.txt of a host is being asked for; or not any more, and not known either.
    pub fn set_asking(&mut self, authority: &str, asking: bool) {
        if let Some(&index) = self.host_of.get(authority) {
            self.hosts[index].access = if asking {
                Access::Asked
            } else {
                Access::Unknown
            };
        }
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
