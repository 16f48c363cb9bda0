//! What a change of a row leaves to be told, and how that is crossed out. Every event is noted by
//! the move that it tells of, in the same write; a job of which nobody wants to hear notes nothing.

use crate::event::EventType;
use crate::failure::Failure;
use crate::job::{Job, State};
use crate::outbox::{Happening, ToldFailure};
use crate::time::Timestamp;
use crate::transition::{Move, Refusal, Stamp};

/// Progress of a crawl is told as it passes each of these parts of its way.
const PARTS: u8 = 4;

impl Job {
    /// The row once everything up to this revision was told.
    pub fn told(&self, stamp: Stamp, until: u64) -> Result<Self, Refusal> {
        let first = self
            .outbox
            .as_ref()
            .and_then(|outbox| outbox.untold.first());
        if first.is_none_or(|first| first.revision > until) {
            return Err(Refusal::Forbidden);
        }
        let mut next = self.permitted(Move::Tell)?;
        next.cross_out(until, stamp.now);
        Ok(next.sealed(stamp, self))
    }

    /// The row once telling has failed: the sweep tries again later.
    pub fn untellable(&self, stamp: Stamp) -> Result<Self, Refusal> {
        let mut next = self.permitted(Move::Tell)?;
        match &mut next.outbox {
            Some(outbox) if outbox.last().is_some() => outbox.postpone(stamp.now),
            _ => return Err(Refusal::Forbidden),
        }
        Ok(next.sealed(stamp, self))
    }

    /// This write of the row crosses out as well what was told meanwhile.
    #[must_use]
    pub fn having_told(mut self, until: Option<u64>, now: Timestamp) -> Self {
        if let Some(until) = until {
            self.cross_out(until, now);
        }
        self
    }

    fn cross_out(&mut self, until: u64, now: Timestamp) {
        if let Some(outbox) = &mut self.outbox {
            outbox.told(until, now);
        }
    }

    /// Whether the sweep has to tell what is left.
    pub(crate) fn tell_is_due(&self, now: Timestamp) -> bool {
        let due = self.outbox.as_ref().and_then(|outbox| outbox.due());
        due.is_some_and(|at| at <= now)
    }

    /// Notes what the write under way changes. To be called before the row is sealed.
    pub(crate) fn note(&mut self, kind: EventType, now: Timestamp) {
        self.note_with(kind, now, None, None);
    }

    pub(super) fn note_failure(&mut self, kind: EventType, now: Timestamp, failure: &Failure) {
        self.note_with(kind, now, None, Some(failure));
    }

    /// A crawl that was at `before` percent is at `after` now.
    pub(super) fn note_progress(&mut self, before: u8, after: u8, now: Timestamp) {
        let part = |percentage: u8| percentage.min(99) / (100 / PARTS);
        if self.state == State::Active && part(before) < part(after) {
            self.note_with(EventType::JobProgress, now, Some(after), None);
        }
    }

    /// A crawl has published these segments of results, and somebody wants to hear of each page.
    pub(super) fn note_pages(&mut self, before: Option<u32>, after: Option<u32>, now: Timestamp) {
        let (from, Some(to)) = (before.unwrap_or(0), after) else {
            return;
        };
        if from < to {
            let pages = Happening {
                segments: Some((from, to)),
                ..self.happening(EventType::CrawlPage, now)
            };
            self.add(pages);
        }
    }

    fn note_with(
        &mut self,
        kind: EventType,
        now: Timestamp,
        percentage: Option<u8>,
        failure: Option<&Failure>,
    ) {
        let happening = Happening {
            percentage,
            failure: failure.map(ToldFailure::from),
            ..self.happening(kind, now)
        };
        self.add(happening);
    }

    fn happening(&self, kind: EventType, now: Timestamp) -> Happening {
        Happening {
            kind,
            at: now,
            revision: self.revision + 1,
            attempts: self.attempts_made(),
            percentage: None,
            failure: None,
            segments: None,
        }
    }

    fn add(&mut self, happening: Happening) {
        if let Some(outbox) = &mut self.outbox {
            outbox.add(happening);
        }
    }
}
