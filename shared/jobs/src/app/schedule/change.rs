//! Changing a schedule: other fields, a pause, its end. Each is one write, then the timetable.

use crate::app::App;
use crate::app::schedule::{MOST_RACES, crowded};
use crate::caller::Caller;
use crate::error::{Error, Problem};
use crate::extraction::Check;
use crate::id::ScheduleId;
use crate::ports::{Replaced, TickWrite, Turn, Turned};
use crate::rate::Call;
use crate::schedule::{Asked, ChangedSchedule, NewSchedule, Outcome, Schedule, Tick};
use crate::transition::Stamp;

impl App {
    /// Gives a schedule other fields; answers with it as it then is. `check` says which selectors
    /// and patterns do not compile.
    pub async fn change_schedule(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        change: &ChangedSchedule,
        check: Check,
    ) -> Result<(Schedule, Asked), Error> {
        self.admit_caller(Call::Create, caller, None).await?;
        for _ in 0..MOST_RACES {
            let (schedule, asked) = self.visible_schedule(caller, id).await?;
            let now = self.now();
            let new = change.onto(&asked, check, now).map_err(Error::Invalid)?;
            let new = self.of_same_customer(caller, &schedule, new).await?;
            let stored = new.stored()?;
            let next = schedule.changed(self.stamp(), &new);
            let schedules = &self.ports.schedules;
            match schedules.replace(&schedule, &next, Some(&stored)).await? {
                Replaced::Written => {
                    tracing::info!(schedule = %id, "schedule changed");
                    self.tell_timetable(&next).await;
                    let asked = Asked {
                        spec: new.job.spec,
                        body: new.body,
                    };
                    return Ok((next, asked));
                }
                Replaced::Lost(_) => {}
            }
        }
        Err(crowded(id))
    }

    /// The request with the address of the job that it names, where it names another one.
    async fn of_same_customer(
        &self,
        caller: &Caller,
        schedule: &Schedule,
        mut new: NewSchedule,
    ) -> Result<NewSchedule, Error> {
        let stated = new.job.customer.as_ref();
        if stated.is_some_and(|it| *it != schedule.customer) {
            let problem = Problem::new("customerId", "cannot be changed");
            return Err(Error::Invalid(vec![problem]));
        }
        if new.job.spec.url.is_empty() {
            new.job.customer = Some(schedule.customer.clone());
            new.job = self.addressed(caller, new.job).await?;
        }
        Ok(new)
    }

    /// Lets nothing fire until it is resumed. Again changes nothing.
    pub async fn pause_schedule(
        &self,
        caller: &Caller,
        id: &ScheduleId,
    ) -> Result<Schedule, Error> {
        let pause = |row: &Schedule, stamp| (!row.paused).then(|| row.paused(stamp));
        self.move_schedule(caller, id, pause, "paused").await
    }

    /// Lets it fire again, from now on. Again changes nothing.
    pub async fn resume_schedule(
        &self,
        caller: &Caller,
        id: &ScheduleId,
    ) -> Result<Schedule, Error> {
        let resume = |row: &Schedule, stamp| row.paused.then(|| row.resumed(stamp));
        self.move_schedule(caller, id, resume, "resumed").await
    }

    /// Ends a schedule for good. Its jobs stay.
    pub async fn delete_schedule(
        &self,
        caller: &Caller,
        id: &ScheduleId,
    ) -> Result<Schedule, Error> {
        let delete = |row: &Schedule, stamp| Some(row.removed(stamp));
        self.move_schedule(caller, id, delete, "deleted").await
    }

    async fn move_schedule(
        &self,
        caller: &Caller,
        id: &ScheduleId,
        change: impl Fn(&Schedule, Stamp) -> Option<Schedule>,
        moved: &'static str,
    ) -> Result<Schedule, Error> {
        for _ in 0..MOST_RACES {
            let (schedule, _) = self.visible_schedule(caller, id).await?;
            let Some(next) = change(&schedule, self.stamp()) else {
                return Ok(schedule);
            };
            if self.let_go(&schedule, &next, moved).await? {
                tracing::info!(schedule = %id, moved, "schedule moved");
                self.tell_timetable(&next).await;
                return Ok(next);
            }
        }
        Err(crowded(id))
    }

    /// Writes a row that holds nothing back any more; the history says why. `false` where another
    /// write came between.
    async fn let_go(
        &self,
        before: &Schedule,
        after: &Schedule,
        moved: &'static str,
    ) -> Result<bool, Error> {
        let schedules = &self.ports.schedules;
        if let Some(at) = before.held.filter(|_| after.held.is_none()) {
            let reason = format!("The schedule was {moved} while the run waited");
            let tick = Tick {
                reason: Some(reason),
                ..Tick::new(&before.id, at, Outcome::Skipped, self.now())
            };
            let turn = Turn {
                before,
                after,
                tick: TickWrite::Held(&tick),
                job: None,
            };
            match schedules.turn(&turn).await? {
                Turned::Written => return Ok(true),
                // The tick is not kept any more: nothing is to be said of it.
                Turned::Handled => {}
                Turned::Full | Turned::Lost(_) => return Ok(false),
            }
        }
        let replaced = schedules.replace(before, after, None).await?;
        Ok(replaced == Replaced::Written)
    }
}
