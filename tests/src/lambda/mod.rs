//! The functions as Lambda runs them: the built programs, a runtime interface that hands them
//! events, and an endpoint that answers as DynamoDB does.

mod endpoint;
pub mod executables;
mod runtime;

use std::path::Path;

use aws::settings::{SetBy, VARIABLES};
use jobs::{JobId, Message, Timestamp};
use serde_json::{Value, json};

pub use endpoint::{Endpoint, TABLE};
pub use runtime::{Function, refusal};

/// What the template and Lambda set, against these endpoints.
pub fn environment(dynamodb: &str) -> Vec<(&'static str, String)> {
    // Nothing listens there: what these tests do needs no other service.
    const NOBODY: &str = "http://127.0.0.1:9";
    let value = |name: &str| match name {
        name if name.ends_with("_JOBS") => "100".to_owned(),
        name if name.ends_with("_PER_MINUTE") => "1000".to_owned(),
        "AWS_LAMBDA_LOG_LEVEL" => "WARN".to_owned(),
        // Those who ask for keys say so.
        "HARVESTMAN_REQUIRE_KEYS" => "false".to_owned(),
        "HARVESTMAN_ADMIN_KEY_HASH" => String::new(),
        "HARVESTMAN_WEBHOOK_KEY" => "k".repeat(64),
        "AWS_REGION" => "eu-west-1".to_owned(),
        name if name.ends_with("_HOURS") => "24".to_owned(),
        "HARVESTMAN_SCHEDULE_GROUP" => "schedules".to_owned(),
        name if name.starts_with("HARVESTMAN_SCHEDULE_") => format!("arn:aws:none:::{name}"),
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

/// Starts a function against this endpoint, and nothing else of AWS.
pub async fn start(executable: &Path, endpoint: &Endpoint) -> Function {
    Function::start(executable, &environment(endpoint.url())).await
}

/// A request as the gateway hands it on.
pub fn get(path: &str) -> Value {
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

/// An event of SQS with these bodies; the records are named `m0`, `m1` and so on.
pub fn records(bodies: &[&str]) -> Value {
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

/// A message about a job that does not exist.
pub fn hint() -> String {
    let job_id = JobId::new(Timestamp::from_millis(1_700_000_000_000), 1);
    Message { job_id }.encode()
}
