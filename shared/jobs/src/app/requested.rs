//! Events that ask for a job: read as a request's body is, carried out once however often they
//! come, and laid aside with the reason where they cannot be. Refuses to lose one in silence.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, Handled};
use crate::caller::Caller;
use crate::error::{Error, Problem};
use crate::event::REQUESTED;
use crate::extraction::Check;
use crate::idempotency::{IdempotencyKey, Keyed};
use crate::new_batch::NewWork;

/// What stands for the path of a request.
const ROUTE: &str = "event job.requested";
/// Of an event that is laid aside, in characters: a message holds no more.
const MOST_SHOWN: usize = 200_000;

const INVALID: &str = "The job that is asked for is not valid";

/// Says why nothing may be posted to an address.
pub type Judge<'a> = dyn Fn(&str) -> Result<(), String> + Sync + 'a;

/// An event as the bus delivers it.
#[derive(Deserialize)]
struct Requested {
    id: String,
    #[serde(rename = "detail-type")]
    kind: String,
    detail: Value,
}

/// Why there is no job.
enum Refused {
    /// Nor will there be.
    ForGood {
        reason: String,
        problems: Vec<Problem>,
    },
    /// Another time, perhaps.
    ForNow(Error),
}

/// Whether a message is an event of the bus, whatever it asks for.
pub fn is_event(body: &str) -> bool {
    let event: Result<Value, _> = serde_json::from_str(body);
    event.is_ok_and(|event| event.get("detail-type").is_some())
}

impl App {
    /// Makes the job or the jobs that an event asks for. Its id is the key by which it is told again
    /// for a day. Whoever may put events on the bus may ask for anybody's job.
    pub async fn requested(&self, body: &str, check: Check, judge: &Judge<'_>) -> Handled {
        let (reason, problems) = match self.try_requested(body, check, judge).await {
            Ok(()) => return Handled::Done,
            Err(Refused::ForNow(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "event given back");
                return Handled::Return;
            }
            Err(Refused::ForGood { reason, problems }) => (reason, problems),
        };
        tracing::error!(reason, ?problems, "event refused");
        let problem =
            |problem: &Problem| json!({"field": problem.field, "message": problem.message});
        let problems: Vec<_> = problems.iter().map(problem).collect();
        let event = if body.len() <= MOST_SHOWN {
            serde_json::from_str(body).unwrap_or_else(|_| json!(body))
        } else {
            json!(body.chars().take(MOST_SHOWN).collect::<String>())
        };
        let letter = json!({"reason": reason, "problems": problems, "event": event});
        match self.ports.queue.refuse(&letter.to_string()).await {
            Ok(()) => Handled::Done,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "a refused event was not laid aside");
                Handled::Return
            }
        }
    }

    async fn try_requested(
        &self,
        body: &str,
        check: Check,
        judge: &Judge<'_>,
    ) -> Result<(), Refused> {
        let event: Requested = serde_json::from_str(body)
            .map_err(|error| refused(format!("The event is not readable: {error}")))?;
        if event.kind != REQUESTED {
            let kind: String = event.kind.chars().take(100).collect();
            return Err(refused(format!(
                "The event is of type {kind}, and {REQUESTED} is asked for"
            )));
        }
        let key = IdempotencyKey::parse(&event.id)
            .ok_or_else(|| refused("The event has no id that reads as one".to_owned()))?;
        let keyed = Keyed::new(key, ROUTE, &event.detail);
        let work = match (
            NewWork::parse(&event.detail, check, self.now()),
            judged(&event.detail, judge),
        ) {
            (Ok(work), None) => work,
            (parsed, refused) => {
                let problems = parsed.err().unwrap_or_default().into_iter();
                return Err(Refused::ForGood {
                    reason: INVALID.to_owned(),
                    problems: problems.chain(refused).collect(),
                });
            }
        };
        let created = match work {
            NewWork::Job(new) => match self.addressed(&Caller::Admin, *new).await {
                Ok(new) => self
                    .create_once(&Caller::Admin, &new, Some(&keyed))
                    .await
                    .map(|created| vec![created.outcome]),
                Err(error) => Err(error),
            },
            NewWork::Batch(new) => self
                .create_batch(&Caller::Admin, &new, Some(&keyed))
                .await
                .map(|created| created.outcomes),
            NewWork::Recurring(mut new) => {
                let job = self.addressed(&Caller::Admin, new.job).await;
                new.job = job.map_err(sorted)?;
                let created = self.create_schedule(&Caller::Admin, &new, Some(&keyed));
                let created = created.await.map_err(sorted)?;
                tracing::info!(event = event.id, schedule = %created.id, "event carried out");
                return Ok(());
            }
        };
        let outcomes = created.map_err(sorted)?;
        let first = outcomes.first().map(|outcome| outcome.job_id.to_string());
        tracing::info!(
            event = event.id,
            jobs = outcomes.len(),
            first,
            "event carried out"
        );
        Ok(())
    }
}

/// What is wrong with the address of the job's webhook, where it is an address.
fn judged(detail: &Value, judge: &Judge<'_>) -> Option<Problem> {
    let url = detail.get("webhook")?.get("url")?.as_str()?;
    let why = judge(url.trim()).err()?;
    let message = format!("cannot be delivered to: {why}");
    Some(Problem::new("webhook.url", message))
}

fn refused(reason: String) -> Refused {
    Refused::ForGood {
        reason,
        problems: Vec::new(),
    }
}

/// Whether it helps to come again.
fn sorted(error: Error) -> Refused {
    match error {
        Error::Invalid(problems) => Refused::ForGood {
            reason: INVALID.to_owned(),
            problems,
        },
        Error::Full { .. }
        | Error::Limited { .. }
        | Error::Busy { .. }
        | Error::Unavailable { .. }
        | Error::Corrupt(_) => Refused::ForNow(error),
        Error::TooLarge { .. }
        | Error::Forbidden(_)
        | Error::NotFound(_)
        | Error::Conflict { .. }
        | Error::Taken { .. }
        | Error::NoOperation(_)
        | Error::NoWebhook(_)
        | Error::NoDelivery(_)
        | Error::Disabled(_)
        | Error::NoSchedule(_)
        | Error::TooMany { .. }
        | Error::Overlap { .. }
        | Error::KeyReused => refused(error.to_string()),
    }
}
