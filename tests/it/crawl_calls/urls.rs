//! The addresses of a crawl, and what would become of one.

use axum::http::{Method, StatusCode};
use jobs::crawl::Reason;
use jobs::ports::PageRequest;
use jobs::{Caller, Failure, FailureCode, Limits};
use serde_json::{Value, json};

use super::{SITE, crawl, forget};
use crate::app::{Scripted, TestApp};
use crate::calls::customer;

#[tokio::test]
async fn addresses_are_listed_by_state_and_by_every_reason() {
    let app = TestApp::start();
    let id = crawl(&app).await;
    let path = format!("/api/jobs/{id}/urls");
    let list = app.get(&path).await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(list.json["urls"].is_array(), "{list:?}");
    assert_eq!(list.json["nextCursor"], Value::Null);
    let tag = list.header("etag").unwrap();
    let again = app.get_unless(&path, tag).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    let failures = FailureCode::NAMED.map(|(_, name)| name);
    let reasons = Reason::CODES
        .iter()
        .chain(&failures)
        .chain(&["http_404", "http_503"]);
    for reason in reasons {
        for state in ["queued", "done", "failed", "skipped"] {
            let path = format!("{path}?state={state}&reason={reason}&limit=1000&cursor=");
            let answer = app.get(&path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path} {answer:?}");
        }
    }
}

#[tokio::test]
async fn every_reason_stands_in_the_document() {
    let app = TestApp::start();
    let document = app.get("/openapi.json").await.json;
    let parameters = &document["paths"]["/api/jobs/{id}/urls"]["get"]["parameters"];
    let reason = parameters.as_array().unwrap().iter();
    let reason = reason.clone().find(|it| it["name"] == "reason").unwrap();
    let pattern = reason["schema"]["pattern"].as_str().unwrap();
    let known = pattern.trim_matches(['^', '$', '(', ')']).split('|');
    let known: Vec<_> = known.filter(|it| !it.starts_with("http_")).collect();
    let failures = FailureCode::NAMED.map(|(_, name)| name);
    let failures = failures.iter().filter(|name| !Reason::CODES.contains(name));
    let expected: Vec<_> = Reason::CODES.iter().chain(failures).copied().collect();
    assert_eq!(known, expected);
}

#[tokio::test]
async fn what_is_asked_wrongly_of_addresses_is_named() {
    let app = TestApp::start();
    let id = crawl(&app).await;
    for (query, field) in [
        ("state=waiting", "state"),
        ("state=", "state"),
        ("reason=nonsense", "reason"),
        ("reason=http_99", "reason"),
        ("reason=http_+404", "reason"),
        ("reason=http_0404", "reason"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=0", "cursor"),
        ("offset=1", "offset"),
    ] {
        let answer = app.get(&format!("/api/jobs/{id}/urls?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.fields(), [field], "{query}");
    }
    let unknown = app.get("/api/jobs/job_123/urls").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_would_become_of_an_address_is_told_of_a_crawl_or_of_options() {
    let app = TestApp::start();
    let id = crawl(&app).await;
    let url = "http://site.example/tea?b=1#c";
    let bodies = [
        json!({"url": url}),
        json!({"url": url, "options": {}}),
        json!({"url": url, "options": {"url": SITE, "maxPages": 5, "exclude": ["/x*"]}}),
        json!({"url": url, "jobId": id}),
    ];
    for body in bodies {
        let answer = app.post("/api/explain", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{body} {answer:?}");
        assert_eq!(answer.text("url"), "http://site.example/tea?b=1");
        let fields = answer.json.as_object().unwrap();
        for name in ["state", "reason", "detail", "finalUrl", "notes"] {
            assert!(fields.contains_key(name), "{name}");
        }
    }
    for (body, field) in [
        (json!({}), "url"),
        (json!({"url": "site.example"}), "url"),
        (json!({"url": url, "jobId": "job_1"}), "jobId"),
        (json!({"url": url, "jobId": id, "options": {}}), "options"),
        (
            json!({"url": url, "options": {"depth": -1}}),
            "options.depth",
        ),
        (json!({"url": url, "options": 5}), "options"),
        (json!({"url": url, "depth": 5}), "depth"),
    ] {
        let answer = app.post("/api/explain", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    assert_eq!(app.rows().len(), 1, "nothing is created");
}

#[tokio::test]
async fn a_job_for_one_page_has_its_own_address_alone() {
    let app = TestApp::start();
    let missing = |_: &PageRequest| {
        let code = FailureCode::Http(404);
        Err(Failure::new(code, "There is no such page"))
    };
    let id = app.create_for("http://SITE.example/tea#top").await;
    let mut row = json!({
        "url": "http://site.example/tea", "state": "queued", "reason": null, "detail": null,
        "finalUrl": null, "depth": 0,
    });
    let path = format!("/api/jobs/{id}/urls");
    assert_eq!(app.get(&path).await.json["urls"], json!([row]));
    app.drain(&Scripted(missing)).await;
    row["state"] = json!("failed");
    row["reason"] = json!("http_404");
    row["detail"] = json!("There is no such page");
    assert_eq!(app.get(&path).await.json["urls"], json!([row]));
    for query in ["state=failed", "reason=http_404"] {
        let answer = app.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.json["urls"], json!([row]), "{query}");
    }
    for query in ["state=done", "reason=http_500"] {
        let answer = app.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.json["urls"], json!([]), "{query}");
    }
    let explain = async |url: &str| {
        let body = json!({"url": url, "jobId": id});
        let answer = app.post("/api/explain", &body).await;
        (answer.json["state"].clone(), answer.json["reason"].clone())
    };
    let own = explain("http://site.example/tea").await;
    assert_eq!(own, (json!("failed"), json!("http_404")));
    let other = explain("http://site.example/cup").await;
    assert_eq!(other, (json!("skipped"), json!("off_scope")));
}

#[tokio::test]
async fn nobody_learns_of_anothers_crawl_and_asking_counts_as_reading() {
    let limits = Limits {
        reads_per_minute: 3,
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits).behind_keys(None);
    let body = json!({"type": "full-crawl", "url": SITE});
    let crawl = app
        .call(customer("owner"), Method::POST, "/api/jobs", &body)
        .await;
    forget(&app);
    let body = json!({"url": SITE, "jobId": crawl.text("jobId")});
    let explain = async |caller: Caller, body: &Value| {
        app.call(caller, Method::POST, "/api/explain", body)
            .await
            .status
    };
    assert_eq!(
        explain(customer("other"), &body).await,
        StatusCode::NOT_FOUND
    );
    let options = json!({"url": SITE});
    for body in [&options, &body, &options] {
        assert_eq!(explain(customer("owner"), body).await, StatusCode::OK);
    }
    let limited = explain(customer("owner"), &options).await;
    assert_eq!(limited, StatusCode::TOO_MANY_REQUESTS);
}
