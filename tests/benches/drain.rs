//! How many jobs a second are claimed and completed where reading a page takes no time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use jobs::ports::{Courier, PageRequest, Post, Posted, Scraper};
use jobs::{App, Failure, FailureCode, Message, NewJob, Page};
use local::queue::LocalQueue;
use tokio::task::JoinSet;

use crate::hosted::{COLUMNS, Hosted};
use crate::load::new_job;
use crate::metered::page;
use crate::report::{Row, Section};

const JOBS: usize = 2_000;
const WORKERS: [usize; 2] = [1, 16];

struct Ready;

#[async_trait]
impl Scraper for Ready {
    async fn scrape(&self, request: &PageRequest) -> Result<Page, Failure> {
        Ok(page(request.url.as_str()))
    }
}

/// Nothing is posted to anybody here.
struct NoCourier;

#[async_trait]
impl Courier for NoCourier {
    async fn post(&self, _: &Post) -> Result<Posted, Failure> {
        Err(Failure::new(FailureCode::Internal, "Nothing is posted"))
    }
}

pub(crate) async fn measure() -> Section {
    let mut rows = Vec::new();
    for workers in WORKERS {
        let mut rates = Vec::new();
        for column in COLUMNS {
            rates.push(drain(column, workers).await);
        }
        let name = match workers {
            1 => "1 worker".to_owned(),
            many => format!("{many} workers"),
        };
        rows.push(Row::new(format!("{name}: jobs"), "/s", rates));
    }
    Section {
        title: "Claiming and completing",
        how: format!(
            "{JOBS} queued jobs, worked off by the handler of the worker; its scraper answers at\n\
             once with a page of 2 KB of text. Each job is one claim, one result and one end."
        ),
        columns: COLUMNS.to_vec(),
        rows,
    }
}

async fn drain(column: &str, workers: usize) -> f64 {
    let hosted = Hosted::open(column).await;
    let (app, queue) = (&hosted.host.app, &hosted.host.queue);
    fill(app).await;
    assert_eq!(queue.len(), JOBS);
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        tasks.spawn(work(app.clone(), queue.clone()));
    }
    let done: usize = tasks.join_all().await.into_iter().sum();
    let took = began.elapsed();
    let stats = app.stats(&jobs::Caller::Anyone, None).await.unwrap();
    assert_eq!((done, stats.completed), (JOBS, JOBS as u64));
    JOBS as f64 / took.as_secs_f64()
}

async fn fill(app: &App) {
    const AT_ONCE: usize = 16;
    let mut creating = JoinSet::new();
    for first in 0..AT_ONCE {
        let app = app.clone();
        creating.spawn(async move {
            for number in (first..JOBS).step_by(AT_ONCE) {
                create(&app, number).await;
            }
        });
    }
    creating.join_all().await;
}

/// Creates a job without HTTP.
pub(crate) async fn create(app: &App, number: usize) {
    let body = serde_json::from_str(&new_job(number)).unwrap();
    let new = NewJob::parse(&body, scrape::check).unwrap();
    app.create(&jobs::Caller::Anyone, &new).await.unwrap();
}

/// Works until the queue is empty; answers with the number of messages.
async fn work(app: App, queue: LocalQueue) -> usize {
    let scraper = Arc::new(Ready);
    let mut done = 0;
    while let Some(message) = queue.try_receive() {
        handle(&app, scraper.as_ref(), &message).await;
        done += 1;
    }
    done
}

/// Hands a message to the worker, as its host does.
pub(crate) async fn handle(app: &App, scraper: &dyn Scraper, message: &Message) {
    handle_until(app, scraper, message, Duration::from_mins(1)).await;
}

/// The same, where an invocation may take this long.
pub(crate) async fn handle_until(
    app: &App,
    scraper: &dyn Scraper,
    message: &Message,
    most: Duration,
) {
    let mut record = SqsMessage::default();
    record.body = Some(message.encode());
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let deadline = app.now() + most;
    let tools = worker::Tools {
        scraper,
        courier: &NoCourier,
        check: |_| Vec::new(),
        judge: &|_| Ok(()),
    };
    let answer = worker::handle(app, tools, event, deadline).await;
    assert!(answer.batch_item_failures.is_empty(), "{message:?}");
}
