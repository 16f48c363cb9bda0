//! A crawl by the engine in this process, on the same data folder as `serve` uses.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use async_trait::async_trait;
use jobs::app::{Action, Creation, Limits, ResultsCursor};
use jobs::{Caller, Job, JobId, NewJob, State};
use scrape::WebScraper;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Crawler, Part};
use crate::cli::Crawl;
use crate::host::{Data, Host};
use crate::serve::COMMIT_EVERY;

/// Slices worked on at once: the crawl itself, and what else the folder may hold.
const WORKERS: usize = 2;
/// Results that are read at once.
const RESULTS: usize = 500;
const RESULT_BYTES: usize = 4 * 1_024 * 1_024;
/// How long a running slice may take to put down what it has.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) struct Here {
    host: Host,
    workers: JoinSet<()>,
    id: JobId,
    /// How this crawl can be gone on with.
    again: Option<String>,
}

impl Here {
    pub(super) async fn begin(options: &Crawl, on_lambda: bool) -> anyhow::Result<Self> {
        let scraper = WebScraper::new(options.targets.targets(on_lambda)?)
            .context("the web client cannot be built")?;
        let new = match &options.resume {
            Some(_) => None,
            None => Some(parse(options)?),
        };
        let data = if options.in_memory {
            Data::Memory
        } else {
            Data::Folder(options.data_dir.clone())
        };
        let limits = Limits {
            commit_every: COMMIT_EVERY,
            ..Limits::default()
        };
        let host = Host::open(&data, limits)?;
        let id = match (&new, &options.resume) {
            (Some(new), _) => match host.app.create(&Caller::Anyone, new).await? {
                Creation::New(job) => job.id,
                Creation::Duplicate(id) => {
                    tell!("An equal crawl is unfinished here; it goes on");
                    id
                }
            },
            (None, Some(id)) => JobId::parse(id).with_context(|| format!("{id} is no job"))?,
            (None, None) => bail!("give an address, or a job to --resume"),
        };
        let job = host.app.row(&id).await?;
        let job = job.with_context(|| format!("there is no job {id} in this folder"))?;
        if job.state == State::Paused {
            host.app
                .control(&Caller::Anyone, &id, Action::Resume)
                .await?;
        }
        let again = (!options.in_memory).then(|| resume_command(options, &id));
        let workers = host.start(Arc::new(scraper), WORKERS).await;
        Ok(Self {
            host,
            workers,
            id,
            again,
        })
    }

    async fn row(&self) -> anyhow::Result<Job> {
        let row = self.host.app.row(&self.id).await?;
        row.with_context(|| format!("the job {} is gone", self.id))
    }
}

/// The job that is asked for, or what is wrong with it in the words of the command line.
fn parse(options: &Crawl) -> anyhow::Result<NewJob> {
    NewJob::parse(&options.body(), scrape::check).map_err(|problems| {
        let sentence = |problem: &jobs::Problem| {
            format!("{} {}", Crawl::flag_of(&problem.field), problem.message)
        };
        let sentences: Vec<_> = problems.iter().map(sentence).collect();
        anyhow!("{}", sentences.join("; "))
    })
}

fn resume_command(options: &Crawl, id: &JobId) -> String {
    let mut words = vec![format!("harvestman crawl --resume {id}")];
    if options.data_dir.as_os_str() != crate::cli::DEFAULT_FOLDER {
        words.push(format!("--data-dir {}", options.data_dir.display()));
    }
    if let Some(targets) = &options.targets.allow_private_targets {
        words.push(format!("--allow-private-targets={targets}"));
    }
    if let Some(output) = &options.output {
        words.push(format!("--output {}", output.display()));
    }
    words.join(" ")
}

#[async_trait]
impl Crawler for Here {
    async fn job(&self) -> anyhow::Result<Value> {
        let job = self.row().await?;
        let progress = job.crawl.as_deref().cloned().unwrap_or_default();
        let counters = progress.counters;
        Ok(json!({
            "id": job.id.as_str(),
            "status": job.status(self.host.app.now()).as_str(),
            "progress": job.percentage(),
            "failedReason": job.failed_reason(),
            "counters": {
                "discovered": counters.discovered(), "queued": counters.queued,
                "done": counters.done, "failed": counters.failed, "skipped": counters.skipped,
            },
            "crawl": {
                "pagesPerSecond": f64::from(progress.rate) / 100.0,
                "currentUrl": progress.current,
            },
        }))
    }

    async fn results(&self, cursor: Option<&str>) -> anyhow::Result<Part> {
        let from = match cursor {
            None => ResultsCursor::default(),
            Some(text) => text.parse().map_err(|()| anyhow!("{text} is no cursor"))?,
        };
        let job = self.row().await?;
        let part = self
            .host
            .app
            .results_from(&job, from, RESULTS, RESULT_BYTES)
            .await?;
        Ok(Part {
            lines: part.results,
            next: part.next.map(|next| next.to_string()),
        })
    }

    async fn interrupt(&self) -> anyhow::Result<String> {
        // A pause makes the running slice put down what it has.
        let paused = self
            .host
            .app
            .control(&Caller::Anyone, &self.id, Action::Pause)
            .await;
        if paused.is_ok() {
            let waiting = async {
                while self.row().await?.state == State::Active {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                anyhow::Ok(())
            };
            // Whoever is not done by then loses what it has not put down, a second's worth.
            if let Ok(waited) = tokio::time::timeout(PATIENCE, waiting).await {
                waited?;
            }
        }
        Ok(match &self.again {
            Some(command) => {
                format!("Interrupted; what was fetched is kept. Go on with:\n  {command}")
            }
            None => "Interrupted".to_owned(),
        })
    }

    async fn close(self: Box<Self>) -> anyhow::Result<()> {
        let Self { host, workers, .. } = *self;
        host.stop(workers).await
    }
}
