//! The page of documentation: everything that the document says, and nothing from elsewhere.

use axum::http::StatusCode;

use crate::app::TestApp;

#[tokio::test]
async fn the_page_shows_every_call_and_every_shape_of_the_document() {
    let app = TestApp::start();
    let document = app.get("/openapi.json").await.json;
    let answer = app.get("/docs").await;
    assert_eq!(answer.status, StatusCode::OK);
    let page = answer.json.as_str().unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let title = format!(
                "<span class=method>{}</span> <code>{path}</code>",
                method.to_uppercase()
            );
            let section = format!("<section id=\"{id}\"><h3>{title}</h3>");
            assert!(page.contains(&section), "{method} {path}");
            assert!(page.contains(&format!("<a href=\"#{id}\">{title}</a>")));
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                assert!(page.contains(&format!("<code>{name}</code>")), "{name}");
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(
            page.contains(&format!("<section id=\"schema-{name}\">")),
            "{name}"
        );
        for (field, _) in schema["properties"].as_object().into_iter().flatten() {
            assert!(
                page.contains(&format!("<td><code>{field}</code>")),
                "{name}.{field}"
            );
        }
    }
}

#[tokio::test]
async fn every_link_of_the_page_leads_somewhere_and_none_leaves() {
    let app = TestApp::start();
    let answer = app.get("/docs").await;
    let page = answer.json.as_str().unwrap();
    let mut links = 0;
    for link in page.split(" href=\"").skip(1) {
        links += 1;
        let target = link.split('"').next().unwrap();
        match target.strip_prefix('#') {
            Some(id) => assert!(page.contains(&format!(" id=\"{id}\"")), "{target}"),
            None => assert_eq!(target, "/openapi.json"),
        }
    }
    assert!(links > 20, "{links}");
    for loading in [
        "<script", "<link", "<img", "<iframe", " src=", "@import", "url(",
    ] {
        assert!(!page.contains(loading), "{loading}");
    }
}

#[tokio::test]
async fn the_page_is_html_that_may_load_nothing() {
    let app = TestApp::start();
    let answer = app.get("/docs").await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = answer.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'unsafe-inline'"),
        "{policy}"
    );
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}
