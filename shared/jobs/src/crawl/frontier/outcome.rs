//! What a visit that has ended changes.

use std::time::Duration;

use url::Url;

use super::{Frontier, Ticket};
use crate::crawl::entry::{Kept, Standing};
use crate::crawl::reason::{Reason, UrlState};
use crate::crawl::rules::Found;
use crate::crawl::scope::identity;
use crate::crawl::table::Number;
use crate::crawl::visit::VisitedPage;
use crate::failure::{Failure, FailureCode};
use crate::retry;
use crate::time::Timestamp;

/// Most addresses that lead from one to the next which are looked through.
pub(super) const MOST_LEADS: usize = 5;

/// What came of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A result was added, or the page stands for another.
    Settled,
    /// It will be tried again after this time.
    Again(Duration),
    Failed,
}

impl Frontier {
    /// A page was read.
    pub fn page(&mut self, ticket: &Ticket, page: &VisitedPage) -> Ended {
        self.in_flight.remove(&ticket.number);
        let Some(entry) = self.table.get(ticket.number) else {
            return Ended::Settled;
        };
        let depth = entry.depth;
        if !self.alone && identity(&page.final_url) != identity(&ticket.url) {
            // An earlier job has kept it so; whether this one may have it is to be asked anew.
            return self.redirected(ticket, &page.final_url);
        }
        if self.is_beyond_light(page) {
            return Ended::Settled;
        }
        if ticket.relink {
            self.forget_relink(ticket.number);
            self.discover_links(&page.links, depth, page.nofollow);
            return Ended::Settled;
        }
        let number = ticket.number;
        if !self.alone
            && let Some((canonical, target)) = self.canonical_elsewhere(number, page, depth)
        {
            let reason = Reason::Canonical(canonical.to_string());
            self.end(number, reason, None);
            self.note_stand_in(number, target);
            self.discover_links(&page.links, depth, page.nofollow);
            return Ended::Settled;
        }
        let leads_on = !self.traps.is_copy(page.digest, &page.text);
        self.traps.remember(page.digest);
        self.keep(number, page);
        if leads_on {
            self.discover_links(&page.links, depth, page.nofollow);
        }
        Ended::Settled
    }

    pub(super) fn keep(&mut self, number: Number, page: &VisitedPage) {
        let text = self.table.get(number).map(|entry| entry.url.clone());
        let elsewhere = text.as_deref() != Some(page.final_url.as_str());
        let (segment, line) = self.fresh.add(&page.json, &mut self.packer);
        self.table.change(number, |entry| {
            entry.standing = Standing::Done(Kept {
                digest: page.digest,
                segment,
                line,
            });
            entry.held = None;
            if elsewhere {
                entry.final_url = Some(page.final_url.as_str().into());
            }
        });
    }

    /// Where the canonical address turns out to be no page, this one is.
    pub(super) fn note_stand_in(&mut self, number: Number, target: Number) {
        let entry = self.table.get(target);
        if entry.is_some_and(|entry| entry.state() == UrlState::Queued) {
            self.stand_ins.insert((target, number));
        }
    }

    /// The address that a page calls its canonical one, and the number under which that counts,
    /// where that is another page of this crawl.
    fn canonical_elsewhere(
        &mut self,
        number: Number,
        page: &VisitedPage,
        depth: u8,
    ) -> Option<(Url, Number)> {
        let mut canonical = page.canonical.clone()?;
        canonical.set_fragment(None);
        if identity(&canonical) == identity(&page.final_url)
            || !self.rules.scope.contains(&canonical)
        {
            return None;
        }
        let found = Found {
            depth,
            follow: true,
            listed: true,
        };
        self.discover_url(&canonical, found);
        let target = self.number_of(&canonical)?;
        let target = self.stands_for(target)?;
        // It leads back here, or in a circle: nobody else stands for this page.
        (target != number).then_some((canonical, target))
    }

    /// The number of the page that an address leads to, where that is one or may become one.
    pub(super) fn stands_for(&self, number: Number) -> Option<Number> {
        let mut number = number;
        for _ in 0..MOST_LEADS {
            // A light slice does not see it.
            let Some(entry) = self.table.get(number) else {
                return Some(number);
            };
            let target = match &entry.standing {
                Standing::Queued(_) | Standing::Done(_) => return Some(number),
                Standing::Ended(Reason::Redirect(url) | Reason::Canonical(url)) => url,
                Standing::Ended(_) => return None,
            };
            number = self.number_of(&Url::parse(target).ok()?)?;
        }
        None
    }

    /// A visit failed.
    pub fn failed(
        &mut self,
        ticket: &Ticket,
        failure: &Failure,
        now: Timestamp,
        jitter: u64,
    ) -> Ended {
        self.in_flight.remove(&ticket.number);
        let tries = ticket.tries.saturating_add(1);
        if ticket.relink {
            self.relink_failed(ticket, failure, tries, now, jitter);
            return Ended::Failed;
        }
        if failure.code.retryable() && tries < self.attempts {
            let wait = retry::wait_after(usize::from(tries), failure.retry_after, jitter);
            let at = now + wait;
            let mut depth = 0;
            self.table.change(ticket.number, |entry| {
                entry.tries = tries;
                entry.standing = Standing::Queued(at);
                depth = entry.depth;
            });
            self.enqueue(ticket.number, &ticket.url, depth, at);
            return Ended::Again(wait);
        }
        let reason = match failure.code {
            FailureCode::TooLarge => Reason::TooLarge,
            FailureCode::NotHtml => Reason::WrongType(failure.message.clone()),
            code => Reason::Failure(code, failure.message.clone()),
        };
        self.table
            .change(ticket.number, |entry| entry.tries = tries);
        self.end(ticket.number, reason, None);
        Ended::Failed
    }

    /// A page that is there could not be visited again for its links.
    fn relink_failed(
        &mut self,
        ticket: &Ticket,
        failure: &Failure,
        tries: u8,
        now: Timestamp,
        jitter: u64,
    ) {
        if !failure.code.retryable() || tries >= self.attempts {
            self.forget_relink(ticket.number);
            return;
        }
        let mut depth = 0;
        self.table.change(ticket.number, |entry| {
            entry.tries = tries;
            depth = entry.depth;
        });
        let wait = retry::wait_after(usize::from(tries), failure.retry_after, jitter);
        self.enqueue(ticket.number, &ticket.url, depth, now + wait);
    }

    /// An address that was fetched alone has taken its worker down, twice.
    pub fn blame(&mut self, number: Number) {
        let Some(entry) = self.table.get(number) else {
            return;
        };
        let again = self.relink.contains(&number);
        if entry.state() != UrlState::Queued && !again {
            return;
        }
        let (depth, Ok(url)) = (entry.depth, Url::parse(&entry.url)) else {
            return;
        };
        self.dequeue(number, &url, depth);
        let sentence = "fetching it takes the worker down".to_owned();
        let reason = Reason::Failure(FailureCode::LeaseLost, sentence);
        self.end(number, reason, None);
    }

    /// Why a crawl that is over has no result at all, where its start is to blame.
    pub fn why_nothing(&self) -> Option<Failure> {
        if self.counters().done > 0 {
            return None;
        }
        let mut entry = self.table.get(0)?;
        for _ in 0..MOST_LEADS {
            let Some(Reason::Redirect(target)) = entry.reason() else {
                break;
            };
            let target = Url::parse(target).ok()?;
            entry = self.table.get(self.number_of(&target)?)?;
        }
        let failure = match entry.reason()? {
            Reason::Failure(code, sentence) => Failure::new(*code, sentence.clone()),
            Reason::Robots(rule) => Failure::new(
                FailureCode::RobotsDenied,
                format!("robots.txt forbids the start, {rule}"),
            ),
            Reason::TooLarge => Failure::new(FailureCode::TooLarge, "The start is too large"),
            Reason::WrongType(sentence) => Failure::new(FailureCode::NotHtml, sentence.clone()),
            Reason::OffScope => Failure::new(
                FailureCode::Redirects,
                "The start leads to another site; name that one",
            ),
            _ => return None,
        };
        Some(failure)
    }

    /// A visit was not seen to its end: it has its turn again.
    pub fn put_back(&mut self, ticket: &Ticket) {
        let Some(visit) = self.in_flight.remove(&ticket.number) else {
            return;
        };
        let depth = self.table.get(ticket.number).map(|entry| entry.depth);
        let queue = &mut self.hosts[visit.host];
        queue
            .ready
            .insert((depth.unwrap_or(visit.depth), ticket.number));
    }

    /// A visit was not begun after all: it has its turn again, and nothing has happened.
    pub fn put_off(&mut self, ticket: &Ticket) {
        self.visits = self.visits.saturating_sub(1);
        self.put_back(ticket);
    }

    /// Skips everything that still waits, since the crawl has to end before its time.
    pub fn close(&mut self, limit: &str) {
        let leaves_out = self.counters().queued > 0;
        if let Some(state) = &mut self.refresh {
            state.cut |= leaves_out;
        }
        self.skip_waiting(limit);
    }

    pub(super) fn skip_waiting(&mut self, limit: &str) {
        let queued: Vec<_> = self.table.queued().map(|(number, _)| number).collect();
        for number in queued {
            let reason = Reason::Limit(limit.to_owned());
            self.table
                .change(number, |entry| entry.standing = Standing::Ended(reason));
        }
        self.relink.clear();
        for sitemap in &mut self.sitemaps {
            sitemap.done = true;
        }
        for host in &mut self.hosts {
            host.clear();
        }
    }

    /// Puts every failed address back into the queue, with all its attempts, and nothing else: what
    /// had not had its turn when the crawl ended is skipped.
    pub fn retry_failed(&mut self) {
        self.close("the crawl ended before its turn, and its failed pages alone are retried");
        for number in 0..self.table.len() {
            let Some(entry) = self.table.get(number) else {
                continue;
            };
            if entry.state() != UrlState::Failed {
                continue;
            }
            let Ok(url) = Url::parse(&entry.url) else {
                continue;
            };
            let depth = entry.depth;
            self.table.change(number, |entry| {
                entry.tries = 0;
                entry.standing = Standing::Queued(Timestamp::default());
            });
            self.enqueue(number, &url, depth, Timestamp::default());
        }
    }
}
