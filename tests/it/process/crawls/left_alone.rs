//! What else lies in the folder of a crawl: it stays as it is.

use axum::http::Method;
use serde_json::json;

use super::{tree, urls};
use crate::process::program::{Server, run};
use crate::process::{assert_refused, folder};
use crate::site::{Answer, Gate, TestSite};

#[tokio::test]
async fn a_crawl_leaves_the_other_jobs_of_its_folder_as_they_are() {
    let (folder, site, other) = (folder(), tree(7).await, TestSite::start().await);
    let gate = Gate::closed();
    other.everywhere(Answer::html("other").held(&gate));
    let server = Server::start(folder.path(), other.address()).await;
    let ids = [
        server.accept(&other.url("/1")).await,
        server.accept(&other.url("/2")).await,
    ];
    other.arrived(2).await;
    server.process.kill();
    let (here, there) = (site.address(), other.address());
    let targets = format!("--allow-private-targets={here},{there}");
    let ended = run(folder.path(), &["crawl", &site.url("/"), &targets]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(urls(&ended.stdout).len(), 7);
    let line = "2 other unfinished jobs of .harvestman left as is";
    assert!(ended.stderr.contains(line), "{ended:?}");
    assert_eq!(other.seen().len(), 2);
    // They are the service's still.
    gate.open();
    let server = Server::start(folder.path(), other.address()).await;
    for id in ids {
        server.until(&format!("/api/jobs/{id}"), "completed").await;
    }
}

#[tokio::test]
async fn a_folder_whose_queue_is_paused_crawls_nothing_and_says_so() {
    let (folder, site) = (folder(), tree(1).await);
    let server = Server::start(folder.path(), site.address()).await;
    let body = json!({"operation": "pause"});
    let paused = local::client::call(server.address, Method::POST, "/api/queue", Some(&body));
    assert_eq!(paused.await.unwrap().0, 200);
    server.process.kill();
    let refused = run(folder.path(), &["crawl", &site.url("/")]).await;
    assert_refused(&refused, "the queue of this folder is paused");
    assert_eq!(site.seen().len(), 0);
}
