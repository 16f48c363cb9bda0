//! Reads the options of a refresh out of a request. Refuses them in requests for anything else.

use serde_json::Value;

use crate::body::Reader;
use crate::id::JobId;
use crate::spec::RefreshOptions;
use crate::time::Timestamp;

/// Every option of a refresh.
const OPTIONS: [&str; 4] = ["jobId", "lastCrawledAt", "forceRefresh", "fullRefresh"];
/// The last millisecond that ISO 8601 can write with a year of four digits.
const LAST_MS: i64 = 253_402_300_799_999;

/// What a refresh is asked to do besides its address: it has either that or a job.
pub(crate) fn options(reader: &mut Reader<'_>, has_address: bool) -> RefreshOptions {
    let job_id = job(reader);
    match (has_address, &job_id) {
        (true, Some(_)) => reader.problem("jobId", "must not be given together with an address"),
        (false, None) => reader.problem("url", "is required, or else `jobId`"),
        _ => {}
    }
    RefreshOptions {
        job_id: job_id.and_then(Result::ok).map(|id| id.to_string()),
        last_crawled_at: instant(reader, "lastCrawledAt"),
        force_refresh: reader.bool("forceRefresh").unwrap_or(false),
        full_refresh: reader.bool("fullRefresh").unwrap_or(false),
    }
}

/// Refuses every option of a refresh, since the job is none.
pub(crate) fn refuse(reader: &mut Reader<'_>) {
    for option in OPTIONS {
        if reader.value(option).is_some() {
            reader.problem(option, "is an option of refresh");
        }
    }
}

/// What is wrong with it has been said.
struct Wrong;

/// The id in `jobId`, where there is anything.
fn job(reader: &mut Reader<'_>) -> Option<Result<JobId, Wrong>> {
    let id = reader.value("jobId")?.as_str().and_then(JobId::parse);
    if id.is_none() {
        reader.problem("jobId", "must be the id of a job");
    }
    Some(id.ok_or(Wrong))
}

/// An instant, where one is given.
pub(crate) fn instant(reader: &mut Reader<'_>, field: &'static str) -> Option<Timestamp> {
    let value = reader.value(field)?;
    let instant = match value {
        Value::String(text) => Timestamp::parse(text),
        other => milliseconds(other).map(Timestamp::from_millis),
    };
    if instant.is_none() {
        let message = "must be an instant, in ISO 8601 such as 2024-01-01T00:00:00.000Z or in epoch milliseconds";
        reader.problem(field, message);
    }
    instant
}

/// A whole number of milliseconds since 1970; 5.0 is the same number as 5 in JSON.
fn milliseconds(value: &Value) -> Option<i64> {
    let float = value.as_f64().filter(|float| float.fract() == 0.0)?;
    let whole = value.as_i64().unwrap_or(float as i64);
    (0..=LAST_MS).contains(&whole).then_some(whole)
}
