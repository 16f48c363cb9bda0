//! One process that hosts the three handlers on an embedded store, and the command line.

pub mod embedded;
pub mod queue;
