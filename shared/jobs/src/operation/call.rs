//! What a client asks of the whole queue, read from a body: to hold it back or let it go, or an
//! operation on many jobs. Names every problem at once; refuses to decide who may ask.

use std::time::Duration;

use serde_json::Value;

use super::Kind;
use crate::body::Reader;
use crate::error::Problem;
use crate::id::JobId;
use crate::job::State;
use crate::spec::CustomerId;

/// Most jobs that one request may list.
const MAX_LISTED: usize = 1_000;
const MAX_AGE_HOURS: f64 = 87_600.0;
const A_DAY: Duration = Duration::from_hours(24);
const OUTCOMES: [(&str, State); 3] = [
    ("completed", State::Completed),
    ("failed", State::Failed),
    ("cancelled", State::Cancelled),
];

/// An operation to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOperation {
    pub kind: Kind,
    /// Whose jobs it concerns; everybody's unless told, as far as the caller may.
    pub customer: Option<CustomerId>,
    pub max_age: Duration,
    pub states: Vec<State>,
    /// The jobs that it is about, as far as they belong to the customer; empty is all that match.
    pub jobs: Vec<JobId>,
}

impl NewOperation {
    /// An operation as it is unless more is said: all outcomes, ended at least a day ago.
    pub fn of(kind: Kind, customer: Option<CustomerId>) -> Self {
        Self {
            kind,
            customer,
            max_age: A_DAY,
            states: OUTCOMES.map(|(_, state)| state).to_vec(),
            jobs: Vec::new(),
        }
    }
}

/// What a body asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueCall {
    Pause,
    Resume,
    Begin(NewOperation),
}

#[derive(Clone, Copy)]
enum Name {
    Pause,
    Resume,
    Begin(Kind),
}

impl QueueCall {
    /// Reads a body: `operation`, and what goes with it.
    pub fn parse(body: &Value) -> Result<Self, Vec<Problem>> {
        const NAMES: [(&str, Name); 6] = [
            ("pause", Name::Pause),
            ("resume", Name::Resume),
            ("cleanup", Name::Begin(Kind::Cleanup)),
            ("retry-failed", Name::Begin(Kind::RetryFailed)),
            ("drain", Name::Begin(Kind::Drain)),
            ("maintenance", Name::Begin(Kind::Maintenance)),
        ];
        let mut reader = Reader::new("", body);
        if body.is_object() && reader.value("operation").is_none() {
            let names = NAMES.map(|(name, _)| name).join(", ");
            reader.problem("operation", format!("is required; one of: {names}"));
        }
        let Some(name) = reader.one_of("operation", &NAMES) else {
            // What goes with an unknown operation nobody can know.
            for field in ["maxAgeHours", "status", "customerId", "jobIds"] {
                let _ = reader.value(field);
            }
            return Err(reader.finish());
        };
        let call = match name {
            Name::Pause => Self::Pause,
            Name::Resume => Self::Resume,
            Name::Begin(kind) => Self::Begin(operation(&mut reader, kind)),
        };
        let problems = reader.finish();
        if problems.is_empty() {
            Ok(call)
        } else {
            Err(problems)
        }
    }
}

fn operation(reader: &mut Reader<'_>, kind: Kind) -> NewOperation {
    let mut new = NewOperation::of(kind, None);
    if !kind.is_for_admins() {
        let text = reader.text("customerId", 1, CustomerId::MAX_CHARS);
        new.customer = text.and_then(CustomerId::parse);
    }
    match kind {
        Kind::Cleanup => {
            new.max_age = max_age(reader).unwrap_or(A_DAY);
            new.states = outcomes(reader).unwrap_or(new.states);
        }
        Kind::RetryFailed => new.jobs = jobs(reader),
        _ => {}
    }
    new
}

fn max_age(reader: &mut Reader<'_>) -> Option<Duration> {
    let hours = reader.value("maxAgeHours")?.as_f64();
    let hours = hours.filter(|hours| (0.0..=MAX_AGE_HOURS).contains(hours));
    if hours.is_none() {
        let message = format!("must be a number from 0 to {MAX_AGE_HOURS}");
        reader.problem("maxAgeHours", message);
    }
    hours.map(|hours| Duration::from_secs_f64(hours * 3_600.0))
}

/// One outcome or a list of them.
fn outcomes(reader: &mut Reader<'_>) -> Option<Vec<State>> {
    let value = reader.value("status")?;
    let names = value
        .as_array()
        .map_or(std::slice::from_ref(value), |it| it);
    let states = names.iter().map(|name| {
        let known = OUTCOMES.iter().find(|(known, _)| name == known);
        known.map(|(_, state)| *state)
    });
    let states: Option<Vec<_>> = states.collect();
    let states = states.filter(|states| !states.is_empty());
    if states.is_none() {
        let known = OUTCOMES.map(|(name, _)| name).join(", ");
        reader.problem("status", format!("must be one or a list of: {known}"));
    }
    states
}

fn jobs(reader: &mut Reader<'_>) -> Vec<JobId> {
    let Some(value) = reader.value("jobIds") else {
        return Vec::new();
    };
    let ids = value
        .as_array()
        .filter(|ids| (1..=MAX_LISTED).contains(&ids.len()));
    let Some(ids) = ids else {
        reader.problem("jobIds", format!("must be a list of 1 to {MAX_LISTED} ids"));
        return Vec::new();
    };
    let mut jobs = Vec::with_capacity(ids.len());
    for (at, id) in ids.iter().enumerate() {
        match id.as_str().and_then(JobId::parse) {
            Some(id) => jobs.push(id),
            None => reader.problem(&format!("jobIds[{at}]"), "is not the id of a job"),
        }
    }
    jobs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "job_01hf7yat000000000000000007";

    fn begun(body: &Value) -> NewOperation {
        match QueueCall::parse(body) {
            Ok(QueueCall::Begin(new)) => new,
            other => panic!("{other:?}"),
        }
    }

    fn fields(body: &Value) -> Vec<String> {
        let problems = QueueCall::parse(body).unwrap_err();
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn each_operation_takes_what_goes_with_it() {
        let pause = QueueCall::parse(&json!({"operation": "pause"}));
        assert_eq!(pause, Ok(QueueCall::Pause));
        let cleanup = begun(&json!({"operation": "cleanup"}));
        assert_eq!((cleanup.max_age, cleanup.states.len()), (A_DAY, 3));
        let cleanup = begun(&json!({
            "operation": "cleanup", "maxAgeHours": 0.5, "status": "failed", "customerId": "ann",
        }));
        assert_eq!(cleanup.max_age, Duration::from_mins(30));
        assert_eq!(cleanup.states, [State::Failed]);
        assert_eq!(cleanup.customer, CustomerId::parse("ann"));
        let listed = begun(&json!({"operation": "retry-failed", "jobIds": [ID]}));
        assert_eq!(listed.jobs, [JobId::parse(ID).unwrap()]);
        let list = begun(&json!({"operation": "cleanup", "status": ["failed", "completed"]}));
        assert_eq!(list.states, [State::Failed, State::Completed]);
    }

    #[test]
    fn all_problems_are_named_at_once() {
        let many = vec![ID; MAX_LISTED + 1];
        for (body, expected) in [
            (json!([]), vec!["body"]),
            (json!({}), vec!["operation"]),
            (
                json!({"operation": "explode", "x": 1}),
                vec!["operation", "x"],
            ),
            (json!({"operation": 1}), vec!["operation"]),
            (
                json!({"operation": "pause", "customerId": "a"}),
                vec!["customerId"],
            ),
            (
                json!({"operation": "maintenance", "customerId": "a"}),
                vec!["customerId"],
            ),
            (
                json!({"operation": "drain", "jobIds": [ID]}),
                vec!["jobIds"],
            ),
            (
                json!({"operation": "cleanup", "maxAgeHours": -1, "status": "waiting", "customerId": ""}),
                vec!["customerId", "maxAgeHours", "status"],
            ),
            (
                json!({"operation": "cleanup", "status": []}),
                vec!["status"],
            ),
            (
                json!({"operation": "cleanup", "maxAgeHours": "1"}),
                vec!["maxAgeHours"],
            ),
            (
                json!({"operation": "retry-failed", "jobIds": []}),
                vec!["jobIds"],
            ),
            (
                json!({"operation": "retry-failed", "jobIds": many}),
                vec!["jobIds"],
            ),
            (
                json!({"operation": "retry-failed", "jobIds": [ID, 1, "x"]}),
                vec!["jobIds[1]", "jobIds[2]"],
            ),
        ] {
            assert_eq!(fields(&body), expected, "{body}");
        }
    }
}
