//! How long a job takes that meets an idle service, from its request to its row saying that it is
//! completed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use jobs::ports::{PageRequest, Scraper};
use jobs::{App, Failure, JobId, Page, State};
use local::host::{Reach, Web};
use scrape::{Targets, WebScraper};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::hosted::{COLUMNS, Hosted, serve};
use crate::load::Client;
use crate::report::{Row, Section, percentile};

const JOBS: usize = 200;
const WARM_UP: usize = 20;
const WORKERS: usize = 4;

/// The scraper of the service; says when a page has been read.
struct Observed {
    scraper: Arc<WebScraper>,
    read: mpsc::UnboundedSender<Instant>,
}

#[async_trait]
impl Scraper for Observed {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        let page = self.scraper.scrape(request).await;
        let _ = self.read.send(Instant::now());
        page
    }
}

/// The parts of one job's time.
#[derive(Default)]
struct Times {
    read: Vec<Duration>,
    completed: Vec<Duration>,
}

pub(crate) async fn measure() -> Section {
    let page = "<title>A small page</title><p>With a sentence, as pages have.</p>";
    let router = Router::new().fallback(get(move || async move { Html(page) }));
    let (site, _server) = serve(router).await;
    let mut columns = Vec::new();
    for column in COLUMNS {
        columns.push(follow(column, &format!("http://{site}")).await);
    }
    let mut row = |name: &str, part: fn(&mut Times) -> &mut Vec<Duration>, share: f64| {
        let values = columns.iter_mut();
        let values = values.map(|times| percentile(part(times), share)).collect();
        Row::new(name, "ms", values)
    };
    Section {
        title: "From request to completed, idle service",
        how: format!(
            "{JOBS} jobs one after another on a page of this process. The clock starts before the\n\
             POST, on a kept connection. The scraper says when the page is read; from then on the row\n\
             is read again and again, without a pause, until it is completed."
        ),
        columns: COLUMNS.to_vec(),
        rows: vec![
            row("page read, p50", |times| &mut times.read, 0.50),
            row("completed, p50", |times| &mut times.completed, 0.50),
            row("completed, p99", |times| &mut times.completed, 0.99),
        ],
    }
}

async fn follow(column: &str, site: &str) -> Times {
    let hosted = Hosted::open(column).await;
    let (read, mut reads) = mpsc::unbounded_channel();
    let scraper = Arc::new(WebScraper::new(Targets::AnyAddress).unwrap());
    let mut web = Web::new(&scraper, Targets::AnyAddress);
    web.scraper = Arc::new(Observed { scraper, read });
    let workers = hosted.host.start(web, WORKERS, &Reach::All).await;
    let mut client = Client::connect(&hosted.target).await;
    let mut times = Times::default();
    for number in 0..WARM_UP + JOBS {
        let body = json!({"type": "single-page", "url": format!("{site}/{number}")}).to_string();
        let began = Instant::now();
        // The worker may have read the page before the client has read the answer.
        let (answer, read) = tokio::join!(client.create(body), reads.recv());
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let job = JobId::parse(answer["jobId"].as_str().unwrap()).unwrap();
        completed(&hosted.host.app, &job).await;
        if number >= WARM_UP {
            times.completed.push(began.elapsed());
            times.read.push(read.unwrap() - began);
        }
    }
    hosted.host.stop(workers, &Reach::All).await.unwrap();
    times
}

async fn completed(app: &App, job: &JobId) {
    loop {
        let row = app.row(job).await.unwrap().unwrap();
        match row.state {
            State::Completed => return,
            State::Queued | State::Active => {}
            other => panic!("the job is {other:?}: {row:?}"),
        }
    }
}
