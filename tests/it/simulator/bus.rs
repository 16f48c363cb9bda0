//! A bus that is away, refuses and forgets to answer; and what has to have reached it in the end.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jobs::ports::{Bus, PortError};
use jobs::{Event, Job};

use super::world::{Planted, World, gate};

/// What rows have noted to be told, and what was told, by the ids of the events.
#[derive(Default)]
pub(crate) struct Told {
    noted: BTreeSet<String>,
    told: BTreeSet<String>,
}

impl Told {
    /// A row was written: what it notes of this very write has to be told.
    fn note(&mut self, job: &Job) {
        let untold = job.outbox.iter().flat_map(|outbox| &outbox.untold);
        for happening in untold.filter(|it| it.revision == job.revision) {
            self.noted.insert(Event::of(job, None, happening).id);
        }
    }
}

impl World {
    pub(crate) fn note_events(&self, job: &Job) {
        self.events.lock().unwrap().note(job);
    }

    /// Events that never reached the bus.
    pub(crate) fn untold(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.noted.difference(&events.told).cloned().collect()
    }
}

pub(crate) struct WorldBus(pub(crate) Arc<World>);

#[async_trait]
impl Bus for WorldBus {
    fn listens(&self) -> bool {
        true
    }

    async fn put(&self, events: &[Event]) -> Result<Vec<usize>, PortError> {
        gate().await;
        let world = &self.0;
        let away = || PortError::Unavailable {
            part: "event bus",
            source: "simulated".into(),
        };
        if world.strikes("the bus is away", 10) {
            return Err(away());
        }
        let mut refused = Vec::new();
        for (index, event) in events.iter().enumerate() {
            if world.strikes("an event is refused", 5) {
                refused.push(index);
                continue;
            }
            // The planted fault: the bus says that it has what it has lost.
            if world.planted == Planted::ForgetfulBus && world.below(4) == 0 {
                continue;
            }
            let mut told = world.events.lock().unwrap();
            if !told.noted.contains(&event.id) {
                drop(told);
                world.violation(format!("{} was told of what did not happen", event.id));
                continue;
            }
            told.told.insert(event.id.clone());
        }
        gate().await;
        if world.strikes("the answer of the bus is lost", 10) {
            return Err(away());
        }
        Ok(refused)
    }
}

/// What is still to be told, for the world.
pub(crate) type Events = Mutex<Told>;
