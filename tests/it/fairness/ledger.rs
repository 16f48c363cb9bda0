//! A table in memory, for ten thousand jobs in a moment: rows, and who is active. Each read of a
//! row takes a few milliseconds of the test's own time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jobs::hold::Hold;
use jobs::job::DueList;
use jobs::ports::{
    ActiveEntry, Claimable, Clock, Commit, Counter, Created, Creation, DueEntry, Listed, PortError,
    RateBucket, Revival, Revived, Scope, Store, Swap,
};
use jobs::rate::Call;
use jobs::spec::CustomerId;
use jobs::statistics::{Minute, Snapshot, Totals};
use jobs::tally::Tally;
use jobs::{Job, JobId, RowId, Spec, State, Timestamp};

use super::time::Time;

const LOOK_UP: Duration = Duration::from_millis(5);

pub(super) struct Ledger {
    pub(super) time: Arc<Time>,
    rows: Mutex<HashMap<JobId, (Job, String)>>,
    active: Mutex<HashMap<CustomerId, u64>>,
}

impl Ledger {
    pub(super) fn new(time: &Arc<Time>) -> Self {
        Self {
            time: Arc::clone(time),
            rows: Mutex::default(),
            active: Mutex::default(),
        }
    }

    pub(super) fn most_active(&self) -> u64 {
        self.active
            .lock()
            .unwrap()
            .values()
            .copied()
            .max()
            .unwrap_or(0)
    }

    fn find(&self, id: &JobId) -> Option<(Job, String)> {
        self.rows.lock().unwrap().get(id).cloned()
    }
}

#[async_trait]
impl Store for Ledger {
    async fn create(&self, creation: &Creation<'_>) -> Result<Created, PortError> {
        let row = (creation.job.clone(), creation.spec.to_owned());
        self.rows.lock().unwrap().insert(row.0.id.clone(), row);
        Ok(Created::New)
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, PortError> {
        Ok(self.find(id).map(|(job, _)| job))
    }

    async fn job_and_spec(&self, id: &JobId) -> Result<Option<(Job, Spec)>, PortError> {
        self.time.sleep(LOOK_UP).await;
        let read = |(job, spec): (Job, String)| (job, serde_json::from_str(&spec).unwrap());
        Ok(self.find(id).map(read))
    }

    async fn claimable(&self, id: &JobId) -> Result<Claimable, PortError> {
        Ok(Claimable {
            hold: Hold::default(),
            job: self.job_and_spec(id).await,
        })
    }

    async fn commit(&self, before: &Job, after: &Job) -> Result<Commit, PortError> {
        let mut rows = self.rows.lock().unwrap();
        let (row, _) = rows.get_mut(&before.id).unwrap();
        if row.revision != before.revision {
            return Ok(Commit::Lost(Some(Box::new(row.clone()))));
        }
        *row = after.clone();
        let mut active = self.active.lock().unwrap();
        let active = active.entry(after.customer.clone()).or_default();
        *active += u64::from(after.state == State::Active);
        *active -= u64::from(before.state == State::Active);
        Ok(Commit::Written)
    }

    async fn put_result(&self, _: &JobId, _: u64, _: Vec<u8>) -> Result<(), PortError> {
        Ok(())
    }

    async fn tally(&self, _: Scope<'_>) -> Result<Tally, PortError> {
        Ok(Tally {
            unfinished: self.rows.lock().unwrap().len() as i64,
            ..Tally::default()
        })
    }

    async fn active_count(&self, customer: &CustomerId) -> Result<u64, PortError> {
        let active = self.active.lock().unwrap();
        Ok(active.get(customer).copied().unwrap_or(0))
    }

    async fn result(&self, _: &JobId, _: u64) -> Result<Option<Vec<u8>>, PortError> {
        unreachable!()
    }

    async fn purge(&self, _: &Job) -> Result<(), PortError> {
        unreachable!()
    }

    async fn due(
        &self,
        _: DueList,
        _: u32,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<RowId>, PortError> {
        unreachable!()
    }

    async fn revive(&self, _: &Revival<'_>) -> Result<Revived, PortError> {
        unreachable!()
    }

    async fn release(&self, _: &Job) -> Result<bool, PortError> {
        unreachable!()
    }

    async fn list(&self, _: Scope<'_>, _: Option<&JobId>, _: usize) -> Result<Listed, PortError> {
        unreachable!()
    }

    async fn jobs(&self, _: &[JobId]) -> Result<Vec<Job>, PortError> {
        unreachable!()
    }

    async fn count_duplicates(&self, _: &CustomerId, _: u64) -> Result<(), PortError> {
        unreachable!()
    }

    async fn totals(&self, _: Scope<'_>) -> Result<Totals, PortError> {
        unreachable!()
    }

    async fn counters(&self, _: u8) -> Result<Vec<Counter>, PortError> {
        unreachable!()
    }

    async fn keep_snapshot(&self, _: Scope<'_>, _: &Snapshot) -> Result<bool, PortError> {
        unreachable!()
    }

    async fn snapshots(
        &self,
        _: Scope<'_>,
        _: Minute,
        _: Minute,
    ) -> Result<Vec<Snapshot>, PortError> {
        unreachable!()
    }

    async fn rate(&self, _: Call, _: &CustomerId) -> Result<Option<RateBucket>, PortError> {
        unreachable!()
    }

    async fn replace_rate(
        &self,
        _: Call,
        _: &CustomerId,
        _: Option<RateBucket>,
        _: RateBucket,
    ) -> Result<Swap, PortError> {
        unreachable!()
    }

    async fn unfinished(&self) -> Result<Vec<DueEntry>, PortError> {
        unreachable!()
    }

    async fn active(&self, _: Scope<'_>) -> Result<Vec<ActiveEntry>, PortError> {
        unreachable!()
    }
}
