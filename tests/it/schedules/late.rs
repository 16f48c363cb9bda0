//! Ticks that come late.

use futures::future::join_all;
use serde_json::json;

use super::{FIRST, MINUTE, create, history, jobs, move_to, tick, tick_in_time, work};
use crate::app::TestApp;

#[tokio::test]
async fn late_ticks_after_an_outage_make_one_run_at_most() {
    for (order, on_time_first) in [(1, false), (-1, false), (1, true)] {
        let app = TestApp::start();
        let id = create(&app, &json!({})).await;
        tick_in_time(&app, &id, FIRST).await;
        work(&app).await;
        // Nothing for an hour.
        move_to(&app, FIRST + MINUTE * 60);
        if on_time_first {
            tick(&app, &id, FIRST + MINUTE * 60).await;
            work(&app).await;
        }
        let mut late: Vec<u32> = (1..50).collect();
        if order < 0 {
            late.reverse();
        }
        for number in late {
            join_all((0..2).map(|_| tick(&app, &id, FIRST + MINUTE * number))).await;
            work(&app).await;
        }
        assert_eq!(jobs(&app), 2, "one before, and one to catch up");
        let missed = history(&app, &id).await;
        let missed = missed.iter().filter(|(_, outcome, _)| outcome == "missed");
        assert_eq!(missed.count(), if on_time_first { 49 } else { 48 });
        tick_in_time(&app, &id, FIRST + MINUTE * 61).await;
        work(&app).await;
        assert_eq!(jobs(&app), 3);
    }
}

#[tokio::test]
async fn late_ticks_that_come_all_at_once_make_one_run() {
    let app = TestApp::start();
    let id = create(&app, &json!({"overlap": "cancel-previous"})).await;
    move_to(&app, FIRST + MINUTE * 60);
    let late = (1..50_u32).map(|number| FIRST + MINUTE * number);
    join_all(late.map(|at| tick(&app, &id, at))).await;
    assert_eq!(jobs(&app), 1);
    work(&app).await;
}
