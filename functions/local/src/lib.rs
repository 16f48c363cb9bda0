//! One process that hosts the three handlers on an embedded store, and the command line.

pub mod cli;
pub mod client;
pub mod data_dir;
pub mod demo;
pub mod demo_site;
pub mod embedded;
pub mod host;
pub mod queue;
pub mod schema;
pub mod scrape_page;
pub mod serve;
