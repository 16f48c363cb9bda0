//! The functions as Lambda runs them: the built programs, a runtime interface that hands them
//! events, and an endpoint that answers as DynamoDB does.

mod endpoint;
mod events;
mod executables;
mod gateway;
mod journey;
mod mail;
mod runtime;

use std::path::Path;

use aws::settings::{SetBy, VARIABLES};
use jobs::{JobId, Message, Timestamp};

use endpoint::Endpoint;
use events::{given_back, records};
use runtime::Function;

/// Nothing listens there.
const NOBODY: &str = "http://127.0.0.1:9";

/// What the template and Lambda set, against this table and nothing else.
fn environment(dynamodb: &str) -> Vec<(&'static str, String)> {
    let value = |name: &str| match name {
        "HARVESTMAN_MAX_UNFINISHED_JOBS" => "100".to_owned(),
        "AWS_LAMBDA_LOG_LEVEL" => "WARN".to_owned(),
        "AWS_REGION" => "eu-west-1".to_owned(),
        name if name.ends_with("_HOURS") => "24".to_owned(),
        name if name.starts_with("HARVESTMAN_QUEUE_") => format!("{NOBODY}/1/{name}"),
        name => name.to_ascii_lowercase(),
    };
    let set = VARIABLES
        .iter()
        .filter(|it| it.set_by != SetBy::Override)
        .map(|it| (it.name, value(it.name)));
    let stand_ins = [
        ("AWS_ENDPOINT_URL", NOBODY.to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.to_owned()),
    ];
    set.chain(stand_ins).collect()
}

async fn start(executable: &Path, endpoint: &Endpoint) -> Function {
    Function::start(executable, &environment(endpoint.url())).await
}

fn hint() -> String {
    let job_id = JobId::new(Timestamp::from_millis(1_700_000_000_000), 1);
    Message { job_id }.encode()
}

#[tokio::test]
async fn the_worker_asks_the_table_and_gives_back_only_what_it_cannot_read() {
    let endpoint = Endpoint::start().await;
    let mut worker = start(&executables::built().worker, &endpoint).await;
    let event = records(&[&hint(), "not ours", &hint()]);
    let answer = worker.invoke(event).await.unwrap();
    assert_eq!(given_back(&answer), ["m1"]);
    assert!(endpoint.calls() >= 2, "{} calls", endpoint.calls());
}

#[tokio::test]
async fn the_worker_gives_messages_back_while_the_table_is_away_and_takes_them_after() {
    let endpoint = Endpoint::start().await;
    let mut worker = start(&executables::built().worker, &endpoint).await;
    endpoint.set_away(true);
    let answer = worker.invoke(records(&[&hint()])).await.unwrap();
    assert_eq!(given_back(&answer), ["m0"]);
    endpoint.set_away(false);
    let answer = worker.invoke(records(&[&hint()])).await.unwrap();
    assert_eq!(given_back(&answer), Vec::<&str>::new());
}

#[tokio::test]
async fn the_scheduler_takes_ticks_and_dead_letters() {
    let endpoint = Endpoint::start().await;
    let mut scheduler = start(&executables::built().scheduler, &endpoint).await;
    for event in [
        records(&[r#"{"tick":"sweep"}"#]),
        records(&[&hint(), "not ours"]),
    ] {
        let answer = scheduler.invoke(event).await.unwrap();
        assert_eq!(given_back(&answer), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn a_function_without_settings_ends_at_once_and_says_all_that_it_lacks() {
    for executable in executables::built().all() {
        let said = runtime::refusal(executable).await;
        for variable in VARIABLES {
            let needed = said.contains(&format!("{} is not set", variable.name));
            let optional = variable.set_by == SetBy::Override
                || variable.name.ends_with("_HOURS")
                || ["_MAX_UNFINISHED_JOBS", "_TOKEN", "_LOG_LEVEL"]
                    .iter()
                    .any(|end| variable.name.ends_with(end));
            assert_eq!(needed, !optional, "{}: {said}", variable.name);
        }
    }
}

#[tokio::test]
async fn the_table_of_the_template_can_be_created_and_created_again() {
    let endpoint = Endpoint::without_table().await;
    let client = endpoint.client();
    let create = async || aws::schema::create_table(&client, "jobs").await.unwrap();
    assert!(create().await, "created");
    assert!(!create().await, "was there");
}
