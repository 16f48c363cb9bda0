//! A minimal client: one request to a service of ours on a connection that stands. For the demo it
//! makes that connection itself, to this machine alone: the web is reached through the door of
//! `scrape`.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Most bytes of an answer; ours stay below 6 MB.
const MAX_ANSWER: usize = 8 * 1_024 * 1_024;

/// Sends one request and reads the JSON that comes back.
pub async fn call(
    address: SocketAddr,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<(u16, Value)> {
    ensure!(
        address.ip().is_loopback(),
        "only a service on this machine is called"
    );
    let stream = TcpStream::connect(address)
        .await
        .context("the service does not answer")?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    exchange(stream, request).await
}

/// Sends one request over `stream` and reads the JSON that comes back.
pub(crate) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(u16, Value)> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_ANSWER)
        .collect()
        .await;
    let bytes = body.map_err(anyhow::Error::from_boxed)?.to_bytes();
    drop(sender);
    // The answer is complete; how its connection ends says nothing more.
    let _ = driver.await;
    Ok((status, serde_json::from_slice(&bytes)?))
}
