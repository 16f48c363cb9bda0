//! The port for what is too large for an item, and for what clients fetch without us.

use std::time::Duration;

use async_trait::async_trait;

use super::PortError;

/// Results too large for an item.
#[async_trait]
pub trait Blobs: Send + Sync {
    async fn put(&self, key: &str, body: Vec<u8>) -> Result<(), PortError>;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError>;

    /// `length` bytes from `offset` on; nothing where the blob is not there or shorter.
    async fn get_part(
        &self,
        key: &str,
        offset: u32,
        length: u32,
    ) -> Result<Option<Vec<u8>>, PortError>;

    /// Removes everything whose key starts with `prefix`, which ends in `/`.
    async fn delete_all(&self, prefix: &str) -> Result<(), PortError>;

    /// Files that clients fetch from the store itself; nothing where it gives no links to them.
    fn files(&self) -> Option<&dyn Files> {
        None
    }
}

/// What a client's program saves a file as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// Safe in a header: letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// A media type (RFC 9110, section 8.3.1).
    pub media_type: &'static str,
}

/// Large blobs that are written part after part, and links to them. What was not finished does not
/// exist; the store forgets it by itself after some time.
#[async_trait]
pub trait Files: Send + Sync {
    /// A web address that gives the blob to anybody for `valid`, as a file of that name. It is a
    /// secret for so long. Does not ask whether the blob is there.
    async fn link(&self, key: &str, file: &FileName, valid: Duration) -> Result<String, PortError>;

    async fn is_there(&self, key: &str) -> Result<bool, PortError>;

    /// Begins to write a blob, and names the upload.
    async fn begin(&self, key: &str) -> Result<String, PortError>;

    /// Puts the part with this number, from 0, and gives its tag; nothing where the upload is not
    /// there any more. Put again, it replaces what it was. Every part but the last has at least
    /// [`LEAST_PART`] bytes.
    async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: u32,
        body: Vec<u8>,
    ) -> Result<Option<String>, PortError>;

    /// Makes a blob of the parts with these tags, in their order; `false` where the upload is not
    /// there any more, as after an earlier call that has made the blob.
    async fn finish(&self, key: &str, upload: &str, tags: &[String]) -> Result<bool, PortError>;

    /// Forgets an upload, where it is there.
    async fn abort(&self, key: &str, upload: &str) -> Result<(), PortError>;
}

/// Least bytes of a part that is not the last.
pub const LEAST_PART: usize = 5 * 1024 * 1024;
/// Most parts of one upload.
pub const MOST_PARTS: u32 = 10_000;
