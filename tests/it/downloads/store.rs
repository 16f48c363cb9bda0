//! A blob store in memory that gives links, forgets uploads when it is told to, remembers how large
//! parts were, and kills whoever makes its n-th call.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws::blobs::ObjectBlobs;
use aws::files::ObjectFiles;
use jobs::ports::{Blobs, FileName, Files, PortError};
use object_store::memory::InMemory;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer, Url};
use object_store::{Error, MultipartId, PutPayload, PutResult, Result};
use tokio::sync::Notify;

/// What stands in for S3 behind the adapter.
#[derive(Debug)]
struct Bucket {
    memory: Arc<InMemory>,
    forgets: AtomicBool,
    sizes: Mutex<Vec<usize>>,
}

impl Bucket {
    fn known<T>(&self, path: &Path, outcome: Result<T>) -> Result<T> {
        let missing = |source: Box<dyn std::error::Error + Send + Sync>| Error::NotFound {
            path: path.to_string(),
            source,
        };
        if self.forgets.load(Ordering::SeqCst) {
            return Err(missing("forgotten".into()));
        }
        // As S3 says it of an upload that is not there.
        outcome.map_err(|error| missing(Box::new(error)))
    }
}

#[async_trait]
impl MultipartStore for Bucket {
    async fn create_multipart(&self, path: &Path) -> Result<MultipartId> {
        self.forgets.store(false, Ordering::SeqCst);
        self.memory.create_multipart(path).await
    }

    async fn put_part(
        &self,
        path: &Path,
        id: &MultipartId,
        number: usize,
        body: PutPayload,
    ) -> Result<PartId> {
        self.sizes.lock().unwrap().push(body.content_length());
        let put = self.memory.put_part(path, id, number, body).await;
        let put = put.map(|_| PartId {
            content_id: format!("\"{number}\""),
        });
        self.known(path, put)
    }

    async fn complete_multipart(
        &self,
        path: &Path,
        id: &MultipartId,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        for (number, part) in parts.iter().enumerate() {
            assert_eq!(part.content_id, format!("\"{number}\""));
        }
        let finished = self.memory.complete_multipart(path, id, parts).await;
        self.known(path, finished)
    }

    async fn abort_multipart(&self, path: &Path, id: &MultipartId) -> Result<()> {
        let aborted = self.memory.abort_multipart(path, id).await;
        self.known(path, aborted)
    }
}

#[async_trait]
impl Signer for Bucket {
    async fn signed_url(&self, _: Method, _: &Path, _: Duration) -> Result<Url> {
        unreachable!("a link says what its file is called")
    }

    async fn signed_url_opts(
        &self,
        method: Method,
        path: &Path,
        valid: Duration,
        options: &SignedUrlOptions,
    ) -> Result<Url> {
        assert_eq!(method, Method::GET);
        let mut url = Url::parse(&format!("https://files.example/{path}")).unwrap();
        url.query_pairs_mut()
            .append_pair("seconds", &valid.as_secs().to_string())
            .extend_pairs(&options.extra_query);
        Ok(url)
    }
}

/// The store as a service has it.
#[derive(Clone)]
pub(super) struct Linked {
    bucket: Arc<Bucket>,
    blobs: Arc<ObjectBlobs>,
    left: Arc<AtomicI64>,
    pub(super) died: Arc<Notify>,
}

impl Linked {
    pub(super) fn over(memory: Arc<InMemory>) -> Self {
        let bucket = Arc::new(Bucket {
            memory: Arc::clone(&memory),
            forgets: AtomicBool::new(false),
            sizes: Mutex::default(),
        });
        Self {
            blobs: Arc::new(ObjectBlobs::with_files(ObjectFiles {
                objects: memory,
                parts: Arc::clone(&bucket) as _,
                signer: Arc::clone(&bucket) as _,
            })),
            bucket,
            left: Arc::new(AtomicI64::new(i64::MAX)),
            died: Arc::default(),
        }
    }

    /// Sizes of the parts that were put since this was last asked.
    pub(super) fn sizes(&self) -> Vec<usize> {
        std::mem::take(&mut self.bucket.sizes.lock().unwrap())
    }

    /// Knows no upload until the next is begun.
    pub(super) fn forget_uploads(&self) {
        self.bucket.forgets.store(true, Ordering::SeqCst);
    }

    /// Even numbers kill before a call, odd ones after it.
    pub(super) fn kill_at(&self, point: i64) {
        self.left.store(point, Ordering::SeqCst);
    }

    fn inner(&self) -> &dyn Files {
        self.blobs.files().unwrap()
    }

    async fn mortal<T>(&self, call: impl Future<Output = T>) -> T {
        let left = self.left.fetch_sub(2, Ordering::SeqCst);
        if left == 0 {
            self.died.notify_one();
            return pending().await;
        }
        let done = call.await;
        if left == 1 {
            self.died.notify_one();
            return pending().await;
        }
        done
    }
}

#[async_trait]
impl Blobs for Linked {
    async fn put(&self, key: &str, body: Vec<u8>) -> Result<(), PortError> {
        self.mortal(self.blobs.put(key, body)).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.blobs.get(key).await
    }

    async fn get_part(&self, key: &str, at: u32, long: u32) -> Result<Option<Vec<u8>>, PortError> {
        self.blobs.get_part(key, at, long).await
    }

    async fn delete_all(&self, prefix: &str) -> Result<(), PortError> {
        self.blobs.delete_all(prefix).await
    }

    fn files(&self) -> Option<&dyn Files> {
        Some(self)
    }
}

#[async_trait]
impl Files for Linked {
    async fn link(&self, key: &str, file: &FileName, valid: Duration) -> Result<String, PortError> {
        self.inner().link(key, file, valid).await
    }

    async fn is_there(&self, key: &str) -> Result<bool, PortError> {
        self.mortal(self.inner().is_there(key)).await
    }

    async fn begin(&self, key: &str) -> Result<String, PortError> {
        self.mortal(self.inner().begin(key)).await
    }

    async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: u32,
        body: Vec<u8>,
    ) -> Result<Option<String>, PortError> {
        let put = self.inner().put_part(key, upload, number, body);
        self.mortal(put).await
    }

    async fn finish(&self, key: &str, upload: &str, tags: &[String]) -> Result<bool, PortError> {
        self.mortal(self.inner().finish(key, upload, tags)).await
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<(), PortError> {
        self.mortal(self.inner().abort(key, upload)).await
    }
}
