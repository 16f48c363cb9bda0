//! What lies in the table of a schedule, letter by letter.

use axum::http::Method;
use serde_json::{Value, json};

use super::{FIRST, MINUTE, create, done, tick_in_time, work};
use crate::app::TestApp;
use crate::golden::assert_golden;

/// The items of schedules and their ticks, in the order of their keys.
fn items(app: &TestApp) -> Value {
    let mut items = app.items();
    items.retain(|item| item["pk"]["S"].as_str().unwrap().starts_with("sch_"));
    items.sort_by_key(|item| item["sk"]["S"].to_string());
    Value::Array(items)
}

#[tokio::test]
async fn a_schedule_and_its_ticks_are_stored_as_they_always_were() {
    let app = TestApp::start();
    let more = json!({
        "timezone": "Europe/Berlin", "name": "Every minute", "limit": 9, "overlap": "queue",
        "startDate": FIRST.to_string(), "endDate": 1_800_000_000_000_u64, "customerId": "ann",
    });
    let id = create(&app, &more).await;
    assert_golden("items_schedule", &items(&app));
    for number in 0..3 {
        tick_in_time(&app, &id, FIRST + MINUTE * number).await;
    }
    assert_golden("items_schedule_holding", &items(&app));
    done(&app, Method::PUT, &id, &json!({"action": "pause"})).await;
    app.timetable.next([crate::timetable::Fate::Refused]);
    done(&app, Method::DELETE, &id, &Value::Null).await;
    assert_golden("items_schedule_deleted", &items(&app));
    work(&app).await;
}
