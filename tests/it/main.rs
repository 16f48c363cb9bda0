//! Whole-system suites, in one test binary.

#![allow(clippy::unwrap_used)] // a helper of a test that cannot go on has failed the test

mod app;
mod blobs_conformance;
mod create;
mod docs;
mod golden;
mod handlers;
mod lambda;
mod life;
mod list;
mod openapi;
mod outage;
mod process;
mod queue_conformance;
mod rates;
mod read;
mod readme;
mod refusals;
mod repair;
mod rows;
mod simulator;
mod site;
mod store_conformance;
mod support;
mod table;
mod tidy;
