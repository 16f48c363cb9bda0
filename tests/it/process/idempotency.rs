//! Idempotency keys over kills: what was answered is answered again, and a batch that a kill cut
//! short is whole.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::folder;
use super::program::Server;
use crate::site::{Answer, Gate, TestSite};

/// Posts a body under a key; nothing where the service ends before its answer.
async fn post(address: SocketAddr, body: Value) -> Option<(u16, Value)> {
    let stream = TcpStream::connect(address).await.ok()?;
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.ok()?;
    let _driver = tokio::spawn(connection);
    let request = Request::post("/api/jobs")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .header("idempotency-key", "key")
        .body(Full::new(Bytes::from(body.to_string())));
    let response = sender.send_request(request.unwrap()).await.ok()?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&bytes).unwrap()))
}

#[tokio::test]
async fn a_batch_under_a_key_is_whole_after_a_kill_and_answered_the_same_ever_after() {
    let (folder, site) = (folder(), TestSite::start().await);
    let gate = Gate::closed();
    site.everywhere(Answer::html("later").held(&gate));
    let urls: Vec<_> = (0..100).map(|page| site.url(&format!("/{page}"))).collect();
    let body = json!({"type": "single-page", "urls": urls});

    let server = Server::start(folder.path(), site.address()).await;
    let first = tokio::spawn(post(server.address, body.clone()));
    // The first part is written; how many more are when the kill comes is for the machine to say.
    site.arrived(1).await;
    server.process.kill();
    let first = first.await.unwrap();

    let mut answers: Vec<_> = first.into_iter().collect();
    for _ in 0..2 {
        let server = Server::start(folder.path(), site.address()).await;
        let again = post(server.address, body.clone()).await.unwrap();
        assert_eq!(again.0, 201, "{again:?}");
        assert_eq!(again.1["message"], "Created 100 jobs (0 deduplicated)");
        answers.push(again);
        let (_, list) = server.get("/api/jobs?limit=100").await;
        let jobs = list["jobs"].as_array().unwrap();
        let listed: BTreeSet<_> = jobs
            .iter()
            .map(|job| job["url"].as_str().unwrap())
            .collect();
        assert_eq!(listed, urls.iter().map(String::as_str).collect());
        let (_, list) = server.get("/api/jobs?status=active,waiting").await;
        let stats = &list["stats"];
        let count = |name: &str| stats[name].as_u64().unwrap();
        assert_eq!(count("active") + count("waiting") + count("delayed"), 100);
        server.process.kill();
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}
