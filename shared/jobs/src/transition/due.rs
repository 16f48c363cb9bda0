//! When the sweep has to look at a queued row: after its message had time to arrive, or, where its
//! time is too far for a message, when one can be sent.

use std::time::Duration;

use crate::time::Timestamp;

/// A message can be held back by its queue this long; a longer delay is the sweep's to send.
pub const LONGEST_MESSAGE_DELAY: Duration = Duration::from_mins(15);
/// A row with a longer delay comes due this long before its time: when the message can be sent
/// already, and many sweeps before it is too late.
const SEND_AHEAD: Duration = Duration::from_mins(14);
/// How long a message may take from being sent to its claim before the sweep sends it again.
const GRACE: Duration = Duration::from_mins(1);
const LONGEST_GRACE: Duration = Duration::from_mins(15);

/// When a job that becomes queued at `now` comes due: after its message had time to be claimed,
/// or, where its time is too far for a message, when one can be sent.
pub fn queued_due(now: Timestamp, eligible_at: Timestamp) -> Timestamp {
    if eligible_at.since(now) > LONGEST_MESSAGE_DELAY {
        eligible_at - SEND_AHEAD
    } else {
        sent_due(now, eligible_at, 0)
    }
}

/// A sent message has its grace, doubled for each time it was sent again, up to 15 minutes.
pub(crate) fn sent_due(now: Timestamp, eligible_at: Timestamp, resends: u32) -> Timestamp {
    let grace = (GRACE * 2_u32.pow(resends.min(5))).min(LONGEST_GRACE);
    now.max(eligible_at) + grace
}
