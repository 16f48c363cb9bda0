//! `crawl URL`: a whole site as NDJSON, by the engine of the service in this process or by a service
//! that runs elsewhere. Progress goes to standard error, pages to standard output or a file; an
//! interrupted crawl keeps what it has.

mod asking;
mod command;
mod follow;
mod here;
mod listing;
mod output;
mod progress;
mod summary;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use hyper::Method;
use jobs::JobId;
use serde_json::Value;
use tokio::sync::watch;

use crate::cli::{Crawl, CrawlCommand};
use crate::signals::Signals;
use asking::Asking;
use progress::notice;

/// What an interrupted program answers by custom: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;
/// How long what is broken off may take to put its unfinished file away.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether the user wants it to stop.
#[derive(Clone)]
struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Once it is asked for.
    async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            // Nobody is there to ask for it.
            std::future::pending::<()>().await;
        }
    }
}

fn interrupted_code() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}

/// The command. The first Ctrl-C ends it well, the second one at once.
pub async fn run(options: Crawl, on_lambda: bool) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let (stop, asked) = watch::channel(false);
    let asked = Stop(asked);
    // A task of its own: one that waits for a reader of its output must not keep signals from being
    // heard.
    let mut work = tokio::spawn(async move {
        match &options.command {
            Some(CrawlCommand::Urls(options)) => listing::run(options, asked).await,
            None => follow::run(&options, on_lambda, asked).await,
        }
    });
    tokio::select! {
        ended = &mut work => return ended?,
        () = signals.any() => {}
    }
    // Told here, for the work may be waiting for a reader of its output.
    notice("Interrupted; once more ends it at once");
    // There is a receiver as long as there is work.
    let _ = stop.send(true);
    tokio::select! {
        ended = &mut work => ended?,
        () = signals.meant() => {
            work.abort();
            // It ends at its next pause; where it has none, it ends with the process.
            let _ = tokio::time::timeout(PATIENCE, work).await;
            tell!("Ended at once; --resume and its id go on with a crawl of a folder");
            Ok(interrupted_code())
        }
    }
}

/// The id of a crawl as it was written.
fn id(written: &str) -> anyhow::Result<JobId> {
    let id = JobId::parse(written);
    id.with_context(|| {
        format!("{written:?} is no id of a crawl, such as job_01k9zq3v7m8n4r2t6w0x5y1z3b")
    })
}

/// The crawl at a path, as the API shows it; what is no crawl, or not there, is an error that says
/// so. `here`: in a folder, of which there may be another.
async fn known(asking: &Asking, path: &str, here: bool) -> anyhow::Result<Value> {
    let answer = asking.ask(Method::GET, path, None, None).await?;
    let id = path.rsplit('/').next().unwrap_or_default();
    if answer.status == 404 && here {
        bail!(
            "there is no {id} in {}; another folder is named with --data-dir",
            asking.name()
        );
    }
    if answer.status == 404 {
        bail!("{} knows no {id}", asking.name());
    }
    let job = asking.accepted(answer)?.json()?;
    let kind = job["type"].as_str().unwrap_or_default();
    if !matches!(kind, "full-crawl" | "refresh") {
        bail!("{id} is no crawl, its type is {kind}");
    }
    Ok(job)
}
