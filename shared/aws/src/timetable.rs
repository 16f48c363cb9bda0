//! The timetable on EventBridge Scheduler: one or two schedules for each entry, in the group of the
//! stack, that send to a queue. Refuses to keep anything: what should be there stands in the table.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::BuildError;
use aws_sdk_scheduler::operation::create_schedule::CreateScheduleError;
use aws_sdk_scheduler::operation::delete_schedule::DeleteScheduleError;
use aws_sdk_scheduler::types::{
    DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState,
    Target,
};
use aws_smithy_types::DateTime;
use jobs::ports::{Clock, Entry, Placed, PortError, Timetable, fire};
use jobs::{ScheduleId, Timestamp};

/// What Scheduler replaces by the time for which a schedule fires, whenever it does.
const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";
/// An entry has at most so many schedules.
const PARTS: usize = 2;
const PAGE: i32 = 100;
/// How long Scheduler goes on where the queue does not take a message: as long as it can.
const OLDEST_SECONDS: i32 = 24 * 3_600;
const MOST_TRIES: i32 = 185;

/// Where schedules stand, and what they send to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleTarget {
    /// The name of the group.
    pub group: String,
    /// The ARN of the queue.
    pub queue: String,
    /// The ARN of the role that may send to the queue and its dead letters.
    pub role: String,
    /// The ARN of the queue for what cannot be sent.
    pub dead_letters: String,
}

/// [`Timetable`] on EventBridge Scheduler.
#[derive(Clone)]
pub struct Schedules {
    client: Client,
    target: ScheduleTarget,
    clock: Arc<dyn Clock>,
}

/// What is written of a schedule, but for its name and its expression.
struct Written {
    zone: &'static str,
    start: Option<DateTime>,
    end: Option<DateTime>,
    state: ScheduleState,
    target: Target,
    window: FlexibleTimeWindow,
}

/// Bounds are wider on Scheduler by as much as patterns are coarse.
const BOUND: Duration = Duration::from_mins(1);

impl Schedules {
    pub fn new(client: Client, target: ScheduleTarget, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            target,
            clock,
        }
    }

    fn written(&self, entry: &Entry) -> Result<Written, BuildError> {
        let now = self.clock.now();
        let ended = entry.end.is_some_and(|end| end <= now);
        // Whether a firing at the very bound counts is the row's to say, not Scheduler's.
        let start = entry.start.map(|start| start - BOUND);
        let end = entry.end.map(|end| end + BOUND);
        let retries = RetryPolicy::builder()
            .maximum_event_age_in_seconds(OLDEST_SECONDS)
            .maximum_retry_attempts(MOST_TRIES);
        let letters = DeadLetterConfig::builder().arn(&self.target.dead_letters);
        let target = Target::builder()
            .arn(&self.target.queue)
            .role_arn(&self.target.role)
            .input(fire(&entry.id, SCHEDULED_TIME))
            .retry_policy(retries.build())
            .dead_letter_config(letters.build());
        let on_time = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off);
        Ok(Written {
            zone: entry.zone.as_str(),
            // Scheduler refuses dates that are over.
            start: start.filter(|start| *start > now).map(date),
            end: end.filter(|_| !ended).map(date),
            state: if entry.enabled && !ended {
                ScheduleState::Enabled
            } else {
                ScheduleState::Disabled
            },
            target: target.build()?,
            window: on_time.build()?,
        })
    }

    /// Writes one schedule, new or not.
    async fn write(
        &self,
        name: &str,
        expression: &str,
        written: &Written,
    ) -> Result<(), PortError> {
        let create = self.client.create_schedule();
        let create = create.group_name(&self.target.group).name(name);
        let create = create
            .schedule_expression(expression)
            .schedule_expression_timezone(written.zone)
            .set_start_date(written.start)
            .set_end_date(written.end)
            .state(written.state.clone())
            .target(written.target.clone())
            .flexible_time_window(written.window.clone());
        match create.send().await {
            Ok(_) => return Ok(()),
            Err(error) => {
                let refusal = error.as_service_error();
                if !refusal.is_some_and(CreateScheduleError::is_conflict_exception) {
                    return Err(unavailable(error));
                }
            }
        }
        let update = self.client.update_schedule();
        let update = update.group_name(&self.target.group).name(name);
        let update = update
            .schedule_expression(expression)
            .schedule_expression_timezone(written.zone)
            .set_start_date(written.start)
            .set_end_date(written.end)
            .state(written.state.clone())
            .target(written.target.clone())
            .flexible_time_window(written.window.clone());
        update.send().await.map_err(unavailable)?;
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), PortError> {
        let delete = self.client.delete_schedule();
        let delete = delete.group_name(&self.target.group).name(name);
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let refusal = error.as_service_error();
                if refusal.is_some_and(DeleteScheduleError::is_resource_not_found_exception) {
                    return Ok(());
                }
                Err(unavailable(error))
            }
        }
    }
}

#[async_trait]
impl Timetable for Schedules {
    async fn place(&self, entry: &Entry) -> Result<(), PortError> {
        let written = self.written(entry).map_err(unavailable)?;
        let expressions = entry.cron.expressions();
        for (part, expression) in expressions.iter().enumerate() {
            let name = name(&entry.id, part);
            self.write(&name, expression, &written).await?;
        }
        for part in expressions.len()..PARTS {
            self.delete(&name(&entry.id, part)).await?;
        }
        Ok(())
    }

    async fn remove(&self, id: &ScheduleId) -> Result<(), PortError> {
        // The first one goes last: what is found by it is found until all is done.
        for part in (0..PARTS).rev() {
            self.delete(&name(id, part)).await?;
        }
        Ok(())
    }

    async fn placed(&self, after: Option<&str>) -> Result<Placed, PortError> {
        let list = self.client.list_schedules();
        let list = list.group_name(&self.target.group).max_results(PAGE);
        let list = list.set_next_token(after.map(str::to_owned));
        let page = list.send().await.map_err(unavailable)?;
        let names = page.schedules().iter().filter_map(|it| it.name());
        let mut ids: Vec<_> = names.filter_map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(Placed {
            ids,
            next: page.next_token,
        })
    }
}

/// The name of one of the schedules of an entry: 64 characters are allowed, and these are 32.
fn name(id: &ScheduleId, part: usize) -> String {
    format!("{id}-{}", part + 1)
}

fn id(name: &str) -> Option<ScheduleId> {
    let (id, _) = name.rsplit_once('-')?;
    ScheduleId::parse(id)
}

fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millis())
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> PortError {
    PortError::Unavailable {
        part: "timetable",
        source: Box::new(error),
    }
}
