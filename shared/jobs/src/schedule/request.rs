//! Reads what a client posts into a schedule that is wholly valid, or names every problem; and a
//! change of one, as the request that it would have been with other fields.

use serde_json::{Map, Value};

use super::{Overlap, Plan};
use crate::address;
use crate::body::Reader;
use crate::cron::{Cron, Zone};
use crate::error::{Error, Problem};
use crate::extraction::Check;
use crate::new_job::{self, NewJob};
use crate::new_refresh::instant;
use crate::spec::{MAX_SPEC_BYTES, Spec};
use crate::time::Timestamp;

/// Most runs that a schedule may be limited to.
pub const MAX_LIMIT: u64 = 1_000_000;
/// Most characters of a name.
pub const MAX_NAME: usize = 100;
/// Longest pattern, in characters.
const MAX_PATTERN: usize = 256;

/// Fields that a recurring job alone has.
const OWN: [&str; 7] = [
    "cronPattern",
    "timezone",
    "startDate",
    "endDate",
    "limit",
    "name",
    "overlap",
];
/// Fields of other jobs that do not go with a pattern, and why.
const OTHERS: [(&str, &str); 5] = [
    ("delay", "each run starts at its own time"),
    ("deduplicate", "each run makes a job of its own"),
    ("deduplicateFor", "each run makes a job of its own"),
    ("urls", "a batch does not recur"),
    ("staggerDelay", "a batch does not recur"),
];

/// Refuses the fields of recurring jobs; `why` says where they belong.
pub(crate) fn refuse(reader: &mut Reader<'_>, why: &str) {
    for field in OWN {
        if reader.value(field).is_some() {
            reader.problem(field, why);
        }
    }
}

/// A request for a job that recurs, valid in every field.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSchedule {
    /// What each run is to do.
    pub job: NewJob,
    pub plan: Plan,
    /// The request itself, without what is `null`.
    pub body: Map<String, Value>,
}

impl NewSchedule {
    /// Reads a request body that is sent at `now`; `check` says which selectors and patterns do not
    /// compile.
    pub fn parse(body: &Value, check: Check, now: Timestamp) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new("", body);
        let kind = new_job::required_type(&mut reader);
        let url = address::optional(&mut reader);
        let plan = plan(&mut reader, now);
        for (field, why) in OTHERS {
            if reader.value(field).is_some() {
                reader.problem(field, format!("does not go with `cronPattern`: {why}"));
            }
        }
        let mut job = NewJob::read(&mut reader, check, kind, url);
        job.deduplicate = false;
        let problems = reader.finish();
        match plan {
            Some(plan) if problems.is_empty() => Ok(Self {
                job,
                plan,
                body: without_nulls(body),
            }),
            _ => Err(problems),
        }
    }

    /// The stored forms of what was asked for, where they are small enough.
    pub fn stored(&self) -> Result<Stored, Error> {
        let spec = serde_json::to_string(&self.job.spec);
        let spec = spec.map_err(|error| Error::Corrupt(error.to_string()))?;
        let body = Value::Object(self.body.clone()).to_string();
        let bytes = spec.len().max(body.len());
        if bytes > MAX_SPEC_BYTES {
            return Err(Error::TooLarge {
                bytes,
                max: MAX_SPEC_BYTES,
            });
        }
        Ok(Stored { spec, body })
    }
}

/// What was asked for, as it is stored: the specification of each job, and the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub spec: String,
    pub body: String,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub spec: Spec,
    pub body: Map<String, Value>,
}

/// A change of a schedule: fields of a request, each to replace what was asked for before. `null`
/// takes a field back.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedSchedule(Map<String, Value>);

impl ChangedSchedule {
    pub fn parse(body: &Value) -> Result<Self, Vec<Problem>> {
        match body.as_object() {
            Some(fields) if fields.is_empty() => {
                let problem = Problem::new("body", "must name at least one field to change");
                Err(vec![problem])
            }
            Some(fields) => Ok(Self(fields.clone())),
            None => Err(vec![Problem::new("body", "must be a JSON object")]),
        }
    }

    /// The request that would have been made with these fields instead. Where no time is changed
    /// one that has no run left stays as it is.
    pub(crate) fn onto(
        &self,
        asked: &Asked,
        check: Check,
        now: Timestamp,
    ) -> Result<NewSchedule, Vec<Problem>> {
        let mut body = asked.body.clone();
        body.extend(self.0.clone());
        let moves = ["cronPattern", "timezone", "startDate", "endDate"];
        let is_moved = moves.iter().any(|field| self.0.contains_key(*field));
        let now = if is_moved { now } else { Timestamp::default() };
        let mut new = NewSchedule::parse(&Value::Object(body), check, now)?;
        // The job that a refresh named may be gone by now; what it was stays known.
        let (before, after) = (asked.spec.refresh.as_ref(), new.job.spec.refresh.as_ref());
        let named = |refresh: Option<&crate::spec::RefreshOptions>| refresh?.job_id.clone();
        if named(after).is_some() && named(before) == named(after) {
            new.job.spec.url.clone_from(&asked.spec.url);
        }
        Ok(new)
    }
}

fn without_nulls(body: &Value) -> Map<String, Value> {
    let fields = body.as_object().into_iter().flatten();
    let told = fields.filter(|(_, value)| !value.is_null());
    told.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The part that says when; `None` where there is no pattern to go by.
fn plan(reader: &mut Reader<'_>, now: Timestamp) -> Option<Plan> {
    let cron = pattern(reader);
    let zone = zone(reader);
    let start = instant(reader, "startDate");
    let end = instant(reader, "endDate");
    let limit = reader.integer("limit", 1, MAX_LIMIT);
    let name = reader.text("name", 1, MAX_NAME).map(str::to_owned);
    let overlap = reader.one_of("overlap", &Overlap::ALL.map(|it| (it.as_str(), it)));
    let plan = Plan {
        name,
        cron: cron?,
        zone: zone?,
        start,
        end,
        limit,
        overlap: overlap.unwrap_or_default(),
    };
    match (start, end) {
        (Some(start), Some(end)) if end <= start => {
            reader.problem("endDate", "must be after `startDate`");
        }
        (_, Some(end)) if plan.next_after(now).is_none() => {
            let message = if end <= now {
                "must not be past"
            } else {
                "must leave the pattern time to fire once at least"
            };
            reader.problem("endDate", message);
        }
        (_, None) if plan.next_after(now).is_none() => {
            reader.problem("cronPattern", "never fires");
        }
        _ => {}
    }
    Some(plan)
}

fn pattern(reader: &mut Reader<'_>) -> Option<Cron> {
    if reader.value("cronPattern").is_none() {
        reader.problem("cronPattern", "is required");
        return None;
    }
    let text = reader.text("cronPattern", 1, MAX_PATTERN)?;
    match Cron::parse(text) {
        Ok(cron) => Some(cron),
        Err(why) => {
            reader.problem("cronPattern", why);
            None
        }
    }
}

/// `None` where what is wrong has been said.
fn zone(reader: &mut Reader<'_>) -> Option<Zone> {
    if reader.value("timezone").is_none() {
        return Some(Zone::default());
    }
    let zone = reader.text("timezone", 1, MAX_PATTERN)?;
    let zone = Zone::parse(zone);
    if zone.is_none() {
        let message = "must be a time zone of the IANA database, such as Europe/Berlin";
        reader.problem("timezone", message);
    }
    zone
}
