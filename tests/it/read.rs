//! Reading one job and its results, on both faces.

use std::time::Duration;

use axum::http::StatusCode;
use jobs::transition::{Claim, Retention};
use jobs::{Failure, FailureCode};
use serde_json::{Value, json};

use crate::app::{Anything, LEASE, MILLISECOND, START, Scripted, TestApp};
use crate::support;

const URL: &str = "http://site.example/page";

#[tokio::test]
async fn a_job_shows_all_that_was_asked_of_it() {
    let app = TestApp::start();
    let config = json!({"fields": {"price": {
        "selector": ["b", "i"], "type": "css", "attribute": "title", "multiple": true,
        "source": "html", "required": true, "default": [], "dataType": "number", "pattern": "\\d+",
        "flags": "i", "group": 0,
    }}});
    let body = json!({
        "type": "single-page", "url": format!("{URL}#part"), "customerId": "customer-123",
        "priority": "urgent", "delay": 5_000, "metadata": {"source": "api", "tags": ["a"]},
        "attempts": 7, "timeout": 1_234, "userAgent": "Tester/1", "config": config,
    });
    let id = app.create(&body).await;
    let job = app.job(&id).await;
    for (field, expected) in [
        ("id", json!(id)),
        ("type", json!("single-page")),
        ("url", json!(format!("{URL}#part"))),
        ("status", json!("delayed")),
        ("priority", json!("urgent")),
        ("customerId", json!("customer-123")),
        ("progress", json!(0)),
        ("attempts", json!([])),
        ("createdAt", json!(START.to_string())),
        ("startedAt", Value::Null),
        ("finishedAt", Value::Null),
        ("metadata", json!({"source": "api", "tags": ["a"]})),
        ("failedReason", Value::Null),
    ] {
        assert_eq!(job.get(field), Some(&expected), "{field}");
    }
    let options = &job["options"];
    assert_eq!(options["attempts"], 7);
    assert_eq!(options["delay"], 5_000);
    assert_eq!(options["timeout"], 1_234);
    assert_eq!(options["config"], config);
    app.advance(Duration::from_secs(5));
    app.drain(&Anything).await;
}

#[tokio::test]
async fn the_queue_system_view_has_every_field_with_times_in_milliseconds() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": URL, "timeout": 9_000, "attempts": 2});
    let first = app.create(&body).await;
    app.advance(MILLISECOND);
    let second = app.create_for("http://site.example/second").await;
    let view = async |id: &str| {
        let read = app.get(&format!("/api/v1/jobs/{id}")).await;
        assert_eq!(read.status, StatusCode::OK);
        assert_eq!(read.json["success"], true);
        assert_eq!(read.text("message"), "Job status retrieved");
        assert_eq!(read.text("timestamp"), app.app.now().to_string());
        read.json["data"].clone()
    };
    let waiting = view(&second).await;
    assert_eq!(waiting["numberInQueue"], 2);
    assert_eq!(view(&first).await["numberInQueue"], 1);
    assert_eq!(waiting["processedOn"], Value::Null);

    let broken = Failure::new(FailureCode::Http(503), "The server is busy");
    app.advance_almost(Duration::from_secs(1));
    app.drain(&Scripted(|_: &_| Err(broken.clone()))).await;
    app.advance(Duration::from_secs(3));
    app.drain(&Anything).await;
    let start = START.as_millis();
    let page = support::page(URL, START);
    let result = serde_json::to_value(page).unwrap();
    let line = format!(
        "{} http_503: The server is busy",
        jobs::Timestamp::from_millis(start + 1_000)
    );
    assert_eq!(
        view(&first).await,
        json!({
            "id": first, "name": "extract-data", "queueName": "scraping-jobs",
            "status": "completed", "progress": {"percentage": 100, "status": "Completed"},
            "detailedStatus": null, "attemptsMade": 2, "result": result, "returnValue": result,
            "failedReason": null, "stacktrace": [line],
            "opts": {"attempts": 2, "delay": 0, "timeout": 9_000},
            "timestamp": start, "processedOn": start + 1_000, "finishedOn": start + 4_000,
            "numberInQueue": null, "estimatedCost": null,
        })
    );
}

#[tokio::test]
async fn a_job_in_work_says_what_is_going_on() {
    let app = TestApp::start();
    let id = app.create_for(URL).await;
    drop(app.receive());
    let lease = app.app.now() + LEASE;
    app.change(&id, |job, stamp| {
        match job.claim(stamp, lease, &Retention::default()) {
            Claim::Won(next) => Ok(next),
            other => panic!("not claimed: {other:?}"),
        }
    })
    .await;
    let data = app.get(&format!("/api/v1/jobs/{id}")).await.json["data"].clone();
    assert_eq!(data["status"], "active");
    assert_eq!(data["detailedStatus"], "Fetching the page");
    assert_eq!(data["progress"]["status"], "Fetching the page");
    let percentage = data["progress"]["percentage"].as_u64().unwrap();
    assert!((1..100).contains(&percentage), "{percentage}");
    assert_eq!(data["attemptsMade"], 1);
    assert_eq!(app.job(&id).await["progress"], percentage);
    app.change(&id, |job, stamp| job.release(stamp, job.fence))
        .await;
    app.send_message(&id).await;
    app.drain(&Anything).await;
    assert_eq!(app.job(&id).await["attemptsMade"], 1, "given back untried");
}

#[tokio::test]
async fn an_unchanged_job_is_not_sent_again() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": URL, "delay": 1_000});
    let id = app.create(&body).await;
    let paths = [format!("/api/jobs/{id}"), format!("/api/v1/jobs/{id}")];
    let mut seen: Vec<String> = Vec::new();
    // Delayed, then waiting by the mere passing of time, then completed.
    for stage in 0..3 {
        for (index, path) in paths.iter().enumerate() {
            let read = app.get(path).await;
            assert_eq!(read.status, StatusCode::OK);
            let tag = read.header("etag").unwrap().to_owned();
            if stage > 0 {
                assert_ne!(tag, seen[index], "{path} at stage {stage}");
                let stale = app.get_unless(path, &seen[index]).await;
                assert_eq!(stale.status, StatusCode::OK);
            }
            for condition in [tag.clone(), "*".to_owned(), format!("\"x\", {tag}")] {
                let again = app.get_unless(path, &condition).await;
                assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{condition}");
                assert_eq!(again.json, Value::Null);
                assert_eq!(again.header("etag"), Some(tag.as_str()));
            }
            seen.truncate(stage * paths.len() + index);
            seen.insert(index, tag);
        }
        if stage == 0 {
            app.advance(Duration::from_secs(1));
        } else {
            app.drain(&Anything).await;
        }
    }
}

#[tokio::test]
async fn a_job_that_is_not_there_is_not_found_in_the_shape_of_its_face() {
    let app = TestApp::start();
    let unknown = "job_01hf7yat000000000000000007";
    let long = format!("job_{}", "a".repeat(5_000));
    for id in [
        unknown,
        "job_123456",
        "JOB_01HF7YAT000000000000000007",
        "1",
        "%00",
        "%ff",
        "..",
        "a%2Fb",
        "customers%230",
        long.as_str(),
    ] {
        let read = app.get(&format!("/api/jobs/{id}")).await;
        assert_eq!(read.status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(read.text("error"), "Job not found", "{id}");
        let results = app.get(&format!("/api/jobs/{id}/results")).await;
        assert_eq!(results.status, StatusCode::NOT_FOUND, "{id}");
        let read = app.get(&format!("/api/v1/jobs/{id}")).await;
        assert_eq!(read.status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(read.json["success"], false);
        assert_eq!(read.text("message"), "Job not found");
    }
    let read = app.get(&format!("/api/v1/jobs/{unknown}")).await;
    let sentence = format!("No job found with ID: {unknown}");
    assert_eq!(
        read.json,
        json!({
            "success": false, "message": "Job not found", "error": sentence,
            "timestamp": START.to_string(),
        })
    );
    let read = app.get(&format!("/api/jobs/{unknown}")).await;
    assert_eq!(
        read.json,
        json!({"error": "Job not found", "details": sentence})
    );
}

#[tokio::test]
async fn results_are_empty_until_there_is_one() {
    let app = TestApp::start();
    let id = app.create_for(URL).await;
    let path = format!("/api/jobs/{id}/results");
    let empty = json!({"results": [], "nextCursor": null});
    assert_eq!(app.get(&path).await.json, empty);
    let gone = Failure::new(FailureCode::Http(404), "There is no such page");
    app.drain(&Scripted(|_: &_| Err(gone.clone()))).await;
    assert_eq!(app.status(&id).await, "failed");
    assert_eq!(app.get(&path).await.json, empty);

    let id = app.create_for(URL).await;
    app.drain(&Anything).await;
    let path = format!("/api/jobs/{id}/results");
    let page = serde_json::to_value(support::page(URL, START)).unwrap();
    let full = json!({"results": [page], "nextCursor": null});
    let tag = app.get(&path).await.header("etag").unwrap().to_owned();
    let again = app.get_unless(&path, &tag).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    for query in ["", "?format=json", "?limit=1", "?limit=1000&format=json"] {
        assert_eq!(app.get(&format!("{path}{query}")).await.json, full);
    }
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("format=xml", "format"),
        ("colour=red", "colour"),
    ] {
        let refused = app.get(&format!("{path}?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(refused.fields(), [parameter]);
    }
}

#[tokio::test]
async fn a_result_too_large_for_the_view_is_answered_by_its_address() {
    let app = TestApp::start();
    let id = app.create_for(URL).await;
    let large = Scripted(|_: &_| {
        let mut page = support::page(URL, START);
        page.text = "word ".repeat(60_000);
        Ok(page)
    });
    app.drain(&large).await;
    let view = app.get(&format!("/api/v1/jobs/{id}")).await.json["data"].clone();
    let address = json!({"resultsUrl": format!("/api/jobs/{id}/results")});
    assert_eq!(view["result"], address);
    assert_eq!(view["returnValue"], address);
    let results = app.get(address["resultsUrl"].as_str().unwrap()).await;
    assert_eq!(results.status, StatusCode::OK);
    let text = results.json["results"][0]["text"].as_str().unwrap();
    assert_eq!(text.len(), 300_000);
}
