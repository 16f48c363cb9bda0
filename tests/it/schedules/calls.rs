//! Reading schedules: lists, their pages and filters, and tags.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{FIRST, create, done, jobs, tick_in_time, work};
use crate::app::TestApp;

async fn names(app: &TestApp, query: &str) -> Vec<String> {
    let list = app.get(&format!("/api/schedules?{query}")).await;
    assert_eq!(list.status, StatusCode::OK, "{list:?}");
    let schedules = list.json["schedules"].as_array().unwrap().iter();
    schedules
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn schedules_are_listed_newest_first_by_customer_and_status() {
    let app = TestApp::start();
    for (name, customer) in [("a", "ann"), ("b", "bob"), ("c", "ann"), ("d", "ann")] {
        app.advance(crate::app::MILLISECOND);
        let id = create(
            &app,
            &json!({"name": name, "customerId": customer, "limit": 1}),
        )
        .await;
        if name == "c" {
            done(&app, Method::PUT, &id, &json!({"action": "pause"})).await;
        }
        if name == "a" {
            tick_in_time(&app, &id, FIRST).await;
        }
    }
    app.create(&json!({"type": "single-page", "url": super::URL, "customerId": "ann"}))
        .await;
    assert_eq!(names(&app, "").await, ["d", "c", "b", "a"]);
    assert_eq!(names(&app, "customerId=ann").await, ["d", "c", "a"]);
    assert_eq!(names(&app, "customerId=ann&status=active").await, ["d"]);
    assert_eq!(names(&app, "status=paused").await, ["c"]);
    assert_eq!(names(&app, "status=ended").await, ["a"]);
    assert_eq!(names(&app, "customerId=nobody").await, Vec::<String>::new());
    // Lists of jobs know nothing of schedules.
    let list = app.get("/api/jobs?customerId=ann").await;
    assert_eq!(list.json["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(jobs(&app), 1);
    for (query, field) in [
        ("status=gone", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("colour=1", "colour"),
    ] {
        let answer = app.get(&format!("/api/schedules?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.fields(), [field]);
    }
    work(&app).await;
}

#[tokio::test]
async fn pages_of_schedules_hold_every_one_once() {
    let app = TestApp::start();
    for number in 0..25 {
        app.advance(crate::app::MILLISECOND);
        create(
            &app,
            &json!({"name": number.to_string(), "customerId": "ann"}),
        )
        .await;
    }
    for scope in ["", "&customerId=ann"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app
                .get(&format!("/api/schedules?limit=10{scope}{cursor}"))
                .await;
            let schedules = page.json["schedules"].as_array().unwrap().iter();
            seen.extend(schedules.map(|it| it["name"].as_str().unwrap().to_owned()));
            match page.json["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let expected: Vec<_> = (0..25).rev().map(|it| it.to_string()).collect();
        assert_eq!(seen, expected);
    }
    let page = app.get("/api/schedules?limit=10").await;
    let other = page.text("nextCursor").to_owned();
    let wrong = app
        .get(&format!("/api/schedules?customerId=ann&cursor={other}"))
        .await;
    assert_eq!(wrong.fields(), ["cursor"]);
}

#[tokio::test]
async fn what_was_seen_is_not_sent_again_until_it_changes() {
    let app = TestApp::start();
    let id = create(&app, &json!({})).await;
    for path in [
        "/api/schedules".to_owned(),
        format!("/api/schedules/{id}"),
        format!("/api/schedules/{id}/runs"),
    ] {
        let seen = app.get(&path).await;
        let tag = seen.header("etag").unwrap().to_owned();
        let again = app.get_unless(&path, &tag).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
    }
    let path = format!("/api/schedules/{id}/runs");
    let tag = app.get(&path).await.header("etag").unwrap().to_owned();
    tick_in_time(&app, &id, FIRST).await;
    assert_eq!(app.get_unless(&path, &tag).await.status, StatusCode::OK);
    work(&app).await;
    let none = app
        .get("/api/schedules/sch_01hf7yat000000000000000007")
        .await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert_eq!(
        app.get("/api/schedules/x").await.status,
        StatusCode::NOT_FOUND
    );
}
