//! What the timetable has to know: told right after each write, by the sweep where that was cut
//! short, and compared as a whole once an hour and at a restart, in both directions.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt};

use crate::app::App;
use crate::app::schedule::{MOST_RACES, crowded};
use crate::app::sweep::Swept;
use crate::error::Error;
use crate::id::{RowId, ScheduleId};
use crate::job::DueList;
use crate::ports::Scope;
use crate::schedule::Schedule;
use crate::time::Timestamp;
use crate::transition::Mode;

/// Rows in one round of a sweep, or on one page.
const PAGE: usize = 100;
/// Rows worked on at once.
const CONCURRENCY: usize = 8;
/// Whatever is owed to a row comes due within this.
const REACH: Duration = Duration::from_mins(15);
/// What the timetable holds is compared with the rows up to this many schedules.
const MOST_COMPARED: usize = 20_000;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// The hour in which this process has compared timetable and rows last.
#[derive(Debug, Default)]
pub(in crate::app) struct Reconciled(AtomicI64);

impl Reconciled {
    /// The hour whose comparison is due: in its first minute, and once.
    fn due(&self, now: Timestamp) -> Option<i64> {
        let (hour, rest) = (now.as_millis() / HOUR_MS, now.as_millis() % HOUR_MS);
        let is_first = rest < MINUTE_MS;
        (is_first && self.0.load(Ordering::Relaxed) != hour).then_some(hour)
    }
}

impl App {
    /// Tells the timetable what a row has just become. What goes wrong is left to the sweep.
    pub(super) async fn tell_timetable(&self, schedule: &Schedule) {
        if let Err(error) = self.place(schedule).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(schedule = %schedule.id, error, "the timetable is told later");
        }
    }

    /// Tells the timetable what it is to hold, until it knows the latest version.
    async fn place(&self, schedule: &Schedule) -> Result<(), Error> {
        let mut current = schedule.clone();
        for _ in 0..MOST_RACES {
            let version = current.wanted;
            let timetable = &self.ports.timetable;
            let told = if current.deleted {
                timetable.remove(&current.id).await
            } else {
                timetable.place(&current.entry()).await
            };
            if let Err(error) = told {
                let untold = |row: &Schedule, stamp| row.is_unplaced().then(|| row.untold(stamp));
                self.settle_schedule(&current, untold).await?;
                return Err(error.into());
            }
            if current.deleted {
                self.ports.schedules.remove_schedule(&current).await?;
                return Ok(());
            }
            // Where it was told an older version than another process has told it since, the row
            // says so, and it is told again.
            let told =
                |row: &Schedule, stamp| (row.placed != version).then(|| row.told(stamp, version));
            match self.settle_schedule(&current, told).await? {
                Some(row) if row.is_unplaced() => current = row,
                _ => return Ok(()),
            }
        }
        Err(crowded(&schedule.id))
    }

    /// Gives every schedule what it is owed: a place in the timetable, or the beginning of the run
    /// that it holds. A timetable that cannot be told is told later, and stops nothing else.
    pub(in crate::app) async fn sweep_schedules(
        &self,
        mode: Mode,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let now = self.now();
        let until = match mode {
            Mode::Routine => now,
            Mode::Restart => now + REACH,
            Mode::Shutdown => return Ok(()),
        };
        if mode == Mode::Restart {
            // A timetable in memory is empty after a start.
            self.place_all().await?;
        }
        let due = self.ports.store.due(DueList::Schedule, 0, until, PAGE);
        let due = due.await?;
        swept.more |= due.len() == PAGE;
        let rows = stream::iter(due)
            .map(|id| async move {
                match id {
                    RowId::Schedule(id) => self.sweep_schedule(&id, until).await,
                    _ => Ok(false),
                }
            })
            .buffer_unordered(CONCURRENCY)
            .collect::<Vec<_>>()
            .await;
        let mut first_error = None;
        for row in rows {
            match row {
                Ok(changed) => swept.written += usize::from(changed),
                Err(error) => {
                    let shown: &dyn std::error::Error = &error;
                    tracing::error!(error = shown, "a schedule cannot be swept");
                    // One bad row must not keep the others from their ticks.
                    if !matches!(error, Error::Corrupt(_)) {
                        first_error = first_error.or(Some(error));
                    }
                }
            }
        }
        let hour = self.reconciled.due(now);
        if mode == Mode::Restart || hour.is_some() {
            match (self.reconcile_schedules().await, hour) {
                (Ok(()), Some(hour)) => self.reconciled.0.store(hour, Ordering::Relaxed),
                (Ok(()), None) => {}
                // It is tried again, and nobody's work waits for it.
                (Err(error), _) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "timetable and schedules were not compared");
                }
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    async fn sweep_schedule(&self, id: &ScheduleId, until: Timestamp) -> Result<bool, Error> {
        let Some(schedule) = self.ports.schedules.schedule(id).await? else {
            return Ok(false);
        };
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= until);
        if is_due(schedule.place_at) {
            self.tell_timetable(&schedule).await;
        }
        if is_due(schedule.look_at) && !self.release_held(id).await? {
            let looked = |row: &Schedule, stamp| row.held.map(|_| row.looked_at(stamp));
            self.settle_schedule(&schedule, looked).await?;
        }
        Ok(is_due(schedule.due_at()))
    }

    async fn place_all(&self) -> Result<(), Error> {
        let mut before = None;
        loop {
            let schedules = &self.ports.schedules;
            let listed = schedules.list_schedules(Scope::Everyone, before.as_ref(), PAGE);
            let listed = listed.await?;
            stream::iter(&listed.schedules)
                .for_each_concurrent(CONCURRENCY, |schedule| self.tell_timetable(schedule))
                .await;
            before = listed.next;
            if before.is_none() {
                return Ok(());
            }
        }
    }

    /// Compares what the timetable holds with the rows: what has no row is removed, and what is
    /// missing is placed.
    pub async fn reconcile_schedules(&self) -> Result<(), Error> {
        let (timetable, schedules) = (&self.ports.timetable, &self.ports.schedules);
        let mut found = HashSet::new();
        let mut after = None;
        loop {
            let page = timetable.placed(after.as_deref()).await?;
            for ids in page.ids.chunks(PAGE) {
                let known: HashSet<_> = schedules.known(ids).await?.into_iter().collect();
                // The row is written before its entry: an entry without one has lost it.
                for id in ids.iter().filter(|id| !known.contains(id)) {
                    timetable.remove(id).await?;
                    tracing::warn!(schedule = %id, "an entry without a schedule is removed");
                }
                found.extend(known);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
            if found.len() >= MOST_COMPARED {
                tracing::warn!(MOST_COMPARED, "not all of the timetable was compared");
                return Ok(());
            }
        }
        let mut before = None;
        loop {
            let listed = schedules.list_schedules(Scope::Everyone, before.as_ref(), PAGE);
            let listed = listed.await?;
            for schedule in &listed.schedules {
                if !found.contains(&schedule.id) && !schedule.is_unplaced() {
                    self.place_missing(schedule).await?;
                }
            }
            before = listed.next;
            if before.is_none() {
                return Ok(());
            }
        }
    }

    pub(super) async fn place_missing(&self, schedule: &Schedule) -> Result<(), Error> {
        let forgotten = |row: &Schedule, stamp| (!row.is_unplaced()).then(|| row.forgotten(stamp));
        if let Some(row) = self.settle_schedule(schedule, forgotten).await? {
            tracing::warn!(schedule = %row.id, "the timetable had lost a schedule");
            self.tell_timetable(&row).await;
        }
        Ok(())
    }
}
