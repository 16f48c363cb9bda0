//! The repair of deliveries, as a part of the sweep: whatever is due gets its message again, or an
//! end to its lease. Safe to run at any time, by several at once, and to be killed anywhere.

use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::{CONCURRENCY, envelope};
use crate::app::{App, Swept};
use crate::error::Error;
use crate::message::DeliveryKey;
use crate::ports::{DELIVERY_SHARDS, DeliveryEnvelope, DeliverySwap, PortError};
use crate::transition::Mode;
use crate::webhook::DeliverySweep;

/// Rows of one shard in a round of a sweep.
const PAGE: usize = 100;
/// After a restart every row whose message a volatile queue may have lost is within this reach:
/// the longest message delay and the longest grace.
const RESTART_REACH: Duration = Duration::from_mins(35);

impl App {
    /// Gives every delivery that is due what it is owed: a message, or an end to its lease.
    pub(in crate::app) async fn sweep_deliveries(
        &self,
        mode: Mode,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let (until, limit) = match mode {
            Mode::Routine => (self.now(), PAGE),
            Mode::Restart | Mode::Shutdown => (self.now() + RESTART_REACH, usize::MAX),
        };
        let mut first_error = None;
        for shard in 0..DELIVERY_SHARDS {
            let due = self.ports.deliveries.due_deliveries(shard, until, limit);
            // What cannot be helped must not keep the rest from being repaired.
            let keys = match due.await {
                Ok(keys) => keys,
                Err(error) => {
                    first_error = first_error.or(Some(error));
                    continue;
                }
            };
            swept.more |= keys.len() == limit;
            let rows = stream::iter(keys)
                .map(|key| async move { self.sweep_delivery(&key, mode).await })
                .buffered(CONCURRENCY)
                .collect::<Vec<_>>()
                .await;
            let mut envelopes = Vec::new();
            for row in rows {
                match row {
                    Ok(Repaired::Nothing) => {}
                    Ok(Repaired::Written) => swept.written += 1,
                    Ok(Repaired::Send(envelope)) => envelopes.push(envelope),
                    Err(PortError::Corrupt(what)) => {
                        tracing::error!(what, "a delivery cannot be swept");
                    }
                    Err(error) => first_error = first_error.or(Some(error)),
                }
            }
            swept.sent += envelopes.len();
            self.send_deliveries(&envelopes).await;
        }
        first_error.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn sweep_delivery(&self, key: &DeliveryKey, mode: Mode) -> Result<Repaired, PortError> {
        let Some(row) = self.ports.deliveries.delivery(key).await? else {
            return Ok(Repaired::Nothing);
        };
        let (next, repaired) = match row.sweep(self.stamp(), mode) {
            DeliverySweep::Nothing => return Ok(Repaired::Nothing),
            DeliverySweep::Write(next) => (next, Repaired::Written),
            DeliverySweep::Send(next, delay) => {
                let envelope = envelope(&next, delay);
                (next, Repaired::Send(envelope))
            }
        };
        Ok(
            match self.ports.deliveries.replace_delivery(&row, &next).await? {
                DeliverySwap::Written => repaired,
                // Somebody else moved the row; whatever is still owed comes due again.
                DeliverySwap::Lost(_) => Repaired::Nothing,
            },
        )
    }
}

enum Repaired {
    Nothing,
    Written,
    Send(DeliveryEnvelope),
}
