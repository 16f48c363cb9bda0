//! Processor time of a create: all of this process, less the same exchange without a service
//! behind it, and less what the embedded database takes, which on AWS is somebody else's.

use std::time::Duration;

use axum::Router;
use axum::extract::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::{Value, json};

use crate::drain::create as create_directly;
use crate::hosted::{COLUMNS, Hosted, serve};
use crate::load::{Target, Until, create};
use crate::metered::{Metered, Request, empty_table};
use crate::report::{Row, Section};

const CREATES: usize = 3_000;
const WARM_UP: usize = 200;

pub(crate) async fn measure() -> Section {
    let hosted = Hosted::open(COLUMNS[1]).await;
    let service = per_create(&hosted.target).await;
    let (address, server) = serve(Router::new().route("/", post(exchange))).await;
    let path = "/".to_owned();
    let exchange = per_create(&Target { address, path }).await;
    server.abort();
    let database = database().await;
    let ours = service - exchange - database;
    let row = |name, value| Row::new(name, "ms", vec![value]);
    Section {
        title: "Processor time of a create",
        how: format!(
            "User and system time of this process, clients included, over {CREATES} creates on one\n\
             connection, data in memory. The exchange is the same request answered by a route that\n\
             reads the JSON and answers with as much. The database's part is the same calls made\n\
             once more, straight on an empty table. What is left is the service: reading and judging\n\
             the body, the job, the SDK with its signature, and changing threads for the database."
        ),
        columns: vec!["in memory"],
        rows: vec![
            row("a create, all in all", service),
            row("the exchange over HTTP", exchange),
            row("the embedded database", database),
            row("the service", ours),
        ],
    }
}

async fn exchange(Json(body): Json<Value>) -> impl IntoResponse {
    let answer = json!({
        "success": true, "jobId": "job_01k9zq3v7m8n4r2t6w0x5y1z3b", "type": "single-page",
        "url": body["url"], "message": "Job created successfully",
        "statusUrl": "/api/jobs/job_01k9zq3v7m8n4r2t6w0x5y1z3b",
        "timestamp": "2026-11-21T20:00:00.000Z",
    });
    (StatusCode::CREATED, Json(answer))
}

async fn per_create(target: &Target) -> f64 {
    create(target, 1, Until::Sent(WARM_UP), 0).await;
    let before = processor_time();
    create(target, 1, Until::Sent(CREATES), WARM_UP).await;
    each_since(before)
}

/// Makes the calls of as many creates again, without the service.
async fn database() -> f64 {
    let metered = Metered::open();
    for number in 0..WARM_UP + CREATES {
        create_directly(&metered.app, number).await;
    }
    let requests = metered.meter.requests();
    let table = empty_table();
    let (warm_up, counted) = requests.split_at(WARM_UP);
    let replay = |requests: &[Request]| {
        for (target, body) in requests {
            let answer = table.call(target, body);
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    };
    replay(warm_up);
    let before = processor_time();
    replay(counted);
    each_since(before)
}

/// Milliseconds of each create of those that were made since.
fn each_since(before: Duration) -> f64 {
    let time = processor_time().saturating_sub(before);
    time.as_secs_f64() * 1_000.0 / CREATES as f64
}

/// User and system time of all threads, in steps of 10 ms; nothing where there is no `/proc`.
fn processor_time() -> Duration {
    const TICKS_PER_SECOND: f64 = 100.0;
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
        return Duration::ZERO;
    };
    // The second field, in parentheses, is the name of the program and may hold anything.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<_> = fields.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    Duration::from_secs_f64(ticks / TICKS_PER_SECOND)
}
