//! Cold starts: the executables of the functions, from the start of the process to their first
//! answer, under the small Runtime API of the tests.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::lambda::{Endpoint, executables, get, hint, records, start};

use crate::report::{Row, Section, percentile};

const STARTS: usize = 20;
const GOAL_MS: f64 = 25.0;

/// A first request to one of the functions.
struct First<'a> {
    name: &'static str,
    executable: &'a Path,
    event: Value,
    times: Vec<Duration>,
    calls: usize,
}

pub(crate) async fn measure() -> Section {
    let shipped = executables::shipped();
    let endpoint = Endpoint::start().await;
    let first = |name, executable, event| First {
        name,
        executable,
        event,
        times: Vec::new(),
        calls: 0,
    };
    let no_such_job = format!("/api/jobs/{}", job());
    let mut firsts = [
        first(
            "api, a path that is not there",
            &shipped.api,
            get("/nowhere"),
        ),
        first(
            "api, a job that is not there",
            &shipped.api,
            get(&no_such_job),
        ),
        first("api, health", &shipped.api, get("/api/v1/health")),
        first(
            "worker, a job that is gone",
            &shipped.worker,
            records(&[&hint()]),
        ),
        first(
            "scheduler, a dead letter",
            &shipped.scheduler,
            records(&[&hint()]),
        ),
    ];
    for _ in 0..STARTS {
        // In turns, so that a slow moment of the machine meets all of them.
        for first in &mut firsts {
            first.run(&endpoint).await;
        }
    }
    let rows = firsts.into_iter().map(|mut first| {
        let calls = first.calls / STARTS;
        let name = format!("{} ({calls} table calls)", first.name);
        let times = &mut first.times;
        let values = vec![percentile(times, 0.50), percentile(times, 0.90)];
        Row::new(name, "ms", values).at_most(GOAL_MS)
    });
    Section {
        title: "Cold start",
        how: format!(
            "Start of the process to its first answer, {STARTS} times each in turns, release build of\n\
             this machine's architecture. The table is the embedded database behind plain HTTP, in\n\
             the process that measures; there is no TLS handshake; the certificates are loaded."
        ),
        columns: vec!["p50", "p90"],
        rows: rows.collect(),
    }
}

impl First<'_> {
    async fn run(&mut self, endpoint: &Endpoint) {
        let before = endpoint.calls();
        let began = Instant::now();
        let mut function = start(self.executable, endpoint).await;
        function.invoke(self.event.clone()).await.unwrap();
        self.times.push(began.elapsed());
        self.calls += endpoint.calls() - before;
    }
}

fn job() -> String {
    let hint: Value = serde_json::from_str(&hint()).unwrap();
    hint["jobId"].as_str().unwrap().to_owned()
}
