//! Slots: when requests to a host with a delay may start. A block of slots is a stretch of time
//! that nobody else uses; whoever has it may be late within it, and keeps the delay between his own.

use std::time::Duration;

use super::{Host, SLOTS_AHEAD, remembered};
use crate::time::Timestamp;

/// How much time a block covers, about.
const BLOCK: Duration = Duration::from_secs(8);
/// A worker waits so long for its block, or between two slots of it; else it comes back for them.
pub(super) const SOON: Duration = Duration::from_secs(2);
/// A block is taken for later only where it ends this long before nobody would believe it.
const BELIEVED: Duration = Duration::from_secs(30);
/// How late the last slot of a block may be used: an eighth of the delay, and no more than this.
const LONGEST_SLACK: Duration = Duration::from_millis(250);
/// Those for whom there is no block come back spread over this, shortly before one is free: so
/// everybody has his turn.
const SPREAD: Duration = Duration::from_millis(900);

/// Slots that one worker has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) delay: Duration,
    /// When the next request may start,
    pub(super) next: Timestamp,
    /// and until when: as the row says.
    pub(super) end: Timestamp,
    /// What the row said before.
    pub(super) before: Timestamp,
}

impl Block {
    pub(super) fn is_used_up(&self) -> bool {
        self.next > self.end
    }

    pub(super) fn started(&mut self, now: Timestamp) {
        self.next = now + self.delay;
    }
}

/// What there is for who asks for slots.
pub(super) enum Slots {
    Taken(Block, Box<Host>),
    /// Ask again then; the row is to be written where it does not know of the delay yet.
    Later(Timestamp, Option<Box<Host>>),
}

/// Who asks for slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) who: u64,
    /// The delay that it has to keep.
    pub(super) delay: Duration,
    pub(super) last_start: Option<Timestamp>,
    /// The block that it has had.
    pub(super) block: Option<Block>,
    pub(super) wanted: usize,
    pub(super) chance: u64,
}

impl Host {
    /// The delay that whoever wants `own` has to keep.
    pub(super) fn delay_for(&self, own: Duration) -> Duration {
        self.delay.max(own)
    }

    /// The last start that counts: less than what the row says where the asker himself has that
    /// block and has not used all of it.
    pub(super) fn last_start(&self, asker: &Asker, now: Timestamp) -> Timestamp {
        let own = asker.last_start.unwrap_or_default().min(now);
        match asker.block {
            Some(block) if block.end == self.last_at => block.before.max(own),
            _ => self.last_at.max(own),
        }
    }

    /// Takes a block of slots for the asker, where one begins soon.
    pub(super) fn slots(&self, asker: &Asker, now: Timestamp) -> Slots {
        let delay = self.delay_for(asker.delay);
        let before = self.last_start(asker, now);
        let mut next = self.without(asker.who);
        // Those who do not know of the delay yet may start until their places are over.
        let undelayed = next.takers.iter().filter(|taker| taker.places > 0);
        let undelayed = undelayed.map(|taker| taker.until + delay).max();
        let first = (before + delay)
            .max(self.held_until)
            .max(undelayed.unwrap_or_default())
            .max(now);
        if asker.delay >= self.delay {
            next.delay = asker.delay;
            next.delay_until = now + remembered(asker.delay);
        }
        let slack = (delay / 8).min(LONGEST_SLACK);
        let fit = if delay > SOON {
            1
        } else {
            (BLOCK.as_millis() / delay.as_millis().max(1)).max(1) as usize
        };
        let slots = asker.wanted.clamp(1, fit) as u32;
        let end = first + delay * (slots - 1) + slack;
        let wait = first.since(now);
        if wait >= SOON && end + BELIEVED > now + SLOTS_AHEAD {
            let at = if wait >= SOON * 2 {
                let chance = asker.chance % SPREAD.as_millis() as u64;
                first - SOON + Duration::from_millis(chance)
            } else {
                first
            };
            let is_news = asker.delay > self.delay;
            return Slots::Later(at, is_news.then(|| Box::new(next)));
        }
        next.last_at = end;
        let block = Block {
            delay,
            next: first,
            end,
            before,
        };
        Slots::Taken(block, Box::new(next))
    }
}
