//! What a tick makes: one job however often it is delivered. Tick, row and job are one write; whoever
//! meets another write judges again on the row as it then is.

use crate::app::App;
use crate::app::Settled;
use crate::app::create::{Birth, first_row, full};
use crate::app::schedule::{MOST_RACES, crowded};
use crate::caller::Caller;
use crate::error::Error;
use crate::id::{JobId, ScheduleId};
use crate::job::{Job, RunOf};
use crate::new_job::NewJob;
use crate::ports::{NewRow, TickWrite, Turn, Turned};
use crate::rate::Call;
use crate::schedule::{Asked, Outcome, Run, Schedule, Tick, Trigger, Verdict};
use crate::time::Timestamp;
use crate::transition::Stamp;

use super::super::create::stored;

/// What was done about a tick.
enum Done {
    /// It has made this job.
    Made(Box<Job>),
    /// It makes none, or has made one before.
    Nothing,
    Refused,
    /// The row is another by now.
    Again,
}

/// A run that is about to be made.
#[derive(Clone, Copy)]
struct Due {
    at: Timestamp,
    trigger: Trigger,
}

impl App {
    /// Handles the tick of an instant, as often as it comes. When this answers, the job that it
    /// makes is in the table and will reach an end, or the history says why there is none.
    pub async fn tick(&self, id: &ScheduleId, at: Timestamp) -> Result<(), Error> {
        let due = Due {
            at,
            trigger: Trigger::Schedule,
        };
        for _ in 0..MOST_RACES {
            let found = self.ports.schedules.schedule_and_asked(id).await?;
            let Some((schedule, asked)) = found else {
                return Ok(());
            };
            if schedule.is_foreign(at) && !schedule.deleted && !schedule.is_unplaced() {
                // The timetable holds another pattern than the row knows of.
                tracing::warn!(schedule = %id, %at, "a tick that the pattern does not have");
                return self.place_missing(&schedule).await;
            }
            let is_running = self.running(&schedule).await?.is_some();
            let verdict = schedule.judge(at, self.now(), is_running);
            match self.carry_out(&schedule, &asked, due, verdict).await? {
                Done::Again => {}
                Done::Refused => {
                    let tick = Tick::new(id, at, Outcome::Refused, self.now());
                    self.ports.schedules.note(&tick).await?;
                    tracing::warn!(schedule = %id, %at, "no room for the job of a tick");
                    return Ok(());
                }
                Done::Made(_) | Done::Nothing => return Ok(()),
            }
        }
        Err(crowded(id))
    }

    /// Makes a run now, whatever the plan says. [`Error::Overlap`] where another one goes on that it
    /// may not overlap.
    pub async fn run_schedule(&self, caller: &Caller, id: &ScheduleId) -> Result<Job, Error> {
        let (schedule, _) = self.visible_schedule(caller, id).await?;
        self.admit(Call::Create, &schedule.customer).await?;
        let mut at = Trigger::manual_at(self.now());
        for _ in 0..MOST_RACES {
            let (schedule, asked) = self.visible_schedule(caller, id).await?;
            let running = self.running(&schedule).await?;
            let Some(verdict) = schedule.judge_request(running.is_some()) else {
                return Err(self.overlap(id, running));
            };
            let due = Due {
                at,
                trigger: Trigger::Manual,
            };
            match self.carry_out(&schedule, &asked, due, verdict).await? {
                Done::Made(job) => return Ok(*job),
                Done::Refused => return Err(full()),
                Done::Again => {}
                // Somebody else has asked in the same millisecond.
                Done::Nothing => at = Trigger::manual_at(at + std::time::Duration::from_millis(1)),
            }
        }
        Err(crowded(id))
    }

    fn overlap(&self, id: &ScheduleId, running: Option<Job>) -> Error {
        match running {
            Some(job) => Error::Overlap {
                id: id.clone(),
                status: job.status(self.now()),
                by: job.id,
            },
            None => crowded(id),
        }
    }

    /// A job of a schedule has ended: the history says how, and the run that waits for it begins.
    /// Safe to be called as often as one likes.
    pub async fn run_ended(&self, job: &Job) -> Result<(), Error> {
        let Some(RunOf { schedule, at }) = &job.run_of else {
            return Ok(());
        };
        if !job.state.is_terminal() {
            return Ok(());
        }
        let status = job.status(self.now());
        let schedules = &self.ports.schedules;
        schedules.end_tick(schedule, *at, status).await?;
        let holds = |row: Schedule| row.held.is_some();
        if schedules.schedule(schedule).await?.is_some_and(holds) {
            self.release_held(schedule).await?;
        }
        Ok(())
    }

    /// Begins the run that is held, where the one before has ended; says whether nothing is held
    /// any more.
    pub(super) async fn release_held(&self, id: &ScheduleId) -> Result<bool, Error> {
        for _ in 0..MOST_RACES {
            let found = self.ports.schedules.schedule_and_asked(id).await?;
            let Some((schedule, asked)) = found.filter(|(row, _)| row.held.is_some()) else {
                return Ok(true);
            };
            if self.running(&schedule).await?.is_some() {
                return Ok(false);
            }
            self.begin_held(&schedule, &asked).await?;
        }
        Err(crowded(id))
    }

    /// The job of the current run, where it goes on.
    async fn running(&self, schedule: &Schedule) -> Result<Option<Job>, Error> {
        let Some(run) = &schedule.current else {
            return Ok(None);
        };
        let job = self.ports.store.job(&run.job).await?;
        Ok(job.filter(|job| !job.state.is_terminal()))
    }

    async fn carry_out(
        &self,
        schedule: &Schedule,
        asked: &Asked,
        due: Due,
        verdict: Verdict,
    ) -> Result<Done, Error> {
        match verdict {
            Verdict::Ignore => Ok(Done::Nothing),
            Verdict::Note(outcome) => {
                let tick = Tick::new(&schedule.id, due.at, outcome, self.now());
                self.ports.schedules.note(&tick).await?;
                Ok(Done::Nothing)
            }
            Verdict::Hold { is_late } => self.hold_tick(schedule, due.at, is_late).await,
            Verdict::CancelFirst(job) => {
                // Where this tick was handled before, the run that goes on is its own or a later one.
                let schedules = &self.ports.schedules;
                if schedules.tick(&schedule.id, due.at).await?.is_some() {
                    return Ok(Done::Nothing);
                }
                self.cancel_run(&job).await?;
                Ok(Done::Again)
            }
            Verdict::ReleaseFirst => {
                self.begin_held(schedule, asked).await?;
                Ok(Done::Again)
            }
            Verdict::Fire { is_late } => self.fire(schedule, asked, due, is_late).await,
        }
    }

    async fn fire(
        &self,
        schedule: &Schedule,
        asked: &Asked,
        due: Due,
        is_late: bool,
    ) -> Result<Done, Error> {
        let stamp = self.stamp();
        let (job, spec) = job_of(schedule, asked, due.at, stamp)?;
        let (after, tick) = (
            schedule.fired(stamp, run_of(&job, due.at), due.trigger, is_late),
            Tick {
                job: Some(job.id.clone()),
                trigger: due.trigger,
                ..Tick::new(&schedule.id, due.at, Outcome::Fired, stamp.now)
            },
        );
        let turn = self.turn(schedule, &after, TickWrite::New(&tick), &job, &spec);
        match self.ports.schedules.turn(&turn).await? {
            Turned::Written => {
                self.begun(schedule, &after, &job).await;
                Ok(Done::Made(Box::new(job)))
            }
            Turned::Handled => Ok(Done::Nothing),
            Turned::Full => Ok(Done::Refused),
            Turned::Lost(_) => Ok(Done::Again),
        }
    }

    async fn hold_tick(
        &self,
        schedule: &Schedule,
        at: Timestamp,
        is_late: bool,
    ) -> Result<Done, Error> {
        let stamp = self.stamp();
        let after = schedule.holding(stamp, at, is_late);
        let tick = Tick::new(&schedule.id, at, Outcome::Held, stamp.now);
        let turn = Turn {
            before: schedule,
            after: &after,
            tick: TickWrite::New(&tick),
            job: None,
        };
        match self.ports.schedules.turn(&turn).await? {
            Turned::Lost(_) => Ok(Done::Again),
            Turned::Handled | Turned::Full => Ok(Done::Nothing),
            Turned::Written => {
                if after.is_unplaced() {
                    self.tell_timetable(&after).await;
                }
                // Where the current run has ended since it was looked at, nobody else begins this.
                self.release_held(&schedule.id).await?;
                Ok(Done::Nothing)
            }
        }
    }

    /// Begins the run that is held. Where another write comes between, nothing happens.
    async fn begin_held(&self, schedule: &Schedule, asked: &Asked) -> Result<(), Error> {
        let Some(at) = schedule.held else {
            return Ok(());
        };
        let stamp = self.stamp();
        let schedules = &self.ports.schedules;
        let (job, spec) = job_of(schedule, asked, at, stamp)?;
        let after = schedule.released(stamp, run_of(&job, at));
        let tick = Tick {
            job: Some(job.id.clone()),
            ..Tick::new(&schedule.id, at, Outcome::Fired, stamp.now)
        };
        let turn = self.turn(schedule, &after, TickWrite::Held(&tick), &job, &spec);
        match schedules.turn(&turn).await? {
            Turned::Written => self.begun(schedule, &after, &job).await,
            Turned::Lost(_) => {}
            Turned::Handled => {
                let after = schedule.without_held(stamp);
                schedules.replace(schedule, &after, None).await?;
            }
            Turned::Full => {
                let after = schedule.without_held(stamp);
                let tick = Tick::new(&schedule.id, at, Outcome::Refused, stamp.now);
                let turn = Turn {
                    before: schedule,
                    after: &after,
                    tick: TickWrite::Held(&tick),
                    job: None,
                };
                schedules.turn(&turn).await?;
            }
        }
        Ok(())
    }

    fn turn<'a>(
        &self,
        before: &'a Schedule,
        after: &'a Schedule,
        tick: TickWrite<'a>,
        job: &'a Job,
        spec: &'a str,
    ) -> Turn<'a> {
        let row = NewRow {
            job,
            spec,
            replaces: None,
        };
        Turn {
            before,
            after,
            tick,
            job: Some((row, self.limits.max_unfinished)),
        }
    }

    /// What follows a run that has just been written.
    async fn begun(&self, before: &Schedule, after: &Schedule, job: &Job) {
        self.send_first(job, None).await;
        if after.wanted != before.wanted {
            self.tell_timetable(after).await;
        }
    }

    async fn cancel_run(&self, id: &JobId) -> Result<(), Error> {
        let Some(job) = self.ports.store.job(id).await? else {
            return Ok(());
        };
        let retention = self.limits.retention;
        let settled = self.settle(&job, |row, stamp| row.cancel(stamp, &retention));
        if let Settled::Written(job) = settled.await? {
            tracing::info!(job = %job.id, "cancelled by the next run of its schedule");
            self.run_ended(&job).await?;
            Box::pin(self.tell_now(&job, None)).await;
        }
        Ok(())
    }
}

fn run_of(job: &Job, at: Timestamp) -> Run {
    Run {
        job: job.id.clone(),
        at,
    }
}

/// The job of a run and its specification, as they are stored first.
fn job_of(
    schedule: &Schedule,
    asked: &Asked,
    at: Timestamp,
    stamp: Stamp,
) -> Result<(Job, String), Error> {
    let new = NewJob {
        customer: Some(schedule.customer.clone()),
        priority: schedule.priority,
        spec: asked.spec.clone(),
        // Each run is another job, however equal.
        deduplicate: false,
        deduplicate_for: std::time::Duration::ZERO,
    };
    let id = JobId::of_tick(&schedule.id, at);
    let birth = Birth {
        created_at: stamp.now,
        stamp,
        // By its own schedule at least.
        heard: true,
        run_of: Some(RunOf {
            schedule: schedule.id.clone(),
            at,
        }),
    };
    let job = first_row(id, schedule.customer.clone(), &new, birth);
    Ok((job, stored(&new.spec)?))
}
