//! The port through which all workers share the budget of a host: one row each, replaced by whoever
//! has read it last.

use async_trait::async_trait;

use super::PortError;
use crate::crawl::host::Host;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostSwap {
    Written,
    /// The row is no longer the one that was read; this is what it is now.
    Lost(Option<Box<Host>>),
}

/// What is known of hosts, by authority: name or address in lower case, with the port where it is
/// not the usual one. Each write knows its own echo.
#[async_trait]
pub trait Hosts: Send + Sync {
    /// The row, as of the last write; nothing where nothing is to be said.
    async fn host(&self, authority: &str) -> Result<Option<Host>, PortError>;

    /// Replaces the row where it still is `before`. It may be forgotten an hour after
    /// [`Host::quiet_at`].
    async fn replace_host(
        &self,
        authority: &str,
        before: Option<&Host>,
        after: &Host,
    ) -> Result<HostSwap, PortError>;
}
