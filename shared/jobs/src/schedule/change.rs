//! What a row becomes: by the client's wish, by a tick, by what the timetable has learned. Each
//! change is one write; refuses to judge whether it should happen.

use std::time::Duration;

use super::{LONGEST_BACK_OFF, LOOK_EVERY, NewSchedule, PLACE_GRACE, Run, Schedule, Trigger};
use crate::id::ScheduleId;
use crate::spec::CustomerId;
use crate::time::Timestamp;
use crate::transition::Stamp;

impl Schedule {
    pub fn new(id: ScheduleId, customer: CustomerId, stamp: Stamp, new: &NewSchedule) -> Self {
        Self {
            id,
            customer,
            kind: new.job.spec.kind,
            url: new.job.spec.url.clone(),
            priority: new.job.priority,
            plan: new.plan.clone(),
            paused: false,
            deleted: false,
            fired: 0,
            last_fired: None,
            since: stamp.now,
            caught_up_at: None,
            current: None,
            held: None,
            wanted: 1,
            placed: 0,
            failures: 0,
            place_at: Some(stamp.now + PLACE_GRACE),
            look_at: None,
            created_at: stamp.now,
            updated_at: stamp.now,
            revision: 1,
            nonce: stamp.nonce,
        }
    }

    fn sealed(&self, stamp: Stamp) -> Self {
        Self {
            revision: self.revision + 1,
            nonce: stamp.nonce,
            ..self.clone()
        }
    }

    /// The timetable has something to learn.
    fn misplaced(mut self, now: Timestamp) -> Self {
        self.wanted += 1;
        self.failures = 0;
        self.place_at = Some(now + PLACE_GRACE);
        self
    }

    /// As a client wants it from now on.
    #[must_use]
    pub fn changed(&self, stamp: Stamp, new: &NewSchedule) -> Self {
        let mut next = self.sealed(stamp);
        next.kind = new.job.spec.kind;
        next.url.clone_from(&new.job.spec.url);
        next.priority = new.job.priority;
        next.updated_at = stamp.now;
        let times = |plan: &super::Plan| (plan.cron.clone(), plan.zone, plan.start, plan.end);
        let is_moved = times(&self.plan) != times(&new.plan);
        next.plan = new.plan.clone();
        if is_moved {
            // What the new pattern would have fired before is no run that was missed.
            next.since = stamp.now;
        }
        if is_moved || self.is_used_up() != next.is_used_up() {
            next = next.misplaced(stamp.now);
        }
        next
    }

    /// Nothing fires until it is resumed, and what is held is let go.
    #[must_use]
    pub fn paused(&self, stamp: Stamp) -> Self {
        let mut next = self.without_held(stamp);
        next.paused = true;
        next.updated_at = stamp.now;
        next.misplaced(stamp.now)
    }

    /// It fires again, from now on.
    #[must_use]
    pub fn resumed(&self, stamp: Stamp) -> Self {
        let mut next = self.sealed(stamp);
        next.paused = false;
        next.since = stamp.now;
        next.updated_at = stamp.now;
        next.misplaced(stamp.now)
    }

    /// It is gone for every reader, and the timetable has to forget it.
    #[must_use]
    pub fn removed(&self, stamp: Stamp) -> Self {
        let mut next = self.without_held(stamp);
        next.deleted = true;
        next.updated_at = stamp.now;
        next.misplaced(stamp.now)
    }

    /// A run has begun; `is_late` where it makes up for all that were missed before it.
    #[must_use]
    pub fn fired(&self, stamp: Stamp, run: Run, trigger: Trigger, is_late: bool) -> Self {
        let mut next = self.sealed(stamp);
        if trigger == Trigger::Schedule {
            next.fired += 1;
            next.has_reached(run.at, stamp.now, is_late);
        }
        next.current = Some(run);
        next.unless_used_up(self, stamp.now)
    }

    /// A run waits for the end of the current one.
    #[must_use]
    pub fn holding(&self, stamp: Stamp, at: Timestamp, is_late: bool) -> Self {
        let mut next = self.sealed(stamp);
        next.held = Some(at);
        next.look_at = Some(stamp.now + LOOK_EVERY);
        next.has_reached(at, stamp.now, is_late);
        next.unless_used_up(self, stamp.now)
    }

    /// The run that was held has begun.
    #[must_use]
    pub fn released(&self, stamp: Stamp, run: Run) -> Self {
        let mut next = self.without_held(stamp);
        next.fired += 1;
        next.current = Some(run);
        next
    }

    /// Nothing is held any more.
    #[must_use]
    pub fn without_held(&self, stamp: Stamp) -> Self {
        let mut next = self.sealed(stamp);
        next.held = None;
        next.look_at = None;
        next.unless_used_up(self, stamp.now)
    }

    /// The run that is held still has to wait.
    #[must_use]
    pub fn looked_at(&self, stamp: Stamp) -> Self {
        let mut next = self.sealed(stamp);
        next.look_at = Some(stamp.now + LOOK_EVERY);
        next
    }

    /// The timetable was told the version `version`. Where that is not the one that it is to have
    /// any more, it is told again.
    #[must_use]
    pub fn told(&self, stamp: Stamp, version: u64) -> Self {
        let mut next = self.sealed(stamp);
        next.placed = version;
        next.failures = 0;
        next.place_at = next.is_unplaced().then(|| stamp.now + PLACE_GRACE);
        next
    }

    /// The timetable could not be told: tried again after 1 to 15 minutes.
    #[must_use]
    pub fn untold(&self, stamp: Stamp) -> Self {
        let mut next = self.sealed(stamp);
        let minutes = Duration::from_mins(1) * 2_u32.pow(self.failures.min(4));
        next.failures = self.failures.saturating_add(1);
        next.place_at = Some(stamp.now + minutes.min(LONGEST_BACK_OFF));
        next
    }

    /// The timetable turned out not to hold it: it is told at once.
    #[must_use]
    pub fn forgotten(&self, stamp: Stamp) -> Self {
        let mut next = self.sealed(stamp).misplaced(stamp.now);
        next.place_at = Some(stamp.now);
        next
    }

    fn has_reached(&mut self, at: Timestamp, now: Timestamp, is_late: bool) {
        self.last_fired = self.last_fired.max(Some(at));
        if is_late {
            self.caught_up_at = self.caught_up_at.max(Some(now));
        }
    }

    /// Where it has just become used up, or is so no more, the timetable has to learn that.
    fn unless_used_up(self, before: &Self, now: Timestamp) -> Self {
        if self.is_used_up() == before.is_used_up() {
            self
        } else {
            self.misplaced(now)
        }
    }
}
