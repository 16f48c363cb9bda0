//! What an environment must hold, and what is said where it does not.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::*;

/// What the template and Lambda set.
fn complete(name: &str) -> Option<String> {
    let value = match name {
        TABLE => "jobs",
        BUCKET => "results",
        QUEUE_LOW => "https://sqs.eu-west-1.amazonaws.com/1/low",
        QUEUE_NORMAL => "https://sqs.eu-west-1.amazonaws.com/1/normal",
        QUEUE_HIGH => "https://sqs.eu-west-1.amazonaws.com/1/high",
        QUEUE_URGENT => "https://sqs.eu-west-1.amazonaws.com/1/urgent",
        QUEUE_CRITICAL => "https://sqs.eu-west-1.amazonaws.com/1/critical",
        QUEUE_DELIVERIES => "https://sqs.eu-west-1.amazonaws.com/1/deliveries",
        QUEUE_REFUSED => "https://sqs.eu-west-1.amazonaws.com/1/refused",
        EVENT_BUS => "harvestman-events",
        SCHEDULE_GROUP => "harvestman",
        SCHEDULE_TARGET => "arn:aws:sqs:eu-west-1:1:fires",
        SCHEDULE_ROLE => "arn:aws:iam::1:role/fires",
        SCHEDULE_DEAD_LETTERS => "arn:aws:sqs:eu-west-1:1:fires-dead-letters",
        REGION => "eu-west-1",
        ACCESS_KEY_ID => "key",
        SECRET_ACCESS_KEY => "hush",
        SESSION_TOKEN => "token",
        _ => return None,
    };
    Some(value.to_owned())
}

fn with<'a>(changes: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| {
        let changed = changes.iter().find(|(changed, _)| *changed == name);
        changed.map_or_else(|| complete(name), |(_, value)| Some((*value).to_owned()))
    }
}

#[test]
fn a_complete_environment_needs_no_limits_and_no_endpoints() {
    let settings = Settings::from(complete).unwrap();
    assert_eq!(settings.limits.max_unfinished, 10_000);
    assert_eq!(settings.limits.max_active_per_customer, 40);
    assert_eq!(settings.limits.creates_per_minute, 100);
    assert_eq!(settings.limits.reads_per_minute, 1_000);
    let retention = settings.limits.retention;
    assert_eq!(retention.completed, Duration::from_hours(24));
    assert_eq!(retention.failed, Duration::from_hours(168));
    assert!(settings.require_keys, "unless told otherwise");
    assert_eq!(settings.admin_key, None);
    assert_eq!(settings.endpoints, Endpoints::default());
    assert_eq!(settings.log_level, LevelFilter::INFO);
    assert_eq!(settings.credentials.session_token(), Some("token"));
    let of = |priority| settings.queues.of(priority).rsplit('/').next();
    for priority in jobs::Priority::ALL {
        assert_eq!(of(priority), Some(priority.as_str()));
    }
}

#[test]
fn every_problem_is_told_at_once_in_one_sentence_each() {
    let problems = [
        (TABLE, ""),
        (QUEUE_HIGH, "harvestman-high"),
        (SCHEDULE_ROLE, "fires"),
        (MAX_UNFINISHED, "many"),
        (COMPLETED_HOURS, "0"),
        (FAILED_HOURS, "721"),
        (REQUIRE_KEYS, "yes"),
        (ADMIN_KEY_HASH, "hm_secret"),
        (WEBHOOK_KEY, "too short"),
        (ENDPOINT_S3, "localhost:9000"),
        (LOG_LEVEL, "loud"),
    ];
    let BadSettings(said) = Settings::from(with(&problems)).unwrap_err();
    assert_eq!(
        said,
        [
            "HARVESTMAN_TABLE is not set: the name of the table.",
            "HARVESTMAN_QUEUE_HIGH is 'harvestman-high', which is no http or https URL.",
            "HARVESTMAN_SCHEDULE_ROLE is 'fires', which is no ARN.",
            "HARVESTMAN_COMPLETED_RETENTION_HOURS is '0', which is no whole number from 1 to 720.",
            "HARVESTMAN_FAILED_RETENTION_HOURS is '721', which is no whole number from 1 to 720.",
            "HARVESTMAN_MAX_UNFINISHED_JOBS is 'many', which is no whole number from 1 to 1000000.",
            "HARVESTMAN_REQUIRE_KEYS is 'yes', which is neither true nor false.",
            "HARVESTMAN_ADMIN_KEY_HASH is not the SHA-256 of a key in 64 hexadecimal digits.",
            "HARVESTMAN_WEBHOOK_KEY has fewer than 43 random characters.",
            "AWS_ENDPOINT_URL_S3 is 'localhost:9000', which is no http or https URL.",
            "AWS_LAMBDA_LOG_LEVEL is 'loud', which is no log level.",
        ]
    );
}

#[test]
fn an_empty_environment_is_told_all_that_it_lacks() {
    let BadSettings(said) = Settings::from(|_| None).unwrap_err();
    assert_eq!(said.len(), 17, "{said:?}");
}

#[test]
fn one_endpoint_serves_all_but_those_that_have_their_own() {
    let changes = [
        (ENDPOINT, "http://127.0.0.1:1"),
        (ENDPOINT_SQS, "http://127.0.0.1:2"),
    ];
    let endpoints = Settings::from(with(&changes)).unwrap().endpoints;
    assert_eq!(endpoints.dynamodb.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(endpoints.sqs.as_deref(), Some("http://127.0.0.1:2"));
    assert_eq!(endpoints.s3.as_deref(), Some("http://127.0.0.1:1"));
}

#[test]
fn a_secret_is_never_shown() {
    let settings = Settings::from(complete).unwrap();
    assert!(!format!("{settings:?}").contains("hush"));
}

#[test]
fn exactly_the_listed_variables_are_read() {
    let asked = RefCell::new(BTreeSet::new());
    let _ = Settings::from(|name| {
        asked.borrow_mut().insert(name.to_owned());
        None
    });
    let listed: BTreeSet<_> = VARIABLES.iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(asked.into_inner(), listed);
}
