//! Requests that are wrong: each is answered with what is wrong with it, in the shape of the face
//! that was asked, and none with a 5xx.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::app::{Anything, START, TestApp};

const URL: &str = "http://site.example/page";

/// Values of every shape, to be given where another one belongs.
fn shapes() -> Vec<Value> {
    vec![
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("word"),
        json!("\u{0}"),
        json!([]),
        json!([1, "a", null]),
        json!({}),
        json!({"a": {"b": [1]}}),
    ]
}

#[tokio::test]
async fn a_value_of_the_wrong_shape_is_named_by_its_field() {
    let app = TestApp::start();
    // Each field with those of the shapes that it takes.
    let fields: [(&str, Vec<Value>); 14] = [
        ("type", vec![]),
        ("url", vec![]),
        ("customerId", vec![json!("word")]),
        ("isNewCustomer", vec![json!(true)]),
        ("priority", vec![]),
        ("delay", vec![json!(0)]),
        ("metadata", vec![json!({}), json!({"a": {"b": [1]}})]),
        ("config", vec![json!({})]),
        ("attempts", vec![]),
        ("timeout", vec![]),
        ("deduplicate", vec![json!(true)]),
        ("deduplicateFor", vec![json!(0)]),
        ("headers", vec![json!({})]),
        ("userAgent", vec![json!("word")]),
    ];
    for (field, taken) in fields {
        for shape in shapes() {
            let mut body = json!({"type": "single-page", "url": URL});
            body[field] = shape.clone();
            let answer = app.post("/api/jobs", &body).await;
            if taken.contains(&shape) {
                assert!(answer.status.is_success(), "{field} {shape} {answer:?}");
                continue;
            }
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field} {shape}");
            assert_eq!(answer.text("error"), "Invalid job data");
            let named = answer.fields();
            let inside = format!("{field}.");
            let own = |name: &&str| *name == field || name.starts_with(&inside);
            assert!(
                !named.is_empty() && named.iter().all(own),
                "{field} {shape} names {named:?}"
            );
        }
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_number_just_outside_its_bounds_is_refused_and_one_at_them_is_not() {
    let app = TestApp::start();
    for (field, min, max) in [
        ("delay", 0, 2_592_000_000_u64),
        ("attempts", 1, 10),
        ("timeout", 1, 50_000),
        ("deduplicateFor", 0, 2_592_000_000),
    ] {
        let below = i64::from(min) - 1;
        for (value, status) in [
            (json!(below), 400),
            (json!(min), 201),
            (json!(max), 201),
            (json!(max + 1), 400),
        ] {
            let mut body = json!({"type": "single-page", "url": URL, "deduplicate": false});
            body[field] = value.clone();
            let answer = app.post("/api/jobs", &body).await;
            assert_eq!(answer.status.as_u16(), status, "{field} {value}");
            if status == 400 {
                assert_eq!(answer.fields(), [field], "{value}");
            }
        }
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn all_problems_are_named_at_once() {
    let app = TestApp::start();
    let body = json!({
        "url": "not a url", "priority": "soon", "delay": -1, "attempts": 11,
        "metadata": [], "config": {"fields": {"a": {"selector": "p["}}}, "nonsense": 1,
    });
    let answer = app.post("/api/jobs", &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "attempts",
            "config.fields.a.selector",
            "delay",
            "metadata",
            "nonsense",
            "priority",
            "type",
            "url"
        ]
    );
    let url = json!({"field": "url", "message": "Invalid URL format"});
    let details = answer.json["details"].as_array().unwrap();
    assert!(details.contains(&url), "{details:?}");
    assert!(app.items().is_empty(), "nothing is written");
}

#[tokio::test]
async fn a_wrong_field_of_a_configuration_hides_no_other() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": URL, "config": {"fields": {
        "a": {"selector": "a[["}, "b": {}, "c": {"selector": "a", "dataType": "nmber"},
        "d": {"type": "regex", "pattern": "("},
    }}});
    let answer = app.post("/api/jobs", &body).await;
    let mut fields = answer.fields();
    fields.sort_unstable();
    let expected = ["a.selector", "b.selector", "c.dataType", "d.pattern"];
    assert_eq!(
        fields,
        expected.map(|field| format!("config.fields.{field}"))
    );
}

#[tokio::test]
async fn a_field_that_nobody_knows_is_named() {
    let app = TestApp::start();
    for field in ["nonsense", "Url", "callback", "$where", "__proto__", ""] {
        let mut body = json!({"type": "single-page", "url": URL});
        body[field] = json!(1);
        let answer = app.post("/api/jobs", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field}");
        assert_eq!(answer.fields(), [field]);
    }
}

#[tokio::test]
async fn what_is_not_available_yet_is_said_and_never_ignored() {
    let app = TestApp::start();
    for (field, value) in [
        ("type", json!("navigate")),
        ("type", json!("generate-config")),
    ] {
        let mut body = json!({"type": "single-page", "url": URL});
        body[field] = value;
        let answer = app.post("/api/jobs", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field}");
        assert_eq!(answer.fields(), [field]);
        let message = answer.json["details"][0]["message"].as_str().unwrap();
        assert!(message.contains("not available yet"), "{message}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_the_clients_fault() {
    let app = TestApp::start();
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for body in [
        String::new(),
        " ".to_owned(),
        "{".to_owned(),
        "{\"type\":}".to_owned(),
        "{'type':'single-page'}".to_owned(),
        "{} {}".to_owned(),
        "NaN".to_owned(),
        "\u{feff}{}".to_owned(),
        "{\"url\":\"\\ud800\"}".to_owned(),
        "{\"delay\":1e999}".to_owned(),
        "type=single-page".to_owned(),
        nested(128),
        nested(100_000),
        "{\"a\":".repeat(100_000),
    ] {
        let shown: String = body.chars().take(40).collect();
        let answer = app.post_text("/api/jobs", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{shown}");
        assert_eq!(answer.fields(), ["body"], "{shown}");
    }
    let answer = app.post_text("/api/jobs", vec![b'"', 0xff, b'"']).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    for body in ["null", "true", "3", "\"text\"", "[]", "[{}]"] {
        let answer = app.post_text("/api/jobs", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.fields()[0], "body", "{body}");
    }
    assert_eq!(
        app.post_text("/api/jobs", nested(127)).await.fields()[0],
        "body",
        "deep enough to be read, and no object"
    );
}

#[tokio::test]
async fn deep_or_strange_but_valid_bodies_make_jobs() {
    let app = TestApp::start();
    let deep = format!("{}1{}", "[".repeat(125), "]".repeat(125));
    for (body, metadata) in [
        (format!(r#"{{"a":{deep}}}"#), None),
        (r#"{"a":"\u0000"}"#.to_owned(), Some(json!({"a": "\u{0}"}))),
        (r#"{"a":1,"a":2}"#.to_owned(), Some(json!({"a": 2}))),
        (r#"{"":""}"#.to_owned(), Some(json!({"": ""}))),
        (
            r#"{"n":12345678901234567890}"#.to_owned(),
            Some(json!({"n": 12_345_678_901_234_567_890_u64})),
        ),
    ] {
        let text = format!(
            r#"{{"type":"single-page","url":"{URL}","deduplicate":false,"metadata":{body}}}"#
        );
        let answer = app.post_text("/api/jobs", text).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let read = app.job(answer.text("jobId")).await;
        if let Some(metadata) = metadata {
            assert_eq!(read["metadata"], metadata);
        }
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_body_may_have_a_megabyte_and_no_more() {
    let app = TestApp::start();
    let body = json!({"type": "single-page", "url": URL}).to_string();
    let padded = |bytes: usize| format!("{body}{}", " ".repeat(bytes - body.len()));
    let fits = app.post_text("/api/jobs", padded(1_048_576)).await;
    assert_eq!(fits.status, StatusCode::CREATED);
    let over = app.post_text("/api/jobs", padded(1_048_577)).await;
    assert_eq!(over.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(over.text("error"), "Request body too large");
    assert!(over.text("details").contains("1048576"), "{over:?}");
    app.drain(&Anything).await;
}

#[tokio::test]
async fn a_specification_may_have_64_kilobytes_and_no_more() {
    let app = TestApp::start();
    let headers = |count: usize| -> Value {
        let name = |n| (format!("x-{n}"), json!("v".repeat(4_000)));
        (0..count)
            .map(name)
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let body = |count| json!({"type": "single-page", "url": URL, "headers": headers(count)});
    assert_eq!(
        app.post("/api/jobs", &body(16)).await.status,
        StatusCode::CREATED
    );
    let over = app.post("/api/jobs", &body(17)).await;
    assert_eq!(over.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(over.text("error"), "Job too large");
    app.drain(&Anything).await;
}

#[tokio::test]
async fn only_json_is_read() {
    let app = TestApp::start();
    let send = async |content_type: Option<&str>| {
        let body = json!({"type": "single-page", "url": URL}).to_string();
        let mut request = Request::post("/api/jobs");
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        app.send(request.body(Body::from(body)).unwrap()).await
    };
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonp"),
        Some("text/json+x"),
    ] {
        let answer = send(content_type).await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{content_type:?}"
        );
        assert_eq!(answer.text("error"), "Unsupported content type");
    }
    for content_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/vnd.harvestman+json",
    ] {
        assert!(
            send(Some(content_type)).await.status.is_success(),
            "{content_type}"
        );
    }
    app.drain(&Anything).await;
}

#[tokio::test]
async fn an_unknown_method_or_path_is_answered_in_the_shape_of_its_face() {
    let app = TestApp::start();
    let cases = [
        (Method::DELETE, "/api/jobs", 405),
        (Method::PATCH, "/api/jobs/job_x", 405),
        (Method::POST, "/api/jobs/job_x/results", 405),
        (Method::POST, "/api/v1/health", 405),
        (Method::PATCH, "/api/v1/jobs/job_x", 405),
        (Method::GET, "/", 404),
        (Method::GET, "/api", 404),
        (Method::GET, "/api/jobs/", 404),
        (Method::GET, "/api/jobs/a/b/c", 404),
        (Method::GET, "/api/v1", 404),
        (Method::POST, "/api/v1/nothing", 404),
        (Method::GET, "/api/v10", 404),
        (Method::GET, "/%00", 404),
    ];
    for (method, path, status) in cases {
        let request = Request::builder().method(&method).uri(path);
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        let title = if status == 405 {
            "Method not allowed"
        } else {
            "Not found"
        };
        if path.starts_with("/api/v1/") || path == "/api/v1" {
            assert_eq!(answer.json["success"], false, "{path}");
            assert_eq!(answer.text("message"), title);
            assert!(answer.text("error").contains(path), "{answer:?}");
            assert_eq!(answer.text("timestamp"), START.to_string());
        } else {
            assert_eq!(answer.text("error"), title, "{path}");
            assert!(answer.text("details").contains(path), "{answer:?}");
        }
        if status == 405 {
            // RFC 9110, section 15.5.6: a 405 says what would be allowed.
            let allow = answer.header("allow").unwrap_or_default();
            assert!(allow.contains("GET"), "{method} {path} allows {allow:?}");
        }
    }
}
