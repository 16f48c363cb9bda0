//! A time that passes when everybody waits, and then at once. One thread, tasks in a fixed order:
//! every run is the same.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use jobs::Timestamp;
use jobs::ports::Clock;

use crate::app::START;

/// The clock, and the times that somebody waits for.
#[derive(Default)]
pub(super) struct Time {
    millis: AtomicI64,
    awaited: Mutex<BTreeMap<(i64, u64), Waker>>,
    waits: AtomicU64,
    over: AtomicBool,
}

/// Somebody waits for a time; nobody any more once this is dropped.
struct Wait<'a> {
    time: &'a Time,
    key: (i64, u64),
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.time.awaited.lock().unwrap().remove(&self.key);
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Timestamp {
        START + Duration::from_millis(self.millis.load(Ordering::Relaxed) as u64)
    }

    async fn sleep(&self, time: Duration) {
        self.pass(time).await;
    }
}

/// What the SDK waits for between two tries.
#[derive(Clone)]
pub(super) struct SdkTime(pub(super) Arc<Time>);

impl std::fmt::Debug for SdkTime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SdkTime")
    }
}

impl AsyncSleep for SdkTime {
    fn sleep(&self, time: Duration) -> Sleep {
        let clock = Arc::clone(&self.0);
        Sleep::new(async move { clock.pass(time).await })
    }
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Whether anybody wants to be asked again.
struct Called(AtomicBool);

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Time {
    pub(super) fn passed(&self) -> Duration {
        self.now().since(START)
    }

    /// Lets so much time pass.
    async fn pass(&self, time: Duration) {
        let until = self.millis.load(Ordering::Relaxed) + time.as_millis() as i64;
        let number = self.waits.fetch_add(1, Ordering::Relaxed);
        let wait = Wait {
            time: self,
            key: (until, number),
        };
        poll_fn(|context| {
            if self.millis.load(Ordering::Relaxed) >= until {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            self.awaited.lock().unwrap().insert(wait.key, waker);
            Poll::Pending
        })
        .await;
    }

    /// Ends the run.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Lets the tasks run until one of them says that it is over, or nobody waits for anything.
    pub(super) fn run(self: &Arc<Self>, mut tasks: Vec<Task>) {
        let called = Arc::new(Called(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&called));
        let mut context = Context::from_waker(&waker);
        while !self.over.load(Ordering::Relaxed) {
            called.0.store(false, Ordering::Relaxed);
            tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
            let mut awaited = self.awaited.lock().unwrap();
            let Some(&(next, _)) = awaited.keys().next() else {
                // Parts of a task may have waited for one another, which takes no time.
                if called.0.load(Ordering::Relaxed) {
                    continue;
                }
                return;
            };
            let now = self.millis.fetch_max(next, Ordering::Relaxed).max(next);
            let later = awaited.split_off(&(now + 1, 0));
            let due = std::mem::replace(&mut *awaited, later);
            drop(awaited);
            // Combinators ask only those again who have called.
            due.into_values().for_each(Waker::wake);
        }
    }
}
