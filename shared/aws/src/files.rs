//! Large objects in parts, and links to them, in any object store that has both. Refuses to say
//! what an address is signed with anywhere but in the address.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jobs::ports::{FileName, Files, PortError};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer};
use object_store::{Error, ObjectStore, ObjectStoreExt};

use crate::blobs::unavailable;

/// [`Files`] over an object store.
pub struct ObjectFiles {
    pub objects: Arc<dyn ObjectStore>,
    pub parts: Arc<dyn MultipartStore>,
    pub signer: Arc<dyn Signer>,
}

/// Nothing where what was meant is not there.
fn found<T>(outcome: Result<T, Error>) -> Result<Option<T>, PortError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
}

#[async_trait]
impl Files for ObjectFiles {
    async fn link(&self, key: &str, file: &FileName, valid: Duration) -> Result<String, PortError> {
        let disposition = format!("attachment; filename=\"{}\"", file.name);
        let options = SignedUrlOptions::new().with_query([
            ("response-content-disposition", disposition.as_str()),
            ("response-content-type", file.media_type),
        ]);
        let path = Path::from(key);
        let url = self
            .signer
            .signed_url_opts(Method::GET, &path, valid, &options);
        Ok(url.await.map_err(unavailable)?.into())
    }

    async fn is_there(&self, key: &str) -> Result<bool, PortError> {
        let head = self.objects.head(&Path::from(key)).await;
        Ok(found(head)?.is_some())
    }

    async fn begin(&self, key: &str) -> Result<String, PortError> {
        let begun = self.parts.create_multipart(&Path::from(key)).await;
        begun.map_err(unavailable)
    }

    async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: u32,
        body: Vec<u8>,
    ) -> Result<Option<String>, PortError> {
        let (path, upload) = (Path::from(key), upload.to_owned());
        let put = self
            .parts
            .put_part(&path, &upload, number as usize, body.into());
        Ok(found(put.await)?.map(|part| part.content_id))
    }

    async fn finish(&self, key: &str, upload: &str, tags: &[String]) -> Result<bool, PortError> {
        let tags = tags.iter().map(|tag| PartId {
            content_id: tag.clone(),
        });
        let (path, upload) = (Path::from(key), upload.to_owned());
        let finish = self
            .parts
            .complete_multipart(&path, &upload, tags.collect());
        Ok(found(finish.await)?.is_some())
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<(), PortError> {
        let (path, upload) = (Path::from(key), upload.to_owned());
        let abort = self.parts.abort_multipart(&path, &upload).await;
        found(abort).map(drop)
    }
}
