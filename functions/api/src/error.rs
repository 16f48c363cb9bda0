//! Errors as answers: one exhaustive match from [`jobs::Error`] to HTTP, in the shape of the face
//! that was asked. Details of a 5xx stay in the log, found by its `requestId`.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use jobs::{Error, Problem, Status, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{Api, reply};

/// Which of the two APIs a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    Jobs,
    V1,
}

impl Face {
    pub(crate) fn of(path: &str) -> Self {
        if path == "/api/v1" || path.starts_with("/api/v1/") {
            Self::V1
        } else {
            Self::Jobs
        }
    }
}

/// Why a request is not carried out.
#[derive(Debug)]
pub(crate) enum Refusal {
    Invalid(Vec<Problem>),
    InvalidQuery(Vec<Problem>),
    BodyTooLarge,
    ContentType,
    UnknownPath(String),
    UnknownMethod(String),
    /// No key, or none that is good; the sentence says which.
    Unidentified(&'static str),
    UnknownKey(String),
    App(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(problems) => Self::Invalid(problems),
            other => Self::App(other),
        }
    }
}

/// What is wrong with one field of a request.
#[derive(ToSchema)]
#[allow(dead_code)] // read by the document alone
pub(crate) struct ProblemView {
    /// Its path, such as `config.fields.price.selector`.
    #[schema(example = "url")]
    field: String,
    #[schema(example = "Invalid URL format")]
    message: String,
}

/// One sentence, or every problem of a request.
#[derive(ToSchema)]
#[schema(as = ErrorDetails)]
#[serde(untagged)]
#[allow(dead_code)] // read by the document alone
pub(crate) enum DetailsView {
    Sentence(String),
    Problems(Vec<ProblemView>),
}

/// 503 has two printed bodies: a full queue answers with that of the Queue System API.
#[derive(ToSchema)]
#[schema(as = CreateUnavailable)]
#[serde(untagged)]
#[allow(dead_code)] // read by the document alone
pub(crate) enum UnavailableView {
    OutOfReach(JobsError),
    Full(V1Error),
}

/// An error of the Jobs API.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobsError {
    /// What did not work.
    #[schema(example = "Invalid job data")]
    pub error: String,
    /// A list of problems by field, or a sentence.
    #[schema(value_type = DetailsView)]
    pub details: Value,
    /// Where the job stands; on 409 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// Names this answer in the log; on 5xx only.
    #[schema(nullable = false)]
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whole seconds until another try may succeed; on 429 only.
    #[schema(nullable = false, minimum = 1)]
    #[serde(rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// An error of the Queue System API.
#[derive(Serialize, ToSchema)]
pub(crate) struct V1Error {
    #[schema(example = false)]
    pub success: bool,
    #[schema(example = "Job not found")]
    pub message: String,
    #[schema(example = "No job found with ID: job-123456")]
    pub error: String,
    /// Every problem of the request; on 400 only.
    #[schema(value_type = Option<Vec<ProblemView>>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// Where the job stands; on 409 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// Names this answer in the log; on 5xx only.
    #[schema(nullable = false)]
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whole seconds until another try may succeed; on 429 only.
    #[schema(nullable = false, minimum = 1)]
    #[serde(rename = "retryAfter", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    #[schema(format = DateTime)]
    pub timestamp: String,
}

/// What an error says, before it takes the shape of a face.
struct Report {
    status: StatusCode,
    title: &'static str,
    sentence: String,
    problems: Option<Value>,
    /// Where the job stands that forbids what was asked for.
    job: Option<Status>,
    retry_after: Option<Duration>,
    /// The rate that was exceeded, in calls a minute.
    rate: Option<u32>,
    /// Both faces answer with the body that the Queue System API prints.
    printed: bool,
}

impl Report {
    fn new(status: StatusCode, title: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            status,
            title,
            sentence: sentence.into(),
            problems: None,
            job: None,
            retry_after: None,
            rate: None,
            printed: false,
        }
    }
}

fn report(refusal: &Refusal) -> Report {
    match refusal {
        Refusal::Invalid(problems) => invalid("Invalid job data", problems),
        Refusal::InvalidQuery(problems) => invalid("Invalid query parameters", problems),
        Refusal::BodyTooLarge => Report::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Request body too large",
            format!("a body may have at most {} bytes", crate::request::MAX_BODY),
        ),
        Refusal::ContentType => Report::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Unsupported content type",
            "send the body as application/json",
        ),
        Refusal::UnknownPath(path) => Report::new(
            StatusCode::NOT_FOUND,
            "Not found",
            format!("there is nothing at {path}"),
        ),
        Refusal::UnknownMethod(what) => Report::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Method not allowed",
            format!("{what} is not available here"),
        ),
        Refusal::Unidentified(why) => Report::new(StatusCode::UNAUTHORIZED, "Unauthorized", *why),
        Refusal::UnknownKey(id) => not_found("Key not found", "key", id),
        Refusal::App(error) => of_app(error),
    }
}

fn invalid(title: &'static str, problems: &[Problem]) -> Report {
    const SHOWN: usize = 100;
    let more = problems.len().saturating_sub(SHOWN);
    let rest = (more > 0).then(|| Problem::new("body", format!("and {more} more problems")));
    let problems: Vec<_> = problems.iter().take(SHOWN).chain(&rest).collect();
    let list = problems
        .iter()
        .map(|problem| json!({"field": problem.field, "message": problem.message}));
    let sentence: Vec<_> = problems.iter().map(ToString::to_string).collect();
    Report {
        problems: Some(list.collect()),
        ..Report::new(StatusCode::BAD_REQUEST, title, sentence.join("; "))
    }
}

fn not_found(title: &'static str, what: &str, id: &str) -> Report {
    let sentence = format!("No {what} found with ID: {id}");
    Report::new(StatusCode::NOT_FOUND, title, sentence)
}

fn of_app(error: &Error) -> Report {
    match error {
        Error::Invalid(problems) => invalid("Invalid job data", problems),
        Error::TooLarge { .. } => Report::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Job too large",
            error.to_string(),
        ),
        Error::Forbidden(why) => Report::new(StatusCode::FORBIDDEN, "Forbidden", why),
        Error::NotFound(id) => not_found("Job not found", "job", id),
        Error::Conflict { status, .. } | Error::Taken { status, .. } => Report {
            job: Some(*status),
            ..Report::new(StatusCode::CONFLICT, "Not possible now", error.to_string())
        },
        Error::NoOperation(id) => not_found("Operation not found", "operation", id),
        Error::NoWebhook(id) => not_found("Webhook not found", "webhook", id),
        Error::NoDelivery(id) => not_found("Delivery not found", "delivery", id),
        Error::Disabled(_) => Report::new(
            StatusCode::CONFLICT,
            "Not possible now",
            format!("{error}: enable it first"),
        ),
        Error::NoSchedule(id) => Report::new(
            StatusCode::NOT_FOUND,
            "Schedule not found",
            format!("No schedule found with ID: {id}"),
        ),
        Error::TooMany { .. } => {
            Report::new(StatusCode::CONFLICT, "As many as may be", error.to_string())
        }
        Error::Overlap { status, .. } => Report {
            job: Some(*status),
            ..Report::new(StatusCode::CONFLICT, "Not possible now", error.to_string())
        },
        Error::KeyReused => Report::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Idempotency key reused",
            error.to_string(),
        ),
        Error::Busy { retry_after } => Report {
            retry_after: Some(*retry_after),
            ..Report::new(
                StatusCode::CONFLICT,
                "Request in progress",
                error.to_string(),
            )
        },
        Error::Full { retry_after } => Report {
            retry_after: Some(*retry_after),
            printed: true,
            ..Report::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Queue is full",
                "Maximum queue capacity reached",
            )
        },
        Error::Limited {
            retry_after,
            per_minute,
        } => Report {
            retry_after: Some(*retry_after),
            rate: Some(*per_minute),
            ..Report::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests",
                "Rate limit exceeded",
            )
        },
        Error::Unavailable { .. } => Report {
            retry_after: Some(Duration::from_secs(5)),
            ..Report::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Failed to create job",
                "Queue system temporarily unavailable",
            )
        },
        Error::Corrupt(_) => Report::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal server error",
            "something went wrong on our side",
        ),
    }
}

/// The answer to a refused request.
pub(crate) fn answer(face: Face, refusal: &Refusal, now: Timestamp) -> Response {
    let report = report(refusal);
    let request_id = report.status.is_server_error().then(|| log(refusal, now));
    // Rounded up: who comes back then is let in.
    let seconds = report
        .retry_after
        .map(|wait| wait.as_secs_f64().ceil().max(1.0) as u64);
    let retry_after = seconds.filter(|_| report.rate.is_some());
    let status = report.job.map(Status::as_str);
    let mut response = if face == Face::V1 || report.printed {
        let body = V1Error {
            success: false,
            message: report.title.to_owned(),
            error: report.sentence,
            details: report.problems,
            status,
            request_id,
            retry_after,
            timestamp: now.to_string(),
        };
        reply::json(report.status, &body)
    } else {
        let body = JobsError {
            error: report.title.to_owned(),
            details: report.problems.unwrap_or(Value::String(report.sentence)),
            status,
            request_id,
            retry_after,
        };
        reply::json(report.status, &body)
    };
    let headers = response.headers_mut();
    if report.status == StatusCode::UNAUTHORIZED {
        // RFC 6750, section 3.
        let scheme = HeaderValue::from_static("Bearer");
        headers.insert(header::WWW_AUTHENTICATE, scheme);
    }
    if let Some(seconds) = seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let (Some(rate), Some(seconds)) = (report.rate, seconds) {
        // draft-ietf-httpapi-ratelimit-headers
        let policy = HeaderValue::from_str(&format!("\"calls\";q={rate};w=60"));
        let left = HeaderValue::from_str(&format!("\"calls\";r=0;t={seconds}"));
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = value {
                headers.insert(name, value);
            }
        }
    }
    response
}

/// Logs the whole chain once, and gives the id under which it is found.
fn log(refusal: &Refusal, now: Timestamp) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let request_id = format!(
        "req_{:x}_{:x}_{count:x}",
        now.as_millis(),
        std::process::id()
    );
    match refusal {
        // A customer at its cap is told so; nothing is wrong with the service.
        Refusal::App(error @ Error::Full { .. }) => {
            tracing::info!(
                request_id,
                error = error as &dyn std::error::Error,
                "refused"
            );
        }
        Refusal::App(error) => {
            let error: &dyn std::error::Error = error;
            tracing::error!(request_id, error, "request failed");
        }
        _ => {}
    }
    request_id
}

/// Any path that is none of ours.
pub(crate) async fn unknown_path(State(api): State<Api>, uri: Uri) -> Response {
    let refusal = Refusal::UnknownPath(shown(&uri));
    answer(Face::of(uri.path()), &refusal, api.app.now())
}

/// A known path, asked in a way that it does not answer to.
pub(crate) async fn unknown_method(State(api): State<Api>, method: Method, uri: Uri) -> Response {
    let refusal = Refusal::UnknownMethod(format!("{method} {}", shown(&uri)));
    answer(Face::of(uri.path()), &refusal, api.app.now())
}

fn shown(uri: &Uri) -> String {
    uri.path().chars().take(200).collect()
}
