//! The calls of webhooks: what is made, refused, listed, changed and shown to whom.

use std::time::Duration;

use axum::http::{Method, Request, StatusCode, header};
use jobs::event::EventType;
use jobs::webhook::MOST_WEBHOOKS;
use jobs::{ApiKey, JobId};
use serde_json::{Value, json};

use super::{Act, HOOK, Receiver, event, event_of, path};
use crate::app::{Answered, Anything, TestApp};
use crate::golden::assert_golden;

/// Addresses that name this machine or a private one, in many spellings.
const PRIVATE: [&str; 16] = [
    "http://127.0.0.1/hook",
    "http://127.1/hook",
    "http://2130706433/hook",
    "http://0x7f.0.0.1/hook",
    "http://0177.0.0.1/hook",
    "http://[::1]/hook",
    "http://[::ffff:10.0.0.1]/hook",
    "http://10.1.2.3/hook",
    "http://169.254.169.254/latest/meta-data",
    "http://192.168.0.1/hook",
    "http://localhost/hook",
    "http://LOCALHOST./hook",
    "http://metadata/hook",
    "http://db.internal/hook",
    "http://printer.local/hook",
    "https://example.com:22/hook",
];

#[tokio::test]
async fn a_webhook_to_a_private_address_is_refused_wherever_it_is_named() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    for url in PRIVATE {
        let made = app.post("/api/webhooks", &json!({"url": url})).await;
        assert_eq!(made.status, StatusCode::BAD_REQUEST, "{url}");
        assert_eq!(made.fields(), ["url"], "{url}");
        let moved = app
            .ask(Method::PATCH, &path(&hook), &json!({"url": url}))
            .await;
        assert_eq!(moved.fields(), ["url"], "{url}");
        let webhook = json!({"url": url});
        for (call, body) in [
            (
                "/api/jobs",
                json!({"type": "single-page", "url": "http://a.example"}),
            ),
            (
                "/api/jobs",
                json!({"type": "full-crawl", "url": "http://a.example"}),
            ),
            (
                "/api/jobs",
                json!({"type": "single-page", "urls": ["http://a.example"]}),
            ),
            ("/api/v1/scrape", json!({"url": "http://a.example"})),
        ] {
            let mut body = body;
            body["webhook"] = webhook.clone();
            let refused = app.post(call, &body).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{url}");
            assert_eq!(refused.fields(), ["webhook.url"], "{url} {body}");
        }
    }
    assert!(app.rows().is_empty());
}

#[tokio::test]
async fn all_that_is_wrong_with_a_webhook_is_said_at_once() {
    let app = TestApp::start();
    for (body, fields) in [
        (json!({}), vec!["url"]),
        (json!([]), vec!["body"]),
        (json!({"url": "ftp://a.example"}), vec!["url"]),
        (
            json!({"url": "http://10.0.0.1", "events": ["x", "job.failed"], "customerId": "", "secret": "whsec_mine"}),
            vec!["events[0]", "customerId", "secret", "url"],
        ),
    ] {
        let refused = app.post("/api/webhooks", &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(refused.fields(), fields, "{body}");
    }
    let body = json!({
        "type": "single-page", "url": "x", "priority": "soon",
        "webhook": {"url": "http://127.0.0.1", "events": "all", "secret": 1},
    });
    let refused = app.post("/api/jobs", &body).await;
    let expected = [
        "url",
        "priority",
        "webhook.events",
        "webhook.secret",
        "webhook.url",
    ];
    assert_eq!(refused.fields(), expected);
    let hook = app.hook(&json!({"url": HOOK})).await;
    for (body, fields) in [
        (json!({}), vec!["body"]),
        (json!({"enabled": 1, "id": "x"}), vec!["enabled", "id"]),
        (
            json!({"events": ["job.failed", "job.failed"]}),
            vec!["events[1]"],
        ),
    ] {
        let refused = app.ask(Method::PATCH, &path(&hook), &body).await;
        assert_eq!(refused.fields(), fields, "{body}");
    }
    for query in [
        "limit=0",
        "limit=101",
        "cursor=x",
        "customerId=",
        "colour=red",
    ] {
        let refused = app.get(&format!("/api/webhooks?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        let refused = app
            .get(&format!("{}/deliveries?{query}", path(&hook)))
            .await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn webhooks_are_made_changed_listed_and_deleted() {
    let app = TestApp::start();
    let mut ids = Vec::new();
    for number in 0..5 {
        let customer = if number < 3 { "ann" } else { "bob" };
        let body = json!({"url": format!("{HOOK}/{number}"), "customerId": customer});
        ids.push(app.hook(&body).await["id"].clone());
        app.advance(Duration::from_secs(1));
    }
    let first = app.get("/api/webhooks?customerId=ann&limit=2").await;
    let listed = |page: &Answered| -> Vec<Value> {
        let webhooks = page.json["webhooks"].as_array().unwrap().iter();
        webhooks.map(|it| it["id"].clone()).collect()
    };
    assert_eq!(listed(&first), [ids[2].clone(), ids[1].clone()]);
    let next = format!(
        "/api/webhooks?customerId=ann&limit=2&cursor={}",
        first.text("nextCursor")
    );
    let rest = app.get(&next).await;
    assert_eq!(listed(&rest), [ids[0].clone()]);
    assert_eq!(rest.json["nextCursor"], Value::Null);
    assert_eq!(listed(&app.get("/api/webhooks").await).len(), 5);
    assert!(!first.json.to_string().contains("whsec_"));
    let hook = format!("/api/webhooks/{}", ids[0].as_str().unwrap());
    let change = json!({"url": "https://example.org/new", "events": ["crawl.page"]});
    let changed = app.ask(Method::PATCH, &hook, &change).await;
    assert_eq!(changed.status, StatusCode::OK);
    let read = app.get(&hook).await;
    assert_eq!(read.json, changed.json);
    assert_eq!(read.json["events"], json!(["crawl.page"]));
    assert_eq!(read.text("url"), "https://example.org/new");
    assert_ne!(read.text("updatedAt"), read.text("createdAt"));
    let deleted = app.ask(Method::DELETE, &hook, &Value::Null).await;
    assert_eq!(deleted.status, StatusCode::OK);
    for (method, path) in [
        (Method::DELETE, hook.clone()),
        (Method::GET, hook.clone()),
        (Method::PATCH, hook.clone()),
        (Method::POST, format!("{hook}/rotate")),
        (Method::GET, format!("{hook}/deliveries")),
        (Method::GET, "/api/webhooks/x".to_owned()),
        (
            Method::GET,
            "/api/webhooks/job_01hf7yat000000000000000007/deliveries".to_owned(),
        ),
        (
            Method::GET,
            "/api/jobs/whk_01hf7yat000000000000000007/deliveries".to_owned(),
        ),
    ] {
        let missing = app.ask(method, &path, &json!({"enabled": true})).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_customer_has_twenty_webhooks_and_no_more() {
    let app = TestApp::start();
    let body = json!({"url": HOOK});
    let asked = (0..3 * MOST_WEBHOOKS).map(|_| app.post("/api/webhooks", &body));
    let answers = futures::future::join_all(asked).await;
    let made = answers.iter().filter(|it| it.status == StatusCode::CREATED);
    assert_eq!(made.count(), MOST_WEBHOOKS, "however many ask at once");
    let refused = app.post("/api/webhooks", &body).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    app.hook(&json!({"url": HOOK, "customerId": "other"})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    assert_eq!(app.deliver(&Receiver::default()).await, MOST_WEBHOOKS);
}

/// Asks under a key.
async fn ask(app: &TestApp, key: &str, method: Method, path: &str, body: &Value) -> Answered {
    let request = Request::builder().method(method).uri(path);
    let request = request
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json");
    app.send(request.body(body.to_string().into()).unwrap())
        .await
}

#[tokio::test]
async fn what_belongs_to_another_customer_is_forbidden_to_make_and_not_there_to_read() {
    let admin = ApiKey::new([77, 88]);
    let app = TestApp::start().behind_keys(Some(admin.hash()));
    let mut keys = Vec::new();
    for customer in ["mine", "other"] {
        let body = json!({"customerId": customer});
        let made = ask(&app, admin.reveal(), Method::POST, "/api/keys", &body).await;
        keys.push(made.text("key").to_owned());
    }
    let make = |key: usize, body: Value| {
        let (app, key) = (&app, keys[key].clone());
        async move { ask(app, &key, Method::POST, "/api/webhooks", &body).await }
    };
    let foreign = make(0, json!({"url": HOOK, "customerId": "other"})).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let own = make(0, json!({"url": HOOK})).await;
    assert_eq!(own.status, StatusCode::CREATED);
    assert_eq!(own.text("customerId"), "mine");
    let theirs = make(1, json!({"url": HOOK})).await.json;
    let job = JobId::new(app.app.now(), 7);
    let told = event_of(&app, 1, EventType::JobFailed, &job, "other");
    let webhook = jobs::webhook::JobWebhook {
        url: HOOK.to_owned(),
        events: Vec::new(),
    };
    app.app
        .begin_deliveries(&told, Some(&webhook))
        .await
        .unwrap();
    app.deliver(&Receiver::default()).await;
    let their_log = format!("{}/deliveries", path(&theirs));
    let log = ask(&app, &keys[1], Method::GET, &their_log, &Value::Null).await;
    let delivery = log.json["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let of_job = format!("/api/jobs/{job}/deliveries");
    let log = ask(&app, &keys[1], Method::GET, &of_job, &Value::Null).await;
    assert_eq!(log.json["deliveries"].as_array().unwrap().len(), 1);
    let of_that_job = log.json["deliveries"][0]["id"].as_str().unwrap().to_owned();
    for (method, path) in [
        (Method::GET, path(&theirs)),
        (Method::PATCH, path(&theirs)),
        (Method::DELETE, path(&theirs)),
        (Method::POST, format!("{}/rotate", path(&theirs))),
        (Method::GET, format!("{}/deliveries", path(&theirs))),
        (
            Method::POST,
            format!("{}/deliveries/{delivery}/redeliver", path(&theirs)),
        ),
        (Method::GET, of_job.clone()),
        (Method::POST, format!("{of_job}/{of_that_job}/redeliver")),
        (Method::GET, "/api/webhooks?customerId=other".to_owned()),
    ] {
        let body = json!({"enabled": false});
        let hidden = ask(&app, &keys[0], method.clone(), &path, &body).await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{method} {path}");
        if method != Method::DELETE {
            let seen = ask(&app, &keys[1], method.clone(), &path, &body).await;
            assert!(
                seen.status.is_success() || seen.status == StatusCode::CONFLICT,
                "{method} {path}: {seen:?}"
            );
        }
    }
    let list = ask(&app, &keys[0], Method::GET, "/api/webhooks", &Value::Null).await;
    assert_eq!(list.json["webhooks"].as_array().unwrap().len(), 1);
    let list = ask(
        &app,
        admin.reveal(),
        Method::GET,
        "/api/webhooks",
        &Value::Null,
    )
    .await;
    assert_eq!(list.json["webhooks"].as_array().unwrap().len(), 2);
    app.deliver(&Receiver::default()).await;
}

#[tokio::test]
async fn a_secret_lies_nowhere() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    let secret = hook["secret"].as_str().unwrap().to_owned();
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    app.deliver(&Receiver::that([Act::Answer(500)])).await;
    let body = json!({
        "type": "single-page", "url": "http://a.example", "webhook": {"url": HOOK},
    });
    let created = app.post("/api/jobs", &body).await;
    let of_jobs = created.text("webhookSecret").to_owned();
    app.drain(&Anything).await;
    for item in app.items() {
        let item = item.to_string();
        assert!(
            !item.contains(&secret[6..]) && !item.contains(&of_jobs[6..]),
            "{item}"
        );
        assert!(!item.contains("v1,"), "nor a signature: {item}");
    }
}

#[tokio::test]
async fn every_create_of_a_job_with_a_webhook_gives_its_secret() {
    let app = TestApp::start();
    let webhook = json!({"url": HOOK, "events": ["job.completed"]});
    let page = json!({"type": "single-page", "url": "http://a.example/1", "webhook": webhook});
    let created = app.post_keyed("/api/jobs", "k", &page).await;
    let secret = created.text("webhookSecret").to_owned();
    let again = app.post_keyed("/api/jobs", "k", &page).await;
    assert_eq!(again.json, created.json, "repeated with its key");
    let equal = app.post("/api/jobs", &page).await;
    assert_eq!(equal.status, StatusCode::OK, "a webhook makes no other job");
    assert_eq!(equal.json["webhookSecret"], Value::Null);
    let crawl = json!({"type": "full-crawl", "url": "http://a.example/2", "webhook": webhook});
    assert_eq!(
        app.post("/api/jobs", &crawl).await.text("webhookSecret"),
        secret
    );
    let batch = json!({"type": "single-page", "urls": ["http://a.example/3"], "webhook": webhook});
    assert_eq!(
        app.post("/api/jobs", &batch).await.text("webhookSecret"),
        secret
    );
    let scrape = json!({"url": "http://a.example/4", "webhook": webhook, "customerId": "other"});
    let scraped = app.post("/api/v1/scrape", &scrape).await;
    assert_ne!(
        scraped.text("webhookSecret"),
        secret,
        "each customer has its own"
    );
    let none = app
        .post("/api/v1/scrape", &json!({"url": "http://a.example/5"}))
        .await;
    assert_eq!(none.json.get("webhookSecret"), None);
    let read = app.job(created.text("jobId")).await;
    assert_eq!(read["options"]["webhook"], webhook);
    while app.queue.try_receive().is_some() {}
}

#[tokio::test]
async fn a_deployment_without_a_key_says_that_it_cannot_sign() {
    let app = TestApp::start();
    let service = app.app.clone().with_webhook_key(None);
    let router = api::router(
        service,
        scrape::check,
        crate::support::judge(),
        api::Access::Open,
    );
    let mut app = app;
    app.router = router;
    let refused = app.post("/api/webhooks", &json!({"url": HOOK})).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let body = json!({"type": "single-page", "url": "http://a.example", "webhook": {"url": HOOK}});
    let refused = app.post("/api/jobs", &body).await;
    assert_eq!(refused.fields(), ["webhook"]);
}

#[tokio::test]
async fn webhooks_and_deliveries_are_stored_and_shown_as_they_always_were() {
    let app = TestApp::start();
    let body = json!({"url": HOOK, "events": ["job.completed"], "customerId": "customer-123"});
    let mut hook = app.hook(&body).await;
    hook["secret"] = json!("[secret]");
    assert_golden("wire_webhook_created", &hook);
    let job = JobId::new(app.app.now(), 7);
    let told = event_of(&app, 7, EventType::JobCompleted, &job, "customer-123");
    app.tell(&told).await;
    let receiver = Receiver::that([Act::Wait(503, 60), Act::Answer(200)]);
    app.deliver(&receiver).await;
    app.advance(Duration::from_mins(1));
    let items: Vec<_> = app.items();
    assert_golden("items_of_webhooks", &json!(items));
    let log = app.get(&format!("{}/deliveries", path(&hook))).await;
    assert_golden("wire_deliveries_pending", &log.json);
    app.deliver(&receiver).await;
    let log = app.get(&format!("{}/deliveries", path(&hook))).await;
    assert_golden("wire_deliveries", &log.json);
    let list = app.get("/api/webhooks").await;
    assert_golden("wire_webhooks", &list.json);
    let missing = app
        .get("/api/webhooks/whk_01hf7yat000000000000000007")
        .await;
    assert_golden("wire_error_unknown_webhook", &missing.json);
}
