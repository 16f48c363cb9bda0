//! Results on S3. Refuses to cost a start anything: the client with its root certificates is built
//! when the first large result passes, which most sandboxes never see.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jobs::ports::{Blobs, FileName, Files, PortError};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use tokio::sync::OnceCell;

use crate::blobs::ObjectBlobs;
use crate::files::ObjectFiles;
use crate::settings::Settings;

/// One try of a call, with its body; results are at most a few megabytes.
const CALL_TIMEOUT: Duration = Duration::from_millis(2_500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// No further try after this, so that a call takes no longer than one of the SDK: a worker still
/// has to write the row.
const RETRY_TIMEOUT: Duration = Duration::from_millis(1_400);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
const MAX_RETRIES: usize = 2;

/// [`Blobs`] in a bucket.
pub struct S3Blobs {
    builder: AmazonS3Builder,
    built: OnceCell<ObjectBlobs>,
}

impl S3Blobs {
    pub fn new(settings: &Settings) -> Self {
        let credentials = &settings.credentials;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_access_key_id(credentials.access_key_id())
            .with_secret_access_key(credentials.secret_access_key())
            .with_retry(retries());
        if let Some(token) = credentials.session_token() {
            builder = builder.with_token(token);
        }
        let mut options = ClientOptions::new()
            .with_timeout(CALL_TIMEOUT)
            .with_connect_timeout(CONNECT_TIMEOUT);
        if let Some(endpoint) = &settings.endpoints.s3 {
            builder = builder.with_endpoint(endpoint);
            options = options.with_allow_http(endpoint.starts_with("http://"));
        }
        Self {
            builder: builder.with_client_options(options),
            built: OnceCell::new(),
        }
    }

    async fn blobs(&self) -> Result<&ObjectBlobs, PortError> {
        let build = async || {
            // The one provider of this process; a second installation changes nothing.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let built: Result<AmazonS3, _> = self.builder.clone().build();
            let store = built.map_err(|error| PortError::Unavailable {
                part: "blob store",
                source: Box::new(error),
            })?;
            let store = Arc::new(store);
            Ok(ObjectBlobs::with_files(ObjectFiles {
                objects: Arc::clone(&store) as _,
                parts: Arc::clone(&store) as _,
                signer: store,
            }))
        };
        self.built.get_or_try_init(build).await
    }

    async fn built_files(&self) -> Result<&dyn Files, PortError> {
        let files = self.blobs().await?.files();
        files.ok_or_else(|| PortError::Unavailable {
            part: "blob store",
            source: "it gives no links".into(),
        })
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, key: &str, body: Vec<u8>) -> Result<(), PortError> {
        self.blobs().await?.put(key, body).await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.blobs().await?.get(key).await
    }

    async fn get_part(
        &self,
        key: &str,
        offset: u32,
        length: u32,
    ) -> Result<Option<Vec<u8>>, PortError> {
        self.blobs().await?.get_part(key, offset, length).await
    }

    async fn delete_all(&self, prefix: &str) -> Result<(), PortError> {
        self.blobs().await?.delete_all(prefix).await
    }

    fn files(&self) -> Option<&dyn Files> {
        Some(self)
    }
}

#[async_trait]
impl Files for S3Blobs {
    async fn link(&self, key: &str, file: &FileName, valid: Duration) -> Result<String, PortError> {
        self.built_files().await?.link(key, file, valid).await
    }

    async fn is_there(&self, key: &str) -> Result<bool, PortError> {
        self.built_files().await?.is_there(key).await
    }

    async fn begin(&self, key: &str) -> Result<String, PortError> {
        self.built_files().await?.begin(key).await
    }

    async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: u32,
        body: Vec<u8>,
    ) -> Result<Option<String>, PortError> {
        let files = self.built_files().await?;
        files.put_part(key, upload, number, body).await
    }

    async fn finish(&self, key: &str, upload: &str, tags: &[String]) -> Result<bool, PortError> {
        self.built_files().await?.finish(key, upload, tags).await
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<(), PortError> {
        self.built_files().await?.abort(key, upload).await
    }
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: LONGEST_PAUSE,
            base: 2.0,
        },
        max_retries: MAX_RETRIES,
        retry_timeout: RETRY_TIMEOUT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::OPERATION_TIMEOUT;

    #[test]
    fn a_call_takes_no_longer_than_one_of_the_sdk() {
        assert!(RETRY_TIMEOUT + LONGEST_PAUSE + CALL_TIMEOUT <= OPERATION_TIMEOUT);
    }
}
