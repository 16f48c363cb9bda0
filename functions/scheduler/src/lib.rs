//! The scheduler: sweeps the table every minute, says which schedules have fired, and wakes the rows
//! whose messages went to the dead letters. Refuses to decide anything about a job or a schedule.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::future::join_all;
use jobs::app::Swept;
use jobs::transition::Mode;
use jobs::{App, Error, JobId, Message, ScheduleId, Timestamp};
use serde::{Deserialize, Deserializer, de};

/// Rows of one round of a sweep.
const BUDGET: usize = 2_000;
/// A round is begun only while there is this much time for it.
const ROUND: Duration = Duration::from_secs(20);
/// How the names of all queues of dead letters end.
const DEAD_LETTERS: &str = "-dead-letters";
/// What is shown of a dead letter that nobody can read.
const SHOWN_CHARS: usize = 200;

/// What a rule or a schedule asks for, as `{"tick":"sweep"}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "tick", rename_all = "lowercase")]
pub enum Tick {
    Sweep,
    /// A schedule has come to one of its times, as [`jobs::ports::fire`] writes it.
    #[serde(rename_all = "camelCase")]
    Fire {
        #[serde(deserialize_with = "schedule_id")]
        schedule_id: ScheduleId,
        /// The time for which it fires, which is no later than now.
        #[serde(with = "jobs::time::iso8601")]
        at: Timestamp,
    },
}

fn schedule_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScheduleId, D::Error> {
    let id = String::deserialize(deserializer)?;
    ScheduleId::parse(&id).ok_or_else(|| de::Error::custom("not the id of a schedule"))
}

/// One record.
enum Asked {
    Tick(Tick),
    /// The message of this job was given back too often.
    DeadLetter(JobId),
    /// Neither. No row can be found from it, and a row that it was about is due by itself, so
    /// nothing is lost when it goes; the log keeps what it looked like.
    Unreadable,
}

/// Handles ticks and dead letters, as they come. Many ticks are one sweep.
pub async fn handle(app: &App, event: SqsEvent, deadline: Timestamp) -> SqsBatchResponse {
    let (mut ticks, mut fires, mut letters) = (Vec::new(), Vec::new(), Vec::new());
    for record in event.records {
        let id = record.message_id.unwrap_or_default();
        let body = record.body.unwrap_or_default();
        match read(&body) {
            Asked::Tick(Tick::Sweep) => ticks.push(id),
            Asked::Tick(Tick::Fire { schedule_id, at }) => {
                let queue = record.event_source_arn.unwrap_or_default();
                if queue.ends_with(DEAD_LETTERS) {
                    tracing::error!(message_id = id, schedule = %schedule_id, %at, "a schedule's firing went to the dead letters");
                }
                fires.push((id, schedule_id, at));
            }
            Asked::DeadLetter(job) => letters.push((id, job)),
            Asked::Unreadable => {
                let shown: String = body.chars().take(SHOWN_CHARS).collect();
                let queue = record.event_source_arn;
                tracing::error!(message_id = id, queue, shown, "unreadable message dropped");
            }
        }
    }
    let mut response = SqsBatchResponse::default();
    let woken = join_all(letters.iter().map(|(_, job)| app.wake(job))).await;
    for ((id, job), woken) in letters.iter().zip(woken) {
        tracing::error!(message_id = id, %job, "a message went to the dead letters");
        if let Err(error) = &woken {
            tracing::error!(%job, error = error as &dyn std::error::Error, "the row was not woken");
            // What cannot be read does not read later either; the log keeps which it was.
            if !matches!(error, Error::Corrupt(_)) {
                response.add_failure(id);
            }
        }
    }
    let fired = join_all(
        fires
            .iter()
            .map(|(_, schedule, at)| app.tick(schedule, *at)),
    )
    .await;
    for ((id, schedule, at), fired) in fires.iter().zip(fired) {
        if let Err(error) = &fired {
            let error: &dyn std::error::Error = error;
            tracing::error!(message_id = id, %schedule, %at, error, "a schedule fired in vain");
            if !matches!(fired, Err(Error::Corrupt(_))) {
                response.add_failure(id);
            }
        }
    }
    if ticks.is_empty() {
        return response;
    }
    if let Err(error) = sweep(app, deadline).await {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "the sweep broke off");
        for id in ticks {
            response.add_failure(id);
        }
    }
    response
}

/// Sweeps round after round, until nothing is due or no time is left.
pub async fn sweep(app: &App, deadline: Timestamp) -> Result<Swept, Error> {
    let mut total = Swept::default();
    loop {
        let round = app.sweep(Mode::Routine, BUDGET).await?;
        total.sent += round.sent;
        total.written += round.written;
        total.purged += round.purged;
        total.more = round.more;
        // A round that changed nothing found only rows that it cannot help.
        let helped = round.sent + round.written + round.purged > 0;
        if !round.more || !helped || app.now() + ROUND > deadline {
            break;
        }
    }
    let Swept {
        sent,
        written,
        purged,
        more,
    } = total;
    tracing::info!(sent, written, purged, more, "swept");
    Ok(total)
}

fn read(body: &str) -> Asked {
    if let Ok(tick) = serde_json::from_str(body) {
        return Asked::Tick(tick);
    }
    match Message::decode(body) {
        Ok(message) => Asked::DeadLetter(message.job_id),
        Err(_) => Asked::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_tick_is_read() {
        let tick: Tick = serde_json::from_str(r#"{"tick":"sweep"}"#).unwrap();
        assert_eq!(tick, Tick::Sweep);
        assert!(serde_json::from_str::<Tick>(r#"{"tick":"drain"}"#).is_err());
    }

    #[test]
    fn a_schedules_firing_is_read_as_it_is_written() {
        let schedule_id = ScheduleId::new(Timestamp::from_millis(1_700_000_000_000), 7);
        // As EventBridge Scheduler writes the time, and as we do.
        for time in ["2026-03-29T01:00:00Z", "2026-03-29T01:00:00.000Z"] {
            let body = jobs::ports::fire(&schedule_id, time);
            let tick: Tick = serde_json::from_str(&body).unwrap();
            let at = Timestamp::parse(time).unwrap();
            let schedule_id = schedule_id.clone();
            assert_eq!(tick, Tick::Fire { schedule_id, at });
        }
        for body in [
            jobs::ports::fire(&schedule_id, "<aws.scheduler.scheduled-time>"),
            r#"{"tick":"fire","scheduleId":"job_1","at":"2026-03-29T01:00:00Z"}"#.to_owned(),
            r#"{"tick":"fire"}"#.to_owned(),
        ] {
            assert!(matches!(read(&body), Asked::Unreadable), "{body}");
        }
    }
}
