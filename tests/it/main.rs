//! Whole-system suites, in one test binary.

#![allow(clippy::unwrap_used)] // a helper of a test that cannot go on has failed the test

mod app;
mod blobs_conformance;
mod calls;
mod control;
mod create;
mod docs;
mod golden;
mod handlers;
mod health;
mod identity;
mod lambda;
mod life;
mod list;
mod openapi;
mod operations;
mod operations_killed;
mod outage;
mod process;
mod queue_conformance;
mod queue_control;
mod rates;
mod read;
mod readme;
mod refusals;
mod repair;
mod rows;
mod simulator;
mod site;
mod stale;
mod statistics;
mod store_conformance;
mod support;
mod table;
mod tidy;
mod v1_list;
