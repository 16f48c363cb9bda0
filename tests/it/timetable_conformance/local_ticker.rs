//! The ticker of local mode.

use std::sync::Arc;

use async_trait::async_trait;
use aws::host::SystemClock;
use jobs::ports::{Clock, Timetable};
use jobs::{ScheduleId, Timestamp};
use local::ticker::LocalTicker;

use super::Harness;

pub(super) struct Local(LocalTicker);

pub(super) async fn open(_: &str) -> Option<Local> {
    std::future::ready(Some(Local(LocalTicker::new(Arc::new(SystemClock))))).await
}

#[async_trait]
impl Harness for Local {
    fn timetable(&self) -> &dyn Timetable {
        &self.0
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn fires(&self, id: &ScheduleId) -> bool {
        self.0.keeps(id)
    }
}
