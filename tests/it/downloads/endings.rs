//! What becomes of a file when the crawl goes on, when whoever writes it dies, when the store
//! forgets, and when the job goes.

use std::time::Duration;

use axum::http::StatusCode;
use jobs::app::FileForm;
use jobs::crawl::Progress;
use jobs::operation::Export;
use jobs::ports::Operations;
use jobs::transition::Stamp;
use jobs::{Job, State};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use object_store::signer::Url;

use super::{Service, location};
use crate::app::INVOCATION;

const MIB: usize = 1024 * 1024;

/// Writes a row as a worker at the crawl would.
async fn stand(service: &Service, id: &str, state: State, crawl: &Progress) {
    let change = |row: &Job, stamp: Stamp| {
        Ok(Job {
            state,
            crawl: Some(Box::new(crawl.clone())),
            revision: row.revision + 1,
            nonce: stamp.nonce,
            finished_at: state.is_terminal().then_some(stamp.now),
            due_at: Some(stamp.now + INVOCATION * 120),
            ..row.clone()
        })
    };
    service.app.change(id, change).await;
}

async fn linked(service: &Service, id: &str) -> Url {
    location(&service.ask(id, "ndjson").await)
}

#[tokio::test]
async fn a_crawl_that_runs_is_written_as_it_stood_and_not_with_each_commit() {
    let service = Service::start();
    let id = service.crawled(3, 2_000).await;
    let later = service.app.row(&id).await.crawl.unwrap();
    let early = Progress {
        manifest: None,
        ..(*later).clone()
    };
    stand(&service, &id, State::Active, &early).await;
    let first = linked(&service, &id).await;
    assert_eq!(service.followed(&first).await, "");
    stand(&service, &id, State::Active, &later).await;
    assert_eq!(linked(&service, &id).await, first, "it is fresh enough");
    service.app.advance(Duration::from_secs(601));
    let second = linked(&service, &id).await;
    assert_ne!(second, first);
    assert_eq!(service.followed(&second).await.lines().count(), 3);
    stand(&service, &id, State::Completed, &early).await;
    assert_eq!(linked(&service, &id).await, first, "a file stays");
    stand(&service, &id, State::Completed, &later).await;
    assert_eq!(linked(&service, &id).await, second);
}

#[tokio::test]
async fn what_has_ended_is_never_answered_with_what_it_was() {
    let service = Service::start();
    let id = service.crawled(3, 2_000).await;
    let later = service.app.row(&id).await.crawl.unwrap();
    let early = Progress {
        manifest: None,
        ..(*later).clone()
    };
    stand(&service, &id, State::Active, &early).await;
    let first = linked(&service, &id).await;
    stand(&service, &id, State::Completed, &later).await;
    let second = linked(&service, &id).await;
    assert_ne!(second, first);
    assert_eq!(service.followed(&second).await.lines().count(), 3);
}

#[tokio::test]
async fn a_file_is_the_same_wherever_its_writer_is_killed() {
    let service = Service::start();
    let id = service.crawled(12, MIB).await;
    for form in FileForm::ALL {
        let expected = service.streamed(&id, form.as_str()).await;
        let mut killed = 0;
        for point in 0.. {
            service.store.kill_at(point);
            let survived = tokio::select! {
                _ = service.asked_until_there(&id, form.as_str()) => true,
                () = service.store.died.notified() => false,
            };
            service.store.kill_at(i64::MAX);
            // Longer than the lease of whoever died.
            service.app.advance(Duration::from_secs(61));
            let (url, _) = service.asked_until_there(&id, form.as_str()).await;
            let file = service.followed(&url).await;
            assert!(file == expected, "killed at {point}");
            if survived {
                break;
            }
            killed += 1;
            let export = Export::of(&service.app.row(&id).await, form);
            let operation = export.operation();
            let operation = service.app.store.operation(&operation).await.unwrap();
            if let Some(operation) = operation {
                service.app.store.remove(&operation).await.unwrap();
            }
            service.delete_files().await;
        }
        assert!(killed > 10, "only {killed} points");
    }
}

#[tokio::test]
async fn an_upload_that_the_store_has_forgotten_is_begun_anew() {
    let service = Service::start();
    let id = service.crawled(12, MIB).await;
    let expected = service.streamed(&id, "ndjson").await;
    let begun = service.ask(&id, "ndjson").await;
    assert_eq!(begun.status, StatusCode::ACCEPTED);
    service.store.forget_uploads();
    let (url, asked) = service.asked_until_there(&id, "ndjson").await;
    assert!(asked > 2, "asked {asked} times");
    assert!(service.followed(&url).await == expected);
}

#[tokio::test]
async fn a_file_that_was_removed_is_written_again() {
    let service = Service::start();
    let id = service.crawled(3, 2_000).await;
    let url = linked(&service, &id).await;
    service.delete_files().await;
    assert_eq!(linked(&service, &id).await, url);
    assert_eq!(service.files().await.len(), 1);
}

#[tokio::test]
async fn results_that_do_not_read_are_said_and_not_tried_for_ever() {
    let service = Service::start();
    let id = service.crawled(12, MIB).await;
    let begun = service.ask(&id, "ndjson").await;
    let operation = begun.text("statusUrl").to_owned();
    for name in service.app.blob_names().await {
        if name.starts_with("crawls/") {
            service.app.blobs.delete(&Path::from(name)).await.unwrap();
        }
    }
    for _ in 0..2 {
        let answer = service.ask(&id, "ndjson").await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    let ended = service.app.get(&operation).await.json;
    assert_eq!(ended["status"], "completed");
    assert_eq!(ended["skippedBecause"]["unfit"], 1);
    assert_eq!(service.files().await, Vec::<String>::new());
}

#[tokio::test]
async fn files_go_with_their_job_and_one_that_is_being_written_is_given_up() {
    let service = Service::start();
    let id = service.crawled(12, MIB).await;
    service.asked_until_there(&id, "ndjson").await;
    let half = service.ask(&id, "csv").await;
    assert_eq!(half.status, StatusCode::ACCEPTED);
    assert_eq!(service.files().await.len(), 1);
    service.app.advance(Duration::from_hours(25));
    service.app.sweep().await;
    assert_eq!(service.files().await, Vec::<String>::new());
    let operation = service.app.get(half.text("statusUrl")).await.json;
    assert_eq!(operation["status"], "completed");
    assert!(operation["changed"].as_u64().unwrap() < 12);
    assert_eq!(service.ask(&id, "csv").await.status, StatusCode::NOT_FOUND);
}
