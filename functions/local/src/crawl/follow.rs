//! A crawl from its beginning to its last line, wherever it is worked on: begins or takes it up,
//! shows how far it is, stops it in good order, writes its pages and says what it has come to.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hyper::Method;
use jobs::JobId;
use serde_json::Value;

use super::asking::{Asking, Pauses};
use super::here::Engine;
use super::output::Output;
use super::progress::{Line, Seen, counted, shown};
use super::summary::{Reasons, Summary, size};
use super::{Stop, command, id, interrupted_code, known};
use crate::cli::{self, Crawl};
use crate::endpoint::Endpoint;
use crate::remote::Remote;

/// How often a crawl in this process is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long a running slice may take to put down what it has.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked whether it has.
const SETTLED_EVERY: Duration = Duration::from_millis(50);

/// A crawl that is under way, or has ended.
struct Crawling<'a> {
    options: &'a Crawl,
    asking: Asking,
    /// Whoever works on it, where that is this process.
    engine: Option<Engine>,
    id: JobId,
    /// Where the API shows it.
    path: String,
    /// As it was at first.
    job: Value,
}

/// The command. What keeps it from beginning is an error, all else an exit code.
pub(super) async fn run(
    options: &Crawl,
    on_lambda: bool,
    mut stop: Stop,
) -> anyhow::Result<ExitCode> {
    // What cannot be written is known before anything is fetched.
    let output = Output::open(cli::file(options.output.as_deref()))?;
    let mut crawling = tokio::select! {
        begun = Crawling::begin(options, on_lambda) => begun?,
        () = stop.asked() => {
            tell!("The crawl has not begun");
            return Ok(interrupted_code());
        }
    };
    let engine = crawling.engine.take();
    let mut ended = crawling.follow(output, stop).await;
    if let Some(engine) = engine {
        ended = engine.close().await.and(ended);
    }
    Ok(ended.unwrap_or_else(|error| {
        tell!("harvestman: {error:#}");
        crawling.advise(if options.server.is_some() {
            "Follow it"
        } else {
            "Go on with it"
        });
        ExitCode::FAILURE
    }))
}

fn is_over(job: &Value) -> bool {
    matches!(
        job["status"].as_str(),
        Some("completed" | "failed" | "cancelled")
    )
}

impl<'a> Crawling<'a> {
    async fn begin(options: &'a Crawl, on_lambda: bool) -> anyhow::Result<Self> {
        let resumed = options.resume.as_deref().map(id).transpose()?;
        let (asking, mut engine) = match &options.server {
            Some(server) => {
                let remote = Remote::parse(server, options.key.as_deref())?;
                let name = server.trim_end_matches('/').to_owned();
                (Asking::new(Endpoint::Running(remote), name), None)
            }
            None => {
                let engine = Engine::open(options, on_lambda)?;
                let name = options.data_dir.display().to_string();
                (Asking::new(engine.endpoint(), name), Some(engine))
            }
        };
        if let (Some(written), Some(taken)) = (&options.url, options.address())
            && *written != taken
        {
            tell!("{written} is taken for {taken}; write http:// for a site without TLS");
        }
        let (id, is_old) = match resumed {
            Some(id) => (id, false),
            None => {
                if let Some(engine) = &engine {
                    engine.check().await?;
                    engine.judge(&options.address().unwrap_or_default())?;
                }
                let (id, is_old) = asking.create(&options.body()).await?;
                let id = JobId::parse(&id).context("the service names no job")?;
                (id, is_old)
            }
        };
        let path = format!("/api/jobs/{id}");
        let mut job = known(&asking, &path, engine.is_some()).await?;
        if let Some(engine) = engine.as_ref().filter(|_| !is_over(&job)) {
            engine.judge(job["url"].as_str().unwrap_or_default())?;
        }
        // It may be paused, or about to be, where an earlier command was ended at once.
        if !is_over(&job) && (options.resume.is_some() || is_old) {
            asking.control(&path, "resume").await?;
            job = asking.get(&path).await?.json()?;
        }
        let (url, at) = (shown(&job["url"]), asking.name());
        let old = if is_old { ", begun before" } else { "" };
        match &engine {
            _ if is_over(&job) => tell!("Crawl {id} of {url} has ended already"),
            Some(_) if options.in_memory => tell!("Crawl of {url}"),
            Some(_) => tell!("Crawl {id} of {url}{old}"),
            None => tell!("Crawl {id} of {url} at {at}{old}"),
        }
        if let Some(engine) = &mut engine
            && !is_over(&job)
        {
            engine.check().await?;
            others(&asking).await?;
            engine.work(&id).await;
        }
        Ok(Self {
            options,
            asking,
            engine,
            id,
            path,
            job,
        })
    }

    async fn follow(&self, mut output: Output, mut stop: Stop) -> anyhow::Result<ExitCode> {
        let began = Instant::now();
        let mut summary = Summary::default();
        let mut job = self.job.clone();
        if !is_over(&job) {
            summary.before = Seen::of(&job).done;
            let over = tokio::select! {
                over = self.over() => Some(over?),
                () = stop.asked() => None,
            };
            job = match over {
                Some(job) => job,
                None => self.interrupt().await?,
            };
            if !is_over(&job) {
                return Ok(self.interrupted(&job, output).await);
            }
            summary.took = Some(began.elapsed());
        }
        let written = tokio::select! {
            copied = self.copy(&mut output) => copied.and_then(|()| finish(output)),
            () = stop.asked() => {
                tell!("The crawl has ended; its pages are not written");
                self.advise("Write them");
                return Ok(interrupted_code());
            }
        };
        summary.seen = Seen::of(&job);
        tell!("{}", summary.line());
        match written? {
            Some(place) => tell!("Written to {place}"),
            None => tell!("Nothing is written"),
        }
        self.explain(&mut summary).await;
        let status = job["status"].as_str().unwrap_or_default();
        if status == "completed" {
            return Ok(ExitCode::SUCCESS);
        }
        let reason = match (status, job["failedReason"].as_str()) {
            ("failed", Some(_)) => shown(&job["failedReason"]),
            _ => format!("it was {status}"),
        };
        tell!("harvestman: the crawl did not complete: {reason}");
        Ok(ExitCode::FAILURE)
    }

    /// Waits for the end, and shows how far the crawl is.
    async fn over(&self) -> anyhow::Result<Value> {
        let mut line = Line::start();
        let mut pauses = Pauses::default();
        let mut job = Value::Null;
        let mut version: Option<String> = None;
        loop {
            let seen = version.as_deref();
            let asked = self.asking.ask(Method::GET, &self.path, None, seen);
            let answer = asked.await?;
            if answer.status != 304 || job.is_null() {
                let answer = self.asking.accepted(answer)?;
                version = answer.header("etag").map(str::to_owned);
                job = answer.json()?;
            }
            if is_over(&job) {
                return Ok(job);
            }
            line.show(&Seen::of(&job));
            let pause = match self.options.server {
                Some(_) => pauses.next(),
                None => LOOK_EVERY,
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Ctrl-C: makes the running slice put down what it has, where this process works on it; gives
    /// the crawl as it then stands.
    async fn interrupt(&self) -> anyhow::Result<Value> {
        let look = async || self.asking.get(&self.path).await?.json();
        if self.options.server.is_some() {
            return look().await;
        }
        // Where it has ended meanwhile, there is nothing to pause.
        self.asking.control(&self.path, "pause").await?;
        let began = Instant::now();
        loop {
            let job = look().await?;
            // Whoever is not done by then loses what it has not put down, a second's worth.
            if job["status"] != "active" || began.elapsed() >= PATIENCE {
                return Ok(job);
            }
            tokio::time::sleep(SETTLED_EVERY).await;
        }
    }

    /// Says what is kept of an interrupted crawl, and puts it into the file of `--output`.
    async fn interrupted(&self, job: &Value, mut output: Output) -> ExitCode {
        if output.is_file() {
            let written = self.copy(&mut output).await.and_then(|()| finish(output));
            match written {
                Ok(Some(place)) => tell!("Written to {place}: a part, what is done so far"),
                Ok(None) => tell!("Nothing is written, for nothing is done yet"),
                Err(error) => tell!("harvestman: {error:#}"),
            }
        }
        let pages = counted(Seen::of(job).done, "page");
        match &self.options.server {
            Some(server) => {
                tell!(
                    "{pages} so far; the crawl goes on at {}",
                    self.asking.name()
                );
                self.advise("Follow it");
                let cancel = command::cancel(self.options, server, &self.id);
                tell!("End it:\n  {cancel}");
            }
            None if self.options.in_memory => tell!("{pages} fetched; no more is kept of them"),
            None => {
                tell!("{pages} fetched, and kept");
                self.advise("Go on with it");
            }
        }
        interrupted_code()
    }

    /// Writes the results that there are.
    async fn copy(&self, output: &mut Output) -> anyhow::Result<()> {
        let first = format!("{}/results?format=ndjson&limit=1000", self.path);
        let mut path = first.clone();
        loop {
            let answer = self.asking.get(&path).await?;
            if !output.write(&answer.body)? {
                return Ok(());
            }
            let Some(cursor) = answer.header("x-next-cursor") else {
                return Ok(());
            };
            let next = format!("{first}&cursor={cursor}");
            ensure!(next != path, "the service names the same page as the next");
            path = next;
        }
    }

    /// Says why pages are missing, and what says it of each.
    async fn explain(&self, summary: &mut Summary) {
        let count = |state| Reasons::count(&self.asking, &self.path, state);
        let counted = async {
            if summary.seen.skipped > 0 {
                summary.skipped = count("skipped").await?;
            }
            if summary.seen.failed > 0 {
                summary.failed = count("failed").await?;
            }
            anyhow::Ok(())
        };
        if let Err(error) = counted.await {
            tell!("harvestman: why pages are missing cannot be said: {error:#}");
        }
        for line in summary.missing() {
            tell!("{line}");
        }
        let seen = &summary.seen;
        if !self.options.in_memory && seen.done + seen.failed + seen.skipped > 0 {
            let urls = command::urls(self.options, &self.id);
            tell!("Every address and what has become of it:\n  {urls}");
        }
    }

    /// Prints the command that goes on, where one can.
    fn advise(&self, what: &str) {
        if self.options.in_memory {
            return;
        }
        let key = match (&self.options.server, &self.options.key) {
            (Some(_), Some(_)) => ", with the key in HARVESTMAN_API_KEY",
            _ => "",
        };
        let command = command::resume(self.options, &self.id);
        tell!("{what}{key}:\n  {command}");
    }
}

/// Puts the output into its place, and says where and how much it is.
fn finish(output: Output) -> anyhow::Result<Option<String>> {
    let bytes = output.bytes();
    let place = output.finish()?;
    Ok(place.map(|place| format!("{place} ({})", size(bytes))))
}

/// Says of a folder what else waits in it.
async fn others(asking: &Asking) -> anyhow::Result<()> {
    let list = asking.get("/api/jobs?limit=1").await?.json()?;
    let stats = &list["stats"];
    let unfinished = ["waiting", "delayed", "active", "paused"];
    let all = unfinished.iter().filter_map(|name| stats[name].as_u64());
    // This one is among them.
    let others = all.sum::<u64>().saturating_sub(1);
    if others > 0 {
        let jobs = counted(others, "other unfinished job");
        tell!(
            "{jobs} of {} left as is; `harvestman serve` works on those that are not paused",
            asking.name()
        );
    }
    Ok(())
}
