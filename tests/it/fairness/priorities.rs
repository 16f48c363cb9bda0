//! Higher priorities start sooner, and the lowest never starves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jobs::ports::{Clock, Envelope, Queue};
use jobs::spec::{CustomerId, Priority};
use jobs::{JobId, Message};
use local::queue::LocalQueue;

use super::percentile;
use super::time::Time;
use crate::app::START;

const PAGE_TAKES: Duration = Duration::from_secs(1);

/// Puts messages into the queue, and starts them one after the other, so many a second.
struct Line {
    queue: LocalQueue,
    levels: BTreeMap<String, Priority>,
    started: usize,
}

impl Line {
    fn new() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(Time::default());
        Self {
            queue: LocalQueue::new(clock),
            levels: BTreeMap::new(),
            started: 0,
        }
    }

    fn send(&mut self, priority: Priority, jobs: usize) {
        for _ in 0..jobs {
            let job_id = JobId::new(START, self.levels.len() as u128);
            self.levels.insert(job_id.to_string(), priority);
            let envelope = Envelope {
                message: Message { job_id },
                priority,
                delay: Duration::ZERO,
                customer: CustomerId::default(),
            };
            let sent = self.queue.send(&[envelope]).now_or_never();
            assert_eq!(sent.unwrap().unwrap(), Vec::<usize>::new());
        }
    }

    /// The level of the next job, and how long it has waited where `workers` work.
    fn start(&mut self, workers: u32) -> (Priority, Duration) {
        let message = self.queue.try_receive().unwrap();
        let round = (self.started / workers as usize) as u32;
        self.started += 1;
        (self.levels[message.job_id.as_str()], PAGE_TAKES * round)
    }
}

#[test]
fn critical_jobs_start_before_nearly_all_of_two_thousand_low_ones() {
    let mut line = Line::new();
    line.send(Priority::Low, 2_000);
    line.send(Priority::Critical, 10);
    let mut before = 0;
    let mut critical = 0;
    while critical < 10 {
        match line.start(16).0 {
            Priority::Critical => critical += 1,
            _ => before += 1,
        }
    }
    assert!(before <= 100, "{before} low jobs started before them");
}

#[test]
fn every_level_has_its_share_and_low_at_least_a_twentieth() {
    const EACH: usize = 1_000;
    const WORKERS: u32 = 16;
    let mut line = Line::new();
    for priority in Priority::ALL {
        line.send(priority, EACH);
    }
    let mut waits: BTreeMap<Priority, Vec<Duration>> = BTreeMap::new();
    let (mut started, mut low) = (0, 0);
    for _ in 0..EACH * Priority::ALL.len() {
        let (priority, wait) = line.start(WORKERS);
        // While critical ones are waiting, everybody has as many as can be worked at.
        if waits.get(&Priority::Critical).map_or(0, Vec::len) < EACH {
            started += 1;
            low += usize::from(priority == Priority::Low);
        }
        waits.entry(priority).or_default().push(wait);
    }
    assert!(low * 20 >= started, "{low} of {started}");
    println!("{EACH} jobs of each level, {WORKERS} workers, a second each; half start within:");
    let mut sooner = Duration::ZERO;
    for (priority, waits) in waits.iter_mut().rev() {
        let median = percentile(waits, 50);
        println!("{:>9} {median:?}", priority.as_str());
        assert!(median > sooner, "{} comes too soon", priority.as_str());
        sooner = median;
    }
}
