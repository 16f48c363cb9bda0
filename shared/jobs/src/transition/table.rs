//! The table of moves: what may lead from where to where. Refuses to know when or why.

use crate::job::State;

/// What can happen to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// A worker takes the lease.
    Claim,
    /// A slice of a crawl has published what it did.
    Advance,
    /// The work is done.
    Complete,
    /// The attempt failed, with a reason.
    Fail,
    /// The lease ended without a word.
    Lapse,
    /// The worker gives the job back without having tried.
    Release,
    /// The sweep sends the message again, or looks again later.
    Defer,
    Pause,
    Resume,
    Cancel,
    /// An ended job starts anew.
    Retry,
    /// An ended crawl goes on with the pages that failed.
    RetryPages,
    /// A delayed job may start now.
    Promote,
    /// The retention of an ended job is over before its time.
    Expire,
    /// What was to be told of it is crossed out, or put off; nothing else changes.
    Tell,
}

impl Move {
    pub const ALL: [Self; 15] = [
        Self::Claim,
        Self::Advance,
        Self::Complete,
        Self::Fail,
        Self::Lapse,
        Self::Release,
        Self::Defer,
        Self::Pause,
        Self::Resume,
        Self::Cancel,
        Self::Retry,
        Self::RetryPages,
        Self::Promote,
        Self::Expire,
        Self::Tell,
    ];
}

/// The table: where a move may lead from a state; empty where it is forbidden.
pub const fn allowed(from: State, by: Move) -> &'static [State] {
    use State::{Active, Cancelled, Completed, Failed, Paused, Queued};
    match (from, by) {
        (Queued, Move::Claim) => &[Active],
        (Queued, Move::Defer | Move::Promote) => &[Queued],
        (Queued, Move::Pause) => &[Paused],
        // A claim of an expired lease is a lapse and a claim in one write.
        (Active, Move::Claim) => &[Active],
        (Active, Move::Advance) => &[Active],
        (Active, Move::Complete) => &[Completed],
        (Active, Move::Fail | Move::Lapse) => &[Queued, Paused, Failed],
        (Active, Move::Release) => &[Queued, Paused],
        (Active, Move::Defer | Move::Pause | Move::Resume) => &[Active],
        (Paused, Move::Resume) => &[Queued],
        (Queued | Active | Paused, Move::Cancel) => &[Cancelled],
        (Failed | Cancelled, Move::Retry) => &[Queued],
        (Completed | Failed | Cancelled, Move::RetryPages) => &[Queued],
        (Queued, Move::Tell) => &[Queued],
        (Active, Move::Tell) => &[Active],
        (Paused, Move::Tell) => &[Paused],
        (Completed, Move::Expire | Move::Tell) => &[Completed],
        (Failed, Move::Expire | Move::Tell) => &[Failed],
        (Cancelled, Move::Expire | Move::Tell) => &[Cancelled],
        _ => &[],
    }
}
