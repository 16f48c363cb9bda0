//! A whole crawl in one file, where the store gives links: what is answered until it is there, and
//! that it says what the same file says that is streamed.

mod endings;
mod store;
mod writing;

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use jobs::app::Limits;
use jobs::page::Link;
use jobs::ports::PageRequest;
use jobs::{App, Page};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use object_store::signer::Url;
use serde_json::json;
use tower::ServiceExt;

use self::store::Linked;
use crate::app::{Answered, START, Scripted, TestApp};
use crate::support;

const SITE: &str = "http://site.example/";
const FORMS: [&str; 2] = ["ndjson", "csv"];

/// A service whose store gives links.
struct Service {
    app: TestApp,
    store: Linked,
    /// The same service on a store that gives none.
    plain: Router,
}

impl Service {
    fn start() -> Self {
        Self::on(TestApp::start())
    }

    fn on(mut app: TestApp) -> Self {
        let store = Linked::over(app.blobs.clone());
        let plain = app.router.clone();
        app.ports.blobs = std::sync::Arc::new(store.clone());
        app.app = App::new(app.ports.clone(), Limits::default());
        app.router = api::router(
            app.app.clone(),
            scrape::check,
            crate::support::judge(),
            api::Access::Open,
        );
        Self { app, store, plain }
    }

    /// A crawl that has found `pages` pages of about `bytes` each, a half of them text.
    async fn crawled(&self, pages: usize, bytes: usize) -> String {
        let id = self.create(pages).await;
        let web = move |request: &PageRequest| Ok(page(request.url.as_str(), pages, bytes));
        self.app.drain(&Scripted(web)).await;
        assert_eq!(self.app.status(&id).await, "completed");
        id
    }

    async fn create(&self, pages: usize) -> String {
        let body = json!({
            "type": "full-crawl", "url": SITE, "customerId": "ann", "maxPages": pages.max(1),
            "sitemap": "skip", "config": {"fields": {"price": {"selector": ".price"}}},
        });
        self.app.create(&body).await
    }

    async fn ask(&self, id: &str, form: &str) -> Answered {
        self.app.get(&path(id, form)).await
    }

    /// The file as it is streamed.
    async fn streamed(&self, id: &str, form: &str) -> String {
        let request = axum::http::Request::get(path(id, form));
        let request = request.body(Body::empty()).unwrap();
        let response = self.plain.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        String::from_utf8(body.unwrap().into()).unwrap()
    }

    /// Asks until the file is there: its address, and how often it was asked for.
    async fn asked_until_there(&self, id: &str, form: &str) -> (Url, usize) {
        for asked in 1..100 {
            let answer = self.ask(id, form).await;
            match answer.status {
                StatusCode::SEE_OTHER => return (location(&answer), asked),
                status => assert_eq!(status, StatusCode::ACCEPTED, "{answer:?}"),
            }
        }
        panic!("the file is never there");
    }

    /// What the address of a file gives.
    async fn followed(&self, url: &Url) -> String {
        assert_eq!(url.host_str(), Some("files.example"));
        let found = self.app.blobs.get(&Path::from(&url.path()[1..])).await;
        let bytes = found.unwrap().bytes().await.unwrap();
        String::from_utf8(bytes.into()).unwrap()
    }

    async fn files(&self) -> Vec<String> {
        let mut names = self.app.blob_names().await;
        names.retain(|name| name.starts_with("exports/"));
        names
    }

    async fn delete_files(&self) {
        for name in self.files().await {
            self.app.blobs.delete(&Path::from(name)).await.unwrap();
        }
    }
}

fn path(id: &str, form: &str) -> String {
    format!("/api/jobs/{id}/results?download={form}")
}

fn location(answer: &Answered) -> Url {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    Url::parse(answer.header("location").unwrap()).unwrap()
}

/// A page of a site whose start links to all of them; each says something else.
fn page(url: &str, pages: usize, bytes: usize) -> Page {
    let mut page = support::page(url, START);
    let sentence = format!("This, says \"{url}\", is all\n");
    page.text = sentence.repeat(bytes / 2 / sentence.len());
    page.markdown.clone_from(&page.text);
    page.fields = BTreeMap::from([("price".to_owned(), json!("=1+1"))]);
    if url == SITE {
        let links = (1..pages).map(|number| Link {
            url: format!("{SITE}{number}"),
            text: String::new(),
            rel: None,
        });
        page.links = links.collect();
    }
    page
}
