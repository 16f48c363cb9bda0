//! What a row still has to tell: written in the same write as the change itself, and taken out once
//! it was told, so that no crash in between loses it. Refuses to grow without a bound.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::EventType;
use crate::failure::Failure;
use crate::time::Timestamp;

/// Whoever changes a row tells of it, or takes it to whoever tells; after this long the sweep does.
pub(crate) const GRACE: Duration = Duration::from_mins(1);
/// Between two tries of the sweep, at most.
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// A row with so much to tell takes no part in anything new that would add to it.
pub(crate) const MOST_UNTOLD: usize = 100;

/// A failure as an event tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFailure {
    pub code: String,
    pub message: String,
    pub retryable: bool,
}

impl std::fmt::Display for ToldFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl From<&Failure> for ToldFailure {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code.to_string(),
            message: failure.message.clone(),
            retryable: failure.code.retryable(),
        }
    }
}

/// One change of a row. Names are short where it is stored: rows are small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    #[serde(rename = "k")]
    pub kind: EventType,
    pub at: Timestamp,
    /// Of the row with the change.
    #[serde(rename = "r")]
    pub revision: u64,
    /// Attempts at the work by then.
    #[serde(rename = "a", default, skip_serializing_if = "is_none")]
    pub attempts: usize,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub percentage: Option<u8>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<ToldFailure>,
    /// Of the pages of a crawl: the segments that they lie in, the last one excluded.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<(u32, u32)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(attempts: &usize) -> bool {
    *attempts == 0
}

/// What is to be told of a job of which somebody wants to hear.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// Oldest first.
    #[serde(rename = "u", default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<Happening>,
    /// When the sweep tells what is left; of no account where nothing is.
    #[serde(rename = "d", default)]
    pub due_at: Timestamp,
    /// Tries of the sweep that went wrong.
    #[serde(rename = "t", default)]
    pub tries: u8,
}

impl Outbox {
    pub(crate) fn add(&mut self, happening: Happening) {
        if self.untold.is_empty() {
            self.due_at = happening.at + GRACE;
        }
        self.untold.push(happening);
    }

    /// The last revision of which something is untold.
    pub fn last(&self) -> Option<u64> {
        self.untold.last().map(|happening| happening.revision)
    }

    /// When the sweep has to look, where anything is left to tell.
    pub fn due(&self) -> Option<Timestamp> {
        (!self.untold.is_empty()).then_some(self.due_at)
    }

    /// Takes out what was told.
    pub(crate) fn told(&mut self, until: u64, now: Timestamp) {
        let before = self.untold.len();
        self.untold.retain(|happening| happening.revision > until);
        if self.untold.len() < before {
            self.tries = 0;
            if let Some(first) = self.untold.first() {
                self.due_at = first.at.max(now) + GRACE;
            }
        }
    }

    /// Nobody could be told: try again later, and later still.
    pub(crate) fn postpone(&mut self, now: Timestamp) {
        let wait = (GRACE * 2_u32.pow(u32::from(self.tries.min(5)))).min(LONGEST_WAIT);
        self.tries = self.tries.saturating_add(1);
        self.due_at = now + wait;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happening(revision: u64, at: Timestamp) -> Happening {
        Happening {
            kind: EventType::JobStarted,
            at,
            revision,
            attempts: 0,
            percentage: None,
            failure: None,
            segments: None,
        }
    }

    #[test]
    fn what_was_told_leaves_and_what_came_since_stays() {
        let now = Timestamp::from_millis(1_000_000);
        let mut outbox = Outbox::default();
        assert_eq!((outbox.due(), outbox.last()), (None, None));
        outbox.add(happening(1, now));
        outbox.add(happening(2, now + GRACE));
        assert_eq!((outbox.due(), outbox.last()), (Some(now + GRACE), Some(2)));
        outbox.told(1, now + GRACE);
        assert_eq!(outbox.last(), Some(2));
        assert_eq!(outbox.due(), Some(now + GRACE + GRACE));
        outbox.told(1, now + GRACE * 9);
        assert_eq!(outbox.due(), Some(now + GRACE + GRACE), "nothing new");
        outbox.told(2, now);
        assert_eq!(outbox.due(), None);
    }

    #[test]
    fn tries_that_go_wrong_come_less_and_less_often() {
        let now = Timestamp::from_millis(1_000_000);
        let mut outbox = Outbox::default();
        outbox.add(happening(1, now));
        let waits = std::iter::repeat_with(|| {
            outbox.postpone(now);
            outbox.due_at.since(now).as_secs() / 60
        });
        assert_eq!(waits.take(7).collect::<Vec<_>>(), [1, 2, 4, 8, 15, 15, 15]);
    }
}
