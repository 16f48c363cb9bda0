//! Who has to wait for others: customers among each other, and one priority for the others. In a
//! time of its own, in which a page takes as long as a test says and nothing else takes any.

mod crawls;
mod customers;
mod hosts;
mod ledger;
mod priorities;
mod processes;
mod site;
mod time;

use std::time::Duration;

/// The `part`-th of a hundred parts of these waits.
fn percentile(waits: &mut [Duration], part: usize) -> Duration {
    waits.sort_unstable();
    waits[(waits.len() * part).div_ceil(100) - 1]
}
