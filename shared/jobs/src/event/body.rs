//! What an event says of its job: facts of the moment, so that a receiver need not ask. Refuses to
//! carry results, which may be large; it says where they are.

use serde_json::{Map, Value, json};

use crate::event::EventType;
use crate::job::Job;
use crate::outbox::Happening;
use crate::spec::Spec;

/// The `data` of an event.
pub(super) fn data(job: &Job, spec: Option<&Spec>, happening: &Happening) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    let url = &job.url;
    put("jobType", json!(job.kind.as_str()));
    put("url", json!(url));
    put("status", json!(status(happening.kind)));
    put("priority", json!(job.priority.as_str()));
    put("createdAt", json!(job.created_at.to_string()));
    put("statusUrl", json!(format!("/api/jobs/{}", job.id)));
    if let Some(metadata) = spec.and_then(|spec| spec.metadata.as_ref()) {
        put("metadata", metadata.clone());
    }
    if let Some(run) = &job.run_of {
        put("scheduleId", json!(run.schedule.as_str()));
        put("scheduledAt", json!(run.at.to_string()));
    }
    if let Some(failure) = &happening.failure {
        put("failedReason", json!(failure.to_string()));
        put("code", json!(failure.code));
        put("retryable", json!(failure.retryable));
    }
    if let Some(percentage) = happening.percentage {
        put("percentage", json!(percentage));
    }
    if happening.kind == EventType::JobRetried {
        let cause = if happening.failure.is_some() {
            "failure"
        } else {
            "request"
        };
        put("cause", json!(cause));
    }
    if happening.kind == EventType::JobCompleted {
        put("resultsUrl", json!(format!("/api/jobs/{}/results", job.id)));
    }
    let tells_progress = happening.kind.is_terminal() || happening.kind == EventType::JobProgress;
    if let Some(crawl) = job.crawl.as_ref().filter(|_| tells_progress) {
        let counters = crawl.counters;
        let counters = json!({
            "discovered": counters.discovered(), "queued": counters.queued,
            "done": counters.done, "failed": counters.failed, "skipped": counters.skipped,
        });
        put("counters", counters);
    }
    if happening.kind.is_terminal() {
        put("attemptsMade", json!(happening.attempts));
        put("finishedAt", json!(happening.at.to_string()));
    }
    Value::Object(data)
}

/// The `data` of an event about pages: each the JSON of a result, of which the facts are taken.
pub(super) fn pages(job: &Job, lines: &[Value]) -> Value {
    const FACTS: [&str; 6] = ["url", "finalUrl", "status", "title", "change", "fetchedAt"];
    let facts = |line: &Value| {
        let facts = FACTS.iter().filter_map(|name| {
            let value = line.get(*name).filter(|value| !value.is_null())?;
            Some(((*name).to_owned(), shortened(value)))
        });
        Value::Object(facts.collect())
    };
    let pages: Vec<_> = lines.iter().map(facts).collect();
    json!({
        "jobType": job.kind.as_str(), "url": job.url, "status": "active",
        "statusUrl": format!("/api/jobs/{}", job.id),
        "resultsUrl": format!("/api/jobs/{}/results", job.id),
        "pages": pages,
    })
}

/// A title may be of any length; addresses are bounded already.
fn shortened(value: &Value) -> Value {
    match value.as_str() {
        Some(text) if text.len() > 2_048 => json!(text.chars().take(512).collect::<String>()),
        _ => value.clone(),
    }
}

/// The job's status as of the event, whatever has become of it since.
fn status(kind: EventType) -> &'static str {
    match kind {
        EventType::JobCreated | EventType::JobRetried | EventType::ScheduleFired => "waiting",
        EventType::JobStarted | EventType::JobProgress | EventType::CrawlPage => "active",
        EventType::JobCompleted => "completed",
        EventType::JobFailed => "failed",
        EventType::JobCancelled => "cancelled",
    }
}
