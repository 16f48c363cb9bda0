//! What a slice learns from what has ended: pages, robots.txt, sitemaps, failures.

use super::{Slice, Stop};
use crate::app::crawl::pages::{self, Event};
use crate::crawl::frontier::{Access, Ended, Ticket, gone};
use crate::crawl::refresh::{Change, Known, removed, with_verdict};
use crate::crawl::robots::Robots;
use crate::crawl::visit::{Visited, VisitedPage};
use crate::error::Error;
use crate::failure::{Failure, FailureCode};
use crate::retry;
use crate::time::Timestamp;

impl Slice<'_> {
    pub(super) async fn learn(&mut self, event: Event) -> Result<Option<Stop>, Error> {
        let now = self.app.now();
        match event {
            Event::Remembered(authority, Some(robots)) => {
                self.take_rules(&authority, robots);
                Ok(None)
            }
            Event::Remembered(authority, None) => {
                self.frontier.set_asking(&authority, false);
                self.looked_for.insert(authority, now);
                Ok(None)
            }
            Event::Robots(authority, _, Ok(robots), took) => {
                self.gates.ended(&authority, now, took, None);
                self.take_rules(&authority, robots);
                Ok(None)
            }
            Event::Robots(authority, origin, Err(failure), took) => {
                self.gates.ended(&authority, now, took, Some(&failure));
                self.gates.explore(&authority, false);
                self.looked_for.remove(&authority);
                // Who does not want to know asks for sitemaps alone. What the door refuses is no
                // answer of the site: it refuses the pages as well, and says so itself.
                let respects = self.frontier.rules().options.respect_robots;
                if !respects || failure.code == FailureCode::AddressRefused {
                    let access = Access::Rules(Box::new(Robots::allow_all()));
                    self.frontier.learn_robots(&authority, access);
                    return Ok(None);
                }
                let sentence = format!("robots.txt of {origin} cannot be read: {failure}");
                let unread = Failure::new(FailureCode::RobotsUnreachable, sentence);
                if self.frontier.counters().done == 0 && self.frontier.is_start_host(&authority) {
                    let unread = unread.with_retry_after(failure.retry_after);
                    return Ok(Some(self.not_begun(unread)));
                }
                let access = Access::Denied(unread.to_string());
                self.frontier.learn_robots(&authority, access);
                Ok(None)
            }
            Event::Sitemap(index, host, outcome, took) => {
                self.is_reading_sitemap = false;
                let failure = outcome
                    .as_ref()
                    .err()
                    .filter(|it| !self.is_cut_off(it, now));
                self.gates.ended(&host, now, took, failure);
                if failure.is_none() && outcome.is_err() {
                    return Ok(None);
                }
                if let Err(failure) = &outcome {
                    tracing::debug!(job = %self.job.id, %failure, "a sitemap is not read");
                }
                self.frontier.read_sitemap(index, outcome.as_ref().ok());
                Ok(None)
            }
            Event::Visited(ticket, known, outcome, took) => {
                let failure = outcome
                    .as_ref()
                    .err()
                    .filter(|it| !self.is_cut_off(it, now));
                self.gates.ended(&ticket.host, now, took, failure);
                self.settle_visit(&ticket, known.as_deref(), outcome, now)
                    .await
            }
        }
    }

    /// The slice's time was over, not the page's.
    fn is_cut_off(&self, failure: &Failure, now: Timestamp) -> bool {
        failure.code == FailureCode::Timeout && now >= self.ends
    }

    fn take_rules(&mut self, authority: &str, robots: Robots) {
        if let Some(delay) = robots.crawl_delay() {
            self.gates.set_crawl_delay(authority, delay);
        }
        self.gates.explore(authority, false);
        self.looked_for.remove(authority);
        let access = Access::Rules(Box::new(robots));
        self.frontier.learn_robots(authority, access);
    }

    pub(super) async fn settle_visit(
        &mut self,
        ticket: &Ticket,
        known: Option<&Known>,
        outcome: pages::Outcome,
        now: Timestamp,
    ) -> Result<Option<Stop>, Error> {
        let (ended, failure) = match outcome {
            Ok(Visited::Page(page)) => (self.take(ticket, known, *page), None),
            Ok(Visited::Redirected(url)) => (self.frontier.redirected(ticket, &url), None),
            Ok(Visited::Unchanged) => match known.and_then(Known::as_visited) {
                Some(page) => {
                    self.frontier.count_saved(page.bytes, false);
                    (self.take(ticket, known, page), None)
                }
                None => {
                    let sentence = "The server says that nothing has changed, unasked";
                    let failure = Failure::new(FailureCode::InvalidResponse, sentence);
                    let jitter = self.app.random();
                    (
                        self.frontier.failed(ticket, &failure, now, jitter),
                        Some(failure),
                    )
                }
            },
            Err(failure) if known.is_some() && gone(failure.code).is_some() => {
                let status = gone(failure.code).unwrap_or_default();
                let line = removed(&ticket.url, status, now);
                self.frontier.removed(ticket, line);
                (Ended::Settled, None)
            }
            Err(failure) if self.is_cut_off(&failure, now) => {
                self.frontier.put_back(ticket);
                return Ok(None);
            }
            Err(failure) => {
                let jitter = self.app.random();
                let ended = self.frontier.failed(ticket, &failure, now, jitter);
                (ended, Some(failure))
            }
        };
        if let (Ended::Failed, Some(known)) = (&ended, known) {
            self.frontier.hold(ticket, known);
        }
        if let Some(trial) = self.progress.trial.take() {
            debug_assert_eq!(trial.number, ticket.number);
            self.progress.careful = self.progress.careful.saturating_sub(1);
            if let Some(stop) = self.commit().await? {
                return Ok(Some(stop));
            }
        }
        let is_start = self.frontier.is_start(ticket) && self.frontier.counters().done == 0;
        if let (true, Ended::Again(wait), Some(failure)) = (is_start, ended, failure) {
            return Ok(Some(Stop::NotBegun(failure, Some(wait))));
        }
        Ok(None)
    }

    /// Whether a page need not even be asked for: seen since the client's last look, or not changed
    /// since it was seen, as a sitemap says.
    pub(super) fn may_leave_alone(&self, ticket: &Ticket, known: &Known) -> bool {
        let Some(asked) = self.spec.refresh.as_ref() else {
            return false;
        };
        let full = self.frontier.refresh().is_some_and(|state| state.full);
        if asked.force_refresh || !known.is_whole() || known.is_gone() || full && !known.has_links()
        {
            return false;
        }
        let seen = known.seen_at();
        let recent = asked.last_crawled_at.is_some_and(|at| seen >= at);
        let settled = asked.last_crawled_at.map_or(seen, |at| at.max(seen));
        let changed = self.frontier.changed_at(&ticket.url);
        recent || changed.is_some_and(|at| at <= settled)
    }

    /// Takes a page in, with what a refresh has to say of it.
    pub(super) fn take(
        &mut self,
        ticket: &Ticket,
        known: Option<&Known>,
        mut page: VisitedPage,
    ) -> Ended {
        if self.frontier.refresh().is_none() || ticket.relink {
            return self.frontier.page(ticket, &page);
        }
        let change = known.map_or(Change::New, |known| known.compare(&page));
        let difference = known
            .filter(|_| change == Change::Changed)
            .and_then(|known| known.difference(&page.text));
        page.json = with_verdict(&page.json, change, difference.as_deref());
        let before = self.frontier.counters().done;
        let ended = self.frontier.page(ticket, &page);
        if self.frontier.counters().done > before {
            self.frontier.count(change);
        }
        ended
    }

    /// Pages of the base that no link has led to, in a site that was crawled anew.
    pub(super) fn sweep_base(&mut self) -> bool {
        let base = self.base.as_ref();
        base.is_some_and(|base| self.frontier.sweep_base(&base.entries))
    }

    /// The start cannot be visited; another attempt may help.
    pub(super) fn not_begun(&self, failure: Failure) -> Stop {
        let tries = self.job.attempts.len() + 1;
        let again = failure.code.retryable() && tries < usize::from(self.job.max_attempts);
        let wait = again.then(|| retry::wait_after(tries, failure.retry_after, self.app.random()));
        Stop::NotBegun(failure, wait)
    }
}
