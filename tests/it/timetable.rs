//! A timetable that remembers what it is told, and goes wrong where a test wants it to. It fires
//! nothing by itself: tests say what fires, or ask the ticker behind it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jobs::ScheduleId;
use jobs::ports::{Clock, Entry, Placed, PortError, Timetable};
use local::ticker::LocalTicker;
use tokio::sync::Notify;

/// Ids on a page: few, so that there are many pages.
const PAGE: usize = 2;

/// What becomes of a call that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    /// It cannot be reached.
    Refused,
    /// Whoever calls dies before it is done.
    DiesBefore,
    /// Whoever calls dies after it is done.
    DiesAfter,
}

#[derive(Clone)]
pub(crate) struct Recorded {
    pub(crate) ticker: LocalTicker,
    entries: Arc<Mutex<BTreeMap<ScheduleId, Entry>>>,
    fates: Arc<Mutex<VecDeque<Fate>>>,
    died: Arc<Notify>,
}

impl Recorded {
    /// Tells a ticker under this clock what it is told itself.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            ticker: LocalTicker::new(clock),
            entries: Arc::default(),
            fates: Arc::default(),
            died: Arc::default(),
        }
    }

    /// What becomes of the next calls, one after the other; all others are done.
    pub(crate) fn next(&self, fates: impl IntoIterator<Item = Fate>) {
        self.fates.lock().unwrap().extend(fates);
    }

    /// Ends when a caller dies.
    pub(crate) async fn death(&self) {
        self.died.notified().await;
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap().values().cloned().collect()
    }

    pub(crate) fn entry(&self, id: &str) -> Option<Entry> {
        let id = ScheduleId::parse(id).unwrap();
        self.entries.lock().unwrap().get(&id).cloned()
    }

    /// Loses an entry, as nobody should.
    pub(crate) fn lose(&self, id: &str) {
        let id = ScheduleId::parse(id).unwrap();
        self.entries.lock().unwrap().remove(&id);
    }

    /// Holds an entry that nobody has placed.
    pub(crate) fn invent(&self, entry: Entry) {
        let id = entry.id.clone();
        self.entries.lock().unwrap().insert(id, entry);
    }

    /// Places an entry or, where there is none, removes that of `id`.
    async fn change(&self, id: &ScheduleId, entry: Option<&Entry>) -> Result<(), PortError> {
        let fate = self.fates.lock().unwrap().pop_front();
        let fate = fate.unwrap_or(Fate::Done);
        if fate == Fate::Refused {
            return Err(PortError::Unavailable {
                part: "timetable",
                source: "no answer".into(),
            });
        }
        if fate != Fate::DiesBefore {
            if let Some(entry) = entry {
                self.ticker.place(entry).await?;
                self.invent(entry.clone());
            } else {
                self.ticker.remove(id).await?;
                self.entries.lock().unwrap().remove(id);
            }
        }
        if fate != Fate::Done {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[async_trait]
impl Timetable for Recorded {
    async fn place(&self, entry: &Entry) -> Result<(), PortError> {
        self.change(&entry.id, Some(entry)).await
    }

    async fn remove(&self, id: &ScheduleId) -> Result<(), PortError> {
        self.change(id, None).await
    }

    async fn placed(&self, after: Option<&str>) -> Result<Placed, PortError> {
        let entries = self.entries.lock().unwrap();
        let ids = entries.keys().filter(|id| Some(id.as_str()) > after);
        let mut ids: Vec<_> = ids.take(PAGE + 1).cloned().collect();
        let more = ids.len() > PAGE;
        ids.truncate(PAGE);
        let next = ids.last().filter(|_| more).map(ToString::to_string);
        Ok(Placed { ids, next })
    }
}
