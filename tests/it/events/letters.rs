//! The queue of the local process, and the events that were laid aside beside it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jobs::ports::{DeliveryEnvelope, Envelope, PortError, Queue};
use local::queue::LocalQueue;
use serde_json::Value;

pub(crate) struct Letters {
    queue: LocalQueue,
    fails: AtomicBool,
    all: Mutex<Vec<Value>>,
}

impl Letters {
    pub(crate) fn new(queue: &LocalQueue) -> Self {
        Self {
            queue: queue.clone(),
            fails: AtomicBool::new(false),
            all: Mutex::default(),
        }
    }

    pub(crate) fn fail_once(&self) {
        self.fails.store(true, Ordering::SeqCst);
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.all.lock().unwrap().clone()
    }
}

#[async_trait]
impl Queue for Letters {
    async fn send(&self, envelopes: &[Envelope]) -> Result<Vec<usize>, PortError> {
        self.queue.send(envelopes).await
    }

    async fn send_deliveries(
        &self,
        envelopes: &[DeliveryEnvelope],
    ) -> Result<Vec<usize>, PortError> {
        self.queue.send_deliveries(envelopes).await
    }

    async fn refuse(&self, letter: &str) -> Result<(), PortError> {
        if self.fails.swap(false, Ordering::SeqCst) {
            return Err(PortError::Unavailable {
                part: "queue",
                source: "scripted".into(),
            });
        }
        let letter = serde_json::from_str(letter).unwrap();
        self.all.lock().unwrap().push(letter);
        Ok(())
    }
}
