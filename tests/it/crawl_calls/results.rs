//! Results in every form, and as one file.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jobs::Page;
use jobs::ports::PageRequest;
use serde_json::{Value, json};

use super::{SITE, crawl};
use crate::app::{Answered, START, Scripted, TestApp};
use crate::support;

fn telling(request: &PageRequest) -> Page {
    let mut page = support::page(request.url.as_str(), START);
    page.title = Some("=cmd|' /C calc'!A0".to_owned());
    page.text = String::from("One, \"two\"\nthree");
    page.markdown = String::from("One, *two*");
    page.fields = BTreeMap::from([
        ("price".to_owned(), json!(-4.5)),
        ("tags".to_owned(), json!(["a", "b"])),
    ]);
    page
}

/// A job with one page.
async fn with_page() -> (TestApp, String) {
    let app = TestApp::start();
    let fields = json!({"price": {"selector": ".price"}, "tags": {"selector": "li"}});
    let body = json!({"type": "single-page", "url": SITE, "config": {"fields": fields}});
    let id = app.create(&body).await;
    app.drain(&Scripted(|request: &PageRequest| Ok(telling(request))))
        .await;
    (app, format!("/api/jobs/{id}/results"))
}

async fn accepting(app: &TestApp, path: &str, accept: &str) -> Answered {
    let request = Request::get(path).header("accept", accept);
    app.send(request.body(Body::empty()).unwrap()).await
}

fn text(answer: &Answered) -> &str {
    answer.json.as_str().unwrap_or_else(|| panic!("{answer:?}"))
}

#[tokio::test]
async fn results_come_in_the_form_that_is_asked_for() {
    let (app, path) = with_page().await;
    for (format, accept, content_type) in [
        ("json", "application/json", "application/json"),
        ("ndjson", "application/x-ndjson", "application/x-ndjson"),
        ("csv", "text/csv", "text/csv; charset=utf-8; header=present"),
        ("markdown", "text/markdown", "text/markdown; charset=utf-8"),
    ] {
        let named = app.get(&format!("{path}?format={format}")).await;
        assert_eq!(named.status, StatusCode::OK, "{format}");
        assert_eq!(named.header("content-type"), Some(content_type));
        assert_eq!(named.header("vary"), Some("Accept"));
        assert_eq!(named.header("x-next-cursor"), None, "{format}");
        let accepted = accepting(&app, &path, accept).await;
        assert_eq!(accepted.header("content-type"), Some(content_type));
        assert_eq!(accepted.json, named.json, "{format}");
        // What is named counts, whatever is accepted.
        let both = accepting(&app, &format!("{path}?format={format}"), "text/csv").await;
        assert_eq!(both.json, named.json, "{format}");
        let tag = named.header("etag").unwrap();
        let path = format!("{path}?format={format}");
        let again = app.get_unless(&path, tag).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{format}");
    }
    let weighed = accepting(
        &app,
        &path,
        "text/csv;q=0.1, text/markdown;q=0.2, */*;q=0.15",
    )
    .await;
    assert!(text(&weighed).starts_with("# "), "{weighed:?}");
    let anything = accepting(&app, &path, "*/*").await;
    assert!(anything.json["results"].is_array());
}

#[tokio::test]
async fn a_form_says_what_the_page_says() {
    let (app, path) = with_page().await;
    let json = app.get(&path).await.json;
    let ndjson = app.get(&format!("{path}?format=ndjson")).await;
    let line = text(&ndjson).strip_suffix('\n').unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(line).unwrap(),
        json["results"][0]
    );

    let csv = app.get(&format!("{path}?format=csv")).await;
    let (header, row) = text(&csv).split_once("\r\n").unwrap();
    assert_eq!(
        header,
        "url,finalUrl,status,title,description,language,contentType,canonical,contentHash,etag,\
         lastModified,fetchedAt,durationMs,bytes,jsRequired,truncated,text,fields.price,fields.tags"
    );
    assert_eq!(
        row,
        "http://site.example/,http://site.example/,200,'=cmd|' /C calc'!A0,,,text/html,,00,,,\
         2023-11-14T22:13:20.000Z,1,17,,,\"One, \"\"two\"\"\nthree\",-4.5,\"[\"\"a\"\",\"\"b\"\"]\"\r\n"
    );

    let markdown = app.get(&format!("{path}?format=markdown")).await;
    let expected = "# =cmd|' /C calc'!A0\n\nSource: <http://site.example/>\n\nOne, *two*\n";
    assert_eq!(text(&markdown), expected);
}

#[tokio::test]
async fn a_job_without_results_is_empty_in_every_form() {
    let app = TestApp::start();
    let id = crawl(&app).await;
    let path = format!("/api/jobs/{id}/results");
    assert_eq!(
        app.get(&path).await.json,
        json!({"results": [], "nextCursor": null})
    );
    for form in ["format=ndjson", "format=markdown", "download=ndjson"] {
        let answer = app.get(&format!("{path}?{form}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{form}");
        assert_eq!(answer.json, Value::Null, "{form}");
    }
    for form in ["format=csv", "download=csv"] {
        let answer = app.get(&format!("{path}?{form}")).await;
        let header = text(&answer).strip_suffix("\r\n").unwrap();
        assert!(
            header.starts_with("url,finalUrl,") && !header.contains('\n'),
            "{header}"
        );
    }
}

#[tokio::test]
async fn all_results_are_one_file() {
    let (app, path) = with_page().await;
    let id = path.split('/').nth(3).unwrap().to_owned();
    for (form, content_type) in [
        ("ndjson", "application/x-ndjson"),
        ("csv", "text/csv; charset=utf-8; header=present"),
    ] {
        let file = app.get(&format!("{path}?download={form}")).await;
        assert_eq!(file.status, StatusCode::OK, "{form}");
        assert_eq!(file.header("content-type"), Some(content_type));
        let name = format!("attachment; filename=\"{id}.{form}\"");
        assert_eq!(file.header("content-disposition"), Some(name.as_str()));
        let page = app.get(&format!("{path}?format={form}")).await;
        assert_eq!(file.json, page.json, "{form}");
        assert_ne!(file.header("etag"), page.header("etag"), "{form}");
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_of_results_is_named() {
    let (app, path) = with_page().await;
    for (query, field) in [
        ("format=pdf", "format"),
        ("format=", "format"),
        ("download=markdown", "download"),
        ("download=csv&limit=1", "limit"),
        ("download=csv&format=csv", "format"),
        ("download=csv&cursor=x", "cursor"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=MC0w", "cursor"),
        ("page=2", "page"),
    ] {
        let answer = app.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.fields(), [field], "{query}");
    }
    let empty = app.get(&format!("{path}?cursor=&limit=1000")).await;
    assert_eq!(empty.status, StatusCode::OK);
}
