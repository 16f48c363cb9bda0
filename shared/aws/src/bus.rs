//! The bus on EventBridge: puts events in batches and says which ones were not taken. Refuses to
//! try again: the rows remember what is untold.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use jobs::Event;
use jobs::event::SOURCE;
use jobs::ports::{Bus, PortError};

/// Most entries of one call.
const BATCH: usize = 10;
/// Most bytes of one call, of the 256 KiB that EventBridge takes; what counts besides the detail is
/// far below a kilobyte an entry.
const MOST_BYTES: usize = 240 * 1_024;

/// [`Bus`] on an event bus.
#[derive(Clone, Debug)]
pub struct EventBus {
    client: Client,
    name: String,
}

impl EventBus {
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    fn entry(&self, event: &Event) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(event.kind.as_str())
            .detail(&event.body)
            .time(DateTime::from_millis(event.at.as_millis()))
            .build()
    }

    /// Puts one batch; adds to `refused` the indexes that the bus did not take.
    async fn put_batch(
        &self,
        events: &[Event],
        first: usize,
        refused: &mut Vec<usize>,
    ) -> Result<(), PortError> {
        let entries = events.iter().map(|event| self.entry(event)).collect();
        let call = self.client.put_events().set_entries(Some(entries));
        let answer = call.send().await.map_err(unavailable)?;
        // In the order of the request. What the answer does not speak of was not taken.
        for (index, event) in events.iter().enumerate() {
            let entry = answer.entries().get(index);
            if entry.is_none_or(|entry| entry.event_id().is_none()) {
                let code = entry.and_then(|entry| entry.error_code());
                tracing::warn!(code, event = event.id, "an event was refused");
                refused.push(first + index);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Bus for EventBus {
    fn listens(&self) -> bool {
        true
    }

    async fn put(&self, events: &[Event]) -> Result<Vec<usize>, PortError> {
        let mut refused = Vec::new();
        let mut first = 0;
        while first < events.len() {
            let end = batch_end(events, first);
            self.put_batch(&events[first..end], first, &mut refused)
                .await?;
            first = end;
        }
        Ok(refused)
    }
}

/// Where the batch that begins at `first` ends; it holds one event at least.
fn batch_end(events: &[Event], first: usize) -> usize {
    let (mut end, mut bytes) = (first, 0);
    while end < events.len() && end - first < BATCH {
        bytes += events[end].body.len() + 1_024;
        if end > first && bytes > MOST_BYTES {
            break;
        }
        end += 1;
    }
    end
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> PortError {
    PortError::Unavailable {
        part: "event bus",
        source: Box::new(error),
    }
}

#[cfg(test)]
mod tests {
    use jobs::spec::CustomerId;
    use jobs::{EventType, JobId, Timestamp};

    use super::*;

    fn event(bytes: usize) -> Event {
        let at = Timestamp::from_millis(1_700_000_000_000);
        Event {
            id: "evt_1".to_owned(),
            kind: EventType::JobCreated,
            at,
            customer: CustomerId::default(),
            job: JobId::new(at, 1),
            body: "x".repeat(bytes),
        }
    }

    fn batches(sizes: &[usize]) -> Vec<usize> {
        let events: Vec<_> = sizes.iter().map(|size| event(*size)).collect();
        let mut ends = vec![0];
        while *ends.last().unwrap() < events.len() {
            ends.push(batch_end(&events, *ends.last().unwrap()));
        }
        ends
    }

    #[test]
    fn a_call_holds_ten_events_and_no_more_bytes_than_the_bus_takes() {
        assert_eq!(batches(&[10; 25]), [0, 10, 20, 25]);
        assert_eq!(batches(&[60_000; 5]), [0, 4, 5]);
        assert_eq!(batches(&[400_000, 10]), [0, 1, 2]);
        assert_eq!(batches(&[]), [0]);
    }
}
