//! `serve`: the API, the workers and the ticker, until Ctrl-C.

use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jobs::app::Limits;
use scrape::{Targets, WebScraper};
use tokio::net::TcpListener;

use crate::admission::Admission;
use crate::bus::LogBus;
use crate::cli::Serve;
use crate::host::{Data, Host, Reach, Web};
use crate::loopback;
use crate::signals::Signals;

/// How long open connections may take to end after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(2);

/// A commit costs next to nothing here, and a process on one's own machine is killed more often.
pub const COMMIT_EVERY: Duration = Duration::from_secs(1);

/// A service that listens but does not answer yet.
pub struct Service {
    host: Host,
    listener: TcpListener,
    address: SocketAddr,
    web: Web,
    concurrency: usize,
    admission: Admission,
}

impl Service {
    /// Opens the data, takes the port, and judges every option: what fails here fails at once, and
    /// nobody has been listened to before.
    pub async fn open(
        port: u16,
        data: &Data,
        limits: Limits,
        targets: Targets,
        concurrency: usize,
        admission: Admission,
        bus: LogBus,
    ) -> anyhow::Result<Self> {
        let mut host = Host::open_with(data, limits, bus)?;
        host.app = host.app.with_admin_key(admission.admin_key);
        admission.check(&host.app, data).await?;
        let listener = TcpListener::bind((admission.listen, port)).await;
        let listener = listener.with_context(|| {
            let listen = admission.listen;
            format!("port {port} on {listen} cannot be used; choose another with --port")
        })?;
        let scraper = WebScraper::new(targets.clone());
        let scraper = Arc::new(scraper.context("the web client cannot be built")?);
        Ok(Self {
            address: listener.local_addr()?,
            host,
            listener,
            web: Web::new(&scraper, targets),
            concurrency,
            admission,
        })
    }

    /// Where the API will answer, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers and works until `stop`; then gives unfinished work back to the table.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        let Self {
            host,
            listener,
            web,
            concurrency,
            admission,
            ..
        } = self;
        let judge = Arc::clone(&web.judge);
        let workers = host.start(web, concurrency, &Reach::All).await;
        let access = admission.access();
        let mut router = api::router(host.app.clone(), scrape::check, judge, access);
        if admission.listen.is_loopback() {
            router = router.layer(axum::middleware::from_fn(loopback::only));
        }
        let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
        let signal = async move {
            stop.await;
            // The other side may be gone; then nobody waits.
            let _ = stopping.send(());
        };
        let served = axum::serve(listener, router).with_graceful_shutdown(signal);
        tokio::select! {
            ended = async { served.await } => ended?,
            () = async { let _ = stopped.await; tokio::time::sleep(PATIENCE).await; } => {}
        }
        host.stop(workers, &Reach::All).await
    }
}

/// The command.
pub async fn run(options: &Serve, on_lambda: bool) -> anyhow::Result<ExitCode> {
    let targets = options.targets.targets(on_lambda)?;
    let open = match &targets {
        Targets::Public => None,
        Targets::AnyAddress => Some("Private and loopback targets are allowed".to_owned()),
        Targets::Only(_) => options
            .targets
            .allow_private_targets
            .as_ref()
            .map(|list| format!("Pages are fetched from {list} alone")),
    };
    let data = if options.in_memory {
        Data::Memory
    } else {
        Data::Folder(options.data_dir.clone())
    };
    let limits = Limits {
        max_unfinished: options.max_unfinished_jobs,
        max_active_per_customer: options.max_active_jobs,
        creates_per_minute: options.creates_per_minute,
        reads_per_minute: options.reads_per_minute,
        commit_every: COMMIT_EVERY,
        ..Limits::default()
    };
    let concurrency = usize::from(options.concurrency);
    let admission = Admission::of(options)?;
    let (port, bus) = (
        options.port,
        LogBus {
            is_on: options.log_events,
        },
    );
    let service = Service::open(port, &data, limits, targets, concurrency, admission, bus).await?;
    let mut signals = Signals::listen()?;
    say!("Harvestman listens on {}", service.url());
    let ended = match data {
        Data::Folder(folder) => {
            say!("Data is kept in {}", folder.display());
            "Ended; unfinished jobs go on at the next start"
        }
        Data::Memory => {
            say!("Data is kept in memory and ends with the process");
            "Ended"
        }
    };
    for line in admission.lines() {
        say!("{line}");
    }
    if let Some(targets) = open {
        say!("{targets}");
    }
    say!("Ctrl-C ends it");
    service.run(async move { signals.any().await }).await?;
    say!("{ended}");
    Ok(ExitCode::SUCCESS)
}
