//! All results of a job as one file, sent while it is read: one segment in memory at a time,
//! however large the whole is.

use std::vec::IntoIter;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::{StreamExt, TryStreamExt, stream};
use jobs::app::{Download, FileForm};
use jobs::crawl::Part;
use jobs::csv_table::Table;
use jobs::{App, Caller, Error, Job, Spec};

use super::form::Form;
use crate::error::Refusal;
use crate::queue_control::BegunView;
use crate::reply;

/// Seconds after which a file that is being written is asked for again.
const ASK_AGAIN: &str = "2";

/// A file being sent.
struct Reading {
    app: App,
    job: Job,
    /// Lines of JSON that are read already.
    lines: Option<Vec<u8>>,
    left: IntoIter<Part>,
    /// What they are written in, where that is not as they are.
    table: Option<Table>,
}

impl Reading {
    async fn step(mut self) -> Result<Option<(Vec<u8>, Self)>, Error> {
        let lines = match self.lines.take() {
            Some(lines) => lines,
            None => match self.left.next() {
                None => return Ok(None),
                Some(part) => self.app.result_segment(&self.job, part).await?,
            },
        };
        let Some(table) = &self.table else {
            return Ok(Some((lines, self)));
        };
        let mut rows = Vec::new();
        for line in lines.split(|byte| *byte == b'\n') {
            if !line.is_empty() {
                rows.append(&mut table.row(line)?);
            }
        }
        Ok(Some((rows, self)))
    }
}

/// The file, or where it is to be had, now or later.
pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    job: Job,
    spec: &Spec,
    form: FileForm,
) -> Result<Response, Refusal> {
    let (first, left) = match app.download(caller, &job, form).await? {
        Download::At(url) => return elsewhere(&url),
        Download::Preparing(operation) => {
            let view = BegunView::new(&operation, "The file is being written", app.now());
            return Ok(preparing(&view));
        }
        Download::Lines(lines) => (Some(lines), Vec::new()),
        Download::Segments(parts) => (None, parts),
    };
    let mut left = left.into_iter();
    // Read before the answer begins: what cannot be read at all can still be said.
    let first = match (first, left.next()) {
        (None, Some(part)) => Some(app.result_segment(&job, part).await?),
        (first, _) => first,
    };
    let (table, content_type) = match form {
        FileForm::Ndjson => (None, Form::Ndjson.content_type()),
        FileForm::Csv => {
            let table = app.results_table(&job, spec).await?;
            (Some(table), Form::Csv.content_type())
        }
    };
    let header = table.as_ref().map(Table::header).transpose()?;
    let name = format!("attachment; filename=\"{}.{}\"", job.id, form.as_str());
    let reading = Reading {
        app: app.clone(),
        job,
        lines: first,
        left,
        table,
    };
    let rest = stream::try_unfold(reading, Reading::step).inspect_err(|error| {
        let error: &dyn std::error::Error = error;
        tracing::error!(error, "a download ended early");
    });
    let all = stream::iter(header.map(Ok)).chain(rest);
    let mut response = Response::new(Body::from_stream(all));
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static(content_type);
    headers.insert(header::CONTENT_TYPE, content_type);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn elsewhere(url: &str) -> Result<Response, Refusal> {
    let location = HeaderValue::from_str(url)
        .map_err(|_| Error::Corrupt("the address of a file is none".to_owned()))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(unkept(response))
}

fn preparing(view: &BegunView) -> Response {
    let mut response = reply::json(StatusCode::ACCEPTED, view);
    let seconds = HeaderValue::from_static(ASK_AGAIN);
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    unkept(response)
}

/// Nobody may keep a link, which is a secret and soon void, nor what is true for a moment.
fn unkept(mut response: Response) -> Response {
    let cache = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    response
}
