//! The threads that speak with the web. A hostile server can keep a connection's task busy for as
//! long as it sends; here it only ever delays other fetches, never the service beside them.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

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
    ) -> JoinHandle<T> {
        match &self.0 {
            Some(runtime) => runtime.spawn(task),
            // Only ever empty while it is dropped.
            None => tokio::spawn(task),
        }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
