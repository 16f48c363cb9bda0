//! The queue inside the process, under a clock that a test moves.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jobs::Timestamp;
use jobs::ports::{Clock, Queue};
use local::queue::LocalQueue;

use super::{Delivery, Harness};

#[derive(Default)]
struct Moved(AtomicI64);

#[async_trait]
impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
    }
}

pub(super) struct InProcess {
    queue: LocalQueue,
    clock: Arc<Moved>,
}

pub(super) fn open(_: &str) -> Ready<Option<InProcess>> {
    let clock = Arc::new(Moved::default());
    let queue = LocalQueue::new(Arc::clone(&clock) as Arc<dyn Clock>);
    ready(Some(InProcess { queue, clock }))
}

impl InProcess {
    fn take(&self) -> Vec<Delivery> {
        let messages = std::iter::from_fn(|| self.queue.try_receive());
        let delivery = |message| Delivery {
            message,
            priority: None,
            receipt: String::new(),
        };
        messages.map(delivery).collect()
    }
}

#[async_trait]
impl Harness for InProcess {
    fn queue(&self) -> &dyn Queue {
        &self.queue
    }

    fn time(&self) -> Duration {
        self.clock.now().since(Timestamp::default())
    }

    async fn receive(&mut self, within: Duration) -> Vec<Delivery> {
        let there = self.take();
        if !there.is_empty() {
            return there;
        }
        let millis = i64::try_from(within.as_millis()).unwrap();
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
        self.take()
    }

    async fn acknowledge(&mut self, _: Delivery) {}

    async fn give_back(&mut self, _: Delivery) -> bool {
        false
    }
}
