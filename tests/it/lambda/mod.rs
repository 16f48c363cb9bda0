//! The functions as Lambda runs them: the built programs, a runtime interface that hands them
//! events, and an endpoint that answers as DynamoDB does.

mod endpoint;
mod executables;
mod runtime;

use std::path::Path;

use aws::settings::{SetBy, VARIABLES};
use jobs::{JobId, Message, Timestamp};
use serde_json::{Value, json};

use endpoint::Endpoint;
use runtime::Function;

/// What the template and Lambda set, against these endpoints.
fn environment(dynamodb: &str) -> Vec<(&'static str, String)> {
    // Nothing listens there: what these tests do needs no other service.
    const NOBODY: &str = "http://127.0.0.1:9";
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

fn get(path: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"accept": "*/*", "host": "api.execute-api.eu-west-1.amazonaws.com"},
        "requestContext": {
            "accountId": "1", "apiId": "api", "domainName": "api", "domainPrefix": "api",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "test"},
            "requestId": "request", "routeKey": "$default", "stage": "$default",
            "time": "21/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_219_200_000_u64,
        },
        "isBase64Encoded": false,
    })
}

fn records(bodies: &[&str]) -> Value {
    let record = |(position, body): (usize, &&str)| {
        json!({
            "messageId": format!("m{position}"), "receiptHandle": "receipt", "body": body,
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1795219200000"},
            "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:1:queue", "awsRegion": "eu-west-1",
        })
    };
    let records: Vec<_> = bodies.iter().enumerate().map(record).collect();
    json!({"Records": records})
}

fn hint() -> String {
    let job_id = JobId::new(Timestamp::from_millis(1_700_000_000_000), 1);
    Message { job_id }.encode()
}

fn given_back(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    let ids = failures.iter().map(|it| it["itemIdentifier"].as_str());
    ids.map(Option::unwrap).collect()
}

#[tokio::test]
async fn the_api_answers_events_of_the_gateway() {
    let endpoint = Endpoint::start().await;
    let mut api = start(&executables::built().api, &endpoint).await;
    let health = api.invoke(get("/api/v1/health")).await.unwrap();
    assert_eq!(health["statusCode"], 200, "{health}");
    let body: Value = serde_json::from_str(health["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["status"], "healthy");
    let unknown = api.invoke(get("/api/nowhere")).await.unwrap();
    assert_eq!(unknown["statusCode"], 404, "{unknown}");
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
