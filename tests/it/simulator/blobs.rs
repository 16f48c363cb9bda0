//! The blob store of the simulator: what is put may not arrive, and answers are lost.

use std::sync::Arc;

use async_trait::async_trait;
use aws::blobs::ObjectBlobs;
use jobs::ports::{Blobs, PortError};
use object_store::memory::InMemory;

use super::world::{Planted, World, gate};

pub(crate) struct WorldBlobs {
    world: Arc<World>,
    blobs: ObjectBlobs,
}

impl WorldBlobs {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            blobs: ObjectBlobs::new(Arc::new(InMemory::new())),
        }
    }

    async fn fails(&self, how: &'static str) -> Result<(), PortError> {
        gate().await;
        if self.world.strikes(how, 3) {
            return Err(PortError::Unavailable {
                part: "blob store",
                source: "simulated".into(),
            });
        }
        Ok(())
    }

    /// The planted fault: every claim writes under the same names.
    fn named(&self, key: &str) -> String {
        if self.world.planted != Planted::NoFenceInNames {
            return key.to_owned();
        }
        match (key.rsplit_once('/'), key.rsplit_once('-')) {
            (Some((folder, _)), Some((_, number))) => format!("{folder}/{number}"),
            _ => key.to_owned(),
        }
    }
}

#[async_trait]
impl Blobs for WorldBlobs {
    async fn put(&self, key: &str, body: Vec<u8>) -> Result<(), PortError> {
        self.fails("a blob does not arrive").await?;
        self.blobs.put(&self.named(key), body).await?;
        self.fails("a blob's answer is lost").await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.fails("a blob is not read").await?;
        self.blobs.get(&self.named(key)).await
    }

    async fn get_part(
        &self,
        key: &str,
        offset: u32,
        length: u32,
    ) -> Result<Option<Vec<u8>>, PortError> {
        self.fails("a blob is not read").await?;
        self.blobs.get_part(&self.named(key), offset, length).await
    }

    async fn delete_all(&self, prefix: &str) -> Result<(), PortError> {
        self.blobs.delete_all(prefix).await
    }
}
