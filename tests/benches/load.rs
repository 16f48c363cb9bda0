//! A closed loop of clients over real sockets: each keeps one connection and sends its next request
//! when it has read the whole answer to the last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Where requests go.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
}

/// When clients stop.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Passed(Duration),
    Sent(usize),
}

/// What a load did.
pub(crate) struct Load {
    pub(crate) times: Vec<Duration>,
    pub(crate) took: Duration,
}

impl Load {
    pub(crate) fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }
}

/// A job like no other, of a customer that has many.
pub(crate) fn new_job(number: usize) -> String {
    let url = format!("https://www.example.com/catalogue/page-{number}.html");
    let customer = format!("customer-{}", number % 16);
    json!({"type": "single-page", "url": url, "customerId": customer}).to_string()
}

/// Creates jobs over this many connections. `first` keeps them apart from those of other loads.
pub(crate) async fn create(
    target: &Target,
    connections: usize,
    until: Until,
    first: usize,
) -> Load {
    let next = Arc::new(AtomicUsize::new(first));
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let next = Arc::clone(&next);
        let mut client = Client::connect(target).await;
        clients.spawn(async move {
            let mut times = Vec::new();
            let began = Instant::now();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let over = match until {
                    Until::Passed(time) => began.elapsed() >= time,
                    Until::Sent(most) => number - first >= most,
                };
                if over {
                    return times;
                }
                let sent = Instant::now();
                client.create(new_job(number)).await;
                times.push(sent.elapsed());
            }
        });
    }
    let began = Instant::now();
    let times = clients.join_all().await.concat();
    let took = began.elapsed();
    Load { times, took }
}

/// One connection that is kept.
pub(crate) struct Client {
    target: Target,
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    pub(crate) async fn connect(target: &Target) -> Self {
        let stream = TcpStream::connect(target.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self {
            target: target.clone(),
            sender,
        }
    }

    /// Posts a job and reads the whole answer.
    pub(crate) async fn create(&mut self, body: String) -> Bytes {
        let request = Request::post(&self.target.path)
            .header("host", self.target.address.to_string())
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(status, StatusCode::CREATED, "{body:?}");
        body
    }
}
