//! Thirty days of a crawl that recurs, across a change of clocks.

use std::time::Duration;

use jobs::{ScheduleId, Timestamp};
use serde_json::json;

use super::{create, move_to, read, tick};
use crate::app::{Anything, TestApp};

/// Delivers each tick that the ticker has until an instant, some of them twice; says when.
async fn live(app: &TestApp, id: &str, until: Timestamp) -> Vec<Timestamp> {
    let mut fired = Vec::new();
    let schedule = ScheduleId::parse(id).unwrap();
    loop {
        let at = app.timetable.ticker.next().unwrap();
        if at > until {
            return fired;
        }
        move_to(app, at);
        let due = app.timetable.ticker.due(at);
        assert_eq!(due, [(schedule.clone(), at)]);
        let times = 1 + fired.len() % 3;
        futures::future::join_all((0..times).map(|_| app.app.tick(&schedule, at))).await;
        // Every seventh day the site is slow: the crawl is not done by the next day.
        if fired.len() % 7 != 6 {
            app.advance(Duration::from_mins(30));
            while app.drain(&Anything).await > 0 {
                app.sweep().await;
            }
        }
        fired.push(at);
    }
}

#[tokio::test]
async fn thirty_days_of_a_daily_crawl_in_berlin_keep_their_hour_and_overlap_across_the_change() {
    let app = TestApp::start();
    // The clocks go forward on 31 March 2024.
    let begin = Timestamp::parse("2024-03-15T12:00:00Z").unwrap();
    move_to(&app, begin);
    let more = json!({
        "type": "full-crawl", "maxPages": 1, "cronPattern": "30 2 * * *",
        "timezone": "Europe/Berlin", "overlap": "skip",
    });
    let id = create(&app, &more).await;
    let fired = live(&app, &id, begin + Duration::from_hours(30 * 24)).await;
    let expected: Vec<_> = (16..=31)
        .map(|day| (3, day))
        .chain((1..=14).map(|day| (4, day)))
        // The half past two of that night does not exist.
        .filter(|date| *date != (3, 31))
        .map(|(month, day)| {
            let hour = if month == 3 { "01" } else { "00" };
            format!("2024-{month:02}-{day:02}T{hour}:30:00.000Z")
        })
        .collect();
    let shown: Vec<_> = fired.iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected);
    let runs = app.get(&format!("/api/schedules/{id}/runs")).await;
    let runs = runs.json["runs"].as_array().unwrap();
    assert_eq!(runs.len(), fired.len(), "the history is complete");
    for (day, (run, at)) in runs.iter().rev().zip(&fired).enumerate() {
        assert_eq!(run["scheduledAt"], at.to_string());
        // The day after a slow one is left out, and ends it.
        let outcome = if day > 0 && day % 7 == 0 {
            "skipped"
        } else {
            "fired"
        };
        assert_eq!(run["outcome"], outcome, "{at}");
        if outcome == "fired" {
            assert_eq!(
                run["jobStatus"], "completed",
                "{at}: the history outlives the job"
            );
        }
    }
    let skipped = runs
        .iter()
        .filter(|run| run["outcome"] == "skipped")
        .count();
    let shown = read(&app, &id).await;
    assert_eq!(shown["fired"], (fired.len() - skipped) as u64);
    tick(&app, &id, fired[0]).await;
    super::purge(&app).await;
}
