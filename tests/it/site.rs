//! A site whose pages, status, headers and delays a test scripts, path by path. Remembers every
//! request and counts connections. A page that is held answers when its test lets it.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// Nothing on loopback takes this long; a test that waits longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the site says.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    held: Option<Gate>,
}

impl Answer {
    /// A page.
    pub(crate) fn html(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
            body: body.into(),
            held: None,
        }
    }

    /// A status with a page that names it.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::html(format!("<title>{status}</title>"))
        }
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header; a content type takes the place of a page's.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers
            .retain(|(known, _)| name != "content-type" || *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// Answers once `gate` is open.
    pub(crate) fn held(mut self, gate: &Gate) -> Self {
        self.held = Some(gate.clone());
        self
    }
}

/// Holds answers back until it is opened.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets everybody through, now and later.
    pub(crate) fn open(&self) {
        self.0.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    async fn pass(&self) {
        drop(self.0.acquire().await);
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

#[derive(Default)]
struct Script {
    /// What each path says: one answer per request, the last one again and again.
    answers: Mutex<HashMap<String, Vec<Answer>>>,
    /// What all other paths say; nothing means 404.
    other: Mutex<Option<Answer>>,
    seen: watch::Sender<Vec<Seen>>,
    connections: AtomicUsize,
}

impl Script {
    fn next(&self, path: &str) -> Answer {
        match self.answers.lock().unwrap().get_mut(path) {
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
            None => {
                let other = self.other.lock().unwrap().clone();
                other.unwrap_or_else(|| Answer::status(404))
            }
        }
    }
}

/// A site on a free port of loopback. Ends with the value.
pub(crate) struct TestSite {
    address: SocketAddr,
    script: Arc<Script>,
    server: JoinHandle<()>,
}

impl TestSite {
    pub(crate) async fn start() -> Self {
        let script = Arc::new(Script::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let counted = Arc::clone(&script);
        let listener = listener.tap_io(move |_| {
            counted.connections.fetch_add(1, Ordering::Relaxed);
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            script,
            server,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Says the same to every request for a path.
    pub(crate) fn page(&self, path: &str, answer: Answer) {
        self.pages(path, [answer]);
    }

    /// Says one thing after the other to requests for a path, and the last one from then on.
    pub(crate) fn pages(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        let answers: Vec<_> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "{path} has something to say");
        self.script
            .answers
            .lock()
            .unwrap()
            .insert(path.to_owned(), answers);
    }

    /// What every path says that has nothing of its own.
    pub(crate) fn everywhere(&self, answer: Answer) {
        *self.script.other.lock().unwrap() = Some(answer);
    }

    /// Every request so far, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.script.seen.borrow().clone()
    }

    /// How often a path was asked for.
    pub(crate) fn requests(&self, path: &str) -> usize {
        let seen = self.script.seen.borrow();
        seen.iter().filter(|seen| seen.path == path).count()
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        self.script.connections.load(Ordering::Relaxed)
    }

    /// Waits until `count` requests have come, whatever they ask for.
    pub(crate) async fn arrived(&self, count: usize) {
        let mut seen = self.script.seen.subscribe();
        let enough = seen.wait_for(|seen| seen.len() >= count);
        let waited = tokio::time::timeout(PATIENCE, enough).await;
        waited.expect("the requests come").unwrap();
    }
}

impl Drop for TestSite {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let answer = script.next(&path);
    let headers = request.headers().clone();
    script
        .seen
        .send_modify(|seen| seen.push(Seen { path, headers }));
    if let Some(gate) = &answer.held {
        gate.pass().await;
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}
