//! What is told of jobs, for the document: the shape that is the body of a webhook and the detail of
//! an event on the bus alike.

use jobs::EventType;
use jobs::event::PAGES_AT_ONCE;
use serde_json::{Map, Value, json};

/// The schemas of events, by name.
pub(super) fn schemas() -> [(&'static str, Value); 2] {
    [("Event", event()), ("EventTypeWord", types())]
}

/// One entry for each type of event: what a receiver is sent, and what it answers.
pub(super) fn webhooks() -> Value {
    let described = EventType::ALL.map(|kind| {
        let body = json!({
            "required": true,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Event"}}},
        });
        let header = |name: &str, description: &str| {
            json!({
                "name": name, "in": "header", "required": true, "description": description,
                "schema": {"type": "string"},
            })
        };
        let posted = json!({
            "summary": summary(kind),
            "operationId": format!("on{}", name(kind)),
            "description": "Signed according to the Standard Webhooks specification.",
            "parameters": [
                header("webhook-id", "The event's id; the same whenever it comes again."),
                header("webhook-timestamp", "When it was sent, in seconds since 1970."),
                header("webhook-signature", "`v1,` and the signature in base64; several, with a space between, while a secret is being replaced."),
            ],
            "requestBody": body,
            "responses": {
                "2XX": {"description": "Received. Anything else is tried again."},
                "410": {"description": "Never again: the endpoint is disabled."},
            },
        });
        (kind.as_str().to_owned(), json!({"post": posted}))
    });
    Value::Object(described.into_iter().collect::<Map<_, _>>())
}

/// `job.created` as `JobCreated`.
fn name(kind: EventType) -> String {
    let capital = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    };
    kind.as_str().split('.').map(capital).collect()
}

const fn summary(kind: EventType) -> &'static str {
    match kind {
        EventType::JobCreated => "A job was created",
        EventType::JobStarted => "The first attempt at a job has begun",
        EventType::JobProgress => "A crawl has passed a quarter of its way",
        EventType::JobCompleted => "A job is completed",
        EventType::JobFailed => "A job has failed for good",
        EventType::JobCancelled => "A job was cancelled",
        EventType::JobRetried => "A job is tried again, after a failure or by request",
        EventType::CrawlPage => "Pages of a crawl were fetched",
        EventType::ScheduleFired => "A schedule has made a job",
    }
}

fn types() -> Value {
    let names = EventType::ALL.map(EventType::as_str);
    json!({"type": "string", "enum": names})
}

fn event() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let time = |description: &str| json!({"type": "string", "format": "date-time", "description": description});
    let count =
        |description: &str| json!({"type": "integer", "minimum": 0, "description": description});
    let page = json!({
        "type": "object", "required": ["url"],
        "properties": {
            "url": text("The address of the page."), "finalUrl": text("Where it led to."),
            "status": count("What its server has answered."), "title": text("Its title."),
            "change": text("Of a refresh: new, same, changed or removed."),
            "fetchedAt": time("When it was fetched."),
        },
    });
    let counters = json!({
        "type": "object",
        "required": ["discovered", "queued", "done", "failed", "skipped"],
        "properties": {
            "discovered": count("All that is known of: the sum of the others."),
            "queued": count("Addresses to be fetched."), "done": count("Pages fetched."),
            "failed": count("Fetches failed for good."), "skipped": count("Left out, for a reason."),
        },
    });
    let data = json!({
        "type": "object",
        "required": ["jobType", "url", "status", "statusUrl"],
        "properties": {
            "jobType": text("The job's type."),
            "url": text("The address as it was sent."),
            "status": text("The job's status as of the event, whatever it is by now."),
            "priority": text("The job's priority."),
            "createdAt": time("When the job was created."),
            "statusUrl": text("A path that answers with the job."),
            "resultsUrl": text("Of completed jobs and of pages: a path that answers with the results."),
            "metadata": {"type": "object", "description": "What the client gave with the job."},
            "scheduleId": text("Of a run of a schedule: which one."),
            "scheduledAt": time("Of a run of a schedule: for when it was planned."),
            "percentage": count("Of job.progress: 0 to 99."),
            "counters": counters,
            "attemptsMade": count("Of the end of a job: attempts at the work."),
            "finishedAt": time("Of the end of a job."),
            "failedReason": text("Of a failure: `code: sentence`."),
            "code": text("Of a failure: its stable name."),
            "retryable": {"type": "boolean", "description": "Of a failure: whether another attempt can help."},
            "cause": {"type": "string", "enum": ["failure", "request"], "description": "Of job.retried."},
            "pages": {"type": "array", "items": page, "maxItems": PAGES_AT_ONCE, "description": "Of crawl.page."},
        },
    });
    json!({
        "type": "object",
        "description": "What happened to a job: the body of a webhook, and the detail of an event on the bus with `harvestman` as its source. It may come more than once, under the same id.",
        "required": ["id", "type", "timestamp", "customerId", "jobId", "data"],
        "properties": {
            "id": text("Always the same for the same change of a job."),
            "type": {"$ref": "#/components/schemas/EventTypeWord"},
            "timestamp": time("When it happened."),
            "customerId": text("Whose job it is."),
            "jobId": text("Which job."),
            "data": data,
        },
    })
}
