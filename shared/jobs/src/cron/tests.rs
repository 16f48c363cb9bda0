//! What patterns mean: beside `croner`, beside the rules of EventBridge Scheduler as its documents
//! state them, and beside a walk through every minute around changes of clocks.

mod accepted;
mod changes;
mod random;
mod refused;
mod scheduler;
mod translation;

use super::*;
use crate::time::Timestamp;

fn cron(pattern: &str) -> Cron {
    Cron::parse(pattern).unwrap_or_else(|problem| panic!("{pattern}: {problem}"))
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap_or_else(|| panic!("{name} is no zone"))
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|| panic!("{text} is no instant"))
}

/// The next firings, as texts.
fn firings(pattern: &str, zone_name: &str, after: &str, count: usize) -> Vec<String> {
    let (cron, zone, mut last) = (cron(pattern), zone(zone_name), at(after));
    let mut found = Vec::new();
    for _ in 0..count {
        last = cron.next_after(zone, last).unwrap();
        found.push(last.to_string().replace(":00.000Z", "Z"));
    }
    found
}
