//! The shapes of schedules, from the domain to JSON. Times are ISO 8601.

use jobs::app::{CreatedSchedule, SchedulePage, ScheduledRun};
use jobs::schedule::Asked;
use jobs::spec::CustomerId;
use jobs::{Job, NewSchedule, Schedule, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::crawl_view::OptionsView;
use crate::cursor;
use crate::openapi::words::{
    OutcomeWord, OverlapWord, PriorityWord, RecurringWord, ScheduleStatusWord, StatusWord,
    TriggerWord, TypeWord,
};

fn texts(instants: &[Timestamp]) -> Vec<String> {
    instants.iter().map(ToString::to_string).collect()
}

pub(crate) fn path(id: impl std::fmt::Display) -> String {
    format!("/api/schedules/{id}")
}

/// The answer to the creation of a job that recurs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecurringView {
    #[schema(example = true)]
    success: bool,
    #[schema(example = "sch_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    schedule_id: String,
    #[serde(rename = "type")]
    #[schema(value_type = RecurringWord, example = "recurring-refresh")]
    kind: String,
    /// The address as it was sent.
    #[schema(example = "https://example.com")]
    url: String,
    #[schema(example = "0 0 * * *")]
    cron_pattern: String,
    /// The IANA time zone that the pattern is read in.
    #[schema(example = "UTC")]
    timezone: &'static str,
    /// The first runs, five at most.
    next_runs: Vec<String>,
    #[schema(example = "Recurring job created successfully")]
    message: &'static str,
    /// A path that answers with the schedule.
    #[schema(example = "/api/schedules/sch_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    pub(crate) status_url: String,
    /// What signs the deliveries to the jobs' own webhook, where they have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    webhook_secret: Option<String>,
    #[schema(format = DateTime)]
    timestamp: String,
}

impl RecurringView {
    pub(crate) fn new(
        new: NewSchedule,
        CreatedSchedule { id, at }: &CreatedSchedule,
        webhook_secret: Option<String>,
    ) -> Self {
        let plan = new.plan;
        Self {
            success: true,
            schedule_id: id.to_string(),
            kind: format!("recurring-{}", new.job.spec.kind.as_str()),
            url: new.job.spec.url,
            cron_pattern: plan.cron.pattern().to_owned(),
            timezone: plan.zone.as_str(),
            next_runs: texts(&plan.first_runs(*at)),
            message: "Recurring job created successfully",
            status_url: path(id),
            webhook_secret,
            timestamp: at.to_string(),
        }
    }
}

/// The run that was made last.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LastRunView {
    /// The instant that it was meant for.
    #[schema(format = DateTime)]
    scheduled_at: String,
    #[schema(example = "job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    job_id: String,
}

/// A schedule in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduleSummary {
    #[schema(example = "sch_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    id: String,
    #[serde(rename = "type")]
    #[schema(value_type = TypeWord, example = "refresh")]
    kind: &'static str,
    #[schema(example = "https://example.com")]
    url: String,
    #[schema(example = "0 0 * * *")]
    cron_pattern: String,
    #[schema(example = "Europe/Berlin")]
    timezone: &'static str,
    #[schema(required = true)]
    name: Option<String>,
    #[schema(format = DateTime, required = true)]
    start_date: Option<String>,
    #[schema(format = DateTime, required = true)]
    end_date: Option<String>,
    /// Most runs of the plan.
    #[schema(required = true)]
    limit: Option<u64>,
    #[schema(value_type = OverlapWord, example = "skip")]
    overlap: &'static str,
    #[schema(value_type = ScheduleStatusWord, example = "active")]
    status: &'static str,
    /// Runs that the plan has made.
    fired: u64,
    #[schema(example = "default")]
    customer_id: String,
    #[schema(value_type = PriorityWord, example = "normal")]
    priority: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    /// When a client changed it last.
    #[schema(format = DateTime)]
    updated_at: String,
    #[schema(required = true)]
    last_run: Option<LastRunView>,
    /// The next runs, five at most; none while it is paused or has ended.
    next_runs: Vec<String>,
}

impl ScheduleSummary {
    fn new(schedule: &Schedule, now: Timestamp) -> Self {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let plan = &schedule.plan;
        Self {
            id: schedule.id.to_string(),
            kind: schedule.kind.as_str(),
            url: schedule.url.clone(),
            cron_pattern: plan.cron.pattern().to_owned(),
            timezone: plan.zone.as_str(),
            name: plan.name.clone(),
            start_date: text(plan.start),
            end_date: text(plan.end),
            limit: plan.limit,
            overlap: plan.overlap.as_str(),
            status: schedule.status(now).as_str(),
            fired: schedule.fired,
            customer_id: schedule.customer.to_string(),
            priority: schedule.priority.as_str(),
            created_at: schedule.created_at.to_string(),
            updated_at: schedule.updated_at.to_string(),
            last_run: schedule.current.as_ref().map(|run| LastRunView {
                scheduled_at: run.at.to_string(),
                job_id: run.job.to_string(),
            }),
            next_runs: texts(&schedule.next_runs(now)),
        }
    }
}

/// One schedule in full.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduleView {
    #[serde(flatten)]
    summary: ScheduleSummary,
    /// What each job is given.
    #[schema(value_type = Option<Object>, required = true)]
    metadata: Option<Value>,
    options: OptionsView,
}

impl ScheduleView {
    pub(crate) fn new(schedule: &Schedule, asked: &Asked, now: Timestamp) -> Self {
        Self {
            summary: ScheduleSummary::new(schedule, now),
            metadata: asked.spec.metadata.clone(),
            options: OptionsView::new(&asked.spec),
        }
    }
}

/// A page of schedules, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SchedulesView {
    schedules: Vec<ScheduleSummary>,
    /// Where the next page starts; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl SchedulesView {
    pub(crate) fn new(page: &SchedulePage, customer: Option<&CustomerId>, now: Timestamp) -> Self {
        let next = page.next.as_ref();
        Self {
            schedules: page
                .rows
                .iter()
                .map(|schedule| ScheduleSummary::new(schedule, now))
                .collect(),
            next_cursor: next.map(|id| cursor::encode_schedule(id, customer)),
        }
    }
}

/// What became of one firing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RunView {
    /// The instant that it was meant for.
    #[schema(format = DateTime)]
    scheduled_at: String,
    /// When it was handled.
    #[schema(format = DateTime)]
    at: String,
    #[schema(value_type = OutcomeWord, example = "fired")]
    outcome: &'static str,
    #[schema(value_type = TriggerWord, example = "schedule")]
    trigger: &'static str,
    #[schema(required = true)]
    job_id: Option<String>,
    /// Where the job stands, or how it ended.
    #[schema(value_type = Option<StatusWord>, required = true)]
    job_status: Option<&'static str>,
    /// Why there is no job.
    #[schema(required = true)]
    reason: Option<String>,
}

/// The last runs of a schedule, the latest first. They outlive their jobs, by 90 days at most.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunsView {
    #[schema(max_items = 100)]
    runs: Vec<RunView>,
}

impl RunsView {
    pub(crate) fn new(runs: Vec<ScheduledRun>) -> Self {
        let view = |ScheduledRun { tick, status }: ScheduledRun| RunView {
            scheduled_at: tick.at.to_string(),
            at: tick.handled_at.to_string(),
            outcome: tick.outcome.as_str(),
            trigger: tick.trigger.as_str(),
            job_id: tick.job.map(|job| job.to_string()),
            job_status: status.map(jobs::Status::as_str),
            reason: tick.reason,
        };
        Self {
            runs: runs.into_iter().map(view).collect(),
        }
    }
}

/// The answer to a call that pauses, resumes or deletes a schedule.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MovedView {
    #[schema(example = true)]
    success: bool,
    #[schema(example = "sch_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    schedule_id: String,
    /// Where the schedule stands now: active, paused, ended or deleted.
    #[schema(example = "paused")]
    status: &'static str,
    #[schema(example = "Schedule paused")]
    message: &'static str,
    #[schema(format = DateTime)]
    timestamp: String,
}

impl MovedView {
    pub(crate) fn new(schedule: &Schedule, message: &'static str, now: Timestamp) -> Self {
        Self {
            success: true,
            schedule_id: schedule.id.to_string(),
            status: if schedule.deleted {
                "deleted"
            } else {
                schedule.status(now).as_str()
            },
            message,
            timestamp: now.to_string(),
        }
    }
}

/// The answer to a run that was asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunBegunView {
    #[schema(example = true)]
    success: bool,
    #[schema(example = "sch_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    schedule_id: String,
    #[schema(example = "job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    job_id: String,
    #[schema(example = "Run begun")]
    message: &'static str,
    /// A path that answers with the job.
    #[schema(example = "/api/jobs/job_01k9zq3v7m8n4r2t6w0x5y1z3b")]
    status_url: String,
    #[schema(format = DateTime)]
    timestamp: String,
}

impl RunBegunView {
    pub(crate) fn new(schedule: impl std::fmt::Display, job: &Job, now: Timestamp) -> Self {
        Self {
            success: true,
            schedule_id: schedule.to_string(),
            job_id: job.id.to_string(),
            message: "Run begun",
            status_url: format!("/api/jobs/{}", job.id),
            timestamp: now.to_string(),
        }
    }
}
