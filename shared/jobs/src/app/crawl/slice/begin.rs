//! What a slice begins: robots.txt first, then sitemaps, then pages, as many as may be under way at
//! once. Refuses to begin what the host or the end of the slice forbids.

use super::{LAST_START, MAX_CURRENT, PAGE_TIMEOUT, Slice, Stop};
use crate::app::crawl::gates::Permit;
use crate::app::crawl::pages::{self, Event};
use crate::crawl::frontier::{Access, Ticket};
use crate::crawl::refresh::Known;
use crate::crawl::robots::Robots;
use crate::crawl::{SitemapUse, Trial};
use crate::error::Error;
use crate::time::Timestamp;

impl Slice<'_> {
    /// Begins whatever may be begun now.
    pub(super) async fn fill(&mut self) -> Result<Option<Stop>, Error> {
        let most = if self.progress.careful > 0 {
            1
        } else {
            usize::from(self.frontier.rules().options.max_concurrency)
        };
        while self.pending.len() < most {
            let now = self.app.now();
            if now + LAST_START >= self.ends {
                return Ok(None);
            }
            if self.begin_robots(now) {
                continue;
            }
            for (host, wanted) in self.frontier.waiting_hosts(now, most) {
                if matches!(self.gates.permit(&host, now), Permit::Ask) {
                    self.gates.ask(&host, wanted).await?;
                }
            }
            if self.begin_sitemap(now) {
                continue;
            }
            if self.is_reading_sitemap && self.needs_sitemaps_first() {
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
        Ok(None)
    }

    /// Asks the host of what comes next for its rules, where they are not known.
    fn begin_robots(&mut self, now: Timestamp) -> bool {
        let gates = &mut self.gates;
        let permitted = |host: &str| matches!(gates.permit(host, now), Permit::Now);
        let Some((authority, origin)) = self.frontier.next_robots(now, permitted) else {
            return false;
        };
        let options = &self.frontier.rules().options;
        if !options.respect_robots && options.sitemap == SitemapUse::Skip {
            let access = Access::Rules(Box::new(Robots::allow_all()));
            self.frontier.learn_robots(&authority, access);
            return true;
        }
        let (app, scraper) = (self.app, self.scraper);
        let agent = self.spec.agent();
        self.pending.push(Box::pin(async move {
            let access = app.robots(scraper, &origin, agent).await;
            Event::Robots(authority, access)
        }));
        true
    }

    pub(super) fn next(&mut self, now: Timestamp) -> Option<Ticket> {
        if let Some(trial) = self.progress.trial.filter(|_| self.progress.careful > 0)
            && let Some(ticket) = self.frontier.take(trial.number)
        {
            return Some(ticket);
        }
        let gates = &mut self.gates;
        let permitted = |host: &str| matches!(gates.permit(host, now), Permit::Now);
        self.frontier.next(now, permitted)
    }

    /// Whether they say what is visited at all: in a refresh what was changed, or by the client's
    /// will.
    fn needs_sitemaps_first(&self) -> bool {
        self.frontier.refresh().is_some()
            || self.frontier.rules().options.sitemap == SitemapUse::Only
    }

    pub(super) async fn begin(&mut self, ticket: Ticket) -> Result<(), Error> {
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
        self.pending.push(Box::pin(async move {
            let outcome = pages::visit(scraper, &visit).await;
            let took = app.now().since(now);
            Event::Visited(ticket, known.map(Box::new), outcome, took)
        }));
        Ok(())
    }

    pub(super) fn begin_sitemap(&mut self, now: Timestamp) -> bool {
        // One at a time: the next may be in it.
        if self.is_reading_sitemap || self.frontier.is_light() {
            return false;
        }
        let Some((index, sitemap)) = self.frontier.next_sitemap() else {
            return false;
        };
        let Some(request) = self.visits.sitemap(&sitemap.url, self.ends.since(now)) else {
            self.frontier.read_sitemap(index, None);
            return true;
        };
        let scraper = self.scraper;
        self.is_reading_sitemap = true;
        self.pending.push(Box::pin(async move {
            Event::Sitemap(index, scraper.sitemap(&request).await)
        }));
        true
    }

    /// Before a visit that may take the worker down: says so in the row.
    pub(super) async fn try_alone(&mut self, ticket: &Ticket) -> Result<Option<Stop>, Error> {
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
