//! A time that passes when everybody waits, and then at once. One thread, tasks in a fixed order:
//! every run is the same.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use jobs::Timestamp;
use jobs::ports::Clock;

use crate::app::START;

/// The clock, and the times that somebody waits for.
#[derive(Default)]
pub(super) struct Time {
    millis: AtomicI64,
    awaited: Mutex<Vec<i64>>,
    over: AtomicBool,
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Timestamp {
        START + Duration::from_millis(self.millis.load(Ordering::Relaxed) as u64)
    }

    async fn sleep(&self, time: Duration) {
        let until = self.millis.load(Ordering::Relaxed) + time.as_millis() as i64;
        poll_fn(|_| {
            if self.millis.load(Ordering::Relaxed) >= until {
                return Poll::Ready(());
            }
            self.awaited.lock().unwrap().push(until);
            Poll::Pending
        })
        .await;
    }
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

impl Time {
    pub(super) fn passed(&self) -> Duration {
        self.now().since(START)
    }

    /// Ends the run.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Lets the tasks run until one of them says that it is over, or nobody waits for anything.
    pub(super) fn run(self: &Arc<Self>, mut tasks: Vec<Task>) {
        let mut context = Context::from_waker(Waker::noop());
        while !self.over.load(Ordering::Relaxed) {
            tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
            let Some(next) = self.awaited.lock().unwrap().drain(..).min() else {
                return;
            };
            self.millis.fetch_max(next, Ordering::Relaxed);
        }
    }
}
