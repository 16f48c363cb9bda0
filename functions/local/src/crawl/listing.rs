//! `crawl urls JOB`: every address of a crawl with its state and the reason for it, as the API says
//! it, a JSON object a line.

use std::process::ExitCode;

use anyhow::{Context, bail};
use jobs::app::Limits;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::form_urlencoded::Serializer;

use super::asking::Asking;
use super::output::Output;
use super::{Stop, id, interrupted_code, known};
use crate::cli::{CrawlUrls, file};
use crate::data_dir::DataDir;
use crate::endpoint::Endpoint;
use crate::host::Host;
use crate::remote::Remote;

/// A page of addresses, each as it came.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    urls: Vec<&'a RawValue>,
    #[serde(rename = "nextCursor")]
    next: Option<String>,
}

/// The command. That there is no such crawl is an error; so is an option that is wrong.
pub(super) async fn run(options: &CrawlUrls, mut stop: Stop) -> anyhow::Result<ExitCode> {
    let id = id(&options.job)?;
    let output = Output::open(file(options.output.as_deref()))?;
    let (asking, _host) = open(options)?;
    let path = format!("/api/jobs/{id}");
    let here = options.server.is_none();
    let listed = async {
        known(&asking, &path, here).await?;
        // What is wrong with the options is said before anything is written.
        let first = format!("{path}/urls?{}", query(options, None));
        let first = asking.get(&first).await?.body;
        Ok(
            match list(&asking, &path, options, first.to_vec(), output).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tell!("harvestman: {error:#}");
                    ExitCode::FAILURE
                }
            },
        )
    };
    tokio::select! {
        ended = listed => ended,
        () = stop.asked() => Ok(interrupted_code()),
    }
}

fn open(options: &CrawlUrls) -> anyhow::Result<(Asking, Option<Host>)> {
    if let Some(server) = &options.server {
        let remote = Remote::parse(server, options.key.as_deref())?;
        let name = server.trim_end_matches('/').to_owned();
        return Ok((Asking::new(Endpoint::Running(remote), name), None));
    }
    let folder = &options.data_dir;
    if !DataDir::is_used(folder) {
        bail!("there is no data in {}", folder.display());
    }
    let host = Host::open_alone(folder, Limits::default())?;
    let name = folder.display().to_string();
    let asking = Asking::new(Endpoint::here(&host.app), name);
    Ok((asking, Some(host)))
}

fn query(options: &CrawlUrls, cursor: Option<&str>) -> String {
    let mut query = Serializer::new("limit=1000".to_owned());
    let pairs = [
        ("state", options.state.as_deref()),
        ("reason", options.reason.as_deref()),
        ("cursor", cursor),
    ];
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

async fn list(
    asking: &Asking,
    path: &str,
    options: &CrawlUrls,
    first: Vec<u8>,
    mut output: Output,
) -> anyhow::Result<()> {
    let mut body = first;
    let mut lines = Vec::new();
    loop {
        let page: Page = serde_json::from_slice(&body).context("no addresses are answered")?;
        lines.clear();
        for row in page.urls {
            lines.extend_from_slice(row.get().as_bytes());
            lines.push(b'\n');
        }
        if !output.write(&lines)? {
            break;
        }
        let Some(next) = page.next else { break };
        let path = format!("{path}/urls?{}", query(options, Some(&next)));
        body = asking.get(&path).await?.body.to_vec();
    }
    output.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_as_they_came() {
        let body = r#"{"urls":[{"b": 1.0,"a":"\u00e9"}],"nextCursor":null}"#;
        let page: Page = serde_json::from_str(body).unwrap();
        assert_eq!(page.urls[0].get(), r#"{"b": 1.0,"a":"\u00e9"}"#);
        assert_eq!(page.next, None);
    }

    #[test]
    fn what_was_asked_for_is_a_query_whatever_it_holds() {
        let options = CrawlUrls {
            job: String::new(),
            state: Some("a&b=c d".to_owned()),
            reason: None,
            output: None,
            data_dir: ".".into(),
            server: None,
            key: None,
        };
        let query = query(&options, Some("x"));
        assert_eq!(query, "limit=1000&state=a%26b%3Dc+d&cursor=x");
    }
}
