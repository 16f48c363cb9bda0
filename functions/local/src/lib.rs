//! One process that hosts the three handlers on an embedded store, and the command line.

/// Prints a line for whoever still reads: a reader who has left is no reason to stop serving.
macro_rules! say {
    ($($part:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($part)*);
    }};
}

/// Tells whoever still listens on standard error: a terminal that has gone is no reason to lose work.
macro_rules! tell {
    ($($part:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($part)*);
    }};
}

pub mod admission;
pub mod bus;
pub mod cli;
pub mod client;
pub mod crawl;
pub mod data_dir;
pub mod demo;
pub mod demo_site;
pub mod embedded;
mod endpoint;
pub mod host;
pub mod keys;
pub mod loopback;
pub mod queue;
pub mod remote;
pub mod schema;
pub mod scrape_page;
pub mod serve;
pub mod signals;
pub mod ticker;
