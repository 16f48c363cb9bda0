//! Reads what a client posts about webhooks: an endpoint, a change of one, and the webhook that a
//! job names itself. Every problem is named at once; refuses fields that it does not know.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wants;
use crate::address;
use crate::body::Reader;
use crate::error::Problem;
use crate::event::EventType;
use crate::new_job::finished;
use crate::spec::CustomerId;

/// An endpoint to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWebhook {
    pub url: String,
    /// Empty is all but `crawl.page` and `job.progress`.
    pub events: Vec<EventType>,
    pub customer: Option<CustomerId>,
}

impl NewWebhook {
    /// Reads `{"url": ..., "events": [...], "customerId": ...}`; the first alone is needed.
    pub fn parse(body: &Value) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new("", body);
        let url = address::optional(&mut reader);
        if url.is_none() && body.is_object() {
            reader.problem("url", "is required");
        }
        let events = events(&mut reader);
        let customer = reader.text("customerId", 1, CustomerId::MAX_CHARS);
        let new = Self {
            url: url.unwrap_or_default(),
            events: events.unwrap_or_default(),
            customer: customer.and_then(CustomerId::parse),
        };
        finished(reader, new)
    }
}

/// What is to become of an endpoint; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedWebhook {
    pub url: Option<String>,
    pub events: Option<Vec<EventType>>,
    pub enabled: Option<bool>,
}

impl ChangedWebhook {
    /// Reads any of `url`, `events` and `enabled`.
    pub fn parse(body: &Value) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new("", body);
        let change = Self {
            url: address::optional(&mut reader),
            events: events(&mut reader),
            enabled: reader.bool("enabled"),
        };
        if body.is_object() && change == Self::default() && reader.is_sound() {
            reader.problem("body", "must name one of: url, events, enabled");
        }
        finished(reader, change)
    }
}

/// The webhook that a job names itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct JobWebhook {
    pub url: String,
    /// Empty is all but `crawl.page` and `job.progress`.
    pub events: Vec<EventType>,
}

impl JobWebhook {
    /// Whether it is to be told of events of this type.
    pub fn wants(&self, kind: EventType) -> bool {
        wants(&self.events, kind)
    }

    /// Reads the field `webhook` of a job, where there is one.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let value = reader.value("webhook")?;
        let mut inner = Reader::new(&reader.path_of("webhook"), value);
        let url = address::optional(&mut inner);
        if url.is_none() && value.is_object() {
            inner.problem("url", "is required");
        }
        let events = events(&mut inner).unwrap_or_default();
        reader.extend(inner.finish());
        Some(Self { url: url?, events })
    }
}

/// The form in a job's specification.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    url: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<String>,
}

impl From<JobWebhook> for Stored {
    fn from(webhook: JobWebhook) -> Self {
        let events = webhook.events.into_iter();
        Self {
            url: webhook.url,
            events: events.map(|kind| kind.as_str().to_owned()).collect(),
        }
    }
}

impl TryFrom<Stored> for JobWebhook {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let events = stored.events.iter().map(|name| EventType::parse(name));
        Ok(Self {
            url: stored.url,
            events: events
                .collect::<Option<_>>()
                .ok_or("an unknown type of event")?,
        })
    }
}

/// Reads `events`: a list of types, each once.
fn events(reader: &mut Reader<'_>) -> Option<Vec<EventType>> {
    let value = reader.value("events")?;
    let Some(list) = value.as_array() else {
        reader.problem("events", "must be a list of types of events");
        return None;
    };
    let most = EventType::ALL.len();
    if list.len() > most {
        reader.problem("events", format!("must have at most {most} entries"));
        return None;
    }
    let mut events = Vec::new();
    for (index, value) in list.iter().enumerate() {
        match value.as_str().and_then(EventType::parse) {
            Some(kind) if events.contains(&kind) => {
                reader.problem(&format!("events[{index}]"), "must be named once");
            }
            Some(kind) => events.push(kind),
            None => {
                let known = EventType::ALL.map(EventType::as_str).join(", ");
                reader.problem(
                    &format!("events[{index}]"),
                    format!("must be one of: {known}"),
                );
            }
        }
    }
    Some(events)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields<T: std::fmt::Debug>(parsed: Result<T, Vec<Problem>>) -> Vec<String> {
        let problems = parsed.unwrap_err().into_iter();
        problems.map(|problem| problem.field).collect()
    }

    #[test]
    fn an_endpoint_is_an_address_and_perhaps_a_list_of_types() {
        let new = NewWebhook::parse(&json!({"url": " https://example.com/hook "})).unwrap();
        assert_eq!(
            (new.url.as_str(), new.events.len()),
            ("https://example.com/hook", 0)
        );
        let body = json!({
            "url": "https://example.com", "events": ["crawl.page", "job.failed"], "customerId": "ann",
        });
        let new = NewWebhook::parse(&body).unwrap();
        assert_eq!(new.events, [EventType::CrawlPage, EventType::JobFailed]);
        assert_eq!(new.customer, CustomerId::parse("ann"));
    }

    #[test]
    fn all_that_is_wrong_with_an_endpoint_is_said_at_once() {
        let body = json!({
            "url": "ftp://example.com", "events": ["job.failed", "job.failed", "job.done", 7],
            "customerId": "", "secret": "whsec_x",
        });
        assert_eq!(
            fields(NewWebhook::parse(&body)),
            [
                "url",
                "events[1]",
                "events[2]",
                "events[3]",
                "customerId",
                "secret"
            ]
        );
        assert_eq!(fields(NewWebhook::parse(&json!({}))), ["url"]);
        assert_eq!(fields(NewWebhook::parse(&json!([]))), ["body"]);
        let many = json!({"url": "https://example.com", "events": vec!["job.failed"; 10]});
        assert_eq!(fields(NewWebhook::parse(&many)), ["events"]);
        for url in [
            json!(7),
            json!(""),
            json!("example.com"),
            json!("https://a:b@example.com"),
            json!("https://exa mple.com"),
        ] {
            assert_eq!(
                fields(NewWebhook::parse(&json!({"url": url}))),
                ["url"],
                "{url}"
            );
        }
    }

    #[test]
    fn a_change_names_something() {
        assert_eq!(fields(ChangedWebhook::parse(&json!({}))), ["body"]);
        assert_eq!(
            fields(ChangedWebhook::parse(&json!({"enabled": "yes"}))),
            ["enabled"]
        );
        assert_eq!(
            fields(ChangedWebhook::parse(&json!({"id": 1}))),
            ["body", "id"]
        );
        let change = ChangedWebhook::parse(&json!({"enabled": false})).unwrap();
        assert_eq!(change.enabled, Some(false));
        let change = ChangedWebhook::parse(&json!({"events": []})).unwrap();
        assert_eq!(change.events, Some(Vec::new()));
    }

    #[test]
    fn the_webhook_of_a_job_reads_back_as_it_is_stored() {
        let body = json!({"webhook": {"url": "https://example.com", "events": ["job.completed"]}});
        let mut reader = Reader::new("", &body);
        let webhook = JobWebhook::read(&mut reader).unwrap();
        assert!(reader.finish().is_empty());
        let stored = serde_json::to_value(&webhook).unwrap();
        assert_eq!(stored, body["webhook"]);
        assert_eq!(
            serde_json::from_value::<JobWebhook>(stored).unwrap(),
            webhook
        );
        assert!(webhook.wants(EventType::JobCompleted) && !webhook.wants(EventType::JobFailed));
    }

    #[test]
    fn what_is_wrong_with_the_webhook_of_a_job_is_named_by_its_path() {
        for (webhook, expected) in [
            (json!({}), vec!["webhook.url"]),
            (json!("https://example.com"), vec!["webhook"]),
            (
                json!({"url": 1, "events": "all", "secret": 1}),
                vec!["webhook.url", "webhook.events", "webhook.secret"],
            ),
        ] {
            let body = json!({"webhook": webhook});
            let mut reader = Reader::new("", &body);
            JobWebhook::read(&mut reader);
            let problems = reader.finish().into_iter();
            let named: Vec<_> = problems.map(|problem| problem.field).collect();
            assert_eq!(named, expected);
        }
    }
}
