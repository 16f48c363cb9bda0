//! `scrape URL`: one page without a server, its result as JSON.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context;
use jobs::FailureCode;
use jobs::new_job::NewJob;
use jobs::ports::{PageRequest, Scraper};
use scrape::WebScraper;
use serde_json::json;

use crate::cli::{Scrape, hint};

/// The command. A page that cannot be scraped is exit code 1 and one line that starts with the
/// failure's code.
pub async fn run(options: &Scrape, on_lambda: bool) -> anyhow::Result<ExitCode> {
    let scraper = WebScraper::new(options.targets.targets(on_lambda)?)?;
    // The same reading as a request to the API, so that both refuse the same addresses.
    let body = json!({"type": "single-page", "url": options.url});
    let job = NewJob::parse(&body, scrape::check).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", problems.join("; "))
    })?;
    let request = PageRequest {
        url: job.spec.address().context("not a URL")?,
        headers: Vec::new(),
        user_agent: None,
        timeout: job.spec.timeout(),
        extraction: job.spec.config,
    };
    let page = match scraper.scrape(&request).await {
        Ok(page) => page,
        Err(failure) => {
            let refused = failure.code == FailureCode::AddressRefused;
            // Not where it has led to a place that is refused.
            let itself = refused && scraper.judge(&request.url).is_err();
            if itself {
                eprintln!("{failure}{}", hint(&request.url));
            } else {
                eprintln!("{failure}");
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    let text = serde_json::to_string_pretty(&page)?;
    match &options.output {
        None => match writeln!(std::io::stdout(), "{text}") {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            printed => printed.context("the result cannot be printed")?,
        },
        Some(file) => std::fs::write(file, text + "\n")
            .with_context(|| format!("{} cannot be written", file.display()))?,
    }
    Ok(ExitCode::SUCCESS)
}
