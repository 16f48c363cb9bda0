//! Drives `App` over the real table adapter with a scheduler that a seed decides: messages are
//! lost, doubled and late, connections break before and after a write, workers die between any
//! two awaits, leases run out, clients pause, cancel and retry. Whatever happened, after a few
//! sweeps every job has reached one end, the counts agree with the rows, and no row ever changed against the rules.

mod batches;
mod blobs;
mod bus;
mod control;
mod crawls;
mod database;
mod graph;
mod peace;
mod reckoning;
mod run;
mod web;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crawls::run_crawl;
use run::{Report, run};
use world::Planted;

const TABLE: &str = "simulated";

fn seeds(default: u64) -> u64 {
    let asked = std::env::var("HARVESTMAN_SIMULATOR_SEEDS").ok();
    asked
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(default)
}

/// Runs every seed, or the one that is asked for, and asserts that nothing is wrong and that every
/// fault has struck.
fn hold(asked: &str, last: u64, faults: &[&str], run: fn(u64, Planted) -> Report) {
    if let Some(seed) = std::env::var(asked).ok().and_then(|seed| seed.parse().ok()) {
        let report = run(seed, Planted::Nothing);
        println!("{}", report.journal.join("\n"));
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        return;
    }
    let next = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    let struck = Mutex::new(BTreeMap::<&str, u64>::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while failed.lock().unwrap().is_empty() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        break;
                    }
                    let report = run(seed, Planted::Nothing);
                    for (fault, times) in report.struck {
                        *struck.lock().unwrap().entry(fault).or_default() += times;
                    }
                    if !report.violations.is_empty() {
                        failed.lock().unwrap().push((seed, report.violations));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "repeat with {asked}={}: {:?}",
        failed[0].0,
        failed[0].1
    );
    let struck = struck.into_inner().unwrap();
    println!("{last} seeds: {struck:?}");
    for fault in faults {
        let times = struck.get(fault).copied().unwrap_or(0);
        assert!(
            times >= last / 40,
            "{fault}: only {times} times in {last} seeds"
        );
    }
}

#[test]
fn every_job_reaches_one_end_whatever_goes_wrong() {
    hold("HARVESTMAN_SIMULATOR_SEED", seeds(1_000), &FAULTS, run);
}

#[test]
fn every_crawl_ends_with_each_page_once_whatever_goes_wrong() {
    hold(
        "HARVESTMAN_CRAWL_SEED",
        seeds(1_000),
        &CRAWL_FAULTS,
        run_crawl,
    );
}

/// Every fault must have struck, or the run has proved nothing about it.
const FAULTS: [&str; 21] = [
    "a batch is left by its writer",
    "a batch is told twice",
    "a call arrives late",
    "a call does not arrive",
    "a job is controlled",
    "a message is doubled",
    "a message is late",
    "a message is lost",
    "a message is not taken",
    "a page is gone",
    "a page is slow",
    "a task dies",
    "a transaction conflicts",
    "an answer is lost",
    "an event is refused",
    "an operation begins",
    "the answer of the bus is lost",
    "the bus is away",
    "the process restarts",
    "the queue is away",
    "the queue is held back or let go",
];

/// As [`FAULTS`], of crawls.
const CRAWL_FAULTS: [&str; 23] = [
    "a blob does not arrive",
    "a blob is not read",
    "a blob's answer is lost",
    "a call arrives late",
    "a call does not arrive",
    "a crawl completes",
    "a crawl is cancelled",
    "a crawl is controlled",
    "a lease is lost while an address is fetched alone",
    "a message is doubled",
    "a message is late",
    "a message is lost",
    "a message is not taken",
    "a page is slow",
    "a page kills its worker",
    "a page that kills fails alone",
    "a worker dies between two awaits",
    "an answer is lost",
    "an event is refused",
    "the answer of the bus is lost",
    "the bus is away",
    "the process restarts",
    "the queue is away",
];

/// The seeds within which a missing protection must be noticed.
const PLANTED_SEEDS: u64 = 200;

fn is_noticed(planted: Planted, as_what: &str) {
    is_noticed_by(run, planted, as_what);
}

fn is_noticed_by(run: fn(u64, Planted) -> Report, planted: Planted, as_what: &str) {
    let noticed = (0..PLANTED_SEEDS).any(|seed| {
        let violations = run(seed, planted).violations;
        violations
            .iter()
            .any(|violation| violation.contains(as_what))
    });
    assert!(noticed, "{PLANTED_SEEDS} seeds do not notice {planted:?}");
}

#[test]
fn a_missing_fence_is_noticed() {
    is_noticed(Planted::NoCondition, "overwritten");
}

#[test]
fn parts_of_a_batch_without_a_guard_are_noticed() {
    is_noticed(Planted::NoBatchCondition, "counted");
}

#[test]
fn a_missing_sweep_is_noticed() {
    is_noticed(Planted::NoSweep, "never ended");
}

#[test]
fn an_acknowledgement_before_the_commit_is_noticed() {
    is_noticed(Planted::EarlyAcknowledgement, "acknowledged");
}

#[test]
fn events_that_a_bus_loses_are_noticed() {
    is_noticed(Planted::ForgetfulBus, "never told");
}

#[test]
fn a_missing_fence_is_noticed_in_a_crawl() {
    is_noticed_by(run_crawl, Planted::NoCondition, "overwritten");
}

#[test]
fn what_a_crawl_writes_without_its_fence_in_the_name_is_noticed() {
    is_noticed_by(run_crawl, Planted::NoFenceInNames, "a recount gives");
}
