//! A turn: slots that a job has taken for the next time that it comes. Its own row carries them from
//! one slice to the next, and nobody else has to know whose they are.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::slots::Block;
use super::{Gate, SLOTS_AHEAD};
use crate::time::Timestamp;

/// The slots that a job comes back for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    #[serde(rename = "h")]
    pub host: String,
    /// The delay between them, in milliseconds.
    #[serde(rename = "d")]
    delay_ms: u64,
    /// When the first begins, the last one ends, and the last one of the turn before has ended, as
    /// milliseconds of Unix time.
    #[serde(rename = "n")]
    next: i64,
    #[serde(rename = "e")]
    end: i64,
    #[serde(rename = "b")]
    before: i64,
}

impl Turn {
    pub fn begins(&self) -> Timestamp {
        Timestamp::from_millis(self.next)
    }
}

impl Gate {
    /// When the next of its slots begins that is still to come.
    pub fn next_slot(&self, now: Timestamp) -> Option<Timestamp> {
        self.block
            .map(|block| block.next)
            .filter(|next| *next > now)
    }

    /// The slots that are still to come, for the host named; they are not given back then.
    pub fn keep_turn(&mut self, host: &str, now: Timestamp) -> Option<Turn> {
        let block = self.block.take_if(|block| block.next > now)?;
        Some(Turn {
            host: host.to_owned(),
            delay_ms: block.delay.as_millis() as u64,
            next: block.next.as_millis(),
            end: block.end.as_millis(),
            before: block.before.as_millis(),
        })
    }

    /// Goes on with slots that an earlier slice has kept, where they are not over. Whether somebody
    /// has begun to use them is not known to whoever comes late: the delay is kept in any case.
    pub fn take_up(&mut self, turn: &Turn, now: Timestamp) {
        let delay = Duration::from_millis(turn.delay_ms);
        let mut next = turn.begins();
        if next < now {
            next = now + delay;
        }
        let end = Timestamp::from_millis(turn.end);
        if next <= end && end <= now + SLOTS_AHEAD {
            self.block = Some(Block {
                delay,
                next,
                end,
                before: Timestamp::from_millis(turn.before),
            });
        }
    }
}
