//! What has to hold when peace has come, and after everything has expired.

use std::collections::BTreeMap;
use std::time::Duration;

use jobs::ports::{Scope, Store};
use jobs::tally::Tally;
use jobs::{Job, State};
use serde_json::{Value, json};

use super::batches::open_batches;
use super::database::read_rows;
use super::run::{Simulation, finish};
use super::world::Planted;

impl Simulation {
    /// Compares what is left with what was promised.
    pub(crate) fn reckon(&mut self) {
        let rows: Vec<Job> = read_rows(&self.world).into_values().collect();
        for job in &rows {
            if !job.state.is_terminal() {
                self.world
                    .violation(format!("{} never ended: {:?}", job.id, job.state));
            }
            if job.attempts.len() > usize::from(job.max_attempts) {
                self.world
                    .violation(format!("{} had {} attempts", job.id, job.attempts.len()));
            }
        }
        for id in self.promised.lock().unwrap().iter() {
            let removed = self.world.removed.lock().unwrap().contains(id);
            if !removed && !rows.iter().any(|job| job.id == *id) {
                self.world
                    .violation(format!("{id} was promised and is not there"));
            }
        }
        for batch in open_batches(&self.world) {
            self.world.violation(format!("{batch} was never completed"));
        }
        for id in self.world.untold() {
            self.world.violation(format!("{id} was never told"));
        }
        let messages = self.world.messages.lock().unwrap().len();
        if messages > 0 {
            self.world
                .violation(format!("{messages} messages go round for ever"));
        }
        self.compare_counts(&rows);
        self.read_results(&rows);
    }

    /// After their retention nothing of the jobs is left but counts of zero.
    pub(crate) fn expire(&mut self) {
        if self.world.planted == Planted::NoSweep {
            return;
        }
        self.world.advance(Duration::from_hours(8 * 24));
        self.sweep();
        self.settle();
        let request = json!({
            "TableName": super::TABLE,
            // Snapshots of totals expire by the table's own clock.
            "FilterExpression": "NOT begins_with(pk, :counts) AND NOT begins_with(pk, :minutes) AND pk <> :control",
            "ExpressionAttributeValues": {
                ":counts": {"S": "customers#"}, ":minutes": {"S": "minutes#"},
                ":control": {"S": "control"},
            },
        });
        let answer = self
            .world
            .embedded
            .call("DynamoDB_20120810.Scan", &request.to_string());
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let second = self.world.time().as_millis() / 1_000;
        // What the table's own expiry takes is gone by then.
        let stays = |item: &&Value| {
            let ttl = item["ttl"]["N"].as_str();
            ttl.is_none_or(|ttl| ttl.parse::<i64>().unwrap() > second)
        };
        let left: Vec<_> = answer["Items"].as_array().unwrap().iter().collect();
        let left: Vec<_> = left.into_iter().filter(stays).collect();
        if !left.is_empty() {
            self.world
                .violation(format!("{} items outlive their jobs: {left:?}", left.len()));
        }
        let counted = finish(self.store.tally(Scope::Everyone)).unwrap();
        if counted != Tally::default() {
            self.world
                .violation(format!("nothing is left, counted {counted:?}"));
        }
    }

    fn compare_counts(&self, rows: &[Job]) {
        let mut recount: BTreeMap<_, Tally> = BTreeMap::new();
        for job in rows {
            *recount.entry(job.customer.clone()).or_default() += Tally::between(None, Some(job));
        }
        for (customer, expected) in recount {
            let counted = finish(self.store.tally(Scope::Customer(&customer))).unwrap();
            if counted != expected {
                self.world
                    .violation(format!("{customer} has {expected:?}, counted {counted:?}"));
            }
        }
    }

    fn read_results(&self, rows: &[Job]) {
        // Of what is being removed, anything may be gone already: nobody can read it.
        let now = self.world.time();
        let there = rows.iter().filter(|job| !job.is_expired(now));
        for job in there.filter(|job| job.state == State::Completed) {
            let results = finish(self.app.results(job));
            if results.map_or(0, |page| page.results.len()) != 1 {
                self.world
                    .violation(format!("{} completed without a result", job.id));
            }
        }
    }
}
