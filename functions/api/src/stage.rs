//! One sentence on where a job stands, for a person.

use std::fmt::Write as _;

use jobs::crawl::Progress;
use jobs::{Job, JobType, Spec, Status, Timestamp};

/// Longest address in a sentence, in characters.
const LONGEST_ADDRESS: usize = 100;

/// The sentence; `spec` where it is at hand, for a crawl is done with fewer pages than it knows
/// where it may have no more.
pub(crate) fn stage(job: &Job, spec: Option<&Spec>, now: Timestamp) -> String {
    let started = job
        .crawl
        .as_deref()
        .filter(|it| it.counters.discovered() > 0);
    let again = !job.attempts.is_empty();
    let plain = match (job.status(now), started) {
        (Status::Active, Some(progress)) => return crawling(job, progress, spec),
        (Status::Waiting, Some(progress)) if !again => {
            let pages = pages(progress, spec);
            return format!("Waiting for a worker to go on: {pages}");
        }
        (Status::Delayed, Some(progress)) if !again => {
            let pages = pages(progress, spec);
            return format!("Waiting until the site may be asked again: {pages}");
        }
        (Status::Completed, Some(progress)) => return ended(progress),
        (Status::Waiting, _) if again => "Waiting for another attempt",
        (Status::Waiting, _) => "Waiting for a worker",
        (Status::Delayed, _) if again => "Waiting before another attempt",
        (Status::Delayed, _) => "Waiting for its time",
        (Status::Active, None) => match job.kind {
            JobType::SinglePage => "Fetching the page",
            JobType::FullCrawl => "Beginning the crawl",
            JobType::Refresh => "Beginning the refresh",
        },
        (Status::Completed, None) => "Completed",
        (Status::Failed, _) => "Failed",
        (Status::Paused, _) => "Paused",
        (Status::Cancelled, _) => "Cancelled",
    };
    plain.to_owned()
}

/// Pages that are still to be had, as far as they are known.
pub(crate) fn left(progress: &Progress, spec: Option<&Spec>) -> u32 {
    let counters = progress.counters;
    let crawl = spec.and_then(|spec| spec.crawl.as_ref());
    let room = crawl.map(|crawl| crawl.max_pages.saturating_sub(counters.done));
    counters.queued.min(room.unwrap_or(u32::MAX))
}

fn crawling(job: &Job, progress: &Progress, spec: Option<&Spec>) -> String {
    let verb = match job.kind {
        JobType::Refresh => "Refreshing",
        JobType::SinglePage | JobType::FullCrawl => "Crawling",
    };
    let address = match job.url.char_indices().nth(LONGEST_ADDRESS) {
        Some((end, _)) => format!("{}…", &job.url[..end]),
        None => job.url.clone(),
    };
    let pages = pages(progress, spec);
    let pace = match progress.rate {
        0 => String::new(),
        rate @ 1..1_000 => format!(", {:.1} pages/s", f64::from(rate) / 100.0),
        rate => format!(", {:.0} pages/s", f64::from(rate) / 100.0),
    };
    format!("{verb} {address}: {pages}{pace}")
}

/// `120 of about 400 pages`.
fn pages(progress: &Progress, spec: Option<&Spec>) -> String {
    let done = progress.counters.done;
    let total = done.saturating_add(left(progress, spec));
    format!("{done} of about {}", counted(total, "page"))
}

fn ended(progress: &Progress) -> String {
    let counters = progress.counters;
    let mut sentence = format!("Completed: {}", counted(counters.done, "page"));
    if counters.failed > 0 {
        let _ = write!(sentence, ", {} failed", counters.failed);
    }
    if counters.skipped > 0 {
        let skipped = counted(counters.skipped, "address");
        let _ = write!(sentence, ", {skipped} skipped");
    }
    sentence
}

fn counted(number: u32, what: &str) -> String {
    match (number, what) {
        (1, what) => format!("1 {what}"),
        (number, "address") => format!("{number} addresses"),
        (number, what) => format!("{number} {what}s"),
    }
}
