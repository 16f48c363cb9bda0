//! The program held back and operated on: what was asked for outlives a kill.

use axum::http::Method;
use serde_json::{Value, json};

use super::folder;
use super::program::Server;
use crate::site::{Answer, TestSite};

const JOBS: usize = 60;

async fn ask(server: &Server, body: &Value) -> Value {
    let answer = local::client::call(server.address, Method::POST, "/api/queue", Some(body));
    let (status, answer) = answer.await.unwrap();
    assert!((200..300).contains(&status), "{answer}");
    answer
}

#[tokio::test]
async fn a_queue_that_is_held_back_stays_so_after_a_kill_and_goes_on_when_let_go() {
    let (folder, site) = (folder(), TestSite::start().await);
    site.everywhere(Answer::html("<title>There</title>"));
    let server = Server::start(folder.path(), site.address()).await;
    ask(&server, &json!({"operation": "pause"})).await;
    for number in 0..JOBS {
        server.accept(&site.url(&format!("/{number}"))).await;
    }
    server.process.kill();
    let server = Server::start(folder.path(), site.address()).await;
    server.listed("waiting", JOBS).await;
    assert_eq!(site.connections(), 0);
    ask(&server, &json!({"operation": "resume"})).await;
    server.listed("completed", JOBS).await;
    assert_eq!(site.seen().len(), JOBS, "none twice");
}

#[tokio::test]
async fn an_operation_outlives_a_kill() {
    let (folder, site) = (folder(), TestSite::start().await);
    let server = Server::start(folder.path(), site.address()).await;
    ask(&server, &json!({"operation": "pause"})).await;
    for number in 0..2 * JOBS {
        server.accept(&site.url(&format!("/{number}"))).await;
    }
    // The request does a hundred; the rest is the sweep's.
    let begun = ask(&server, &json!({"operation": "drain"})).await;
    server.process.kill();
    let server = Server::start(folder.path(), site.address()).await;
    server.listed("cancelled", 100).await;
    let path = begun["statusUrl"].as_str().unwrap();
    let operation = server.until(path, "completed").await;
    assert_eq!(operation["examined"], 2 * JOBS);
    assert_eq!(operation["changed"], 2 * JOBS);
    assert_eq!(site.connections(), 0);
}
