//! `crawl URL`: a whole site as NDJSON, by the engine of the service in this process or by a service
//! that runs elsewhere. Progress goes to standard error, pages to standard output or a file; an
//! interrupted crawl keeps what it has.

mod here;
mod output;
mod progress;
mod there;

use std::process::ExitCode;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::cli::Crawl;
use crate::serve::interrupted;
use output::Output;
use progress::{Line, Seen};

/// How often the crawl is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What an interrupted program answers by custom: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// Some results, and where to go on.
struct Part {
    lines: Vec<String>,
    next: Option<String>,
}

/// Whoever crawls: this process or a service.
#[async_trait]
trait Crawler {
    /// The job as the API shows it.
    async fn job(&self) -> anyhow::Result<Value>;
    /// Results from a cursor on.
    async fn results(&self, cursor: Option<&str>) -> anyhow::Result<Part>;
    /// Ctrl-C: what to do, and what to tell the user.
    async fn interrupt(&self) -> anyhow::Result<String>;
    /// Nothing more is asked.
    async fn close(self: Box<Self>) -> anyhow::Result<()>;
}

/// The command.
pub async fn run(options: &Crawl, on_lambda: bool) -> anyhow::Result<ExitCode> {
    // What cannot be written is known before anything is fetched.
    let output = Output::open(options.output.as_deref())?;
    let crawler: Box<dyn Crawler + Send + Sync> = match &options.server {
        Some(server) => Box::new(there::There::begin(options, server).await?),
        None => Box::new(here::Here::begin(options, on_lambda).await?),
    };
    let ended = follow(crawler.as_ref(), output).await;
    crawler.close().await?;
    ended
}

async fn follow(
    crawler: &(dyn Crawler + Send + Sync),
    mut output: Output,
) -> anyhow::Result<ExitCode> {
    let mut line = Line::start();
    let job = tokio::select! {
        ended = until_over(crawler, &mut line) => ended?,
        () = interrupted() => {
            line.end();
            let advice = crawler.interrupt().await?;
            tell!("{advice}");
            return Ok(ExitCode::from(INTERRUPTED));
        }
    };
    line.end();
    let mut cursor = None;
    loop {
        let part = crawler.results(cursor.as_deref()).await?;
        if !output.write(&part.lines)? {
            break;
        }
        cursor = part.next;
        if cursor.is_none() {
            break;
        }
    }
    let place = output.finish()?;
    let seen = Seen::of(&job);
    tell!("{}", seen.summary(&place));
    let completed = job["status"] == "completed";
    if !completed {
        let reason = job["failedReason"].as_str().unwrap_or("it was cancelled");
        tell!("harvestman: the crawl did not complete: {reason}");
    }
    Ok(if completed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Waits for the end, and shows how far the crawl is.
async fn until_over(
    crawler: &(dyn Crawler + Send + Sync),
    line: &mut Line,
) -> anyhow::Result<Value> {
    loop {
        let job = crawler.job().await?;
        let status = job["status"].as_str().unwrap_or_default();
        if matches!(status, "completed" | "failed" | "cancelled") {
            return Ok(job);
        }
        line.show(&Seen::of(&job));
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
