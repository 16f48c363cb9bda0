//! Requests for schedules and changes of them.

use super::*;

fn fields(body: &Value) -> Vec<String> {
    let problems = parse(body).unwrap_err();
    problems.into_iter().map(|problem| problem.field).collect()
}

#[test]
fn the_printed_example_is_a_schedule() {
    let new = parse(&json!({
        "type": "refresh", "url": "https://example.com", "cronPattern": "0 0 * * *",
        "customerId": "customer-123",
    }));
    let new = new.unwrap();
    assert_eq!(new.plan.cron.pattern(), "0 0 * * *");
    assert_eq!(new.plan.zone, Zone::default());
    assert_eq!(new.plan.overlap, Overlap::Skip);
    assert!(!new.job.deduplicate, "each run is a job of its own");
}

#[test]
fn every_problem_is_named_at_once() {
    let body = json!({
        "type": "single-page", "url": "x", "cronPattern": "99 * * * *", "timezone": "Mars/Base",
        "startDate": "tomorrow", "endDate": -1, "limit": 0, "name": "", "overlap": "both",
        "delay": 5, "deduplicate": true, "deduplicateFor": 5, "urls": ["http://a.example"],
        "staggerDelay": 1, "priority": "soon", "nonsense": 1,
    });
    let mut named = fields(&body);
    named.sort_unstable();
    let expected = [
        "cronPattern",
        "deduplicate",
        "deduplicateFor",
        "delay",
        "endDate",
        "limit",
        "name",
        "nonsense",
        "overlap",
        "priority",
        "staggerDelay",
        "startDate",
        "timezone",
        "url",
        "urls",
    ];
    assert_eq!(named, expected);
    assert_eq!(fields(&json!({})), ["type", "cronPattern", "url"]);
    assert_eq!(fields(&json!(7)), ["body", "type", "cronPattern", "url"]);
}

#[test]
fn the_bounds_leave_the_pattern_time_to_fire() {
    let body = |start: Value, end: Value| {
        json!({
            "type": "single-page", "url": "http://a.example", "cronPattern": "0 0 * * *",
            "startDate": start, "endDate": end,
        })
    };
    for (start, end) in [
        (json!(null), json!("2023-11-14T22:13:00Z")),
        (json!(null), json!("2023-11-14T23:59:59Z")),
        (json!("2023-11-16T00:00:01Z"), json!("2023-11-16T23:59:59Z")),
        (json!("2023-11-17T00:00:00Z"), json!("2023-11-16T00:00:00Z")),
        (json!("2023-11-17T00:00:00Z"), json!("2023-11-17T00:00:00Z")),
    ] {
        assert_eq!(fields(&body(start, end)), ["endDate"]);
    }
    for (start, end) in [
        (json!(null), json!("2023-11-15T00:00:00Z")),
        (json!("2023-11-16T00:00:00Z"), json!("2023-11-16T00:00:01Z")),
        (json!(0), json!(1_800_000_000_000_u64)),
    ] {
        parse(&body(start, end)).unwrap();
    }
}

#[test]
fn a_change_is_the_request_that_it_would_have_been() {
    let old = request(&json!({"name": "old", "limit": 5, "metadata": {"a": 1, "b": 2}}));
    let asked = Asked {
        spec: old.job.spec,
        body: old.body,
    };
    let change = |body: Value| {
        let change = ChangedSchedule::parse(&body).unwrap();
        change.onto(&asked, |_| Vec::new(), NOW)
    };
    let new = change(json!({"name": null, "metadata": {"c": 3}, "limit": 9})).unwrap();
    assert_eq!((new.plan.name, new.plan.limit), (None, Some(9)));
    assert_eq!(new.job.spec.metadata, Some(json!({"c": 3})));
    assert!(!new.body.contains_key("name"));
    let named = |body| {
        let problems = change(body).unwrap_err();
        problems.into_iter().map(|it| it.field).collect::<Vec<_>>()
    };
    assert_eq!(named(json!({"cronPattern": null})), ["cronPattern"]);
    assert_eq!(named(json!({"colour": 1, "limit": 0})), ["limit", "colour"]);
    assert_eq!(
        named(json!({"endDate": "2020-01-01T00:00:00Z"})),
        ["endDate"]
    );
    assert!(ChangedSchedule::parse(&json!({})).is_err());
    assert!(ChangedSchedule::parse(&json!([])).is_err());
}

#[test]
fn what_has_ended_can_be_named_anew() {
    let body = json!({"endDate": (NOW + minutes(9)).to_string()});
    let old = request(&body);
    let asked = Asked {
        spec: old.job.spec,
        body: old.body,
    };
    let later = NOW + minutes(60);
    let named = ChangedSchedule::parse(&json!({"name": "x"})).unwrap();
    named.onto(&asked, |_| Vec::new(), later).unwrap();
    let moved = ChangedSchedule::parse(&json!({"timezone": "UTC"})).unwrap();
    moved.onto(&asked, |_| Vec::new(), later).unwrap_err();
}
