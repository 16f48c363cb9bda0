//! A bus for tests: keeps what it takes, and refuses by script.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use jobs::ports::{Bus, PortError};
use jobs::{Event, EventType};

#[derive(Default)]
pub(crate) struct TestBus {
    is_on: AtomicBool,
    /// So many calls fail before one succeeds.
    failing: AtomicUsize,
    /// So many events are refused, one by one, in calls that succeed.
    refusing: AtomicUsize,
    taken: Mutex<Vec<Event>>,
    calls: AtomicUsize,
}

impl TestBus {
    pub(crate) fn listen(&self) {
        self.is_on.store(true, Ordering::SeqCst);
    }

    pub(crate) fn fail(&self, calls: usize) {
        self.failing.store(calls, Ordering::SeqCst);
    }

    pub(crate) fn refuse(&self, events: usize) {
        self.refusing.store(events, Ordering::SeqCst);
    }

    /// How often it was asked to take something.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Everything that was taken, in order.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.taken.lock().unwrap().clone()
    }

    pub(crate) fn kinds(&self) -> Vec<EventType> {
        self.events().iter().map(|event| event.kind).collect()
    }
}

fn strikes(left: &AtomicUsize) -> bool {
    let less = |left: usize| left.checked_sub(1);
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

#[async_trait]
impl Bus for TestBus {
    fn listens(&self) -> bool {
        self.is_on.load(Ordering::SeqCst)
    }

    async fn put(&self, events: &[Event]) -> Result<Vec<usize>, PortError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if strikes(&self.failing) {
            return Err(PortError::Unavailable {
                part: "event bus",
                source: "scripted".into(),
            });
        }
        let mut refused = Vec::new();
        for (index, event) in events.iter().enumerate() {
            if strikes(&self.refusing) {
                refused.push(index);
            } else {
                self.taken.lock().unwrap().push(event.clone());
            }
        }
        Ok(refused)
    }
}
