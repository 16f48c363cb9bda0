//! After the chaos: nothing goes wrong any more, every message arrives, every task ends.

use std::time::Duration;

use super::batches::open_batches;
use super::database::read_rows;
use super::run::Simulation;

impl Simulation {
    /// Nothing goes wrong any more: every message arrives, every task ends, a sweep every minute.
    pub(super) fn make_peace(&mut self) {
        const ROUNDS: usize = 60;
        self.let_all_arrive();
        for _ in 0..ROUNDS {
            self.settle();
            self.let_go();
            let unfinished = read_rows(&self.world)
                .into_values()
                .any(|job| !job.state.is_terminal() || job.untold().is_some());
            let unfinished = unfinished || !open_batches(&self.world).is_empty();
            if !unfinished && !self.operates() && self.world.messages.lock().unwrap().is_empty() {
                return;
            }
            self.world.advance(Duration::from_mins(1));
            self.sweep();
        }
    }

    pub(super) fn settle(&mut self) {
        loop {
            let before = self.started;
            self.deliver();
            while !self.tasks.is_empty() {
                self.poll_any();
            }
            if self.started == before {
                return;
            }
        }
    }
}
