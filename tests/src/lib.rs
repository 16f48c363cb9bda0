//! What the suites and the benchmark share: the functions as Lambda runs them.

#![allow(clippy::unwrap_used)] // a helper of a test that cannot go on has failed the test
#![allow(clippy::missing_panics_doc)] // see above: each of them panics where it cannot go on

pub mod lambda;
