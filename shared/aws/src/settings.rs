//! Every environment variable of the functions, and the only place that reads them. Says all that
//! is missing or wrong at once, one sentence each; refuses to start half configured and to repeat
//! a secret.

mod reader;

use std::time::Duration;

use aws_credential_types::Credentials;
use jobs::transition::Retention;
use jobs::{KeyHash, Limits, WebhookKey};
use tracing::level_filters::LevelFilter;

use crate::queue::QueueUrls;
use crate::timetable::ScheduleTarget;
use reader::Reader;

/// The bucket keeps what the sweep forgot a while longer than this; see its lifecycle rule.
pub const MAX_RETENTION_HOURS: u64 = 720;

/// Jobs of one customer at once, unless told: two thirds of what a priority's share of the worker
/// function does at once.
const MOST_ACTIVE: u64 = 40;

/// Calls of one customer in a minute, unless told.
const CREATES: u64 = 100;
const READS: u64 = 1_000;
const MOST_CALLS: u64 = 1_000_000;

/// Who sets a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// `template.yaml`, for every function.
    Template,
    /// The Lambda service, for every function.
    Lambda,
    /// Whoever runs the functions against something that stands in for AWS.
    Override,
}

#[derive(Clone, Copy, Debug)]
pub struct Variable {
    pub name: &'static str,
    pub set_by: SetBy,
    pub about: &'static str,
}

const fn variable(name: &'static str, set_by: SetBy, about: &'static str) -> Variable {
    Variable {
        name,
        set_by,
        about,
    }
}

const TABLE: &str = "HARVESTMAN_TABLE";
const BUCKET: &str = "HARVESTMAN_BUCKET";
const QUEUE_LOW: &str = "HARVESTMAN_QUEUE_LOW";
const QUEUE_NORMAL: &str = "HARVESTMAN_QUEUE_NORMAL";
const QUEUE_HIGH: &str = "HARVESTMAN_QUEUE_HIGH";
const QUEUE_URGENT: &str = "HARVESTMAN_QUEUE_URGENT";
const QUEUE_CRITICAL: &str = "HARVESTMAN_QUEUE_CRITICAL";
const QUEUE_DELIVERIES: &str = "HARVESTMAN_QUEUE_DELIVERIES";
const QUEUE_REFUSED: &str = "HARVESTMAN_QUEUE_REFUSED";
const EVENT_BUS: &str = "HARVESTMAN_EVENT_BUS";
const SCHEDULE_GROUP: &str = "HARVESTMAN_SCHEDULE_GROUP";
const SCHEDULE_TARGET: &str = "HARVESTMAN_SCHEDULE_TARGET";
const SCHEDULE_ROLE: &str = "HARVESTMAN_SCHEDULE_ROLE";
const SCHEDULE_DEAD_LETTERS: &str = "HARVESTMAN_SCHEDULE_DEAD_LETTERS";
const MAX_UNFINISHED: &str = "HARVESTMAN_MAX_UNFINISHED_JOBS";
const MAX_ACTIVE: &str = "HARVESTMAN_MAX_ACTIVE_JOBS";
const CREATES_PER_MINUTE: &str = "HARVESTMAN_CREATES_PER_MINUTE";
const READS_PER_MINUTE: &str = "HARVESTMAN_READS_PER_MINUTE";
const COMPLETED_HOURS: &str = "HARVESTMAN_COMPLETED_RETENTION_HOURS";
const FAILED_HOURS: &str = "HARVESTMAN_FAILED_RETENTION_HOURS";
const REQUIRE_KEYS: &str = "HARVESTMAN_REQUIRE_KEYS";
const ADMIN_KEY_HASH: &str = "HARVESTMAN_ADMIN_KEY_HASH";
const WEBHOOK_KEY: &str = "HARVESTMAN_WEBHOOK_KEY";
const REGION: &str = "AWS_REGION";
const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
const LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
const ENDPOINT_DYNAMODB: &str = "AWS_ENDPOINT_URL_DYNAMODB";
const ENDPOINT_SQS: &str = "AWS_ENDPOINT_URL_SQS";
const ENDPOINT_SCHEDULER: &str = "AWS_ENDPOINT_URL_SCHEDULER";
const ENDPOINT_S3: &str = "AWS_ENDPOINT_URL_S3";
const ENDPOINT_EVENTBRIDGE: &str = "AWS_ENDPOINT_URL_EVENTBRIDGE";

/// All of them, with what they are for.
pub const VARIABLES: [Variable; 34] = [
    variable(TABLE, SetBy::Template, "the name of the table"),
    variable(BUCKET, SetBy::Template, "the bucket for large results"),
    variable(QUEUE_LOW, SetBy::Template, "the URL of a queue"),
    variable(QUEUE_NORMAL, SetBy::Template, "the URL of a queue"),
    variable(QUEUE_HIGH, SetBy::Template, "the URL of a queue"),
    variable(QUEUE_URGENT, SetBy::Template, "the URL of a queue"),
    variable(QUEUE_CRITICAL, SetBy::Template, "the URL of a queue"),
    variable(QUEUE_DELIVERIES, SetBy::Template, "the URL of a queue"),
    variable(QUEUE_REFUSED, SetBy::Template, "the URL of a queue"),
    variable(EVENT_BUS, SetBy::Template, "the name of the event bus"),
    variable(
        SCHEDULE_GROUP,
        SetBy::Template,
        "the name of the group of schedules",
    ),
    variable(
        SCHEDULE_TARGET,
        SetBy::Template,
        "the ARN of the queue that schedules send to",
    ),
    variable(
        SCHEDULE_ROLE,
        SetBy::Template,
        "the ARN of the role that schedules send by",
    ),
    variable(
        SCHEDULE_DEAD_LETTERS,
        SetBy::Template,
        "the ARN of the queue for what schedules cannot send",
    ),
    variable(
        MAX_UNFINISHED,
        SetBy::Template,
        "the most unfinished jobs of one customer",
    ),
    variable(
        MAX_ACTIVE,
        SetBy::Template,
        "the most jobs of one customer that are worked on at once",
    ),
    variable(
        CREATES_PER_MINUTE,
        SetBy::Template,
        "the most creates of one customer in a minute",
    ),
    variable(
        READS_PER_MINUTE,
        SetBy::Template,
        "the most reads of one customer in a minute",
    ),
    variable(
        COMPLETED_HOURS,
        SetBy::Template,
        "the hours for which completed and cancelled jobs are kept",
    ),
    variable(
        FAILED_HOURS,
        SetBy::Template,
        "the hours for which failed jobs are kept",
    ),
    variable(
        REQUIRE_KEYS,
        SetBy::Template,
        "whether callers need an API key",
    ),
    variable(
        ADMIN_KEY_HASH,
        SetBy::Template,
        "the SHA-256 of an admin's key that has no record",
    ),
    variable(
        WEBHOOK_KEY,
        SetBy::Template,
        "what the secrets of webhooks are derived from",
    ),
    variable(REGION, SetBy::Lambda, "the region"),
    variable(ACCESS_KEY_ID, SetBy::Lambda, "the role's credentials"),
    variable(SECRET_ACCESS_KEY, SetBy::Lambda, "the role's credentials"),
    variable(SESSION_TOKEN, SetBy::Lambda, "the role's credentials"),
    variable(LOG_LEVEL, SetBy::Lambda, "the least level of log lines"),
    variable(ENDPOINT, SetBy::Override, "what stands in for AWS"),
    variable(
        ENDPOINT_DYNAMODB,
        SetBy::Override,
        "what stands in for DynamoDB",
    ),
    variable(ENDPOINT_SQS, SetBy::Override, "what stands in for SQS"),
    variable(
        ENDPOINT_SCHEDULER,
        SetBy::Override,
        "what stands in for EventBridge Scheduler",
    ),
    variable(ENDPOINT_S3, SetBy::Override, "what stands in for S3"),
    variable(
        ENDPOINT_EVENTBRIDGE,
        SetBy::Override,
        "what stands in for EventBridge",
    ),
];

/// What stands in for AWS, where something does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub dynamodb: Option<String>,
    pub sqs: Option<String>,
    pub s3: Option<String>,
    pub eventbridge: Option<String>,
    pub scheduler: Option<String>,
}

/// What a function is told by its environment.
#[derive(Clone, Debug)]
pub struct Settings {
    pub table: String,
    pub bucket: String,
    pub queues: QueueUrls,
    pub event_bus: String,
    pub schedules: ScheduleTarget,
    pub limits: Limits,
    /// Callers need a key, unless told otherwise.
    pub require_keys: bool,
    /// A key with this hash is an admin's: how the first one gets in.
    pub admin_key: Option<KeyHash>,
    /// What the secrets of webhooks are derived from; without it there are no webhooks.
    pub webhook_key: Option<WebhookKey>,
    pub region: String,
    /// Lambda gives a sandbox one set for all its life.
    pub credentials: Credentials,
    pub endpoints: Endpoints,
    pub log_level: LevelFilter,
}

/// What is missing or wrong, one sentence each.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}", .0.join(" "))]
pub struct BadSettings(pub Vec<String>);

impl Settings {
    /// Reads the environment of this process.
    pub fn from_environment() -> Result<Self, BadSettings> {
        Self::from(|name| std::env::var(name).ok())
    }

    /// Reads whatever `lookup` knows. A variable that is empty counts as not set.
    pub fn from(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, BadSettings> {
        let mut reader = Reader {
            lookup,
            problems: Vec::new(),
        };
        let settings = Self {
            table: reader.required(TABLE),
            bucket: reader.required(BUCKET),
            queues: QueueUrls {
                low: reader.required_url(QUEUE_LOW),
                normal: reader.required_url(QUEUE_NORMAL),
                high: reader.required_url(QUEUE_HIGH),
                urgent: reader.required_url(QUEUE_URGENT),
                critical: reader.required_url(QUEUE_CRITICAL),
                deliveries: reader.required_url(QUEUE_DELIVERIES),
                refused: reader.required_url(QUEUE_REFUSED),
            },
            event_bus: reader.required(EVENT_BUS),
            schedules: ScheduleTarget {
                group: reader.required(SCHEDULE_GROUP),
                queue: reader.required_arn(SCHEDULE_TARGET),
                role: reader.required_arn(SCHEDULE_ROLE),
                dead_letters: reader.required_arn(SCHEDULE_DEAD_LETTERS),
            },
            limits: reader.limits(),
            require_keys: reader.flag(REQUIRE_KEYS, true),
            admin_key: reader.hash(ADMIN_KEY_HASH),
            webhook_key: reader.webhook_key(WEBHOOK_KEY),
            region: reader.required(REGION),
            credentials: Credentials::new(
                reader.required(ACCESS_KEY_ID),
                reader.required(SECRET_ACCESS_KEY),
                reader.optional(SESSION_TOKEN),
                None,
                "environment",
            ),
            endpoints: reader.endpoints(),
            log_level: reader.log_level(),
        };
        if reader.problems.is_empty() {
            Ok(settings)
        } else {
            Err(BadSettings(reader.problems))
        }
    }
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn limits(&mut self) -> Limits {
        let default = Limits::default();
        let mut kept = |name, default: Duration| {
            let hours = default.as_secs() / 3_600;
            Duration::from_hours(self.number(name, 1..=MAX_RETENTION_HOURS, hours))
        };
        let retention = Retention {
            completed: kept(COMPLETED_HOURS, default.retention.completed),
            failed: kept(FAILED_HOURS, default.retention.failed),
        };
        Limits {
            max_unfinished: self.number(MAX_UNFINISHED, 1..=1_000_000, default.max_unfinished),
            max_active_per_customer: self.number(MAX_ACTIVE, 0..=100_000, MOST_ACTIVE),
            creates_per_minute: self.number(CREATES_PER_MINUTE, 0..=MOST_CALLS, CREATES) as u32,
            reads_per_minute: self.number(READS_PER_MINUTE, 0..=MOST_CALLS, READS) as u32,
            retention,
            ..default
        }
    }

    fn endpoints(&mut self) -> Endpoints {
        let every = self.optional_url(ENDPOINT);
        let mut endpoint = |name| self.optional_url(name).or_else(|| every.clone());
        Endpoints {
            dynamodb: endpoint(ENDPOINT_DYNAMODB),
            sqs: endpoint(ENDPOINT_SQS),
            s3: endpoint(ENDPOINT_S3),
            eventbridge: endpoint(ENDPOINT_EVENTBRIDGE),
            scheduler: endpoint(ENDPOINT_SCHEDULER),
        }
    }

    fn log_level(&mut self) -> LevelFilter {
        let Some(text) = self.optional(LOG_LEVEL) else {
            return LevelFilter::INFO;
        };
        match text.to_ascii_uppercase().as_str() {
            "TRACE" => LevelFilter::TRACE,
            "DEBUG" => LevelFilter::DEBUG,
            "INFO" => LevelFilter::INFO,
            "WARN" => LevelFilter::WARN,
            // Lambda has a level above ours.
            "ERROR" | "FATAL" => LevelFilter::ERROR,
            _ => {
                self.problems
                    .push(format!("{LOG_LEVEL} is '{text}', which is no log level."));
                LevelFilter::INFO
            }
        }
    }
}

#[cfg(test)]
mod tests;
