//! What a redirect changes: where it leads is an address like any other, judged by scope, patterns
//! and robots.txt before anybody asks for it. Refuses circles, and more redirects one after the
//! other than a browser would follow.

use url::Url;

use super::outcome::MOST_LEADS;
use super::{Ended, Frontier, Ticket};
use crate::address::MAX_URL;
use crate::crawl::entry::Standing;
use crate::crawl::reason::Reason;
use crate::crawl::rules::Found;
use crate::crawl::scope::identity;
use crate::crawl::table::Number;
use crate::failure::{Failure, FailureCode};
use crate::time::Timestamp;

/// Most redirects that lead from one address to the next.
const MAX_HOPS: u8 = 5;

impl Frontier {
    /// Whether this is what the client has named, or what that has led to so far.
    pub fn is_start(&self, ticket: &Ticket) -> bool {
        ticket.number == 0 || self.number_of(&self.rules.start) == Some(ticket.number)
    }

    /// A visit has ended at a redirect to `url`, which has not been asked for.
    pub fn redirected(&mut self, ticket: &Ticket, url: &Url) -> Ended {
        self.in_flight.remove(&ticket.number);
        let Some(entry) = self.table.get(ticket.number) else {
            return Ended::Settled;
        };
        let (depth, hops) = (entry.depth, entry.hops);
        if self.leave_to_whole() {
            return Ended::Settled;
        }
        if url.as_str().len() > MAX_URL {
            return self.lost(ticket, "The page redirects to an address that is too long");
        }
        if identity(url) == identity(&ticket.url) {
            return self.respelled(ticket, url, depth, hops);
        }
        if ticket.relink {
            // It has been read, so that this is news; what it was stays.
            self.forget_relink(ticket.number);
            return Ended::Settled;
        }
        let is_start = self.number_of(&self.rules.start) == Some(ticket.number);
        let scope = &mut self.rules.scope;
        if !(scope.contains(url) || is_start && scope.adopt(&ticket.url, url)) {
            self.end(ticket.number, Reason::OffScope, Some(url));
            return Ended::Settled;
        }
        if hops >= MAX_HOPS {
            return self.lost(ticket, "The way to this page has more than 5 redirects");
        }
        if is_start {
            // What the client has named is what it leads to, whatever the patterns say.
            self.rules.start = url.clone();
            self.has_moved = true;
        }
        let known = self.table.len();
        let found = Found {
            depth,
            follow: true,
            listed: true,
        };
        // Known or not: this may be a shorter way to it.
        let target = self
            .discover_url(url, found)
            .and_then(|_| self.number_of(url));
        if let Some(target) = target {
            if self.comes_back(target, ticket.number) {
                return self.lost(ticket, "The page redirects in a circle");
            }
            if target >= known {
                self.table.change(target, |entry| entry.hops = hops + 1);
            } else if is_start {
                self.reopen(target, found);
            }
        }
        self.end(ticket.number, Reason::Redirect(url.to_string()), Some(url));
        self.pass_stand_ins_on(ticket.number);
        Ended::Settled
    }

    /// The page is at another spelling of its own address, with a session for instance: that is
    /// what to ask for.
    fn respelled(&mut self, ticket: &Ticket, url: &Url, depth: u8, hops: u8) -> Ended {
        if hops >= MAX_HOPS {
            return self.lost(ticket, "The way to this page has more than 5 redirects");
        }
        let host = self.host(url);
        if let Err(reason) = self.judge_robots(host, url) {
            self.end(ticket.number, reason, None);
            return Ended::Settled;
        }
        self.table.change(ticket.number, |entry| {
            entry.hops = hops + 1;
            entry.final_url = Some(url.as_str().into());
        });
        self.enqueue(ticket.number, url, depth, Timestamp::default());
        Ended::Settled
    }

    /// The address to ask for: another spelling of it, where it has redirected to that.
    pub(super) fn address(&self, number: Number) -> Option<(Url, u8)> {
        let entry = self.table.get(number)?;
        let url = Url::parse(&entry.url).ok()?;
        let spelled = entry.final_url.as_deref();
        let spelled = spelled.and_then(|text| Url::parse(text).ok());
        let spelled = spelled.filter(|spelled| identity(spelled) == identity(&url));
        Some((spelled.unwrap_or(url), entry.tries))
    }

    fn lost(&mut self, ticket: &Ticket, sentence: &str) -> Ended {
        if ticket.relink {
            self.forget_relink(ticket.number);
            return Ended::Settled;
        }
        let failure = Failure::new(FailureCode::Redirects, sentence);
        self.failed(ticket, &failure, Timestamp::default(), 0)
    }

    /// Whether redirects lead from one address to the other.
    fn comes_back(&self, from: Number, to: Number) -> bool {
        let mut number = Some(from);
        for _ in 0..=MOST_LEADS {
            let Some(at) = number.filter(|at| *at != to) else {
                break;
            };
            let entry = self.table.get(at);
            let target = entry.and_then(|entry| match &entry.standing {
                Standing::Ended(Reason::Redirect(_)) => entry.final_url.as_deref(),
                _ => None,
            });
            let target = target.and_then(|text| Url::parse(text).ok());
            number = target.and_then(|url| self.number_of(&url));
        }
        number == Some(to)
    }

    /// What the start leads to is visited, also where it was left out when it was found otherwise.
    fn reopen(&mut self, number: Number, found: Found) {
        let reason = self.table.get(number).and_then(|entry| entry.reason());
        let was_left_out = matches!(
            reason,
            Some(
                Reason::Pattern(_)
                    | Reason::Depth
                    | Reason::Limit(_)
                    | Reason::Trap(_)
                    | Reason::Nofollow
                    | Reason::OffScope
            )
        );
        if was_left_out {
            self.reconsider(number, found);
        }
    }
}
