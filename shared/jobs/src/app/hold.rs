//! The whole queue held back and let go: one flag that every process reads. Nothing of a job is
//! written for it; rows wait where they are.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::hold::Hold;
use crate::id::JobId;
use crate::job::Job;
use crate::operation::{Kind, NewOperation};
use crate::ports::PortError;
use crate::spec::Spec;
use crate::time::Timestamp;

/// A claim may be won this long after the queue was held back elsewhere.
const CACHED: Duration = Duration::from_secs(1);

/// What this process has last seen of the flag.
#[derive(Debug, Default)]
pub(super) struct HoldCache(Mutex<Option<(Timestamp, Hold)>>);

impl HoldCache {
    fn get(&self) -> Option<(Timestamp, Hold)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was read, unless something newer is known.
    fn put(&self, at: Timestamp, hold: Hold) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none_or(|(_, known)| known.revision <= hold.revision) {
            *kept = Some((at, hold));
        }
    }
}

impl App {
    /// Whether the whole queue is held back. "No" may be a second old; "yes" is always asked
    /// again, so that no message that was sent after the end of it is put away.
    pub async fn is_paused(&self) -> Result<bool, Error> {
        if self.is_known_to_run() {
            return Ok(false);
        }
        let now = self.now();
        let hold = self.ports.operations.hold().await?;
        self.hold.put(now, hold);
        Ok(hold.paused)
    }

    fn is_known_to_run(&self) -> bool {
        let now = self.now();
        self.hold
            .get()
            .is_some_and(|(at, hold)| !hold.paused && now.since(at).max(at.since(now)) < CACHED)
    }

    /// What a claim reads: row and specification, unless the whole queue is held back. One call,
    /// whether or not the flag has to be asked for.
    pub(super) async fn read_unless_held(
        &self,
        id: &JobId,
    ) -> Result<Result<Option<(Job, Spec)>, PortError>, Error> {
        if self.is_known_to_run() {
            return Ok(self.ports.store.job_and_spec(id).await);
        }
        let now = self.now();
        let found = self.ports.store.claimable(id).await?;
        self.hold.put(now, found.hold);
        // The row stands in the due index, and whoever lets the queue go sends its message again.
        Ok(if found.hold.paused {
            Ok(None)
        } else {
            found.job
        })
    }

    /// Holds the whole queue back: nothing queued is begun, whoever's it is; what runs goes on to
    /// the end of its attempt.
    pub async fn pause_queue(&self, caller: &Caller) -> Result<(), Error> {
        admins_only(caller)?;
        self.hold_queue(true).await
    }

    /// Lets the queue go, and has the messages sent that workers have put away meanwhile.
    pub async fn resume_queue(&self, caller: &Caller) -> Result<(), Error> {
        admins_only(caller)?;
        // The row first: whatever ends this request, somebody sends the messages.
        let new = NewOperation::of(Kind::Resume, None);
        let operation = self.begin(caller, &new, None).await?;
        self.hold_queue(false).await?;
        self.first_step(operation).await;
        Ok(())
    }

    async fn hold_queue(&self, paused: bool) -> Result<(), Error> {
        const MOST_RACES: usize = 20;
        for _ in 0..MOST_RACES {
            let before = self.ports.operations.hold().await?;
            let stamp = self.stamp();
            if before.paused == paused {
                self.hold.put(stamp.now, before);
                return Ok(());
            }
            let after = before.set(stamp, paused);
            if self.ports.operations.set_hold(&before, &after).await? {
                self.hold.put(stamp.now, after);
                tracing::warn!(paused, "the whole queue is held back or let go");
                return Ok(());
            }
        }
        Err(Error::Unavailable {
            part: "table",
            source: format!("the hold changed {MOST_RACES} times meanwhile").into(),
        })
    }
}

/// What concerns everybody is for admins.
pub(super) fn admins_only(caller: &Caller) -> Result<(), Error> {
    if caller.is_admin() {
        Ok(())
    } else {
        Err(Error::Forbidden(
            "this concerns all customers and takes the key of an admin".to_owned(),
        ))
    }
}
