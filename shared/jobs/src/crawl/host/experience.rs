//! What a worker learns of a host from the answers: whether it works, whether it becomes slow, and
//! whether it asks to be left alone. Refuses to decide what follows from that.

use std::time::Duration;

use super::LONGEST_HOLD;
use crate::failure::{Failure, FailureCode};

/// An answer is slow where it takes longer than this,
const SLOW: Duration = Duration::from_secs(2);
/// and so many times as long as usual.
const SLOWER: u32 = 3;
/// Answers before there is a usual time.
const ENOUGH: u8 = 4;
/// Weight of the past in the usual time, to 1.
const PAST: u32 = 7;

/// What an answer says of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lesson {
    /// It answers.
    Works,
    /// Nothing that concerns other pages.
    Nothing,
    /// It asks to be left alone for so long, or it fails and does not say.
    Fails(Option<Duration>),
}

impl Lesson {
    pub(super) fn of(failure: Option<&Failure>) -> Self {
        let Some(failure) = failure else {
            return Self::Works;
        };
        match failure.code {
            FailureCode::Http(429 | 503) => {
                let asked = failure.retry_after.filter(|wait| !wait.is_zero());
                Self::Fails(asked.map(|wait| wait.min(LONGEST_HOLD)))
            }
            FailureCode::Timeout | FailureCode::Connect => Self::Fails(None),
            FailureCode::Http(200..=499)
            | FailureCode::TooLarge
            | FailureCode::NotHtml
            | FailureCode::ParseBudget
            | FailureCode::FieldMissing => Self::Works,
            _ => Self::Nothing,
        }
    }
}

/// What was learned since the last write, and how long answers usually take.
#[derive(Clone, Copy, Debug, Default)]
pub struct Experience {
    usual: Duration,
    answers: u8,
    works: bool,
    slow: bool,
}

impl Experience {
    pub(super) fn works(&mut self, took: Duration) {
        self.works = true;
        if self.answers >= ENOUGH && took > SLOW && took > self.usual * SLOWER {
            self.slow = true;
        }
        self.usual = match self.answers {
            0 => took,
            _ => (self.usual * PAST + took) / (PAST + 1),
        };
        self.answers = self.answers.saturating_add(1);
    }

    pub(super) fn fails(&mut self) {
        self.works = false;
    }

    /// It is written down.
    pub(super) fn told(&mut self) {
        self.works = false;
        self.slow = false;
    }

    pub(super) fn has_worked(&self) -> bool {
        self.works
    }

    pub(super) fn was_slow(&self) -> bool {
        self.slow
    }
}
