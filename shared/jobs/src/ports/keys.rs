//! The port through which keys are kept: a record per key, found by the hash of its secret.

use async_trait::async_trait;

use super::PortError;
use crate::id::KeyId;
use crate::key::{KeyHash, KeyRecord};
use crate::time::Timestamp;

/// Part of the list of keys.
#[derive(Clone, Debug, Default)]
pub struct ListedKeys {
    /// Newest first, revoked ones included.
    pub keys: Vec<KeyRecord>,
    /// Go on with what is older than this; `None` at the end.
    pub next: Option<KeyId>,
}

/// The keys of all callers. Each write knows its own echo.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Writes a key for the first time.
    async fn add_key(&self, key: &KeyRecord) -> Result<(), PortError>;

    /// The key whose secret has this hash, as of the last write; a revoked one too.
    async fn find_key(&self, hash: &KeyHash) -> Result<Option<KeyRecord>, PortError>;

    /// Marks a key as revoked, once; gives it as it then stands, `None` where there is none. Its
    /// record stays, so that a late write cannot bring it back.
    async fn revoke_key(&self, id: &KeyId, at: Timestamp) -> Result<Option<KeyRecord>, PortError>;

    /// Up to `limit` keys that are older than `before`.
    async fn list_keys(
        &self,
        before: Option<&KeyId>,
        limit: usize,
    ) -> Result<ListedKeys, PortError>;
}
