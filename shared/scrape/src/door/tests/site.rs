//! Servers that answer what a test tells them to, and doors with short clocks to fetch from them.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jobs::{Failure, FailureCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use crate::door::client::{Clocks, mozilla_roots};
use crate::door::guard::Guard;
use crate::door::{Door, Fetch, Fetched, Lookup, Targets, address};

/// Where the canaries listen: what must never be connected to.
pub(super) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A second loopback address, which the doors of [`guarded`] take for a public one.
pub(super) const STAND_IN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A server on loopback. Stops when dropped.
pub(super) struct Site {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

impl Site {
    /// Answers each request with the bytes that `answer` makes of its head, then hangs up.
    pub(super) async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::at(SocketAddr::new(LOOPBACK, 0), answer)
            .await
            .unwrap()
    }

    pub(super) async fn at(
        address: SocketAddr,
        answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let answer = Arc::new(answer);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let mut site = Self::raw(address, move |mut stream| {
            let (answer, record) = (Arc::clone(&answer), Arc::clone(&record));
            async move {
                let head = read_head(&mut stream).await;
                record.lock().unwrap().push(head.clone());
                // The client may have heard enough before we are done.
                let _ = stream.write_all(&answer(&head)).await;
                let _ = stream.shutdown().await;
            }
        })
        .await?;
        site.seen = seen;
        Ok(site)
    }

    /// Hands each connection to `serve`.
    pub(super) async fn raw<F>(
        address: SocketAddr,
        serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let connections = Arc::new(Mutex::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                tokio::spawn(serve(stream));
            }
        });
        Ok(Self {
            address,
            seen: Arc::default(),
            connections,
            task,
        })
    }

    /// A server that is there to be left alone.
    pub(super) async fn canary() -> Self {
        Self::start(|_| page("the canary was reached")).await
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// The heads of the requests so far.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server on a free port, of which each connection runs `serve`.
pub(super) async fn serve<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Site
where
    F: Future<Output = ()> + Send + 'static,
{
    Site::raw(SocketAddr::new(LOOPBACK, 0), serve)
        .await
        .unwrap()
}

/// Sends `head`, then `part` over and over, with a pause before each.
pub(super) async fn drip(mut stream: TcpStream, head: Vec<u8>, part: Vec<u8>, pause: Duration) {
    read_head(&mut stream).await;
    let mut sent = stream.write_all(&head).await;
    while sent.is_ok() {
        tokio::time::sleep(pause).await;
        sent = stream.write_all(&part).await;
    }
}

/// Two servers on the same port: a canary, and one on the address that passes for public.
pub(super) async fn twins(
    answer: impl Fn(&str) -> Vec<u8> + Clone + Send + Sync + 'static,
) -> (Site, Site) {
    for _ in 0..100 {
        let canary = Site::canary().await;
        let address = SocketAddr::new(STAND_IN, canary.port());
        if let Ok(site) = Site::at(address, answer.clone()).await {
            return (site, canary);
        }
    }
    panic!("no port is free on two loopback addresses");
}

/// Reads up to the end of a request's headers.
pub(super) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// The path of a request.
pub(super) fn path(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

/// An answer of HTML.
pub(super) fn page(text: &str) -> Vec<u8> {
    answer("200 OK", &["Content-Type: text/html"], text.as_bytes())
}

/// An answer with its length, after which the connection closes.
pub(super) fn answer(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let length = format!("Content-Length: {}", body.len());
    let status = format!("HTTP/1.1 {status}");
    let lines = [
        &[status.as_str(), "Connection: close", &length],
        headers,
        &["", ""],
    ]
    .concat();
    [lines.join("\r\n").as_bytes(), body].concat()
}

/// A redirect to `location`.
pub(super) fn redirect(status: u16, location: &str) -> Vec<u8> {
    answer(
        &format!("{status} Moved"),
        &[&format!("Location: {location}")],
        b"",
    )
}

/// A name server that a test scripts: each lookup takes the next answer, the last one stays.
pub(super) struct Script {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<usize>,
}

impl Script {
    pub(super) fn new(answers: &[&[IpAddr]]) -> Arc<Self> {
        let answers = answers.iter().map(|set| set.to_vec()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: Mutex::new(0),
        })
    }

    pub(super) fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

#[async_trait]
impl Lookup for Script {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        *self.asked.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let next = if answers.len() > 1 {
            answers.pop_front()
        } else {
            answers.front().cloned()
        };
        next.ok_or_else(|| io::Error::other("no such name"))
    }
}

/// A door that may go anywhere; every name is this machine.
pub(super) fn open() -> Door {
    door(Guard::new(Targets::AnyAddress), Script::new(&[&[LOOPBACK]]))
}

/// A door to public targets alone, for which [`STAND_IN`] and the ports of `sites` pass as public.
pub(super) fn guarded(sites: &[&Site], lookup: Arc<dyn Lookup>) -> Door {
    let mut guard = Guard::new(Targets::Public);
    guard.ports.extend(sites.iter().map(|site| site.port()));
    guard.is_public = |address| address == STAND_IN || address::is_public(address);
    door(guard, lookup)
}

/// A door with the clocks of every day: those of a busy machine's tests must not run out.
pub(super) fn door(guard: Guard, lookup: Arc<dyn Lookup>) -> Door {
    Door::assemble(guard, lookup, Clocks::default(), mozilla_roots()).unwrap()
}

pub(super) async fn fetch(door: &Door, url: &Url) -> Result<Fetched, Failure> {
    let timeout = Duration::from_secs(20);
    door.fetch(&Fetch {
        url,
        headers: &[],
        user_agent: None,
        timeout,
    })
    .await
}

/// The code with which a fetch fails; panics where it does not.
pub(super) async fn code(door: &Door, url: &Url) -> FailureCode {
    match fetch(door, url).await {
        Err(failure) => failure.code,
        Ok(fetched) => panic!("{url} was fetched with {}", fetched.status),
    }
}
