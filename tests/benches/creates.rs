//! Creates per second and how long each takes.

use std::time::Duration;

use crate::hosted::{COLUMNS, Hosted};
use crate::load::{Load, Target, Until, create};
use crate::report::{Row, Section, percentile};

const TIME: Duration = Duration::from_secs(3);
const WARM_UP: usize = 200;
const CONNECTIONS: [usize; 2] = [1, 16];

pub(crate) async fn measure() -> Section {
    let mut loads = Vec::new();
    for column in COLUMNS {
        let hosted = Hosted::open(column).await;
        loads.push(loads_on(&hosted.target).await);
    }
    Section {
        title: "Creating jobs over HTTP",
        how: format!(
            "POST /api/jobs with distinct addresses over keep-alive connections for {TIME:?}, each\n\
             client sending its next request after the whole answer. Service and clients share this\n\
             process; no worker runs. On file every create is on the disk before it is answered."
        ),
        columns: COLUMNS.to_vec(),
        rows: rows(&mut loads),
    }
}

/// The same load on another service.
pub(crate) async fn measure_other(url: &str) -> Section {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let target = Target {
        address: authority.parse().unwrap(),
        path: format!("/{path}"),
    };
    let mut loads = vec![loads_on(&target).await];
    Section {
        title: "Creating jobs over HTTP, another service",
        how: format!("POST {url}, by the same clients as ours; the service is another process."),
        columns: vec!["peer"],
        rows: rows(&mut loads),
    }
}

async fn loads_on(target: &Target) -> Vec<Load> {
    create(target, 1, Until::Sent(WARM_UP), 0).await;
    let mut loads = Vec::new();
    for (number, connections) in CONNECTIONS.into_iter().enumerate() {
        let first = 1_000_000 * (number + 1);
        loads.push(create(target, connections, Until::Passed(TIME), first).await);
    }
    loads
}

/// `loads` by column, and in a column by number of connections.
fn rows(loads: &mut [Vec<Load>]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, connections) in CONNECTIONS.into_iter().enumerate() {
        let mut of = |figure: &dyn Fn(&mut Load) -> f64| {
            let loads = loads.iter_mut();
            loads.map(|loads| figure(&mut loads[number])).collect()
        };
        let connections = match connections {
            1 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        };
        let rate = of(&|load| load.per_second());
        rows.push(Row::new(format!("{connections}: creates"), "/s", rate));
        for (name, share) in [("p50", 0.50), ("p99", 0.99)] {
            let times = of(&|load| percentile(&mut load.times, share));
            rows.push(Row::new(format!("{connections}: {name}"), "ms", times));
        }
    }
    rows
}
