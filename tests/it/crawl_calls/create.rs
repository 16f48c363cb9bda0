//! Creating crawls and refreshes, alone and in batches, and finding them again.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{SITE, crawl, created, forget, ids};
use crate::app::{MILLISECOND, TestApp};
use crate::calls::customer;
use crate::golden::assert_golden;

#[tokio::test]
async fn the_printed_crawl_and_refresh_are_jobs_with_all_that_was_asked_of_them() {
    let app = TestApp::start();
    let body = json!({
        "type": "full-crawl", "url": "https://example.com", "maxPages": 100, "depth": 3,
        "includeSubdomains": false, "customerId": "customer-123",
    });
    let answer = app.post("/api/jobs", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_golden("wire_crawl_created", &answer.json);
    let job = app.job(answer.text("jobId")).await;
    assert_golden("wire_crawl_waiting", &job);
    let body = json!({
        "type": "refresh", "url": "https://example.com",
        "lastCrawledAt": "2024-01-01T00:00:00.000Z", "forceRefresh": false, "fullRefresh": true,
        "customerId": "customer-123",
    });
    let answer = app.post("/api/jobs", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let job = app.job(answer.text("jobId")).await;
    assert_golden("wire_refresh_waiting", &job);
    forget(&app);
}

#[tokio::test]
async fn every_option_of_a_crawl_is_given_back() {
    let app = TestApp::start();
    let asked = json!({
        "maxPages": 2_000, "depth": 0, "includeSubdomains": true, "include": ["/shop/*", "re:^/a"],
        "exclude": ["*.pdf"], "sitemap": "skip", "respectRobots": false, "maxConcurrency": 64,
        "requestDelay": 250, "formats": ["text", "html"], "timeout": 86_400_000,
    });
    let mut body = json!({"type": "full-crawl", "url": SITE});
    let fields = asked.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    let id = created(&app, &body).await;
    let options = &app.job(&id).await["options"];
    for (name, value) in asked.as_object().unwrap() {
        assert_eq!(&options[name], value, "{name}");
    }
}

#[tokio::test]
async fn what_a_crawl_is_asked_wrongly_is_named_all_at_once() {
    let app = TestApp::start();
    let body = json!({
        "type": "full-crawl", "url": SITE, "maxPages": 100_001, "depth": 101,
        "include": ["", "/a"], "formats": ["pdf"], "timeout": 0, "jobId": "x", "webhook": "y",
    });
    let answer = app.post("/api/jobs", &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let expected = [
        "maxPages",
        "depth",
        "include[0]",
        "formats[0]",
        "jobId",
        "timeout",
        "webhook",
    ];
    assert_eq!(answer.fields(), expected);
    let body = json!({"type": "single-page", "url": SITE, "maxPages": 1, "timeout": 50_001});
    let answer = app.post("/api/jobs", &body).await;
    assert_eq!(answer.fields(), ["maxPages", "timeout"]);
    let message = &answer.json["details"][0]["message"];
    assert_eq!(message, "is an option of full-crawl");
    assert!(app.items().is_empty(), "nothing is written");
}

#[tokio::test]
async fn equal_crawls_are_one_and_other_options_make_another() {
    let app = TestApp::start();
    let id = crawl(&app).await;
    let body = |extra: Value| {
        let mut body = json!({"type": "full-crawl", "url": "http://SITE.example/#top"});
        let extra = extra.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(extra);
        body
    };
    // What is asked for by name and what goes without saying are the same.
    for extra in [
        json!({}),
        json!({"maxPages": 100, "timeout": 5, "sitemap": "include"}),
    ] {
        let again = app.post("/api/jobs", &body(extra)).await;
        assert_eq!(again.status, StatusCode::OK, "{again:?}");
        assert_eq!(again.text("jobId"), id);
    }
    for extra in [
        json!({"depth": 4}),
        json!({"formats": []}),
        json!({"exclude": ["/a"]}),
    ] {
        let other = app.post("/api/jobs", &body(extra)).await;
        assert_eq!(other.status, StatusCode::CREATED, "{other:?}");
    }
    forget(&app);
}

#[tokio::test]
async fn a_batch_of_crawls_is_a_crawl_of_each_address() {
    let app = TestApp::start();
    let body = json!({
        "type": "full-crawl", "urls": [SITE, "http://other.example/"], "maxPages": 7,
    });
    let answer = app.post("/api/jobs", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let jobs = answer.json["results"]["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 2);
    for job in jobs {
        let job = app.job(job["jobId"].as_str().unwrap()).await;
        assert_eq!(job["type"], "full-crawl");
        assert_eq!(job["options"]["maxPages"], 7);
    }
    let body = json!({"type": "refresh", "urls": [SITE], "jobId": jobs[0]["jobId"]});
    let answer = app.post("/api/jobs", &body).await;
    assert_eq!(answer.fields(), ["jobId"]);
    forget(&app);
}

#[tokio::test]
async fn a_refresh_of_a_job_takes_its_address_and_customer() {
    let app = TestApp::start().behind_keys(None);
    let body = json!({"type": "full-crawl", "url": SITE});
    let path = "/api/jobs";
    let owner = || customer("owner");
    let crawl = app.call(owner(), Method::POST, path, &body).await;
    let crawl = crawl.text("jobId").to_owned();
    let body = json!({"type": "refresh", "jobId": crawl});
    let refresh = app.call(owner(), Method::POST, path, &body).await;
    assert_eq!(refresh.status, StatusCode::CREATED, "{refresh:?}");
    assert_eq!(refresh.text("url"), SITE);
    let read = app
        .call(
            owner(),
            Method::GET,
            refresh.text("statusUrl"),
            &Value::Null,
        )
        .await;
    assert_eq!(read.text("url"), SITE);
    assert_eq!(read.text("customerId"), "owner");
    assert_eq!(read.json["options"]["jobId"], json!(crawl));
    // Another's job is not there, nor is one that never was.
    let theirs = app.call(customer("other"), Method::POST, path, &body).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{theirs:?}");
    let body = json!({"type": "refresh", "jobId": "job_01hf7yat000000000000000007"});
    let nobodys = app.call(owner(), Method::POST, path, &body).await;
    assert_eq!(nobodys.status, StatusCode::NOT_FOUND);
    assert_eq!(nobodys.text("error"), theirs.text("error"));
    // An admin makes it for whom it belongs to, and for nobody else.
    let admin = || jobs::Caller::Admin;
    let body = json!({"type": "refresh", "jobId": crawl, "forceRefresh": true});
    let made = app.call(admin(), Method::POST, path, &body).await;
    let read = app
        .call(admin(), Method::GET, made.text("statusUrl"), &Value::Null)
        .await;
    assert_eq!(read.text("customerId"), "owner");
    let body = json!({"type": "refresh", "jobId": crawl, "customerId": "other"});
    let refused = app.call(admin(), Method::POST, path, &body).await;
    assert_eq!(refused.fields(), ["jobId"]);
    forget(&app);
}

#[tokio::test]
async fn jobs_are_found_by_their_type_on_both_faces() {
    let app = TestApp::start();
    let single = created(&app, &json!({"type": "single-page", "url": SITE})).await;
    app.advance(MILLISECOND);
    let crawl = crawl(&app).await;
    app.advance(MILLISECOND);
    let refresh = created(&app, &json!({"type": "refresh", "url": SITE})).await;
    for (kind, id) in [
        ("single-page", &single),
        ("full-crawl", &crawl),
        ("refresh", &refresh),
    ] {
        let list = app.get(&format!("/api/jobs?type={kind}")).await;
        assert_eq!(ids(&list), [id], "{kind}");
    }
    let wrong = app.get("/api/jobs?type=navigate").await;
    assert_eq!(wrong.fields(), ["type"]);
    for (query, queue, expected) in [
        ("queue=crawl-jobs", "crawl-jobs", vec![&crawl]),
        ("name=crawl", "crawl-jobs", vec![&crawl]),
        ("name=refresh", "scraping-jobs", vec![&refresh]),
        (
            "queue=scraping-jobs",
            "scraping-jobs",
            vec![&refresh, &single],
        ),
        ("name=refresh&queue=crawl-jobs", "", vec![]),
    ] {
        let list = app.get(&format!("/api/v1/jobs?{query}")).await;
        let groups = list.json["data"].as_array().unwrap();
        let found = groups.iter().flat_map(|it| it["jobs"].as_array().unwrap());
        let found: Vec<_> = found.map(|job| job["id"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
        assert!(
            groups.iter().all(|group| group["queue"] == queue),
            "{query}"
        );
    }
}

#[tokio::test]
async fn scraping_on_the_other_face_takes_pages_alone() {
    let app = TestApp::start();
    for kind in ["full-crawl", "refresh"] {
        let body = json!({"type": kind, "url": SITE});
        let answer = app.post("/api/v1/scrape", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{kind}");
        assert_eq!(answer.fields(), ["type"]);
    }
}

#[tokio::test]
async fn the_failed_pages_of_a_job_may_be_asked_for_again() {
    let app = TestApp::start();
    let id = crawl(&app).await;
    app.delete(&format!("/api/jobs/{id}")).await;
    let path = format!("/api/jobs/{id}/retry");
    let wrong = app.post(&path, &json!({"only": "done"})).await;
    assert_eq!(wrong.fields(), ["only"]);
    let answer = app.post(&path, &json!({"only": "failed"})).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    forget(&app);
}
