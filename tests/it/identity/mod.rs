//! Who gets in, and what each caller sees of the others.

mod keys;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use jobs::ApiKey;
use serde_json::{Value, json};

use crate::app::{Answered, Anything, TestApp};
use crate::golden::assert_golden;

const URL: &str = "http://site.example/page";

/// A service behind keys, and its first admin's.
struct Guarded {
    app: TestApp,
    admin: String,
}

impl Guarded {
    fn start() -> Self {
        let admin = ApiKey::new([77, 88]);
        Self {
            app: TestApp::start().behind_keys(Some(admin.hash())),
            admin: admin.reveal().to_owned(),
        }
    }

    async fn ask(&self, key: &str, method: Method, path: &str, body: &Value) -> Answered {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/json");
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        self.app.send(request.body(body).unwrap()).await
    }

    async fn get(&self, key: &str, path: &str) -> Answered {
        self.ask(key, Method::GET, path, &Value::Null).await
    }

    async fn post(&self, key: &str, path: &str, body: &Value) -> Answered {
        self.ask(key, Method::POST, path, body).await
    }

    async fn revoke(&self, key: &str, id: &str) -> Answered {
        let path = format!("/api/keys/{id}");
        self.ask(key, Method::DELETE, &path, &Value::Null).await
    }

    /// Makes a key; gives its id and its secret.
    async fn make(&self, body: &Value) -> (String, String) {
        let made = self.post(&self.admin, "/api/keys", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        (made.text("id").to_owned(), made.text("key").to_owned())
    }

    async fn make_for(&self, customer: &str) -> String {
        self.make(&json!({"customerId": customer})).await.1
    }

    /// Creates a job for a page under `key`, and gives its id.
    async fn create(&self, key: &str, url: &str) -> String {
        let body = json!({"type": "single-page", "url": url});
        let created = self.post(key, "/api/jobs", &body).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
        created.text("jobId").to_owned()
    }
}

fn ids(list: &Answered) -> Vec<&str> {
    let jobs = list.json["jobs"].as_array().unwrap().iter();
    jobs.map(|job| job["id"].as_str().unwrap()).collect()
}

fn assert_unidentified(answer: &Answered, path: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} {answer:?}");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    let (name, other) = if path.starts_with("/api/v1/") {
        ("message", "error")
    } else {
        ("error", "details")
    };
    assert_eq!(answer.text(name), "Unauthorized", "{path}");
    assert!(!answer.text(other).is_empty(), "{path}");
}

/// Every path of the router, and some that it does not have, with the methods that they take.
fn closed() -> Vec<(&'static str, String)> {
    let routes = api::ROUTES.iter().copied();
    let unknown = [
        ("GET", "/api"),
        ("GET", "/api/nowhere"),
        ("GET", "/api/v1/nowhere"),
        ("PATCH", "/api/jobs"),
        ("GET", "/"),
    ];
    let open = ["/openapi.json", "/api/v1/health"];
    let closed = routes.chain(unknown).filter(|(_, path)| {
        let documents = path.starts_with("/docs");
        !open.contains(path) && !documents
    });
    let id = "job_01hf7yat000000000000000007";
    closed
        .map(|(method, path)| (method, path.replace("{id}", id)))
        .collect()
}

#[tokio::test]
async fn nobody_gets_in_without_a_good_key() {
    let guarded = Guarded::start();
    let (id, revoked) = guarded.make(&json!({"admin": true})).await;
    let answer = guarded.revoke(&guarded.admin, &id).await;
    assert_eq!(answer.status, StatusCode::OK);
    let unknown = ApiKey::new([1, 1]);
    let headers: [&[&str]; 9] = [
        &[],
        &[""],
        &["Bearer"],
        &["Bearer hm_"],
        &[&format!("Basic {}", guarded.admin)],
        &[&guarded.admin],
        &[&format!("Bearer {}", unknown.reveal())],
        &[&format!("Bearer {revoked}")],
        // One is good, and nobody knows which was meant.
        &[&format!("Bearer {}", guarded.admin), "Bearer hm_"],
    ];
    for (method, path) in closed() {
        for sent in headers {
            let mut request = Request::builder().method(method).uri(&path);
            for header in sent {
                request = request.header(header::AUTHORIZATION, *header);
            }
            let request = request.body(Body::from("{")).unwrap();
            assert_unidentified(&guarded.app.send(request).await, &path);
        }
    }
    let binary = Request::get("/api/jobs").header(header::AUTHORIZATION, &b"Bearer \xff"[..]);
    let binary = guarded.app.send(binary.body(Body::empty()).unwrap()).await;
    assert_unidentified(&binary, "/api/jobs");
}

#[tokio::test]
async fn what_says_nothing_about_jobs_needs_no_key() {
    let guarded = Guarded::start();
    for path in ["/api/v1/health", "/openapi.json"] {
        assert_eq!(guarded.app.get(path).await.status, StatusCode::OK, "{path}");
        let answer = guarded.get("hm_", path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: nor a good one");
    }
}

#[tokio::test]
async fn the_document_says_where_a_key_is_needed() {
    for (app, needed) in [
        (TestApp::start(), json!([{}, {"key": []}])),
        (TestApp::start().behind_keys(None), json!([{"key": []}])),
    ] {
        let document = app.get("/openapi.json").await.json;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let open = path == "/api/v1/health";
                let expected = if open { &json!([]) } else { &needed };
                assert_eq!(&operation["security"], expected, "{method} {path}");
                let refusal = &operation["responses"]["401"];
                assert_eq!(refusal.is_object(), !open, "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_customer_sees_and_makes_nothing_but_its_own() {
    let guarded = Guarded::start();
    let mine = guarded.make_for("mine").await;
    let theirs = guarded.make_for("theirs").await;
    let own = guarded.create(&mine, URL).await;
    let other = guarded.create(&theirs, URL).await;
    assert_ne!(own, other, "an equal job of another is none of mine");
    guarded.app.drain(&Anything).await;
    guarded.app.advance(Duration::from_secs(5));

    let nothing = guarded
        .get(&mine, "/api/jobs/job_01hf7yat000000000000000007")
        .await;
    for path in ["/api/jobs/{}", "/api/jobs/{}/results", "/api/v1/jobs/{}"] {
        let read = guarded.get(&mine, &path.replace("{}", &own)).await;
        assert_eq!(read.status, StatusCode::OK, "{path}");
        let hidden = guarded.get(&mine, &path.replace("{}", &other)).await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path} {hidden:?}");
        let headers: Vec<_> = hidden.headers.keys().collect();
        let of_nothing: Vec<_> = nothing.headers.keys().collect();
        assert_eq!(headers, of_nothing, "{path}: as if it were not there");
    }
    let read = guarded.get(&mine, &format!("/api/jobs/{own}")).await;
    assert_eq!(read.text("customerId"), "mine");

    for query in ["", "?customerId=mine", "?includeHealth=true"] {
        let list = guarded.get(&mine, &format!("/api/jobs{query}")).await;
        assert_eq!(ids(&list), [&own], "{query}");
        assert_eq!(list.json["stats"]["completed"], 1, "{query}");
    }
    let list = guarded.get(&mine, "/api/jobs?customerId=theirs").await;
    assert_eq!(list.status, StatusCode::NOT_FOUND);
    let body = json!({"type": "single-page", "url": URL, "customerId": "theirs"});
    let refused = guarded.post(&mine, "/api/jobs", &body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_golden("wire_error_forbidden", &refused.json);
    let body = json!({"type": "single-page", "url": URL, "customerId": "mine"});
    let created = guarded.post(&mine, "/api/jobs", &body).await;
    assert_eq!(created.status, StatusCode::CREATED);
    guarded.app.drain(&Anything).await;

    let all = guarded.get(&guarded.admin, "/api/jobs").await;
    assert_eq!(ids(&all).len(), 3);
    let path = "/api/jobs?customerId=theirs";
    assert_eq!(ids(&guarded.get(&guarded.admin, path).await), [&other]);
    let read = guarded
        .get(&guarded.admin, &format!("/api/v1/jobs/{other}"))
        .await;
    assert_eq!(read.status, StatusCode::OK);
}

#[tokio::test]
async fn a_cursor_in_other_hands_shows_nothing_of_its_owner() {
    let guarded = Guarded::start();
    let mine = guarded.make_for("mine").await;
    let theirs = guarded.make_for("theirs").await;
    let mut own = Vec::new();
    for n in 0..3 {
        own.push(guarded.create(&mine, &format!("{URL}/{n}")).await);
        guarded.create(&theirs, &format!("{URL}/{n}")).await;
    }
    guarded.app.drain(&Anything).await;
    let page = guarded.get(&theirs, "/api/jobs?limit=1").await;
    let path = format!("/api/jobs?cursor={}", page.text("nextCursor"));
    let stolen = guarded.get(&mine, &path).await;
    if stolen.status != StatusCode::BAD_REQUEST {
        let found = ids(&stolen);
        assert!(found.iter().all(|id| own.iter().any(|own| own == id)));
    }
}

#[tokio::test]
async fn without_keys_everybody_is_let_in_and_a_key_counts_all_the_same() {
    let app = TestApp::start();
    let made = app.post("/api/keys", &json!({"customerId": "mine"})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let other = app.create_for(URL).await;
    app.drain(&Anything).await;
    let ask = async |authorization: &str| {
        let request = Request::get(format!("/api/jobs/{other}"))
            .header(header::AUTHORIZATION, authorization.to_owned());
        app.send(request.body(Body::empty()).unwrap()).await
    };
    let narrowed = ask(&format!("Bearer {}", made.text("key"))).await;
    assert_eq!(narrowed.status, StatusCode::NOT_FOUND);
    assert_unidentified(&ask("Bearer hm_bad").await, "/api/jobs");
}

#[tokio::test]
async fn every_route_of_a_job_answers_others_as_if_it_were_not_there() {
    let guarded = Guarded::start();
    let mine = guarded.make_for("mine").await;
    let theirs = guarded.make_for("theirs").await;
    let other = guarded.create(&theirs, URL).await;
    let before = guarded.app.row(&other).await;
    let of_a_job = |path: &str| {
        let jobs = ["/api/jobs/{id}", "/api/v1/jobs/{id}"];
        jobs.iter().any(|jobs| path.starts_with(jobs))
    };
    let routes = api::ROUTES.iter().filter(|(_, path)| of_a_job(path));
    for (method, path) in routes {
        let body = match *method {
            "PUT" => json!({"action": "cancel"}),
            _ => Value::Null,
        };
        let path = path.replace("{id}", &other);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = guarded.ask(&mine, method, &path, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path} {answer:?}");
    }
    assert_eq!(guarded.app.row(&other).await, before, "nor touched");
    guarded.app.drain(&Anything).await;
}
