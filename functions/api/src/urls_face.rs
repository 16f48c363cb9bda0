//! Handlers about the addresses of a crawl, what has become of each and what would become of one:
//! decode, one call, encode.

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jobs::app::{Explained, UrlFilter, UrlRow, UrlsPage};
use jobs::crawl::{Reason, UrlState};
use jobs::question::About;
use jobs::{Caller, FailureCode, Job, Question};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursor::{self, Of};
use crate::error::{Face, JobsError, Refusal, answer};
use crate::jobs_face::find;
use crate::openapi::config::QuestionBody;
use crate::openapi::words::UrlStateWord;
use crate::query::Query;
use crate::request::{Asked, Id};
use crate::{Api, reply, request};

/// An address of a crawl.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UrlView {
    #[schema(example = "https://example.com/private/a")]
    url: String,
    #[schema(value_type = UrlStateWord, example = "skipped")]
    state: &'static str,
    /// Why it is no result, as a stable code; null where nothing speaks against it.
    #[schema(required = true, example = "robots")]
    reason: Option<String>,
    /// The same for a person.
    #[schema(required = true, example = "line 12: Disallow: /private")]
    detail: Option<String>,
    /// Where it leads to, where that is another address.
    #[schema(required = true)]
    final_url: Option<String>,
    /// Links between the start and it.
    depth: u8,
}

impl UrlView {
    fn new(row: UrlRow) -> Self {
        let reason = row.reason.as_ref();
        Self {
            state: row.state.as_str(),
            reason: reason.map(Reason::code),
            detail: reason.map(sentence),
            final_url: row.final_url.or_else(|| target(reason)),
            depth: row.depth,
            url: row.url,
        }
    }
}

fn target(reason: Option<&Reason>) -> Option<String> {
    reason.and_then(Reason::target).map(str::to_owned)
}

/// A reason for a person, where its code alone is known.
fn sentence(reason: &Reason) -> String {
    match (reason, reason.detail()) {
        (Reason::Duplicate(url), _) => format!("The same page as {url}"),
        (Reason::Redirect(url), _) => format!("Redirects to {url}"),
        (Reason::Canonical(url), _) => format!("Names {url} as its canonical address"),
        (Reason::Depth, _) => "More links away from the start than `depth` allows".to_owned(),
        (Reason::OffScope, _) => "Outside of the site that is crawled".to_owned(),
        (Reason::TooLarge, _) => "Larger than a page may be".to_owned(),
        (Reason::Nofollow, _) => "Known only from links that are not to be followed".to_owned(),
        (reason, "") => reason.code(),
        (_, detail) => detail.to_owned(),
    }
}

/// Addresses of a crawl.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UrlsView {
    /// In the order in which they were discovered.
    urls: Vec<UrlView>,
    /// Where the next page starts; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl UrlsView {
    fn new(job: &Job, page: UrlsPage) -> Self {
        let next = page.next;
        Self {
            urls: page.urls.into_iter().map(UrlView::new).collect(),
            next_cursor: next.map(|place| cursor::encode_place(Of::Urls, &job.id, place)),
        }
    }
}

/// Every address that a crawl has discovered, and why it is no result where it is none.
///
/// Any other job has its own address alone.
///
/// A page may have fewer addresses than `limit` without being the last: the work of one call is
/// bounded.
#[utoipa::path(
    get, path = "/api/jobs/{id}/urls", tag = "jobs", operation_id = "listUrls",
    params(
        ("id" = String, Path, description = "Id of the job"),
        ("state" = Option<UrlStateWord>, Query, description = "Addresses that stand there alone", example = "skipped"),
        ("reason" = Option<String>, Query, description = "Addresses with this reason alone: `robots`, `pattern`, `depth`, `limit`, `duplicate`, `off_scope`, `redirect`, `canonical`, `trap`, `too_large`, `wrong_type`, `nofollow`, or the code of a failure", pattern = "^(robots|pattern|depth|limit|duplicate|off_scope|redirect|canonical|trap|too_large|wrong_type|nofollow|address_refused|redirects|dns|connect|tls|timeout|invalid_response|not_html|parse_budget|field_missing|robots_denied|robots_unreachable|lease_lost|internal|http_[1-9][0-9]{2})$", example = "robots"),
        ("limit" = Option<u32>, Query, description = "Most addresses on the page, 100 unless told", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", format = "cursor"),
    ),
    responses(
        (status = 200, description = "A page of addresses", body = UrlsView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 404, description = "No such job", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn urls(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match try_urls(&api, &caller, &id, &headers, query.as_deref()).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_urls(
    api: &Api,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response, Refusal> {
    let mut query = Query::new(query);
    let states = UrlState::ALL.map(UrlState::as_str).join(", ");
    let filter = UrlFilter {
        state: query.parsed(
            "state",
            &format!("must be one of: {states}"),
            UrlState::parse,
        ),
        reason: query.parsed("reason", &expected_reason(), reason),
    };
    let limit = query.number("limit", 1, 1_000, 100);
    let expected = "must be the nextCursor of an earlier page of the same job";
    let from = query.optional("cursor", expected, |text| {
        cursor::decode_place(Of::Urls, id, text)
    });
    query.finish()?;
    let (job, _) = find(api, caller, id).await?;
    let version = job.revision.to_string();
    if reply::is_seen(headers, &version) {
        return Ok(reply::tagged(reply::unchanged(), &version));
    }
    let app = &api.app;
    let page = if job.kind.is_crawl() {
        app.urls(&job, &filter, from.unwrap_or(0), limit).await?
    } else {
        UrlsPage::of_page(&job, &filter)
    };
    let response = reply::json(StatusCode::OK, &UrlsView::new(&job, page));
    Ok(reply::tagged(response, &version))
}

fn expected_reason() -> String {
    let failures = FailureCode::NAMED.map(|(_, name)| name);
    let failures = failures.iter().filter(|name| !Reason::CODES.contains(name));
    let known: Vec<_> = Reason::CODES.iter().chain(failures).copied().collect();
    format!("must be one of: {}, http_ and a status", known.join(", "))
}

/// A code that a reason can have, in its one spelling.
fn reason(text: &str) -> Option<String> {
    let is_failure = || match text.parse() {
        Ok(code @ FailureCode::Http(status)) => {
            (100..1_000).contains(&status) && code.to_string() == text
        }
        Ok(_) => true,
        Err(()) => false,
    };
    (Reason::CODES.contains(&text) || is_failure()).then(|| text.to_owned())
}

/// What would become of an address.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplainedView {
    /// The address as the crawl would name it.
    #[schema(example = "https://example.com/private/a")]
    url: String,
    #[schema(value_type = UrlStateWord, example = "skipped")]
    state: &'static str,
    /// Why it would be no result, as a stable code; null where nothing speaks against it.
    #[schema(required = true, example = "robots")]
    reason: Option<String>,
    /// The same for a person.
    #[schema(required = true, example = "line 12: Disallow: /private")]
    detail: Option<String>,
    /// The address that stands for it, where that is another.
    #[schema(required = true)]
    final_url: Option<String>,
    /// What could not be told without asking the site.
    notes: Vec<String>,
}

impl From<Explained> for ExplainedView {
    fn from(explained: Explained) -> Self {
        let reason = explained.reason.as_ref();
        Self {
            url: explained.url,
            state: explained.state.as_str(),
            reason: reason.map(Reason::code),
            detail: reason.map(sentence),
            final_url: target(reason),
            notes: explained.notes,
        }
    }
}

/// What a crawl would do with an address, and why: a dry run that fetches nothing.
///
/// With `jobId` it is about a job that exists, with `options` about one that would be
/// asked for like this, and without either about a crawl of the address's site with every default.
#[utoipa::path(
    post, path = "/api/explain", tag = "jobs", operation_id = "explain",
    request_body = QuestionBody,
    responses(
        (status = 200, description = "What would become of it", body = ExplainedView),
        (status = 400, description = "Something in the body is wrong", body = JobsError),
        (status = 404, description = "No such job", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn explain(
    State(api): State<Api>,
    Asked(caller): Asked,
    request: Request,
) -> Response {
    match try_explain(&api, &caller, request).await {
        Ok(view) => reply::json(StatusCode::OK, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_explain(
    api: &Api,
    caller: &Caller,
    request: Request,
) -> Result<ExplainedView, Refusal> {
    let body = request::json_body(request).await?;
    let question = Question::parse(&body, api.check).map_err(Refusal::Invalid)?;
    let url = &question.url;
    let explained = match question.about {
        About::Job(id) => {
            let (job, spec) = find(api, caller, id.as_str()).await?;
            if job.kind.is_crawl() {
                api.app.explain(&spec, Some(&job), url).await?
            } else {
                Explained::of_page(&job, &spec, url)
            }
        }
        About::Crawl(spec) => {
            api.app.count_read(caller).await?;
            api.app.explain(&spec, None, url).await?
        }
    };
    Ok(explained.into())
}
