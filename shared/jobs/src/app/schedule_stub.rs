//! Stands in for the ticks of schedules until they are there.

use super::App;
use crate::error::Error;
use crate::id::ScheduleId;
use crate::time::Timestamp;

impl App {
    /// A schedule has fired.
    pub async fn tick(&self, id: &ScheduleId, at: Timestamp) -> Result<(), Error> {
        std::future::ready(()).await;
        tracing::info!(schedule = %id, %at, "a schedule fired");
        Ok(())
    }
}
