//! A value that is costly to make, kept for a while and made once however many ask for it. A
//! failure is shared by those who waited for it, and by nobody who comes later.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::lock::Mutex;

use crate::error::Error;
use crate::time::Timestamp;

/// Keeps a value for up to `age`.
#[derive(Debug)]
pub(crate) struct Cached<T> {
    age: Duration,
    /// Held while a value is made.
    slot: Mutex<Slot<T>>,
    /// Values made or failed to be made so far.
    ended: AtomicU64,
}

#[derive(Debug)]
struct Slot<T> {
    /// The value, and when its making began.
    value: Option<(Timestamp, Arc<T>)>,
    /// What the last making failed of, where it did.
    failure: Option<String>,
}

impl<T> Cached<T> {
    pub(crate) fn new(age: Duration) -> Self {
        let slot = Slot {
            value: None,
            failure: None,
        };
        Self {
            age,
            slot: Mutex::new(slot),
            ended: AtomicU64::new(0),
        }
    }

    /// The value, where it is young enough at `now`; else what `make` makes of it.
    pub(crate) async fn get(
        &self,
        now: Timestamp,
        make: impl Future<Output = Result<T, Error>>,
    ) -> Result<Arc<T>, Error> {
        self.get_for(now, |_| self.age, make).await
    }

    /// As [`Cached::get`], where a value may be kept for a shorter time than others.
    pub(crate) async fn get_for(
        &self,
        now: Timestamp,
        kept_for: impl Fn(&T) -> Duration,
        make: impl Future<Output = Result<T, Error>>,
    ) -> Result<Arc<T>, Error> {
        let asked = self.ended.load(Ordering::Acquire);
        // Whoever holds this may be dropped at any time; then the next one makes the value.
        let mut slot = self.slot.lock().await;
        if let Some((at, value)) = &slot.value {
            // A clock that was set back must not keep a value for ever.
            let age = now.since(*at).max(at.since(now));
            if age < kept_for(value).min(self.age) {
                return Ok(Arc::clone(value));
            }
        }
        let ended_meanwhile = self.ended.load(Ordering::Acquire) > asked;
        if let Some(failure) = slot.failure.as_ref().filter(|_| ended_meanwhile) {
            return Err(Error::Unavailable {
                part: "table",
                source: failure.clone().into(),
            });
        }
        let made = make.await;
        self.ended.fetch_add(1, Ordering::AcqRel);
        slot.failure = made.as_ref().err().map(ToString::to_string);
        let made = Arc::new(made?);
        slot.value = Some((now, Arc::clone(&made)));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use futures::future::{join_all, poll_fn};

    const AGE: Duration = Duration::from_secs(5);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Lets the others run once.
    async fn others() {
        let mut passed = false;
        poll_fn(|context| {
            if std::mem::replace(&mut passed, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Runs a future to its end, alone.
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return value;
            }
        }
    }

    fn broken() -> Error {
        Error::Corrupt("broken".to_owned())
    }

    #[test]
    fn a_value_is_made_once_for_all_who_ask_and_again_when_it_is_old() {
        let (cached, made) = (Cached::new(AGE), AtomicUsize::new(0));
        let ask = |now| {
            cached.get(at(now), async {
                others().await;
                Ok(made.fetch_add(1, Ordering::Relaxed))
            })
        };
        let first = block_on(join_all((0..10).map(|_| ask(0))));
        assert!(first.into_iter().all(|value| *value.unwrap() == 0));
        assert_eq!(*block_on(ask(4_999)).unwrap(), 0);
        assert_eq!(*block_on(ask(5_000)).unwrap(), 1);
        assert_eq!(*block_on(ask(-5_000)).unwrap(), 2, "the clock was set back");
    }

    #[test]
    fn a_failure_is_shared_by_those_who_waited_and_forgotten() {
        let (cached, made) = (Cached::<usize>::new(AGE), AtomicUsize::new(0));
        let fail = || {
            cached.get(at(0), async {
                others().await;
                made.fetch_add(1, Ordering::Relaxed);
                Err(broken())
            })
        };
        let failed = block_on(join_all((0..10).map(|_| fail())));
        assert!(failed.iter().all(Result::is_err));
        assert_eq!(made.load(Ordering::Relaxed), 1);
        assert_eq!(*block_on(cached.get(at(0), async { Ok(7) })).unwrap(), 7);
    }

    #[test]
    fn one_who_leaves_while_making_it_leaves_it_to_the_next() {
        let cached = Cached::<usize>::new(AGE);
        block_on(async {
            let mut leaves = Box::pin(cached.get(at(0), std::future::pending()));
            let once = poll_fn(|context| Poll::Ready(leaves.as_mut().poll(context).is_pending()));
            assert!(once.await);
            drop(leaves);
            assert_eq!(*cached.get(at(0), async { Ok(7) }).await.unwrap(), 7);
        });
    }
}
