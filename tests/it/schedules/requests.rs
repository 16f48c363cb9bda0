//! Creating schedules: what is answered, what is refused, and that a request can be repeated.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{FIRST, URL, ask, body, create, jobs, read, tick_in_time};
use crate::app::TestApp;
use crate::golden::assert_golden;

#[tokio::test]
async fn a_job_that_recurs_is_answered_with_its_schedule_and_next_runs() {
    let app = TestApp::start();
    let printed = json!({
        "type": "refresh", "url": "https://example.com", "cronPattern": "0 0 * * *",
        "customerId": "customer-123",
    });
    let created = app.post("/api/jobs", &printed).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    assert_eq!(created.json["type"], "recurring-refresh");
    let path = created.text("statusUrl").to_owned();
    assert_eq!(created.header("location"), Some(path.as_str()));
    assert_eq!(created.json["nextRuns"].as_array().unwrap().len(), 5);
    assert_golden("wire_recurring_created", &created.json);
    let read = app.get(&path).await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.json["nextRuns"], created.json["nextRuns"]);
    assert_golden("wire_schedule", &read.json);
    assert_eq!(jobs(&app), 0, "nothing runs before its time");
    let entry = app.timetable.entry(created.text("scheduleId")).unwrap();
    assert!(entry.enabled);
    assert_eq!(entry.cron.pattern(), "0 0 * * *");
}

#[tokio::test]
async fn both_ways_in_make_the_same_schedule_of_any_type() {
    let app = TestApp::start();
    for kind in ["single-page", "full-crawl", "refresh"] {
        for path in ["/api/jobs", "/api/schedules"] {
            let body = body(&json!({
                "type": kind, "timezone": "Europe/Berlin", "name": "Every minute",
                "overlap": "queue", "limit": 9, "priority": "high", "attempts": 2,
                "metadata": {"a": 1}, "startDate": "2023-11-15T00:00:00.000Z",
                "endDate": 1_800_000_000_000_u64,
            }));
            let created = app.post(path, &body).await;
            assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
            assert_eq!(created.json["type"], format!("recurring-{kind}"));
            let read = read(&app, created.text("scheduleId")).await;
            for (field, value) in [
                ("type", json!(kind)),
                ("timezone", json!("Europe/Berlin")),
                ("name", json!("Every minute")),
                ("overlap", json!("queue")),
                ("limit", json!(9)),
                ("priority", json!("high")),
                ("metadata", json!({"a": 1})),
                ("status", json!("active")),
                ("fired", json!(0)),
                ("lastRun", Value::Null),
                ("startDate", json!("2023-11-15T00:00:00.000Z")),
                ("endDate", json!("2027-01-15T08:00:00.000Z")),
            ] {
                assert_eq!(read[field], value, "{field}");
            }
            assert_eq!(read["options"]["attempts"], 2);
        }
    }
}

#[tokio::test]
async fn all_problems_of_a_schedule_are_named_at_once() {
    let app = TestApp::start();
    let wrong = body(&json!({
        "cronPattern": "* * * *", "timezone": "Mars", "startDate": 1, "endDate": 0, "limit": 0,
        "name": "x".repeat(101), "overlap": "never", "delay": 1, "deduplicate": false,
        "deduplicateFor": 1, "colour": "red",
    }));
    for path in ["/api/jobs", "/api/schedules"] {
        let answer = app.post(path, &wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let mut fields = answer.fields();
        fields.sort_unstable();
        let expected = [
            "colour",
            "cronPattern",
            "deduplicate",
            "deduplicateFor",
            "delay",
            "limit",
            "name",
            "overlap",
            "timezone",
        ];
        assert_eq!(fields, expected);
    }
    for (more, field) in [
        (json!({"cronPattern": null}), "cronPattern"),
        (json!({"cronPattern": "0 0 30 2 *"}), "cronPattern"),
        (json!({"cronPattern": "0 0 L * *"}), "cronPattern"),
        (json!({"endDate": "2020-01-01T00:00:00Z"}), "endDate"),
        (json!({"urls": [URL]}), "urls"),
    ] {
        let answer = app.post("/api/schedules", &body(&more)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{more}");
        assert_eq!(answer.fields(), [field], "{more}");
    }
    assert!(app.items().is_empty() && app.timetable.entries().is_empty());
}

#[tokio::test]
async fn fields_of_recurring_jobs_are_refused_where_nothing_recurs() {
    let app = TestApp::start();
    for field in [
        "timezone",
        "startDate",
        "endDate",
        "limit",
        "name",
        "overlap",
    ] {
        let mut single = json!({"type": "single-page", "url": URL});
        single[field] = json!("UTC");
        let answer = app.post("/api/jobs", &single).await;
        assert_eq!(answer.fields(), [field]);
    }
    let batch = json!({"type": "single-page", "urls": [URL], "cronPattern": "* * * * *"});
    assert_eq!(
        app.post("/api/jobs", &batch).await.fields(),
        ["cronPattern"]
    );
}

#[tokio::test]
async fn a_schedule_that_is_asked_for_again_under_its_key_is_the_same() {
    let app = TestApp::start();
    for path in ["/api/jobs", "/api/schedules"] {
        let first = app.post_keyed(path, path, &body(&json!({}))).await;
        assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
        app.advance(super::MINUTE * 7);
        let again = app.post_keyed(path, path, &body(&json!({}))).await;
        assert_eq!(again.status, StatusCode::CREATED);
        assert_eq!(
            again.json, first.json,
            "the next runs as they were told first"
        );
        let other = body(&json!({"limit": 2}));
        let other = app.post_keyed(path, path, &other).await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(app.timetable.entries().len(), 2);
    let list = app.get("/api/schedules").await;
    assert_eq!(list.json["schedules"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn many_equal_requests_under_one_key_are_one_schedule() {
    let app = TestApp::start();
    let body = body(&json!({}));
    let all = (0..20).map(|_| app.post_keyed("/api/jobs", "one", &body));
    let all = futures::future::join_all(all).await;
    let ids: std::collections::BTreeSet<_> = all.iter().map(|it| it.text("scheduleId")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(app.timetable.entries().len(), 1);
}

#[tokio::test]
async fn a_refresh_of_a_job_recurs_with_its_address_after_the_job_is_gone() {
    let app = TestApp::start();
    let job = app.create_for(URL).await;
    app.drain(&crate::app::Anything).await;
    let new = json!({"type": "refresh", "jobId": job, "cronPattern": "* * * * *"});
    let created = app.post("/api/jobs", &new).await;
    assert_eq!(created.json["url"], URL, "{created:?}");
    let id = created.text("scheduleId").to_owned();
    app.advance(std::time::Duration::from_hours(25));
    super::purge(&app).await;
    let changed = super::done(&app, Method::PATCH, &id, &json!({"name": "x"})).await;
    assert_eq!(changed["url"], URL);
    let unknown = json!({"type": "refresh", "jobId": job, "cronPattern": "* * * * *"});
    let answer = ask(&app, Method::POST, "/api/schedules", &unknown).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_schedule_has_64_kilobytes_and_a_customer_a_thousand_schedules() {
    let app = TestApp::start();
    let headers = |bytes: usize| {
        let values = (0..bytes / 4_000).map(|it| (format!("x-{it}"), json!("x".repeat(4_000))));
        Value::Object(values.collect())
    };
    let large = body(&json!({"headers": headers(72_000)}));
    let answer = app.post("/api/schedules", &large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let fits = json!({"headers": headers(56_000)});
    let first = create(&app, &fits).await;
    for _ in 1..1_000 {
        create(&app, &json!({})).await;
    }
    let answer = app.post("/api/schedules", &body(&json!({}))).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
    assert_golden("wire_error_schedules", &answer.json);
    create(&app, &json!({"customerId": "other"})).await;
    super::done(&app, Method::DELETE, &first, &Value::Null).await;
    create(&app, &json!({})).await;
    let answer = app.post("/api/schedules", &body(&json!({}))).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_create_of_a_schedule_counts_against_the_rate() {
    let app = TestApp::with_limits(jobs::app::Limits {
        creates_per_minute: 2,
        ..jobs::app::Limits::default()
    });
    let id = create(&app, &json!({})).await;
    let run = ask(
        &app,
        Method::POST,
        &format!("/api/schedules/{id}/run"),
        &Value::Null,
    )
    .await;
    assert_eq!(run.status, StatusCode::ACCEPTED);
    super::work(&app).await;
    let refused = app.post("/api/schedules", &body(&json!({}))).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    // What the plan makes is nobody's call.
    for number in 0..5 {
        tick_in_time(&app, &id, FIRST + super::MINUTE * number).await;
        super::work(&app).await;
    }
    assert_eq!(read(&app, &id).await["fired"], 5);
}
