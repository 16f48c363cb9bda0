//! Telling what happens to jobs: whoever changes a row tells of it and crosses it out, and what a
//! crash leaves the sweep tells. Everything may be told twice, under the same id; nothing is lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use crate::app::{App, Settled};
use crate::error::Error;
use crate::event::{Event, EventType};
use crate::job::Job;
use crate::outbox::MOST_UNTOLD;
use crate::ports::PortError;
use crate::spec::{CustomerId, Spec};
use crate::webhook::JobWebhook;

/// After a telling of the sweep has failed, nothing is told by it for this long.
const QUIET: Duration = Duration::from_secs(20);

impl App {
    /// Whether anybody wants to hear of such a job. A row remembers it from its creation on.
    pub(super) async fn is_heard(&self, customer: &CustomerId, spec: &Spec) -> Result<bool, Error> {
        Ok(self.ports.bus.listens()
            || spec.webhook.is_some()
            || self.has_listeners(customer).await?)
    }

    /// Tells everything that a row has to tell; answers with the revision up to which all is told,
    /// where there was anything.
    async fn tell(&self, job: &Job, spec: Option<&Spec>) -> Result<Option<u64>, Error> {
        let Some(outbox) = &job.outbox else {
            return Ok(None);
        };
        let Some(last) = outbox.last() else {
            return Ok(None);
        };
        let read;
        let spec = match spec {
            Some(spec) => Some(spec),
            None => {
                read = self.spec_of(job).await?;
                read.as_ref()
            }
        };
        // What follows the end of a run waits for nobody who is told.
        if job.state.is_terminal() && job.run_of.is_some() {
            readable(Box::pin(self.run_ended(job)).await, job)?;
        }
        let mut events = Vec::with_capacity(outbox.untold.len());
        for happening in &outbox.untold {
            match happening.segments {
                None => events.push(Event::of(job, spec, happening)),
                Some(segments) => {
                    let lines = readable(self.lines_of(job, segments).await, job)?;
                    let lines = lines.unwrap_or_default();
                    events.extend(Event::of_pages(job, happening, &lines));
                }
            }
        }
        // Neither waits for the other to be in order.
        let put = self.put_on_bus(&events).await;
        let webhook = spec.and_then(|spec| spec.webhook.as_ref());
        for event in &events {
            self.begin_deliveries(event, webhook).await?;
        }
        put?;
        Ok(Some(last))
    }

    async fn put_on_bus(&self, events: &[Event]) -> Result<(), Error> {
        if !self.ports.bus.listens() {
            return Ok(());
        }
        let untold = self.ports.bus.put(events).await?;
        if untold.is_empty() {
            return Ok(());
        }
        Err(Error::Unavailable {
            part: "event bus",
            source: format!("{} of {} events not taken", untold.len(), events.len()).into(),
        })
    }

    /// Whether each page of a crawl is told of.
    pub(super) async fn tells_pages(&self, job: &Job, spec: &Spec) -> Result<bool, Error> {
        if job.outbox.is_none() || spec.page_events {
            return Ok(job.outbox.is_some());
        }
        let wants = |webhook: &JobWebhook| webhook.wants(EventType::CrawlPage);
        if spec.webhook.as_ref().is_some_and(wants) {
            return Ok(true);
        }
        if !self.has_listeners(&job.customer).await? {
            return Ok(false);
        }
        let endpoints = self.endpoints(&job.customer).await?;
        Ok(endpoints
            .iter()
            .any(|endpoint| endpoint.wants(EventType::CrawlPage)))
    }

    /// The results in some segments of a crawl. Those that are gone, since the crawl was started
    /// anew as a whole, are nobody's any more.
    async fn lines_of(&self, job: &Job, (from, to): (u32, u32)) -> Result<Vec<Value>, Error> {
        let segments = self.result_segments(job).await?;
        let mut lines = Vec::new();
        for segment in segments.iter().take(to as usize).skip(from as usize) {
            let segment = self.result_segment(job, *segment).await?;
            let read = segment.split(|byte| *byte == b'\n');
            let read = read.filter_map(|line| serde_json::from_slice(line).ok());
            lines.extend(read);
        }
        Ok(lines)
    }

    /// What a job was asked to do. One that does not read is told of without.
    async fn spec_of(&self, job: &Job) -> Result<Option<Spec>, Error> {
        match self.ports.store.job_and_spec(&job.id).await {
            Ok(found) => Ok(found.map(|(_, spec)| spec)),
            Err(PortError::Corrupt(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// As [`App::tell`], for whoever has other work to do: what cannot be told is the sweep's.
    pub(super) async fn try_to_tell(&self, job: &Job, spec: Option<&Spec>) -> Option<u64> {
        match self.tell(job, spec).await {
            Ok(told) => told,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(job = %job.id, error, "events are not told yet");
                None
            }
        }
    }

    /// Tells what is left of a row and crosses it out. What goes wrong is the sweep's.
    pub(super) async fn tell_now(&self, job: &Job, spec: Option<&Spec>) {
        let Some(until) = self.try_to_tell(job, spec).await else {
            return;
        };
        if let Err(error) = self.cross_out(job, until).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(job = %job.id, error, "events were told and are not crossed out");
        }
    }

    /// The sweep's part: tells, or looks again later where it cannot. Whether anything was written.
    pub(super) async fn sweep_untold(&self, job: &Job) -> Result<bool, Error> {
        // Where one could not be told a moment ago, the others do not wait for the same: the sweep
        // has more to repair than this.
        let now = self.now();
        if now.as_millis() < self.untellable_until.load(Ordering::Relaxed) {
            let settled = self.settle(job, Job::untellable).await?;
            return Ok(matches!(settled, Settled::Written(_)));
        }
        match self.tell(job, None).await {
            Ok(None) => Ok(false),
            Ok(Some(until)) => self.cross_out(job, until).await,
            Err(error) => {
                tracing::error!(job = %job.id, error = &error as &dyn std::error::Error, "events cannot be told");
                let until = self.now() + QUIET;
                self.untellable_until
                    .store(until.as_millis(), Ordering::Relaxed);
                let settled = self.settle(job, Job::untellable).await?;
                Ok(matches!(settled, Settled::Written(_)))
            }
        }
    }

    /// The row once all of it is told, before it goes for good; nothing where it is another by then.
    pub(super) async fn told_before_purge(&self, job: &Job) -> Result<Option<Job>, Error> {
        let Some(until) = self.tell(job, None).await? else {
            return Ok(Some(job.clone()));
        };
        // What is told may be read from what is removed next: it must not be told once more.
        let settled = self
            .settle(job, |row, stamp| row.told(stamp, until))
            .await?;
        Ok(match settled {
            Settled::Written(row) => Some(*row),
            Settled::Refused(_) | Settled::Gone => None,
        })
    }

    async fn cross_out(&self, job: &Job, until: u64) -> Result<bool, Error> {
        let settled = self
            .settle(job, |row, stamp| row.told(stamp, until))
            .await?;
        Ok(matches!(settled, Settled::Written(_)))
    }
}

/// What is damaged is no reason to tell nothing, again and again: it is logged, and left out.
fn readable<T>(found: Result<T, Error>, job: &Job) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error @ Error::Corrupt(_)) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(job = %job.id, error, "what is to be told cannot be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether what is to be told lies in the results of this run.
pub(super) fn tells_of_results(job: &Job) -> bool {
    let untold = job.outbox.iter().flat_map(|outbox| &outbox.untold);
    untold
        .into_iter()
        .any(|happening| happening.segments.is_some())
}

/// A job is not started anew while so much of it waits to be told.
pub(super) fn has_room_to_tell(job: &Job) -> Result<(), Error> {
    let untold = job.outbox.as_ref().map_or(0, |outbox| outbox.untold.len());
    if untold < MOST_UNTOLD {
        return Ok(());
    }
    Err(Error::Unavailable {
        part: "event bus",
        source: format!("{untold} events of this job are not told yet").into(),
    })
}
