//! A sitemap in plain text: one whole address a line. Refuses to take any other text for one.

use jobs::{Failure, FailureCode};
use url::Url;

use super::found::{Found, Target};
use crate::door::MAX_URL;
use crate::extract::Budget;

/// Lines between two looks at the clock.
const STEP: usize = 256;

/// Adds the addresses of a list. Lines that are none are passed over; without a single one the file
/// is no sitemap, unless it is blank.
pub(super) fn read(text: &str, found: &mut Found<'_>, budget: &Budget<'_>) -> Result<(), Failure> {
    let lines = text.split(['\n', '\r']).map(str::trim);
    let mut has_others = false;
    for (at, line) in lines.filter(|line| !line.is_empty()).enumerate() {
        if at % STEP == STEP - 1 && budget.is_spent() {
            found.truncate();
            break;
        }
        if !is_whole(line) {
            has_others = true;
        } else if !found.add(Target::Page, line, "") {
            break;
        }
    }
    if has_others && found.is_empty() {
        let sentence = "The answer is no sitemap: no line of it is an address";
        return Err(Failure::new(FailureCode::InvalidResponse, sentence));
    }
    Ok(())
}

/// Whether a line is an address by itself. Any word could be the end of one, and `note: this` has
/// a scheme as well.
fn is_whole(line: &str) -> bool {
    line.len() <= MAX_URL
        && Url::parse(line).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
