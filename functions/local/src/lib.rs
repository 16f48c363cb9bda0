//! One process that hosts the three handlers on an embedded store, and the command line.

pub mod data_dir;
pub mod embedded;
pub mod host;
pub mod queue;
pub mod schema;
