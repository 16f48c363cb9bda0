//! A crawl by a service that runs elsewhere, through its API.

use anyhow::{Context, bail};
use async_trait::async_trait;
use hyper::Method;
use jobs::JobId;
use serde_json::{Value, json};

use super::{Crawler, Part};
use crate::cli::Crawl;
use crate::remote::Remote;

pub(super) struct There {
    remote: Remote,
    server: String,
    id: String,
}

impl There {
    pub(super) async fn begin(options: &Crawl, server: &str) -> anyhow::Result<Self> {
        let remote = Remote::parse(server, options.key.as_deref())?;
        let id = match &options.resume {
            Some(id) => {
                let id = JobId::parse(id).with_context(|| format!("{id} is no job"))?;
                id.to_string()
            }
            None => create(&remote, options).await?,
        };
        let server = server.trim_end_matches('/').to_owned();
        let there = Self { remote, server, id };
        let path = format!("/api/jobs/{}", there.id);
        if there.get(&path).await?["status"] == "paused" {
            let resume = json!({"action": "resume"});
            let asked = there.remote.call(Method::PUT, &path, Some(&resume));
            let (status, answer) = asked.await?;
            if status != 200 {
                bail!("{} answers {status}: {}", there.server, said(&answer));
            }
        }
        Ok(there)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let (status, answer) = self.remote.call(Method::GET, path, None).await?;
        match status {
            200 => Ok(answer),
            404 => bail!("{} knows no job {}", self.server, self.id),
            _ => bail!("{} answers {status}: {}", self.server, said(&answer)),
        }
    }
}

async fn create(remote: &Remote, options: &Crawl) -> anyhow::Result<String> {
    let body = options.body();
    let (status, answer) = remote.call(Method::POST, "/api/jobs", Some(&body)).await?;
    if !matches!(status, 200 | 201) {
        bail!("the service answers {status}: {}", said(&answer));
    }
    let id = answer["jobId"].as_str();
    Ok(id.context("the service names no job")?.to_owned())
}

/// What an answer says that is no success, in the words of the command line.
fn said(answer: &Value) -> String {
    let error = answer["error"].as_str().unwrap_or("no reason is given");
    let details = answer["details"].as_array();
    let sentence = |problem: &Value| {
        let field = Crawl::flag_of(problem["field"].as_str()?);
        Some(format!("{field} {}", problem["message"].as_str()?))
    };
    let sentences: Vec<_> = details.into_iter().flatten().filter_map(sentence).collect();
    match answer["details"].as_str() {
        Some(details) => format!("{error}: {details}"),
        None if sentences.is_empty() => error.to_owned(),
        None => format!("{error}: {}", sentences.join("; ")),
    }
}

#[async_trait]
impl Crawler for There {
    async fn job(&self) -> anyhow::Result<Value> {
        self.get(&format!("/api/jobs/{}", self.id)).await
    }

    async fn results(&self, cursor: Option<&str>) -> anyhow::Result<Part> {
        let cursor = cursor.map(|cursor| format!("&cursor={cursor}"));
        let cursor = cursor.unwrap_or_default();
        let path = format!("/api/jobs/{}/results?limit=500{cursor}", self.id);
        let mut answer = self.get(&path).await?;
        let results = answer["results"].take();
        let results = results.as_array().context("the service sends no results")?;
        Ok(Part {
            lines: results.iter().map(Value::to_string).collect(),
            next: answer["nextCursor"].as_str().map(str::to_owned),
        })
    }

    async fn interrupt(&self) -> anyhow::Result<String> {
        let Self { server, id, .. } = self;
        Ok(format!(
            "The crawl goes on at {server}. Follow it, or end it:\n  \
             harvestman crawl --resume {id} --server {server}\n  \
             curl -X DELETE {server}/api/jobs/{id}"
        ))
    }

    async fn close(self: Box<Self>) -> anyhow::Result<()> {
        Ok(())
    }
}
