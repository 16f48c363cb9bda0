//! Control calls in the simulated world: on single jobs, on the whole queue, on many jobs; and the
//! peace after them, in which everything that they hold back goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jobs::app::Action;
use jobs::operation::{Kind, NewOperation};
use jobs::spec::CustomerId;
use jobs::{Caller, State};
use serde_json::{Value, json};

use super::database::read_rows;
use super::run::{Kind as TaskKind, Simulation, finish};

const KINDS: [Kind; 5] = [
    Kind::Cleanup,
    Kind::RetryFailed,
    Kind::Drain,
    Kind::Maintenance,
    Kind::OldJobs,
];

impl Simulation {
    /// Somebody asks for something.
    pub(crate) fn control(&mut self) {
        match self.world.below(10) {
            0 | 1 if self.world.holds => self.hold_the_queue(),
            0..3 => self.operate(),
            _ => self.control_a_job(),
        }
    }

    fn control_a_job(&mut self) {
        let known = self.promised.lock().unwrap().clone();
        if known.is_empty() {
            return;
        }
        let id = known[self.world.below(known.len())].clone();
        let action = Action::ALL[self.world.below(Action::ALL.len())];
        self.world.count("a job is controlled");
        self.world.note(|| format!("{action:?} {id}"));
        self.world.touched.lock().unwrap().insert(id.clone());
        let app = self.app.clone();
        self.spawn(TaskKind::Call, async move {
            let _ = app.control(&Caller::Anyone, &id, action).await;
            None
        });
    }

    fn operate(&mut self) {
        let customer = format!("customer {}", self.world.below(2));
        let customer = CustomerId::parse(&customer).filter(|_| self.world.below(2) == 0);
        let kind = KINDS[self.world.below(KINDS.len())];
        let mut new = NewOperation::of(kind, customer);
        if kind == Kind::Cleanup {
            new.max_age = std::time::Duration::ZERO;
        }
        self.world.count("an operation begins");
        self.world.note(|| format!("{new:?}"));
        let app = self.app.clone();
        self.spawn(TaskKind::Call, async move {
            let _ = app.operate(&Caller::Anyone, &new).await;
            None
        });
    }

    fn hold_the_queue(&mut self) {
        let paused = self.world.below(2) == 0;
        self.world.count("the queue is held back or let go");
        self.world
            .note(|| format!("the queue is held back: {paused}"));
        self.world.held.store(true, Ordering::Relaxed);
        let app = self.app.clone();
        self.spawn(TaskKind::Call, async move {
            let _ = if paused {
                app.pause_queue(&Caller::Anyone).await
            } else {
                app.resume_queue(&Caller::Anyone).await
            };
            None
        });
    }

    /// Lets everything go that is held back.
    pub(crate) fn let_go(&self) {
        if !self.world.controls {
            return;
        }
        let app = self.app.clone();
        if finish(app.is_paused()).unwrap() {
            finish(app.resume_queue(&Caller::Anyone)).unwrap();
        }
        let rows = read_rows(&self.world).into_values();
        for job in rows.filter(|job| job.state == State::Paused) {
            finish(app.control(&Caller::Anyone, &job.id, Action::Resume)).unwrap();
        }
    }

    /// Whether an operation has not come to its end.
    pub(crate) fn operates(&self) -> bool {
        let request = json!({
            "TableName": super::TABLE,
            "FilterExpression": "sk = :operation AND attribute_not_exists(finished_at)",
            "ExpressionAttributeValues": {":operation": {"S": "operation"}},
        });
        let world = Arc::clone(&self.world);
        let answer = world
            .embedded
            .call("DynamoDB_20120810.Scan", &request.to_string());
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        answer["Count"] != 0
    }
}
