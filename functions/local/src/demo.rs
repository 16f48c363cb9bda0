//! `demo`: the whole path before one's eyes. A service on an embedded store, a small site of its
//! own, a job through the HTTP API, its progress, its result.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hyper::Method;
use jobs::app::Limits;
use scrape::Targets;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::admission::Admission;
use crate::bus::LogBus;
use crate::cli::Demo;
use crate::client::call;
use crate::demo_site;
use crate::host::Data;
use crate::serve::Service;
use crate::signals::Signals;

const CONCURRENCY: usize = 4;
/// How often the demo asks for the status.
const POLL: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(30);

/// The command.
pub async fn run(options: &Demo) -> anyhow::Result<ExitCode> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let site = listener.local_addr()?;
    let targets = Targets::parse(Some(&site.to_string())).map_err(anyhow::Error::msg)?;
    let limits = Limits::default();
    let data = Data::Memory;
    let service = Service::open(
        options.port,
        &data,
        limits,
        targets,
        CONCURRENCY,
        Admission::OPEN,
        LogBus::default(),
    )
    .await?;
    let url = service.url();
    let address: SocketAddr = url.trim_start_matches("http://").parse()?;
    say!("Service    {url} (data in memory)");
    say!("Demo site  http://{site}/");
    tokio::spawn(async move { axum::serve(listener, demo_site::router()).await });

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut signals = Signals::listen()?;
    let running = tokio::spawn(service.run(async move {
        tokio::select! {
            () = signals.any() => {}
            _ = stopped => {}
        }
    }));
    if let Err(error) = show(address, site).await {
        eprintln!("harvestman: {error:#}");
        drop(stop);
        running.await??;
        return Ok(ExitCode::FAILURE);
    }
    if options.once {
        drop(stop);
    } else {
        say!("\nThe service goes on at {url}; Ctrl-C ends it. Try:");
        say!("  curl '{url}/api/jobs?includeHealth=true'");
        running.await??;
        drop(stop);
        return Ok(ExitCode::SUCCESS);
    }
    running.await??;
    Ok(ExitCode::SUCCESS)
}

async fn show(service: SocketAddr, site: SocketAddr) -> anyhow::Result<()> {
    let job = json!({
        "type": "single-page",
        "url": format!("http://{site}/"),
        "config": {"fields": {
            "price": {"selector": ".price", "dataType": "number"},
            "uses": {"selector": ".uses li", "multiple": true},
            "currency": {"type": "jsonld", "selector": "Product.offers.priceCurrency"},
        }},
    });
    say!("\nPOST /api/jobs\n{job:#}");
    let started = Instant::now();
    let (status, created) = call(service, Method::POST, "/api/jobs", Some(&job)).await?;
    let Some(path) = created["statusUrl"].as_str().filter(|_| status == 201) else {
        bail!("the job was refused: {created}");
    };
    say!(
        "\n-> {status} {}",
        created["jobId"].as_str().unwrap_or_default()
    );
    follow(service, path, started).await?;
    let (_, results) = call(service, Method::GET, &format!("{path}/results"), None).await?;
    let page = results["results"].get(0).context("the job has no result")?;
    print(page);
    Ok(())
}

/// Prints every change of status until the job has ended.
async fn follow(service: SocketAddr, path: &str, started: Instant) -> anyhow::Result<()> {
    let mut last = String::new();
    while started.elapsed() < PATIENCE {
        let (_, job) = call(service, Method::GET, path, None).await?;
        let status = job["status"].as_str().unwrap_or_default();
        if status != last {
            let millis = started.elapsed().as_millis();
            say!("{millis:>6} ms  {status} ({}%)", job["progress"]);
            last = status.to_owned();
        }
        match status {
            "completed" => return Ok(()),
            "failed" => bail!("the job failed: {}", job["failedReason"]),
            _ => tokio::time::sleep(POLL).await,
        }
    }
    bail!("the job did not end within {} s", PATIENCE.as_secs())
}

fn print(page: &Value) {
    let text = |name: &str| page[name].as_str().unwrap_or_default().to_owned();
    say!("\nTitle        {}", text("title"));
    say!("Description  {}", text("description"));
    say!("Fields       {}", page["fields"]);
    let count = |name: &str| page[name].as_array().map_or(0, Vec::len);
    say!(
        "Found        {} headings, {} links, {} bytes",
        count("headings"),
        count("links"),
        page["bytes"]
    );
    say!("Markdown\n");
    for line in text("markdown").lines() {
        say!("  {line}");
    }
}
