//! Results too large for an item, in any object store: S3 on AWS, a directory locally.

use std::sync::Arc;

use async_trait::async_trait;
use futures::TryStreamExt;
use jobs::ports::{Blobs, Files, PortError};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};

use crate::files::ObjectFiles;

/// [`Blobs`] over an object store.
pub struct ObjectBlobs {
    store: Arc<dyn ObjectStore>,
    files: Option<ObjectFiles>,
}

impl ObjectBlobs {
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, files: None }
    }

    /// The same in a store that gives links to what it holds.
    pub fn with_files(files: ObjectFiles) -> Self {
        Self {
            store: Arc::clone(&files.objects),
            files: Some(files),
        }
    }
}

pub(crate) fn unavailable(error: Error) -> PortError {
    PortError::Unavailable {
        part: "blob store",
        source: Box::new(error),
    }
}

#[async_trait]
impl Blobs for ObjectBlobs {
    async fn put(&self, key: &str, body: Vec<u8>) -> Result<(), PortError> {
        let put = self.store.put(&Path::from(key), body.into()).await;
        put.map(drop).map_err(unavailable)
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        match self.store.get(&Path::from(key)).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(unavailable)?.into())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn get_part(
        &self,
        key: &str,
        offset: u32,
        length: u32,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let range = u64::from(offset)..u64::from(offset) + u64::from(length);
        match self.store.get_range(&Path::from(key), range).await {
            Ok(found) if found.len() == length as usize => Ok(Some(found.into())),
            Ok(_) | Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn delete_all(&self, prefix: &str) -> Result<(), PortError> {
        let prefix = Path::from(prefix);
        let found: Vec<_> = self
            .store
            .list(Some(&prefix))
            .try_collect()
            .await
            .map_err(unavailable)?;
        for object in found {
            match self.store.delete(&object.location).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
        Ok(())
    }

    fn files(&self) -> Option<&dyn Files> {
        self.files.as_ref().map(|files| files as _)
    }
}
