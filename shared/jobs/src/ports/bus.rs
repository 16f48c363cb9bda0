//! The port for events: out to whoever listens on the bus.

use async_trait::async_trait;

use super::PortError;
use crate::event::Event;

/// A bus for events. Takes each at least once; what it did not take is told again.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Whether there is anybody to tell: without, no row notes anything for the bus.
    fn listens(&self) -> bool;

    /// Puts events on the bus; answers with the indexes of those that it did not take.
    async fn put(&self, events: &[Event]) -> Result<Vec<usize>, PortError>;
}

/// A bus on which nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBus;

#[async_trait]
impl Bus for NoBus {
    fn listens(&self) -> bool {
        false
    }

    async fn put(&self, _: &[Event]) -> Result<Vec<usize>, PortError> {
        Ok(Vec::new())
    }
}
