//! Log lines as Lambda reads them: one JSON object each, on standard output, with `timestamp` and
//! `level`. Refuses to be set up twice.

use tracing::level_filters::LevelFilter;

/// Sends this process's log lines to standard output.
pub fn start(level: LevelFilter) {
    let lines = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_max_level(level);
    // Another subscriber is already there: it keeps the lines.
    let _ = lines.try_init();
}
