//! The engine in this process, on the same data folder as `serve` uses: works on one crawl alone
//! and leaves every other job of the folder as it is.

use std::sync::Arc;

use anyhow::{Context, anyhow, bail, ensure};
use jobs::app::Limits;
use jobs::{JobId, NewJob};
use scrape::{Targets, WebScraper};
use tokio::task::JoinSet;
use url::Url;

use crate::cli::{Crawl, hint};
use crate::data_dir::DataDir;
use crate::endpoint::Endpoint;
use crate::host::{Data, Host, Reach, Web};
use crate::serve::COMMIT_EVERY;

/// One for the slice, one for the messages that come twice.
const WORKERS: usize = 2;

pub(super) struct Engine {
    host: Host,
    scraper: Arc<WebScraper>,
    targets: Targets,
    working: Option<(JoinSet<()>, Reach)>,
}

impl Engine {
    /// Judges the options and opens the data; nothing runs yet.
    pub(super) fn open(options: &Crawl, on_lambda: bool) -> anyhow::Result<Self> {
        let targets = options.targets.targets(on_lambda)?;
        let scraper = WebScraper::new(targets.clone());
        let scraper = scraper.context("the web client cannot be built")?;
        let folder = &options.data_dir;
        // Nothing is made for a crawl that cannot be.
        if options.resume.is_none() {
            check(options)?;
        } else if !DataDir::is_used(folder) {
            bail!("there is no data in {}", folder.display());
        }
        let limits = Limits {
            commit_every: COMMIT_EVERY,
            ..Limits::default()
        };
        let host = if options.in_memory {
            Host::open(&Data::Memory, limits)?
        } else {
            Host::open_alone(folder, limits)?
        };
        Ok(Self {
            host,
            scraper: Arc::new(scraper),
            targets,
            working: None,
        })
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::here(&self.host.app)
    }

    /// Whether anything would be worked on.
    pub(super) async fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.host.app.is_paused().await?,
            "the queue of this folder is paused, so that nothing is worked on; let it go with \
             `POST /api/queue` of a service on it, or choose another with --data-dir"
        );
        Ok(())
    }

    /// Refuses to begin where nothing could be fetched, before a page is given up for it.
    pub(super) fn judge(&self, address: &str) -> anyhow::Result<()> {
        let Ok(url) = Url::parse(address) else {
            return Ok(());
        };
        let refused = self.scraper.judge(&url);
        refused.map_err(|refused| anyhow!("{}{}", refused.message, hint(&url)))
    }

    /// Begins to work on this crawl.
    pub(super) async fn work(&mut self, id: &JobId) {
        let reach = Reach::One(id.clone());
        let web = Web::new(&self.scraper, self.targets.clone());
        let workers = self.host.start(web, WORKERS, &reach).await;
        self.working = Some((workers, reach));
    }

    /// Gives back what is not done.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        match self.working.take() {
            Some((workers, reach)) => self.host.stop(workers, &reach).await,
            None => Ok(()),
        }
    }
}

/// What is wrong with the options, in the words of the command line.
fn check(options: &Crawl) -> anyhow::Result<()> {
    let parsed = NewJob::parse(&options.body(), scrape::check);
    parsed.map(drop).map_err(|problems| {
        let sentence = |problem: &jobs::Problem| {
            format!("{} {}", Crawl::flag_of(&problem.field), problem.message)
        };
        let sentences: Vec<_> = problems.iter().map(sentence).collect();
        anyhow!("{}", sentences.join("; "))
    })
}
