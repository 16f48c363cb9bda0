//! Handlers of schedules: create, list and read. Decode, one call, encode.

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use jobs::app::{CreatedSchedule, ScheduleFilter};
use jobs::schedule::ScheduleStatus;
use jobs::spec::CustomerId;
use jobs::{Caller, Error, Keyed, NewSchedule, ScheduleId};

use crate::error::{Face, JobsError, Refusal, UnavailableView, answer};
use crate::jobs_create::webhook_secret;
use crate::openapi::config::ScheduleBody;
use crate::openapi::words::ScheduleStatusWord;
use crate::query::Query;
use crate::request::{Asked, Id};
use crate::schedule_view::{RecurringView, RunsView, ScheduleView, SchedulesView};
use crate::{Api, cursor, reply, request};

/// Create a job that recurs.
///
/// The same as POST /api/jobs with `cronPattern`. Repeated with the same `Idempotency-Key` and body
/// it answers the same again, for 24 hours.
#[utoipa::path(
    post, path = "/api/schedules", tag = "schedules", operation_id = "createSchedule",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Names this request, so that it can be repeated: visible ASCII", min_length = 1, max_length = 255),
    ),
    request_body(content = ScheduleBody, examples(
        ("refresh" = (summary = "A refresh every night", value = json!({
            "type": "refresh", "url": "https://example.com", "cronPattern": "0 2 * * *",
            "timezone": "Europe/Berlin", "customerId": "customer-123",
        }))),
    )),
    responses(
        (status = 201, description = "Created", body = RecurringView,
         headers(("Location" = String, description = "Path of the schedule"))),
        (status = 400, description = "Something in the body is wrong", body = JobsError, example = json!({
            "error": "Invalid job data",
            "details": [{"field": "timezone", "message": "must be a time zone of the IANA database, such as Europe/Berlin"}],
        })),
        (status = 403, description = "The key belongs to another customer", body = JobsError),
        (status = 404, description = "There is no job with the `jobId` of a refresh", body = JobsError),
        (status = 409, description = "The customer has 1,000 schedules", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 422, description = "The key was used for another request", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = UnavailableView,
         headers(("Retry-After" = u32, description = "Seconds"))),
    )
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Asked(caller): Asked,
    request: Request,
) -> Response {
    let now = api.app.now();
    let created = async {
        let parse = |body: &_| api.with_webhook(body, NewSchedule::parse(body, api.check, now));
        let (new, keyed) = request::to_create(request, "POST /api/schedules", parse).await?;
        recurring(&api, &caller, new, keyed.as_ref()).await
    };
    created
        .await
        .unwrap_or_else(|refusal| answer(Face::Jobs, &refusal, now))
}

/// Creates a schedule, by whichever way it was asked for.
pub(crate) async fn recurring(
    api: &Api,
    caller: &Caller,
    mut new: NewSchedule,
    keyed: Option<&Keyed>,
) -> Result<Response, Refusal> {
    new.job = api.app.addressed(caller, new.job).await?;
    let created: CreatedSchedule = api.app.create_schedule(caller, &new, keyed).await?;
    let secret = webhook_secret(api, caller, &new.job)?;
    let has_secret = secret.is_some();
    let view = RecurringView::new(new, &created, secret);
    let mut response = reply::json(StatusCode::CREATED, &view);
    if has_secret {
        response = reply::secret(response);
    }
    if let Ok(location) = HeaderValue::from_str(&view.status_url) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// List schedules, newest first.
#[utoipa::path(
    get, path = "/api/schedules", tag = "schedules", operation_id = "listSchedules",
    params(
        ("customerId" = Option<String>, Query, description = "Schedules of this customer alone", min_length = 1, max_length = 128, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$"),
        ("status" = Option<ScheduleStatusWord>, Query, description = "Schedules that stand there alone"),
        ("limit" = Option<u32>, Query, description = "Most schedules on the page, 10 unless told", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", format = "cursor"),
    ),
    responses(
        (status = 200, description = "A page of schedules", body = SchedulesView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 400, description = "A parameter is wrong", body = JobsError),
        (status = 404, description = "The key belongs to another customer", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Asked(caller): Asked,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match try_list(&api, &caller, query.as_deref()).await {
        Ok(view) => reply::unless_seen(&headers, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_list(
    api: &Api,
    caller: &Caller,
    query: Option<&str>,
) -> Result<SchedulesView, Refusal> {
    let mut query = Query::new(query);
    let known = ScheduleStatus::ALL.map(ScheduleStatus::as_str).join(", ");
    let filter = ScheduleFilter {
        customer: query.parsed(
            "customerId",
            "must have 1 to 128 printable characters",
            CustomerId::parse,
        ),
        status: query.optional(
            "status",
            &format!("must be one of: {known}"),
            ScheduleStatus::parse,
        ),
    };
    let limit = query.number("limit", 1, 100, 10);
    let before = query.optional(
        "cursor",
        "must be the nextCursor of an earlier page with the same customerId",
        |text| cursor::decode_schedule(text, filter.customer.as_ref()),
    );
    query.finish()?;
    let page = api
        .app
        .list_schedules(caller, &filter, before.as_ref(), limit);
    let page = page.await?;
    let customer = filter.customer.as_ref();
    Ok(SchedulesView::new(&page, customer, api.app.now()))
}

/// Read one schedule.
#[utoipa::path(
    get, path = "/api/schedules/{id}", tag = "schedules", operation_id = "getSchedule",
    params(("id" = String, Path, description = "Id of the schedule")),
    responses(
        (status = 200, description = "The schedule", body = ScheduleView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 404, description = "No such schedule", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn schedule(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
) -> Response {
    let read = async {
        let (schedule, asked) = api.app.schedule(&caller, &known(&id)?).await?;
        Ok::<_, Refusal>(ScheduleView::new(&schedule, &asked, api.app.now()))
    };
    match read.await {
        Ok(view) => reply::unless_seen(&headers, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

/// Read what became of the last 100 firings of a schedule, those that made no job included.
#[utoipa::path(
    get, path = "/api/schedules/{id}/runs", tag = "schedules", operation_id = "listRuns",
    params(("id" = String, Path, description = "Id of the schedule")),
    responses(
        (status = 200, description = "The runs, the latest first", body = RunsView, headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "Not changed since the ETag that was sent"),
        (status = 404, description = "No such schedule", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn runs(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    headers: HeaderMap,
) -> Response {
    let read = async {
        let runs = api.app.runs(&caller, &known(&id)?).await?;
        Ok::<_, Refusal>(RunsView::new(runs))
    };
    match read.await {
        Ok(view) => reply::unless_seen(&headers, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

/// The id of a path, where it can be one.
pub(crate) fn known(id: &str) -> Result<ScheduleId, Error> {
    let shown = || id.chars().take(100).collect();
    ScheduleId::parse(id).ok_or_else(|| Error::NoSchedule(shown()))
}
