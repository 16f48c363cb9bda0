//! What a slice begins: robots.txt first, then sitemaps, then pages, as many as may be under way at
//! once. Refuses to begin what the host or the end of the slice forbids, and anything at all while
//! the row has not been looked at for a while.

use std::future::poll_fn;
use std::task::Poll;

use super::{LAST_START, MAX_CURRENT, PAGE_TIMEOUT, Pending, Slice, Stop};
use crate::app::crawl::gates::Permit;
use crate::app::crawl::pages::{self, Event};
use crate::crawl::frontier::{Access, Ticket};
use crate::crawl::refresh::Known;
use crate::crawl::robots::{Robots, product_token};
use crate::crawl::{SitemapUse, Trial};
use crate::error::Error;
use crate::time::Timestamp;

impl<'a> Slice<'a> {
    /// Begins whatever may be begun now.
    pub(super) async fn fill(&mut self) -> Result<Option<Stop>, Error> {
        loop {
            let now = self.app.now();
            let is_late = now + LAST_START >= self.ends || now >= self.next_commit;
            // Pages that are left alone settle here, one after the other.
            let is_late = is_late || self.frontier.is_heavy() || self.gates.has_news();
            if is_late || self.pending.len() >= self.most_at_once() {
                return Ok(None);
            }
            if self.look_for_rules(now).await {
                continue;
            }
            self.ask_hosts(now).await?;
            let now = self.app.now();
            if self.begin_robots(now).await || self.begin_sitemap(now).await {
                continue;
            }
            if self.sitemaps_come_first() {
                return Ok(None);
            }
            let Some(ticket) = self.next(now) else {
                return Ok(None);
            };
            if self.progress.careful > 0
                && let Some(stop) = self.try_alone(&ticket).await?
            {
                return Ok(Some(stop));
            }
            self.begin(ticket).await?;
        }
    }

    /// A request begins now and not when something is next waited for: others rely on when it does.
    async fn push(&mut self, mut request: Pending<'a>) {
        let begun = poll_fn(|context| Poll::Ready(request.as_mut().poll(context))).await;
        self.pending.push(match begun {
            Poll::Ready(event) => Box::pin(std::future::ready(event)),
            Poll::Pending => request,
        });
    }

    /// Looks whether the rules of what comes next are remembered, where they are not known.
    async fn look_for_rules(&mut self, now: Timestamp) -> bool {
        let options = &self.frontier.rules().options;
        let any = !options.respect_robots && options.sitemap == SitemapUse::Skip;
        let mut hosts = self.unknown_hosts(now).into_iter();
        let host = hosts.find(|(host, _)| any || !self.was_looked_for(host, now));
        let Some((authority, origin)) = host else {
            return false;
        };
        if any {
            let access = Access::Rules(Box::new(Robots::allow_all()));
            self.frontier.learn_robots(&authority, access);
            return true;
        }
        self.frontier.set_asking(&authority, true);
        let (app, token) = (self.app, product_token(self.spec.agent()));
        self.push(Box::pin(async move {
            let body = app.remembered_robots(&origin).await;
            Event::Remembered(authority, body.map(|body| Robots::parse(&body, token)))
        }))
        .await;
        true
    }

    /// Asks a host for its rules, where they are not remembered either.
    async fn begin_robots(&mut self, now: Timestamp) -> bool {
        let hosts = self.unknown_hosts(now);
        let host = hosts
            .into_iter()
            .find(|(host, _)| self.was_looked_for(host, now) && self.may_start(host, now));
        let Some((authority, origin)) = host else {
            return false;
        };
        self.frontier.set_asking(&authority, true);
        self.gates.started(&authority, now);
        let (app, scraper) = (self.app, self.scraper);
        let agent = self.spec.agent();
        self.push(Box::pin(async move {
            let rules = app.fetch_robots(scraper, &origin, agent).await;
            Event::Robots(authority, origin, rules, app.now().since(now))
        }))
        .await;
        true
    }

    fn next(&mut self, now: Timestamp) -> Option<Ticket> {
        if let Some(trial) = self.progress.trial
            && let Some(host) = self.trial_host()
        {
            let may_start = self.knows_rules(&host) && self.may_start(&host, now);
            return may_start.then(|| self.frontier.take(trial.number))?;
        }
        let gates = &mut self.gates;
        let permitted = |host: &str| gates.permit(host, now) == Permit::Now;
        self.frontier.next(now, permitted)
    }

    /// Whether they say what is visited at all: in a refresh what was changed, or by the client's
    /// will.
    fn needs_sitemaps_first(&self) -> bool {
        self.frontier.refresh().is_some()
            || self.frontier.rules().options.sitemap == SitemapUse::Only
    }

    /// Whether a sitemap has to be read before any page.
    pub(super) fn sitemaps_come_first(&self) -> bool {
        let is_left = self.is_reading_sitemap || self.sitemap_host().is_some();
        is_left && self.needs_sitemaps_first()
    }

    async fn begin(&mut self, ticket: Ticket) -> Result<(), Error> {
        let known = match &mut self.base {
            Some(base) if !ticket.relink => base.known(self.app, &ticket.url).await?,
            _ => None,
        };
        if let Some(known) = known
            .as_ref()
            .filter(|known| self.may_leave_alone(&ticket, known))
            && let Some(page) = known.as_visited()
        {
            self.frontier.count_saved(known.bytes(), true);
            self.take(&ticket, Some(known), page);
            return Ok(());
        }
        let now = self.app.now();
        if !self.may_start(&ticket.host, now) {
            // Its time went by while something was read or written.
            self.frontier.put_off(&ticket);
            return Ok(());
        }
        self.takes_page = false;
        self.gates.started(&ticket.host, now);
        let shown = ticket.url.as_str();
        shown[..shown.floor_char_boundary(MAX_CURRENT)].clone_into(&mut self.progress.current);
        let timeout = PAGE_TIMEOUT.min(self.ends.since(now));
        // An answer without a body has no links either: where they are wanted, they must be known.
        let full = self.frontier.refresh().is_some_and(|state| state.full);
        let validators = known
            .as_ref()
            .filter(|known| !full || known.has_links())
            .map(Known::validators);
        let visit = self.visits.visit(&ticket, timeout, validators);
        let (app, scraper) = (self.app, self.scraper);
        self.push(Box::pin(async move {
            let outcome = pages::visit(scraper, &visit).await;
            let took = app.now().since(now);
            Event::Visited(ticket, known.map(Box::new), outcome, took)
        }))
        .await;
        Ok(())
    }

    async fn begin_sitemap(&mut self, now: Timestamp) -> bool {
        let Some(host) = self.sitemap_host() else {
            return false;
        };
        let Some((index, sitemap)) = self.frontier.next_sitemap() else {
            return false;
        };
        let Some(request) = self.visits.sitemap(&sitemap.url, self.ends.since(now)) else {
            self.frontier.read_sitemap(index, None);
            return true;
        };
        if !self.knows_rules(&host) || !self.may_start(&host, now) {
            return false;
        }
        let page_first = self.takes_page && !self.needs_sitemaps_first();
        if page_first && self.has_page_on(&host, now) {
            return false;
        }
        self.takes_page = true;
        self.is_reading_sitemap = true;
        self.gates.started(&host, now);
        let (app, scraper) = (self.app, self.scraper);
        self.push(Box::pin(async move {
            let outcome = scraper.sitemap(&request).await;
            Event::Sitemap(index, host, outcome, app.now().since(now))
        }))
        .await;
        true
    }

    fn has_page_on(&mut self, host: &str, now: Timestamp) -> bool {
        let mut waiting = self.frontier.waiting_hosts(now).into_iter();
        waiting.any(|(other, _)| other == host)
    }

    /// Before a visit that may take the worker down: says so in the row.
    async fn try_alone(&mut self, ticket: &Ticket) -> Result<Option<Stop>, Error> {
        let lapses = match self.progress.trial {
            Some(trial) if trial.number == ticket.number => trial.lapses,
            _ => 0,
        };
        self.progress.trial = Some(Trial {
            number: ticket.number,
            lapses,
        });
        self.commit().await
    }
}
