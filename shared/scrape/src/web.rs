//! The threads that speak with the web. A hostile server can keep a connection's task busy for as
//! long as it sends; here it only ever delays other fetches, never the service beside them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use crate::door::Unbuilt;

const THREADS: usize = 2;

/// A runtime of its own. Ends its tasks when it is dropped, without waiting for them.
pub(crate) struct Web(Option<Runtime>);

impl Web {
    pub(crate) fn start() -> Result<Self, Unbuilt> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("web")
            .enable_io()
            .enable_time()
            .build();
        runtime
            .map(|runtime| Self(Some(runtime)))
            .map_err(Unbuilt::new)
    }

    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Running<T> {
        Running(match &self.0 {
            Some(runtime) => runtime.spawn(task),
            // Only ever empty while it is dropped.
            None => tokio::spawn(task),
        })
    }
}

/// A task on the threads of the web. Nobody asks for what it fetches once this is dropped, so it
/// ends then, at its next wait, and its connection with it.
pub(crate) struct Running<T>(JoinHandle<T>);

impl<T> Future for Running<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_task_that_nobody_waits_for_any_more_ends() {
        let web = Web::start().unwrap();
        let (started, is_started) = oneshot::channel();
        let (held, is_let_go) = oneshot::channel::<()>();
        let running = web.spawn(async move {
            let _held = held;
            started.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        is_started.await.unwrap();
        drop(running);
        assert!(is_let_go.await.is_err(), "it was let go of, not sent");
    }
}
