//! Creating a schedule: one transaction, then the timetable. A request that is repeated under its
//! key is answered as it was answered first.

use crate::app::App;
use crate::caller::Caller;
use crate::error::Error;
use crate::id::ScheduleId;
use crate::idempotency::{Answer, Kept, Keyed};
use crate::ports::Added;
use crate::rate::Call;
use crate::schedule::{MOST_SCHEDULES, NewSchedule, Schedule};
use crate::time::Timestamp;

/// What a client is told that asked for a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedSchedule {
    pub id: ScheduleId,
    /// When it was answered first.
    pub at: Timestamp,
}

impl App {
    /// Creates a schedule. When this answers it is in the table, and the timetable knows it or will
    /// within a minute.
    pub async fn create_schedule(
        &self,
        caller: &Caller,
        new: &NewSchedule,
        keyed: Option<&Keyed>,
    ) -> Result<CreatedSchedule, Error> {
        let customer = caller.owner(new.job.customer.as_ref())?;
        self.admit(Call::Create, &customer).await?;
        let asked = new.stored()?;
        let stamp = self.stamp();
        let id = ScheduleId::new(stamp.now, self.ports.entropy.next());
        let kept = keyed.map(|keyed| {
            let answer = Answer::Schedule(id.clone());
            keyed.kept(caller, stamp.now, answer)
        });
        let schedule = Schedule::new(id, customer, stamp, new);
        let schedules = &self.ports.schedules;
        let added = schedules.add(&schedule, &asked, MOST_SCHEDULES, kept.as_ref());
        match added.await? {
            Added::Written => {
                let (id, customer) = (&schedule.id, &schedule.customer);
                tracing::info!(schedule = %id, %customer, "schedule created");
                self.tell_timetable(&schedule).await;
                Ok(CreatedSchedule {
                    id: schedule.id,
                    at: stamp.now,
                })
            }
            Added::Full => Err(Error::TooMany {
                what: "schedules",
                most: MOST_SCHEDULES,
            }),
            Added::Answered(kept) => again(&kept, keyed),
        }
    }
}

/// The answer that was given before, where the request is the same.
fn again(kept: &Kept, keyed: Option<&Keyed>) -> Result<CreatedSchedule, Error> {
    if !keyed.is_some_and(|keyed| keyed.asked_for(kept)) {
        return Err(Error::KeyReused);
    }
    match &kept.answer {
        Answer::Schedule(id) => Ok(CreatedSchedule {
            id: id.clone(),
            at: kept.at,
        }),
        Answer::Job(_) | Answer::Jobs(_) | Answer::Batch(_) => Err(Error::Corrupt(format!(
            "the answer {} is to another kind of request",
            kept.name
        ))),
    }
}
