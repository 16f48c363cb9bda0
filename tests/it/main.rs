//! Whole-system suites, in one test binary.

#![allow(clippy::unwrap_used)] // a helper of a test that cannot go on has failed the test

mod blobs_conformance;
mod handlers;
mod lambda;
mod queue_conformance;
mod simulator;
mod store_conformance;
mod support;
mod tidy;
