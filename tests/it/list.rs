//! Lists and counts: what many jobs look like together.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::StatusCode;
use jobs::ports::PageRequest;
use jobs::transition::{Claim, Retention};
use jobs::{Failure, FailureCode, Page};
use serde_json::{Value, json};

use crate::app::{Answered, Anything, LEASE, START, Scripted, TestApp};
use crate::support;

/// A delay so long that nothing is sent.
const LATE: u64 = 2_592_000_000;
/// Counts of unfinished jobs may be this old.
pub(crate) const STATS_AGE: Duration = Duration::from_secs(5);

/// A web on which addresses with `bad` in them are missing.
pub(crate) fn half_broken(request: &PageRequest) -> Result<Page, Failure> {
    if request.url.as_str().contains("bad") {
        return Err(Failure::new(
            FailureCode::Http(404),
            "There is no such page",
        ));
    }
    Ok(support::page(request.url.as_str(), START))
}

pub(crate) async fn create(app: &TestApp, customer: &str, url: &str, delay: u64) -> String {
    let body = json!({"type": "single-page", "url": url, "customerId": customer, "delay": delay});
    app.create(&body).await
}

fn ids(list: &Answered) -> Vec<String> {
    assert_eq!(list.status, StatusCode::OK, "{list:?}");
    let jobs = list.json["jobs"].as_array().unwrap();
    let ids = jobs.iter().map(|job| job["id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn filters_compose_and_the_newest_comes_first() {
    let app = TestApp::start();
    let mut all = Vec::new();
    for (customer, url, delay) in [
        ("ann", "http://one.example/good", 0),
        ("ann", "http://one.example/bad", 0),
        ("bob", "http://one.example/good", 0),
        ("bob", "http://two.example/bad", 0),
        ("ann", "http://two.example/late", 3_600_000),
    ] {
        all.push(create(&app, customer, url, delay).await);
        app.advance(Duration::from_millis(1));
    }
    app.drain(&Scripted(half_broken)).await;
    all.push(create(&app, "bob", "http://two.example/new", 0).await);
    for (query, expected) in [
        ("", vec![5, 4, 3, 2, 1, 0]),
        ("customerId=ann", vec![4, 1, 0]),
        ("customerId=carl", vec![]),
        ("status=completed", vec![2, 0]),
        ("status=failed,completed", vec![3, 2, 1, 0]),
        ("status=waiting,%20delayed", vec![5, 4]),
        ("status=active", vec![]),
        ("status=", vec![5, 4, 3, 2, 1, 0]),
        ("url=&cursor=", vec![5, 4, 3, 2, 1, 0]),
        ("url=two.example", vec![5, 4, 3]),
        ("url=%2Fbad", vec![3, 1]),
        ("type=single-page", vec![5, 4, 3, 2, 1, 0]),
        (
            "customerId=bob&status=failed&url=two&type=single-page",
            vec![3],
        ),
        ("customerId=ann&status=completed&url=two", vec![]),
        ("limit=2", vec![5, 4]),
        ("limit=2&customerId=ann", vec![4, 1]),
    ] {
        let list = app.get(&format!("/api/jobs?{query}")).await;
        let expected: Vec<_> = expected.into_iter().map(|index| &all[index]).collect();
        assert_eq!(ids(&list).iter().collect::<Vec<_>>(), expected, "{query}");
        assert_eq!(list.text("timestamp"), app.app.now().to_string());
        let more = query.starts_with("limit");
        assert_eq!(list.json["nextCursor"].is_string(), more, "{query}");
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_job_in_a_list_has_its_summary() {
    let app = TestApp::start();
    let id = create(&app, "ann", "http://one.example/bad", 0).await;
    app.drain(&Scripted(half_broken)).await;
    let list = app.get("/api/jobs?includeStats=false").await.json;
    assert_eq!(
        list,
        json!({
            "timestamp": START.to_string(),
            "jobs": [{
                "id": id, "type": "single-page", "url": "http://one.example/bad",
                "status": "failed", "priority": "normal", "customerId": "ann", "progress": 0,
                "createdAt": START.to_string(), "startedAt": START.to_string(),
                "finishedAt": START.to_string(),
                "failedReason": "http_404: There is no such page",
            }],
            "nextCursor": null,
        })
    );
}

#[tokio::test]
async fn pages_follow_one_another_while_new_jobs_arrive() {
    let app = TestApp::start();
    let mut created = BTreeSet::new();
    for n in 0..250 {
        let customer = if n % 5 == 0 { "rare" } else { "usual" };
        created.insert(create(&app, customer, &format!("http://a.example/{n}"), LATE).await);
        if n % 7 == 0 {
            app.advance(Duration::from_millis(1));
        }
    }
    for (filter, expected) in [("", 250), ("&customerId=rare", 50), ("&url=example/1", 111)] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        for round in 0.. {
            let path = format!("/api/jobs?limit=20&includeStats=false{filter}{cursor}");
            let list = app.get(&path).await;
            let page = ids(&list);
            seen.extend(page.iter().cloned());
            let new = format!("http://new.example/{filter}{round}");
            create(&app, "rare", &new, LATE).await;
            let Some(next) = list.json["nextCursor"].as_str() else {
                break;
            };
            assert_eq!(page.len(), 20, "a page is full unless it is the last");
            assert!(
                next.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
                "{next} needs no escape"
            );
            cursor = format!("&cursor={next}");
        }
        let known: Vec<_> = seen.iter().filter(|id| created.contains(*id)).collect();
        let distinct: BTreeSet<_> = known.iter().collect();
        assert_eq!(known.len(), distinct.len(), "{filter} doubles");
        assert_eq!(distinct.len(), expected, "{filter} misses");
        assert!(
            seen.windows(2).all(|pair| pair[0] > pair[1]),
            "newest first"
        );
    }
}

#[tokio::test]
async fn a_page_that_ends_with_the_last_job_has_no_next() {
    let app = TestApp::start();
    for n in 0..100 {
        create(&app, "ann", &format!("http://a.example/{n}"), LATE).await;
    }
    for limit in [50, 100] {
        let path = format!("/api/jobs?customerId=ann&limit={limit}");
        let first = app.get(&path).await;
        assert_eq!(ids(&first).len(), limit);
        if limit == 100 {
            assert_eq!(first.json["nextCursor"], Value::Null);
        } else {
            let cursor = first.text("nextCursor");
            let second = app.get(&format!("{path}&cursor={cursor}")).await;
            assert_eq!(ids(&second).len(), 50);
            assert_eq!(second.json["nextCursor"], Value::Null);
        }
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let app = TestApp::start();
    let long = format!("customerId={}", "a".repeat(129));
    for (query, named) in [
        ("limit=0", vec!["limit"]),
        ("limit=101", vec!["limit"]),
        ("limit=-1", vec!["limit"]),
        ("limit=1.5", vec!["limit"]),
        ("limit=ten", vec!["limit"]),
        ("limit=99999999999999999999999", vec!["limit"]),
        ("limit=1&limit=2", vec!["limit"]),
        ("status=done", vec!["status"]),
        ("status=active,done", vec!["status"]),
        ("status=active,,failed", vec!["status"]),
        ("status=ACTIVE", vec!["status"]),
        ("type=unknown", vec!["type"]),
        ("cursor=x", vec!["cursor"]),
        ("cursor=MTpqb2JfMQ", vec!["cursor"]),
        ("cursor=%F0%9F%92%A9", vec!["cursor"]),
        ("includeStats=maybe", vec!["includeStats"]),
        ("includeHealth=2", vec!["includeHealth"]),
        ("customerId=%00", vec!["customerId"]),
        ("customerId=", vec!["customerId"]),
        ("limit=", vec!["limit"]),
        ("includeStats=", vec!["includeStats"]),
        ("type=", vec!["type"]),
        (long.as_str(), vec!["customerId"]),
        ("colour=red", vec!["colour"]),
        (
            "limit=0&status=done&colour=red",
            vec!["status", "limit", "colour"],
        ),
    ] {
        let answer = app.get(&format!("/api/jobs?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.text("error"), "Invalid query parameters");
        assert_eq!(answer.fields(), named, "{query}");
    }
}

#[tokio::test]
async fn the_counts_know_all_seven_statuses_and_each_customer() {
    let app = TestApp::start();
    let create = async |name: &str, delay: u64| {
        create(&app, "ann", &format!("http://a.example/{name}"), delay).await
    };
    create("completed", 0).await;
    for n in 0..2 {
        create(&format!("bad{n}"), 0).await;
    }
    app.drain(&Scripted(half_broken)).await;
    let (paused, cancelled) = (create("paused", 0).await, create("cancelled", 0).await);
    let active = create("active", 0).await;
    while app.queue.try_receive().is_some() {}
    for n in 0..4 {
        create(&format!("delayed{n}"), 1_000_000).await;
    }
    for n in 0..3 {
        create(&format!("waiting{n}"), 0).await;
    }
    crate::list::create(&app, "bob", "http://b.example/", 0).await;
    let retention = Retention::default();
    app.change(&paused, jobs::Job::pause).await;
    app.change(&cancelled, |job, stamp| job.cancel(stamp, &retention))
        .await;
    let lease = app.app.now() + LEASE;
    app.change(&active, |job, stamp| {
        match job.claim(stamp, lease, &retention) {
            Claim::Won(next) => Ok(next),
            other => panic!("not claimed: {other:?}"),
        }
    })
    .await;
    app.advance(STATS_AGE);

    let ann = json!({
        "waiting": 3, "delayed": 4, "active": 1, "completed": 1, "failed": 2, "paused": 1,
        "cancelled": 1,
    });
    let mut all = ann.clone();
    all["waiting"] = json!(4);
    for (query, expected) in [
        ("", &all),
        ("?customerId=ann", &ann),
        ("?customerId=ann&status=failed&url=nothing&limit=1", &ann),
        ("?includeStats=true", &all),
    ] {
        let list = app.get(&format!("/api/jobs{query}")).await;
        assert_eq!(&list.json["stats"], expected, "{query}");
    }
    let nobody = app.get("/api/jobs?customerId=nobody").await.json;
    let zero = |count: &Value| *count == json!(0);
    assert!(nobody["stats"].as_object().unwrap().values().all(zero));
    assert_eq!(nobody["stats"].as_object().unwrap().len(), 7);
    let without = app.get("/api/jobs?includeStats=false").await.json;
    assert_eq!(without.get("stats"), None);
    assert_eq!(without.get("health"), None);
    let with = app.get("/api/jobs?includeHealth=true").await.json;
    let health = json!({"isHealthy": true, "activeWorkers": 1, "queueSize": 8, "issues": []});
    assert_eq!(with["health"], json!({"queue": health}));

    app.change(&active, |job, stamp| job.release(stamp, job.fence))
        .await;
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_job_that_just_arrived_is_not_counted_as_paused() {
    let app = TestApp::start();
    let counts = async || app.get("/api/jobs").await.json["stats"].clone();
    assert_eq!(counts().await["waiting"], 0);
    create(&app, "ann", "http://a.example/", 0).await;
    assert_eq!(counts().await["paused"], 0);
    app.advance(STATS_AGE);
    assert_eq!(counts().await["waiting"], 1);
    app.drain(&Anything).await;
    assert_eq!(counts().await["paused"], 0);
}

#[tokio::test]
async fn a_list_that_says_the_same_is_not_sent_again() {
    let app = TestApp::start();
    create(&app, "ann", "http://a.example/", 0).await;
    let paths = [
        "/api/jobs?includeHealth=true",
        "/api/jobs?includeStats=false&customerId=ann",
        "/api/v1/jobs",
        "/api/v1/health",
        "/api/queue",
    ];
    let mut seen = Vec::new();
    for path in paths {
        let first = app.get(path).await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        assert_eq!(first.header("cache-control"), Some("private, no-cache"));
        let tag = first.header("etag").unwrap().to_owned();
        assert!(tag.starts_with("W/\""), "{path}: {tag}");
        seen.push(tag);
    }
    // Another time is not another answer.
    app.advance(STATS_AGE);
    for (path, tag) in paths.iter().zip(&seen) {
        let same = app.get_unless(path, tag).await;
        assert_eq!(same.status, StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(same.json, Value::Null);
        assert_eq!(same.header("etag"), Some(tag.as_str()));
        assert_eq!(same.header("cache-control"), Some("private, no-cache"));
    }
    app.drain(&Anything).await;
    app.advance(STATS_AGE);
    for (path, tag) in paths.iter().zip(&seen) {
        let expected = match *path {
            "/api/v1/health" => StatusCode::NOT_MODIFIED,
            _ => StatusCode::OK,
        };
        assert_eq!(app.get_unless(path, tag).await.status, expected, "{path}");
    }
}

#[tokio::test]
async fn a_cursor_leads_on_for_the_customer_that_it_was_made_for_alone() {
    let app = TestApp::start();
    for customer in ["ann", "bob"] {
        for number in 0..3 {
            create(&app, customer, &format!("http://a.example/{number}"), LATE).await;
        }
    }
    let filters = ["", "&customerId=ann", "&customerId=bob"];
    for made_for in filters {
        let first = app.get(&format!("/api/jobs?limit=1{made_for}")).await;
        let cursor = first.text("nextCursor");
        for used_with in filters {
            let path = format!("/api/jobs?limit=1{used_with}&cursor={cursor}");
            let next = app.get(&path).await;
            if made_for == used_with {
                assert_eq!(ids(&next).len(), 1);
            } else {
                assert_eq!(next.status, StatusCode::BAD_REQUEST, "{path}");
                assert_eq!(next.fields(), ["cursor"]);
            }
        }
    }
}

#[tokio::test]
async fn no_job_counts_twice_while_the_counts_are_some_seconds_old() {
    let app = TestApp::start();
    let jobs = 200;
    for number in 0..jobs {
        let url = format!("http://site.example/{number}");
        app.create(&json!({"type": "single-page", "url": url}))
            .await;
        let stats = app.get("/api/jobs?limit=1").await.json["stats"].clone();
        let sum: u64 = stats
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_u64)
            .sum();
        assert_eq!(sum, number + 1, "{stats}");
    }
    let mut ended = 0;
    while let Some(message) = app.queue.try_receive() {
        app.work(&message, &Anything).await;
        ended += 1;
        let stats = app.get("/api/jobs?limit=1").await.json["stats"].clone();
        let sum: u64 = stats
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_u64)
            .sum();
        assert_eq!(
            (sum, stats["completed"].as_u64()),
            (jobs, Some(ended)),
            "{stats}"
        );
    }
}
