//! Ports that are never asked, and say so where they are: for tests that need none of them.

use std::time::Duration;

use async_trait::async_trait;
use jobs::batch::Batch;
use jobs::crawl::host::Host;
use jobs::hold::Hold;
use jobs::idempotency::Kept;
use jobs::ports::{
    Added, Advanced, Baseline, Baselines, Batches, Begun, Blobs, Chunk, Chunked, Courier,
    Deliveries, DeliverySwap, DuePage, Entry, Envelope, Expired, HostSwap, Hosts, Keys,
    ListedDeliveries, ListedKeys, ListedSchedules, ListedWebhooks, Operations, Owner, PageRequest,
    Placed, PortError, Post, Posted, Queue, Replaced, Schedules, Scope, Scraper, Timetable, Turn,
    Turned, WebhookSwap, Webhooks,
};
use jobs::schedule::{Asked, Stored, Tick};
use jobs::spec::CustomerId;
use jobs::{
    BatchId, Delivery, DeliveryId, DeliveryKey, DeliveryOwner, Failure, FailureCode, JobId,
    KeyHash, KeyId, KeyRecord, Operation, OperationId, Page, Schedule, ScheduleId, Status,
    Timestamp, Webhook, WebhookId,
};

pub(crate) fn unreachable_table<T>() -> Result<T, PortError> {
    Err(PortError::Unavailable {
        part: "table",
        source: "no answer".into(),
    })
}

/// Nothing is sent, stored or scraped for a job that is not there.
pub(crate) struct Nothing;

#[async_trait]
impl Queue for Nothing {
    async fn send(&self, _: &[Envelope]) -> Result<Vec<usize>, PortError> {
        unreachable_table()
    }
}

#[async_trait]
impl Timetable for Nothing {
    async fn place(&self, _: &Entry) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn remove(&self, _: &ScheduleId) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn placed(&self, _: Option<&str>) -> Result<Placed, PortError> {
        unreachable_table()
    }
}

#[async_trait]
impl Keys for Nothing {
    async fn add_key(&self, _: &KeyRecord) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn find_key(&self, _: &KeyHash) -> Result<Option<KeyRecord>, PortError> {
        unreachable_table()
    }

    async fn revoke_key(&self, _: &KeyId, _: Timestamp) -> Result<Option<KeyRecord>, PortError> {
        unreachable_table()
    }

    async fn list_keys(&self, _: Option<&KeyId>, _: usize) -> Result<ListedKeys, PortError> {
        unreachable_table()
    }
}

#[async_trait]
impl Baselines for Nothing {
    async fn baseline(&self, _: &CustomerId, _: &str) -> Result<Option<Baseline>, PortError> {
        unreachable_table()
    }

    async fn put_baseline(&self, _: &CustomerId, _: &str, _: &Baseline) -> Result<(), PortError> {
        unreachable_table()
    }

    /// Every sweep asks for them.
    async fn expired(&self, _: Timestamp, _: usize) -> Result<Vec<Expired>, PortError> {
        Ok(Vec::new())
    }

    async fn forget(&self, _: &Expired) -> Result<(), PortError> {
        unreachable_table()
    }
}

#[async_trait]
impl Hosts for Nothing {
    async fn host(&self, _: &str) -> Result<Option<Host>, PortError> {
        unreachable_table()
    }

    async fn replace_host(
        &self,
        _: &str,
        _: Option<&Host>,
        _: &Host,
    ) -> Result<HostSwap, PortError> {
        unreachable_table()
    }
}

/// Nobody is told of anything.
#[async_trait]
impl Webhooks for Nothing {
    async fn add_webhook(&self, _: &Webhook, _: u64) -> Result<bool, PortError> {
        unreachable_table()
    }

    async fn webhook(&self, _: &WebhookId) -> Result<Option<Webhook>, PortError> {
        unreachable_table()
    }

    async fn replace_webhook(&self, _: &Webhook, _: &Webhook) -> Result<WebhookSwap, PortError> {
        unreachable_table()
    }

    async fn remove_webhook(&self, _: &Webhook) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn list_webhooks(
        &self,
        _: Scope<'_>,
        _: Option<&WebhookId>,
        _: usize,
    ) -> Result<ListedWebhooks, PortError> {
        Ok(ListedWebhooks::default())
    }
}

#[async_trait]
impl Deliveries for Nothing {
    async fn begin_delivery(&self, _: &Delivery) -> Result<bool, PortError> {
        unreachable_table()
    }

    async fn delivery(&self, _: &DeliveryKey) -> Result<Option<Delivery>, PortError> {
        unreachable_table()
    }

    async fn replace_delivery(
        &self,
        _: &Delivery,
        _: &Delivery,
    ) -> Result<DeliverySwap, PortError> {
        unreachable_table()
    }

    async fn list_deliveries(
        &self,
        _: &DeliveryOwner,
        _: Option<&DeliveryId>,
        _: usize,
    ) -> Result<ListedDeliveries, PortError> {
        unreachable_table()
    }

    /// Every sweep asks for them.
    async fn due_deliveries(
        &self,
        _: u32,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<DeliveryKey>, PortError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Schedules for Nothing {
    async fn add(
        &self,
        _: &Schedule,
        _: &Stored,
        _: u64,
        _: Option<&Kept>,
    ) -> Result<Added, PortError> {
        unreachable_table()
    }

    async fn schedule(&self, _: &ScheduleId) -> Result<Option<Schedule>, PortError> {
        unreachable_table()
    }

    async fn schedule_and_asked(
        &self,
        _: &ScheduleId,
    ) -> Result<Option<(Schedule, Asked)>, PortError> {
        unreachable_table()
    }

    async fn replace(
        &self,
        _: &Schedule,
        _: &Schedule,
        _: Option<&Stored>,
    ) -> Result<Replaced, PortError> {
        unreachable_table()
    }

    async fn turn(&self, _: &Turn<'_>) -> Result<Turned, PortError> {
        unreachable_table()
    }

    async fn note(&self, _: &Tick) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn tick(&self, _: &ScheduleId, _: Timestamp) -> Result<Option<Tick>, PortError> {
        unreachable_table()
    }

    async fn end_tick(&self, _: &ScheduleId, _: Timestamp, _: Status) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn ticks(&self, _: &ScheduleId, _: Timestamp, _: usize) -> Result<Vec<Tick>, PortError> {
        unreachable_table()
    }

    async fn list_schedules(
        &self,
        _: Scope<'_>,
        _: Option<&ScheduleId>,
        _: usize,
    ) -> Result<ListedSchedules, PortError> {
        unreachable_table()
    }

    async fn known(&self, _: &[ScheduleId]) -> Result<Vec<ScheduleId>, PortError> {
        unreachable_table()
    }

    async fn remove_schedule(&self, _: &Schedule) -> Result<(), PortError> {
        unreachable_table()
    }
}

#[async_trait]
impl Blobs for Nothing {
    async fn put(&self, _: &str, _: Vec<u8>) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, PortError> {
        unreachable_table()
    }

    async fn get_part(&self, _: &str, _: u32, _: u32) -> Result<Option<Vec<u8>>, PortError> {
        unreachable_table()
    }

    async fn delete_all(&self, _: &str) -> Result<(), PortError> {
        unreachable_table()
    }
}

/// Nothing is held back and nothing is going on.
#[async_trait]
impl Operations for Nothing {
    async fn begin(&self, _: &Operation, _: &[JobId]) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn operation(&self, _: &OperationId) -> Result<Option<Operation>, PortError> {
        Ok(None)
    }

    async fn listed(&self, _: &OperationId) -> Result<Vec<JobId>, PortError> {
        unreachable_table()
    }

    async fn advance(&self, _: &Operation, _: &Operation) -> Result<Advanced, PortError> {
        unreachable_table()
    }

    async fn remove(&self, _: &Operation) -> Result<(), PortError> {
        unreachable_table()
    }

    async fn due_from(
        &self,
        _: u32,
        _: Timestamp,
        _: Option<&str>,
        _: usize,
    ) -> Result<DuePage, PortError> {
        unreachable_table()
    }

    async fn hold(&self) -> Result<Hold, PortError> {
        Ok(Hold::default())
    }

    async fn set_hold(&self, _: &Hold, _: &Hold) -> Result<bool, PortError> {
        unreachable_table()
    }
}

#[async_trait]
impl Scraper for Nothing {
    async fn scrape(&self, _: &PageRequest) -> Result<Page, Failure> {
        unreachable!("there is no job to scrape for")
    }
}

#[async_trait]
impl Batches for Nothing {
    async fn write(&self, _: &Chunk<'_>) -> Result<Chunked, PortError> {
        unreachable_table()
    }

    async fn begin(&self, _: &Batch, _: u64, _: u64, _: Option<&Kept>) -> Result<Begun, PortError> {
        unreachable_table()
    }

    async fn batch(&self, _: &BatchId) -> Result<Option<Batch>, PortError> {
        unreachable_table()
    }

    async fn ended(&self, _: &BatchId, _: Duration) -> Result<Option<Batch>, PortError> {
        unreachable_table()
    }

    async fn owners(&self, _: &[&str]) -> Result<Vec<Option<Owner>>, PortError> {
        unreachable_table()
    }

    async fn keep(&self, _: &Kept) -> Result<Option<Kept>, PortError> {
        unreachable_table()
    }

    async fn kept(&self, _: &str, _: Timestamp) -> Result<Option<Kept>, PortError> {
        unreachable_table()
    }
}

#[async_trait]
impl Courier for Nothing {
    async fn post(&self, _: &Post) -> Result<Posted, Failure> {
        Err(Failure::new(FailureCode::Internal, "Nothing is posted"))
    }
}
