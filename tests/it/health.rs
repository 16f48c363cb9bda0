//! Whether the service keeps up: what is said, and when.

use std::time::Duration;

use axum::http::StatusCode;

use crate::app::{Anything, Scripted, TestApp};
use crate::list::{STATS_AGE, create, half_broken};

async fn health(app: &TestApp) -> (bool, Vec<String>) {
    app.advance(STATS_AGE);
    let answer = app.get("/api/v1/health").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json["success"], true);
    assert_eq!(answer.text("message"), "Health retrieved");
    assert_eq!(answer.text("timestamp"), app.app.now().to_string());
    let data = &answer.json["data"];
    assert_eq!(data["version"], api::VERSION);
    assert_eq!(data.as_object().unwrap().len(), 3);
    let issues = data["issues"].as_array().unwrap().iter();
    let issues = issues.map(|issue| issue.as_str().unwrap().to_owned());
    (data["isHealthy"].as_bool().unwrap(), issues.collect())
}

#[tokio::test]
async fn a_service_without_jobs_is_healthy() {
    let app = TestApp::start();
    assert_eq!(health(&app).await, (true, vec![]));
}

#[tokio::test]
async fn more_than_a_tenth_of_failures_is_unhealthy_for_an_hour() {
    let app = TestApp::start();
    let run = async |name: &str| {
        create(&app, "ann", &format!("http://a.example/{name}"), 0).await;
        app.drain(&Scripted(half_broken)).await;
    };
    app.sweep().await;
    for n in 0..3 {
        run(&format!("bad{n}")).await;
    }
    for n in 0..16 {
        run(&format!("good{n}")).await;
    }
    assert!(health(&app).await.0, "nineteen are too few to tell");
    run("good").await;
    let (healthy, issues) = health(&app).await;
    assert!(!healthy);
    assert_eq!(issues, ["3 of the last 20 jobs failed"]);
    for n in 0..10 {
        run(&format!("more{n}")).await;
    }
    assert!(health(&app).await.0, "three of thirty are a tenth");
    run("bad").await;
    assert!(!health(&app).await.0);
    app.advance(Duration::from_mins(1));
    app.sweep().await;
    app.advance(Duration::from_mins(58));
    assert!(!health(&app).await.0);
    app.advance(Duration::from_mins(2));
    assert!(health(&app).await.0);
}

#[tokio::test]
async fn many_waiting_jobs_that_nobody_works_on_are_unhealthy() {
    let app = TestApp::start();
    for n in 0..100 {
        create(&app, "ann", &format!("http://a.example/{n}"), 0).await;
    }
    assert!(health(&app).await.0);
    create(&app, "ann", "http://a.example/last", 0).await;
    let (healthy, issues) = health(&app).await;
    assert!(!healthy);
    assert_eq!(issues, ["101 jobs wait and none is worked on"]);
    app.drain(&Anything).await;
    assert!(health(&app).await.0);
}

#[tokio::test]
async fn a_job_that_waits_too_long_is_unhealthy() {
    let app = TestApp::start();
    create(&app, "ann", "http://a.example/", 0).await;
    create(&app, "ann", "http://a.example/late", 3_600_000).await;
    app.advance(Duration::from_mins(15).checked_sub(STATS_AGE).unwrap());
    assert!(health(&app).await.0);
    let (healthy, issues) = health(&app).await;
    assert!(!healthy);
    assert_eq!(issues, ["the oldest job waits for 15 minutes"]);
    app.drain(&Anything).await;
}
