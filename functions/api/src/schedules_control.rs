//! Handlers of what is done to a schedule: change, pause, resume, run now, delete. Decode, one call,
//! encode.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jobs::body::Reader;
use jobs::{Caller, ChangedSchedule};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::{Face, JobsError, Refusal, UnavailableView, answer};
use crate::openapi::config::ChangeScheduleBody;
use crate::request::{Asked, Id};
use crate::schedule_view::{MovedView, RunBegunView, ScheduleView};
use crate::schedules_face::known;
use crate::{Api, reply, request};

/// What to do with a schedule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // read by the document alone
pub(crate) struct ScheduleActionBody {
    #[schema(value_type = String, pattern = "^(pause|resume)$", example = "pause")]
    action: String,
}

/// Change a schedule.
///
/// Each field of the request takes the place of the one before, as a whole; `null` takes it back. A
/// pattern, a time zone or dates that are new count from now on.
#[utoipa::path(
    patch, path = "/api/schedules/{id}", tag = "schedules", operation_id = "changeSchedule",
    params(("id" = String, Path, description = "Id of the schedule")),
    request_body = ChangeScheduleBody,
    responses(
        (status = 200, description = "The schedule as it is now", body = ScheduleView),
        (status = 400, description = "Something in the body is wrong", body = JobsError),
        (status = 404, description = "No such schedule", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn change(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    request: Request,
) -> Response {
    let changed = async {
        let body = request::json_body(request).await?;
        let change = api.with_webhook(&body, ChangedSchedule::parse(&body));
        let change = change.map_err(Refusal::Invalid)?;
        let id = known(&id)?;
        let changed = api.app.change_schedule(&caller, &id, &change, api.check);
        let (schedule, asked) = changed.await?;
        Ok(ScheduleView::new(&schedule, &asked, api.app.now()))
    };
    match changed.await {
        Ok(view) => reply::json(StatusCode::OK, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

/// Pause or resume a schedule. To do it again changes nothing.
///
/// What would have fired while it was paused is not made up for.
#[utoipa::path(
    put, path = "/api/schedules/{id}", tag = "schedules", operation_id = "controlSchedule",
    params(("id" = String, Path, description = "Id of the schedule")),
    request_body = ScheduleActionBody,
    responses(
        (status = 200, description = "Done", body = MovedView),
        (status = 400, description = "Something in the body is wrong", body = JobsError),
        (status = 404, description = "No such schedule", body = JobsError),
        (status = 413, description = "The body is too large", body = JobsError),
        (status = 415, description = "The body is not JSON", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn control(
    State(api): State<Api>,
    Asked(caller): Asked,
    Id(id): Id,
    request: Request,
) -> Response {
    match try_control(&api, &caller, &id, request).await {
        Ok(view) => reply::json(StatusCode::OK, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

async fn try_control(
    api: &Api,
    caller: &Caller,
    id: &str,
    request: Request,
) -> Result<MovedView, Refusal> {
    let body = request::json_body(request).await?;
    let pauses = action(&body)?;
    let id = known(id)?;
    let (schedule, message) = if pauses {
        let paused = api.app.pause_schedule(caller, &id).await?;
        (paused, "Schedule paused")
    } else {
        let resumed = api.app.resume_schedule(caller, &id).await?;
        (resumed, "Schedule resumed")
    };
    Ok(MovedView::new(&schedule, message, api.app.now()))
}

/// Whether it is to be paused; resumed otherwise.
fn action(body: &Value) -> Result<bool, Refusal> {
    let mut reader = Reader::new("", body);
    if body.is_object() && reader.value("action").is_none() {
        reader.problem("action", "is required; one of: pause, resume");
    }
    let action = reader.one_of("action", &[("pause", true), ("resume", false)]);
    let problems = reader.finish();
    action
        .filter(|_| problems.is_empty())
        .ok_or(Refusal::Invalid(problems))
}

/// Delete a schedule. Its jobs stay.
#[utoipa::path(
    delete, path = "/api/schedules/{id}", tag = "schedules", operation_id = "deleteSchedule",
    params(("id" = String, Path, description = "Id of the schedule")),
    responses(
        (status = 200, description = "Nothing fires any more, and it cannot be read again", body = MovedView),
        (status = 404, description = "No such schedule", body = JobsError),
        (status = 503, description = "Out of reach", body = JobsError),
    )
)]
pub(crate) async fn delete(State(api): State<Api>, Asked(caller): Asked, Id(id): Id) -> Response {
    let deleted = async {
        let schedule = api.app.delete_schedule(&caller, &known(&id)?).await?;
        Ok(MovedView::new(&schedule, "Schedule deleted", api.app.now()))
    };
    match deleted.await {
        Ok(view) => reply::json(StatusCode::OK, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}

/// Make a run of a schedule now, whatever its plan says.
///
/// It does not count among the runs of the plan. Where another run goes on and runs may not overlap,
/// it is refused; with `cancel-previous` it takes the other's place.
#[utoipa::path(
    post, path = "/api/schedules/{id}/run", tag = "schedules", operation_id = "runSchedule",
    params(("id" = String, Path, description = "Id of the schedule")),
    responses(
        (status = 202, description = "The job is made", body = RunBegunView),
        (status = 404, description = "No such schedule", body = JobsError),
        (status = 409, description = "Another run goes on; the body says where its job stands", body = JobsError),
        (status = 429, description = "Too many calls", body = JobsError,
         headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 503, description = "Queue is full, or out of reach", body = UnavailableView,
         headers(("Retry-After" = u32, description = "Seconds"))),
    )
)]
pub(crate) async fn run(State(api): State<Api>, Asked(caller): Asked, Id(id): Id) -> Response {
    let begun = async {
        let id = known(&id)?;
        let job = api.app.run_schedule(&caller, &id).await?;
        Ok(RunBegunView::new(&id, &job, api.app.now()))
    };
    match begun.await {
        Ok(view) => reply::json(StatusCode::ACCEPTED, &view),
        Err(refusal) => answer(Face::Jobs, &refusal, api.app.now()),
    }
}
