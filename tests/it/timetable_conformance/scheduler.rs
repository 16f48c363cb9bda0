//! EventBridge Scheduler, or what stands in for it at `HARVESTMAN_TEST_SQS`. Where that is not set
//! its suite is skipped, and one line says so. What stands in for it keeps schedules and does not
//! fire them; what they would send is looked at here.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws::client;
use aws::host::SystemClock;
use aws::timetable::{ScheduleTarget, Schedules};
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{FlexibleTimeWindowMode, ScheduleState};
use jobs::ports::{Clock, PortError, Timetable};
use jobs::{ScheduleId, Timestamp, Zone};

use super::{Harness, entry};
use crate::support;

pub(super) struct OnScheduler {
    client: Client,
    group: String,
    schedules: Schedules,
}

/// A group of its own for each test.
pub(super) async fn open(test: &str) -> Option<OnScheduler> {
    let endpoint = support::emulator_for("the timetable's suite on EventBridge Scheduler")?;
    let client = client::scheduler(&support::connection(endpoint));
    // A group's name has at most 64 characters.
    let test: String = test.chars().take(40).collect();
    let group = format!("{test}-{}", std::process::id());
    let create = client.create_schedule_group().name(&group);
    create.send().await.unwrap();
    let target = ScheduleTarget {
        group: group.clone(),
        queue: "arn:aws:sqs:eu-west-1:123456789012:fires".to_owned(),
        role: "arn:aws:iam::123456789012:role/fires".to_owned(),
        dead_letters: "arn:aws:sqs:eu-west-1:123456789012:fires-dead-letters".to_owned(),
    };
    let schedules = Schedules::new(client.clone(), target, Arc::new(SystemClock));
    Some(OnScheduler {
        client,
        group,
        schedules,
    })
}

impl OnScheduler {
    /// The schedules of an entry, those with these numbers.
    async fn written(&self, id: &ScheduleId) -> Vec<GetScheduleOutput> {
        let mut found = Vec::new();
        for part in 1..=2 {
            let name = format!("{id}-{part}");
            let get = self.client.get_schedule().group_name(&self.group);
            found.extend(get.name(name).send().await);
        }
        found
    }
}

#[async_trait]
impl Harness for OnScheduler {
    fn timetable(&self) -> &dyn Timetable {
        &self.schedules
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn fires(&self, id: &ScheduleId) -> bool {
        let written = self.written(id).await;
        let enabled = |it: &GetScheduleOutput| it.state() == Some(&ScheduleState::Enabled);
        !written.is_empty() && written.iter().all(enabled)
    }
}

#[tokio::test]
async fn a_schedule_sends_the_time_for_which_it_fires_to_the_queue() {
    let test = "a_schedule_sends_the_time_for_which";
    let Some(scheduler) = open(test).await else {
        return;
    };
    let now = scheduler.now();
    let mut entry = entry(1, "*/15 9 13 * FRI", now);
    entry.start = Some(now + Duration::from_hours(1));
    entry.end = Some(now + Duration::from_hours(48));
    scheduler.schedules.place(&entry).await.unwrap();
    let written = scheduler.written(&entry.id).await;
    let expressions = written.iter().map(|it| it.schedule_expression().unwrap());
    let expressions: Vec<_> = expressions.collect();
    assert_eq!(
        expressions,
        ["cron(0,15,30,45 9 13 * ? *)", "cron(0,15,30,45 9 ? * 6 *)"]
    );
    for it in &written {
        assert_eq!(it.schedule_expression_timezone(), Some("Europe/Berlin"));
        let seconds = |at: Option<Timestamp>| at.map(|at| at.as_millis() / 1_000);
        let written =
            |at: Option<&aws_smithy_types::DateTime>| at.map(aws_smithy_types::DateTime::secs);
        // A minute more on both sides: the row judges the bounds themselves.
        let minute = Duration::from_mins(1);
        let (start, end) = (entry.start.unwrap() - minute, entry.end.unwrap() + minute);
        assert_eq!(written(it.start_date()), seconds(Some(start)));
        assert_eq!(written(it.end_date()), seconds(Some(end)));
        let window = it.flexible_time_window().unwrap();
        assert_eq!(window.mode(), &FlexibleTimeWindowMode::Off);
        assert!(it.name().unwrap().len() <= 64, "{:?}", it.name());
        let target = it.target().unwrap();
        assert_eq!(target.arn(), "arn:aws:sqs:eu-west-1:123456789012:fires");
        assert_eq!(target.role_arn(), "arn:aws:iam::123456789012:role/fires");
        let letters = target.dead_letter_config().unwrap().arn().unwrap();
        assert!(letters.ends_with(":fires-dead-letters"), "{letters}");
        let retries = target.retry_policy().unwrap();
        assert_eq!(retries.maximum_retry_attempts(), Some(185));
        assert_eq!(retries.maximum_event_age_in_seconds(), Some(86_400));
        // As Scheduler would send it.
        let input = target.input().unwrap();
        let sent = input.replace("<aws.scheduler.scheduled-time>", "2026-11-13T08:15:00Z");
        let tick: scheduler::Tick = serde_json::from_str(&sent).unwrap();
        let fire = scheduler::Tick::Fire {
            schedule_id: entry.id.clone(),
            at: Timestamp::parse("2026-11-13T08:15:00Z").unwrap(),
        };
        assert_eq!(tick, fire);
    }
}

#[tokio::test]
async fn a_replaced_entry_leaves_nothing_of_the_old_one() {
    let Some(scheduler) = open("a_replaced_entry_leaves_nothing").await else {
        return;
    };
    let mut entry = entry(1, "0 9 13 * FRI", scheduler.now());
    entry.end = Some(scheduler.now() + Duration::from_hours(1));
    scheduler.schedules.place(&entry).await.unwrap();
    assert_eq!(scheduler.written(&entry.id).await.len(), 2);
    entry.cron = jobs::Cron::parse("30 6 * * *").unwrap();
    (entry.zone, entry.end) = (Zone::default(), None);
    scheduler.schedules.place(&entry).await.unwrap();
    let written = scheduler.written(&entry.id).await;
    let [only] = written.as_slice() else {
        panic!("{written:?}");
    };
    assert_eq!(only.schedule_expression(), Some("cron(30 6 * * ? *)"));
    assert_eq!(only.schedule_expression_timezone(), Some("UTC"));
    assert_eq!(only.end_date(), None);
}

#[tokio::test]
async fn a_group_that_is_gone_is_said_and_nothing_is_taken_for_done() {
    let Some(scheduler) = open("a_group_that_is_gone").await else {
        return;
    };
    let entry = entry(1, "@daily", scheduler.now());
    scheduler.schedules.place(&entry).await.unwrap();
    let delete = scheduler.client.delete_schedule_group();
    delete.name(&scheduler.group).send().await.unwrap();
    let placed = scheduler.schedules.place(&entry).await;
    assert!(matches!(
        placed,
        Err(PortError::Unavailable {
            part: "timetable",
            ..
        })
    ));
}
