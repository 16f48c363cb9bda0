//! Whole-system suites, in one test binary.

#![allow(clippy::unwrap_used)] // a helper of a test that cannot go on has failed the test

mod app;
mod batch;
mod batch_deaths;
mod blobs_conformance;
mod calls;
mod control;
mod create;
mod crowds;
mod delays;
mod docs;
mod fairness;
mod golden;
mod handlers;
mod health;
mod idempotency;
mod identity;
mod lambda;
mod life;
mod list;
mod nothing;
mod openapi;
mod operations;
mod outage;
mod process;
mod promises;
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
mod v1_create;
mod v1_list;
