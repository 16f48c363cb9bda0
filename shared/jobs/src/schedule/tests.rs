//! The judgement of ticks as a table, and what must hold of it whatever the row looks like; the
//! next runs within their bounds; and requests, right and wrong.

mod judge;
mod requests;
mod runs;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::error::Problem;
use crate::transition::Stamp;

/// A Tuesday, 22:13:20 UTC.
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// The whole minute before it.
const MINUTE: Timestamp = Timestamp::from_millis(1_699_999_980_000);

const fn minutes(number: u64) -> Duration {
    Duration::from_mins(number)
}

fn stamp(now: Timestamp) -> Stamp {
    Stamp { now, nonce: 7 }
}

fn parse(body: &Value) -> Result<NewSchedule, Vec<Problem>> {
    NewSchedule::parse(body, |_| Vec::new(), NOW)
}

fn request(more: &Value) -> NewSchedule {
    let mut body = json!({
        "type": "single-page", "url": "http://site.example/", "cronPattern": "* * * * *",
    });
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    parse(&body).unwrap()
}

/// A schedule that was made an hour ago and that the timetable knows.
fn schedule(more: &Value) -> Schedule {
    let hour_ago = NOW - minutes(60);
    let id = ScheduleId::new(hour_ago, 1);
    let new = request(more);
    let made = Schedule::new(id, CustomerId::default(), stamp(hour_ago), &new);
    made.told(stamp(hour_ago), 1)
}

fn run(at: Timestamp) -> Run {
    Run {
        job: JobId::new(at, 1),
        at,
    }
}
