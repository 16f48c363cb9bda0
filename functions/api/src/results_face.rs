//! Reading the results of a job, a page of them or all as one file: decode, one call, encode.

mod download;
mod form;
mod markdown;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use jobs::app::{FileForm, ResultsCursor, ResultsPart};
use jobs::csv_table::{MOST_ROW, Table};
use jobs::{Caller, Error, Job, JobId, Spec};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use self::form::Form;
use crate::cursor::{self, Of};
use crate::error::{Face, JobsError, Refusal, answer};
use crate::jobs_face::{find, raw};
use crate::openapi::words::{ChangeWord, FileWord, FormatWord};
use crate::query::Query;
use crate::queue_control::BegunView;
use crate::request::{Asked, Id};
use crate::{Api, reply};

/// Most bytes of results in one answer: with its envelope it stays below 4 MB.
const MOST_BYTES: usize = MOST_ROW;
/// Forms of an answer, for the document.
pub(crate) const FORMATS: [&str; 4] = ["json", "ndjson", "csv", "markdown"];
/// What a refresh finds of a page, likewise.
pub(crate) const CHANGES: [&str; 4] = ["new", "same", "changed", "removed"];

/// One fetched page.
#[derive(Serialize, ToSchema)]
#[allow(dead_code)] // read by the document alone
pub(crate) struct PageResult {
    #[serde(flatten)]
    page: jobs::Page,
    /// What has become of the page since it was last seen; of a refresh alone.
    #[schema(value_type = Option<ChangeWord>, nullable = false)]
    change: Option<String>,
    /// What has changed in the text, as a unified difference; of a changed page whose text is kept.
    #[schema(nullable = false)]
    diff: Option<String>,
}

/// Results of a job.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultsView {
    /// Fetched pages.
    #[schema(value_type = Vec<PageResult>)]
    results: Vec<Box<RawValue>>,
    /// Where the next page starts; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// Results of a job.
///
/// `format` decides in which form, else `Accept` does: `application/json`, `application/x-ndjson`,
/// `text/csv` or `text/markdown`. A crawl can be read while it runs, in the order in which its pages
/// are fetched. An answer may have fewer results than `limit`, since it stays below 4 MB.
///
/// `download` gives everything as one file: in the answer, or at an address that 303 names. Of a
/// large crawl that file is written first; until it is there the answer is 202. A crawl that runs is
/// written as it stood when its file was begun, and that file is what is given for ten minutes.
///
/// In CSV a text that a spreadsheet would take for a formula begins with an apostrophe.
#[utoipa::path(
    get, path = "/api/jobs/{id}/results", tag = "jobs", operation_id = "getResults",
    params(
        ("id" = String, Path, description = "Id of the job"),
        ("limit" = Option<u32>, Query, description = "Most results on the page, 100 unless told", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", format = "cursor"),
        ("format" = Option<FormatWord>, Query, description = "The form of the answer, whatever `Accept` says", example = "csv"),
        ("download" = Option<FileWord>, Query, description = "All results as one file, without `limit`, `cursor` and `format`"),
    ),
    responses(
        (status = 200, description = "Fetched pages",
         content((ResultsView = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"), (String = "text/markdown")),
         headers(
            ("ETag" = String, description = "For If-None-Match"),
            ("Link" = String, description = "Path of the next page with `rel=\"next\"`, where there is one; not of JSON"),
            ("X-Next-Cursor" = String, description = "Where the next page starts, where there is one; not of JSON"),
            ("Content-Disposition" = String, description = "The name of the file, of a download"))),
        (status = 202, description = "The file of a download is being written: ask again", body = BegunView,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 303, description = "The file of a download is at `Location`, for 15 minutes",
         headers(("Location" = String, description = "A web address that needs no key, and has to be kept secret"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 404, description = "No such job", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn results(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match try_results(&api, &caller, &id, &headers, query.as_deref()).await {
        Ok(response) => response,
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

/// Which results, and how.
enum Wanted {
    File(FileForm),
    Page {
        form: Form,
        from: ResultsCursor,
        limit: usize,
    },
}

impl Wanted {
    fn parse(id: &str, headers: &HeaderMap, query: Option<&str>) -> Result<Self, Refusal> {
        let mut query = Query::new(query);
        let file = query.parsed("download", "must be ndjson or csv", FileForm::parse);
        if let Some(file) = file {
            for name in ["limit", "cursor", "format"] {
                if query.value(name).is_some() {
                    query.problem(name, "does not go with `download`, which gives everything");
                }
            }
            query.finish()?;
            return Ok(Self::File(file));
        }
        let limit = query.number("limit", 1, 1_000, 100);
        let expected = "must be the nextCursor of an earlier page of the same job";
        let from = query.optional("cursor", expected, |text| {
            cursor::decode_place(Of::Results, id, text)
        });
        let expected = format!("must be one of: {}", FORMATS.join(", "));
        let form = query.parsed("format", &expected, Form::parse);
        query.finish()?;
        Ok(Self::Page {
            form: form.unwrap_or_else(|| Form::accepted(headers)),
            from: from.unwrap_or_default(),
            limit,
        })
    }

    fn version(&self, job: &Job) -> String {
        match self {
            Self::File(form) => format!("{}-all-{}", job.revision, form.as_str()),
            Self::Page { form, .. } => format!("{}-{}", job.revision, form.as_str()),
        }
    }
}

async fn try_results(
    api: &Api,
    caller: &Caller,
    id: &str,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<Response, Refusal> {
    let wanted = Wanted::parse(id, headers, query)?;
    let (job, spec) = find(api, caller, id).await?;
    let version = wanted.version(&job);
    let mut response = if reply::is_seen(headers, &version) {
        reply::unchanged()
    } else {
        match wanted {
            Wanted::File(form) => {
                let answer = download::answer(&api.app, caller, job, &spec, form).await?;
                if answer.status() != StatusCode::OK {
                    // Where the file is, or will be, is no version of it.
                    return Ok(answer);
                }
                answer
            }
            Wanted::Page { form, from, limit } => page(api, &job, &spec, form, from, limit).await?,
        }
    };
    let vary = HeaderValue::from_static("Accept");
    response.headers_mut().insert(header::VARY, vary);
    Ok(reply::tagged(response, &version))
}

async fn page(
    api: &Api,
    job: &Job,
    spec: &Spec,
    form: Form,
    from: ResultsCursor,
    limit: usize,
) -> Result<Response, Refusal> {
    let app = &api.app;
    let mut part = app.results_from(job, from, limit, MOST_BYTES).await?;
    let table = match form {
        Form::Csv => app.results_table(job, spec).await?,
        _ => Table::of(spec),
    };
    let (mut body, fitting) = written(form, &table, &part)?;
    if fitting < part.results.len() {
        // Longer in this form than they are stored: as many as fit, and the cursor after them.
        part = app.results_from(job, from, fitting, MOST_BYTES).await?;
        body = written(form, &table, &part)?.0;
    }
    let next = part.next;
    let next = next.map(|place| cursor::encode_place(Of::Results, &job.id, place));
    if form == Form::Json {
        let view = ResultsView {
            results: raw(part.results)?,
            next_cursor: next,
        };
        return Ok(reply::json(StatusCode::OK, &view));
    }
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static(form.content_type());
    headers.insert(header::CONTENT_TYPE, content_type);
    if let Some(cursor) = next {
        let link = link(&job.id, form, limit, &cursor);
        for (name, value) in [("link", link), ("x-next-cursor", cursor)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
    Ok(response)
}

/// Where the next page is (RFC 8288), in the same form and of the same length.
fn link(id: &JobId, form: Form, limit: usize, cursor: &str) -> String {
    let form = form.as_str();
    format!("</api/jobs/{id}/results?format={form}&limit={limit}&cursor={cursor}>; rel=\"next\"")
}

/// Results in a form other than JSON, and how many of them fit one answer: at least one.
fn written(form: Form, table: &Table, part: &ResultsPart) -> Result<(Vec<u8>, usize), Error> {
    let mut body = match form {
        Form::Csv => table.header()?,
        _ => Vec::new(),
    };
    if form == Form::Json {
        return Ok((body, part.results.len()));
    }
    for (index, result) in part.results.iter().enumerate() {
        let mut one = match form {
            Form::Csv => table.row(result.as_bytes())?,
            Form::Markdown => markdown::document(result.as_bytes(), index == 0)?,
            Form::Json | Form::Ndjson => format!("{result}\n").into_bytes(),
        };
        if index > 0 && body.len() + one.len() > MOST_BYTES {
            return Ok((body, index));
        }
        body.append(&mut one);
    }
    Ok((body, part.results.len()))
}

#[cfg(test)]
mod tests {
    use jobs::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_link_of_a_page_leads_to_the_next_in_the_same_form() {
        let id = JobId::new(Timestamp::from_millis(5), 7);
        let place = ResultsCursor {
            segment: 2,
            line: 9,
        };
        let cursor = cursor::encode_place(Of::Results, &id, place);
        let link = link(&id, Form::Csv, 50, &cursor);
        let path = link
            .strip_prefix('<')
            .unwrap()
            .strip_suffix(">; rel=\"next\"");
        let (path, query) = path.unwrap().split_once('?').unwrap();
        assert_eq!(path, format!("/api/jobs/{id}/results"));
        match Wanted::parse(id.as_str(), &HeaderMap::new(), Some(query)).unwrap() {
            Wanted::Page { form, from, limit } => {
                assert_eq!((form, from, limit), (Form::Csv, place, 50));
            }
            Wanted::File(form) => panic!("{form:?}"),
        }
    }

    #[test]
    fn an_answer_has_as_many_results_as_fit_and_at_least_one() {
        let spec = json!({
            "type": "single-page", "url": "http://a.example/", "attempts": 1, "timeout": 1,
            "delay": 0,
        });
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let table = Table::of(&spec);
        let page = |bytes: usize| {
            json!({"url": "http://a.example/", "title": "T", "text": "a".repeat(bytes)}).to_string()
        };
        let part = |sizes: &[usize]| ResultsPart {
            results: sizes.iter().map(|bytes| page(*bytes)).collect(),
            next: None,
        };
        for form in [Form::Csv, Form::Markdown, Form::Ndjson] {
            let small = part(&[10, 20, 30]);
            assert_eq!(written(form, &table, &small).unwrap().1, 3, "{form:?}");
            let large = part(&[2_000_000, 1_000_000, 2_000_000]);
            let (body, fitting) = written(form, &table, &large).unwrap();
            assert_eq!(fitting, 2, "{form:?}");
            assert!(body.len() <= MOST_BYTES, "{form:?}");
            assert_eq!(written(form, &table, &part(&[3_990_000])).unwrap().1, 1);
        }
    }
}
