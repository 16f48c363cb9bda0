//! How a file comes about: at once, in parts, by whoever asks and by the sweep.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use jobs::Caller;
use serde_json::{Value, json};

use super::{FORMS, Service, location, path};
use crate::app::TestApp;
use crate::calls::customer;
use crate::golden::assert_golden;

const MIB: usize = 1024 * 1024;

/// The item of an export, without what depends on how well results are compressed.
fn without_sizes(item: &Value) -> Value {
    let mut item = item.clone();
    let mut export: Value = serde_json::from_str(item["export"]["S"].as_str().unwrap()).unwrap();
    for size in ["o", "l"] {
        assert!(export["manifest"][size].is_u64(), "{export}");
        export["manifest"][size] = json!(0);
    }
    item["export"]["S"] = json!(export.to_string());
    item
}

#[tokio::test]
async fn a_small_crawl_is_at_a_link_at_once() {
    let service = Service::start();
    let id = service.crawled(3, 2_000).await;
    for form in FORMS {
        let answer = service.ask(&id, form).await;
        let url = location(&answer);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("etag"), None, "a link is no version");
        let query: Vec<_> = url.query_pairs().into_owned().collect();
        let said = |name: &str| {
            let mut pairs = query.iter().filter(|(key, _)| key == name);
            pairs.next().unwrap().1.clone()
        };
        assert_eq!(said("seconds"), "900");
        let name = format!("attachment; filename=\"{id}.{form}\"");
        assert_eq!(said("response-content-disposition"), name);
        let file = service.followed(&url).await;
        assert_eq!(file, service.streamed(&id, form).await);
        assert!(file.lines().count() >= 3);
        // The one file is all that there is, however often it is asked for.
        assert_eq!(location(&service.ask(&id, form).await), url);
    }
    assert_eq!(service.files().await.len(), 2);
    assert_eq!(service.store.sizes(), Vec::<usize>::new());
}

#[tokio::test]
async fn an_empty_crawl_is_a_file_as_well() {
    let service = Service::start();
    let id = service.create(1).await;
    while service.app.queue.try_receive().is_some() {}
    for form in FORMS {
        let url = location(&service.ask(&id, form).await);
        let file = service.followed(&url).await;
        assert_eq!(file, service.streamed(&id, form).await);
        assert_eq!(file.lines().count(), usize::from(form == "csv"));
    }
}

#[tokio::test]
async fn a_single_page_is_answered_itself() {
    let service = Service::start();
    let id = service.app.create_for(super::SITE).await;
    service.app.drain(&crate::app::Anything).await;
    for form in FORMS {
        assert_eq!(service.ask(&id, form).await.status, StatusCode::OK);
    }
    assert_eq!(service.files().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_large_crawl_is_written_in_parts_while_it_is_asked_for() {
    let service = Service::start();
    let id = service.crawled(30, MIB).await;
    for form in FORMS {
        let begun = service.ask(&id, form).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED);
        assert_eq!(begun.header("retry-after"), Some("2"));
        assert_eq!(begun.header("cache-control"), Some("no-store"));
        assert_eq!(begun.header("etag"), None);
        let operation = begun.text("statusUrl").to_owned();
        let running = service.app.get(&operation).await.json;
        assert_eq!(running["status"], "running");
        if form == "csv" {
            assert_golden("wire_export_begun", &begun.json);
            let items = service.app.items();
            let export = items
                .iter()
                .find(|item| item["pk"]["S"] == running["id"] && item["sk"]["S"] == "operation");
            assert_golden("item_export", &without_sizes(export.unwrap()));
        }
        let (url, asked) = service.asked_until_there(&id, form).await;
        assert!(asked < 8, "asked {asked} times");
        let sizes = service.store.sizes();
        let (last, others) = sizes.split_last().unwrap();
        assert!(others.iter().all(|size| (5 * MIB..9 * MIB).contains(size)));
        assert!(*last < 9 * MIB && others.len() >= 2, "{sizes:?}");
        let file = service.followed(&url).await;
        assert!(file == service.streamed(&id, form).await, "{form}");
        let ended = service.app.get(&operation).await.json;
        assert_eq!(ended["status"], "completed");
        assert_eq!(ended["changed"], 30);
        if form == "csv" {
            assert_golden("wire_export", &ended);
        }
    }
}

#[tokio::test]
async fn the_sweep_writes_a_file_to_its_end() {
    let service = Service::start();
    let id = service.crawled(12, MIB).await;
    let begun = service.ask(&id, "ndjson").await;
    assert_eq!(begun.status, StatusCode::ACCEPTED);
    service.app.sweep().await;
    let operation = service.app.get(begun.text("statusUrl")).await.json;
    assert_eq!(operation["status"], "completed");
    let url = location(&service.ask(&id, "ndjson").await);
    let file = service.followed(&url).await;
    assert!(file == service.streamed(&id, "ndjson").await);
}

#[tokio::test]
async fn many_who_ask_at_once_begin_one_file() {
    let service = Service::start();
    let id = service.crawled(12, MIB).await;
    let answers = futures::future::join_all((0..8).map(|_| service.ask(&id, "csv"))).await;
    let mut begun = BTreeSet::new();
    for answer in &answers {
        // Each of them does a step, so that the file may be there for any that is answered late.
        if answer.status == StatusCode::ACCEPTED {
            begun.insert(answer.text("statusUrl"));
        } else {
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        }
    }
    assert!(begun.len() <= 1, "{begun:?}");
    let (url, _) = service.asked_until_there(&id, "csv").await;
    let file = service.followed(&url).await;
    assert!(file == service.streamed(&id, "csv").await);
    assert_eq!(service.files().await.len(), 1);
}

#[tokio::test]
async fn whoever_begins_a_file_its_owner_can_read_how_far_it_is() {
    let service = Service::start();
    let id = service.crawled(12, MIB).await;
    let begun = service.ask(&id, "csv").await;
    let operation = begun.text("statusUrl").to_owned();
    let app: TestApp = service.app.behind_keys(None);
    for (caller, expected) in [
        (customer("ann"), StatusCode::OK),
        (customer("bob"), StatusCode::NOT_FOUND),
        (Caller::Admin, StatusCode::OK),
    ] {
        let read = app
            .call(caller, Method::GET, &operation, &Value::Null)
            .await;
        assert_eq!(read.status, expected, "{read:?}");
    }
    let read = app
        .call(
            customer("bob"),
            Method::GET,
            &path(&id, "csv"),
            &json!(null),
        )
        .await;
    assert_eq!(read.status, StatusCode::NOT_FOUND);
}
