//! The bodies of jobs that recur in the document: what each type of job takes, with the plan, and
//! without what does not go with one.

use jobs::schedule::{MAX_LIMIT, MAX_NAME, Overlap};
use serde_json::{Map, Value, json};

/// The last millisecond of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;
/// Fields that do not go with a pattern.
const LEFT_OUT: [&str; 3] = ["delay", "deduplicate", "deduplicateFor"];
/// The body of each type of job, and that of the same job recurring.
const BODIES: [(&str, &str); 4] = [
    ("SinglePageBody", "SinglePageScheduleBody"),
    ("FullCrawlBody", "FullCrawlScheduleBody"),
    ("RefreshBody", "RefreshScheduleBody"),
    ("RefreshOfJobBody", "RefreshOfJobScheduleBody"),
];

/// Names of the bodies that recur.
pub(super) fn names() -> [&'static str; 4] {
    BODIES.map(|(_, name)| name)
}

/// Schemas by name, made of the bodies of jobs that do not recur.
pub(super) fn schemas(all: &Value) -> Vec<(&'static str, Value)> {
    let own = plan();
    let mut schemas: Vec<_> = BODIES
        .map(|(body, name)| (name, recurring(&all[body], &own)))
        .into();
    let change = change(&schemas);
    schemas.push(("ChangeScheduleBody", change));
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let any = json!({"description": "A job that recurs.", "oneOf": names().map(reference)});
    schemas.push(("ScheduleBody", any));
    schemas
}

fn recurring(body: &Value, own: &Map<String, Value>) -> Value {
    let mut body = body.clone();
    let description = body["description"].as_str().unwrap_or_default();
    body["description"] = json!(format!("{description} Again and again, by a pattern."));
    let mut properties = Map::new();
    for (name, property) in body["properties"].as_object().into_iter().flatten() {
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        properties.insert(name.clone(), property.clone());
        if name == "url" {
            properties.extend(own.clone());
        }
    }
    body["properties"] = Value::Object(properties);
    if let Some(required) = body["required"].as_array_mut() {
        required.push(json!("cronPattern"));
    }
    body
}

/// Any field of any of them; what fits together is for the service to say.
fn change(bodies: &[(&'static str, Value)]) -> Value {
    let mut properties = Map::new();
    for (_, body) in bodies {
        for (name, property) in body["properties"].as_object().into_iter().flatten() {
            properties.insert(name.clone(), property.clone());
        }
    }
    properties.remove("customerId");
    json!({
        "type": "object",
        "description": "Fields to be changed, as in the request that creates a schedule; `null` takes one back.",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "example": {"cronPattern": "30 2 * * *", "timezone": "Europe/Berlin"},
    })
}

fn plan() -> Map<String, Value> {
    let instant = |description: &str, example: &str| {
        json!({
            "oneOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": 0, "maximum": LAST_MS},
                {"type": "null"},
            ],
            "description": description, "example": example,
        })
    };
    let mut overlaps: Vec<Value> = Overlap::ALL.map(|it| json!(it.as_str())).to_vec();
    overlaps.push(Value::Null);
    let properties = json!({
        "cronPattern": {
            "type": "string", "format": "cron-pattern", "minLength": 1, "maxLength": 256,
            "description": "When it recurs: minute, hour, day of month, month, weekday, as in crontab(5), with names, ranges, steps and lists; or `@daily` and its like.",
            "example": "0 0 * * *",
        },
        "timezone": {
            "type": ["string", "null"], "format": "time-zone", "minLength": 1, "maxLength": 256, "default": "UTC",
            "description": "The IANA time zone that the pattern is read in. A local time that a change of clocks skips does not fire, and one that it repeats fires once.",
            "example": "Europe/Berlin",
        },
        "startDate": instant("It does not fire before this, in ISO 8601 or in epoch milliseconds.", "2030-01-01T00:00:00.000Z"),
        "endDate": instant("It does not fire after this, in ISO 8601 or in epoch milliseconds.", "2031-01-01T00:00:00.000Z"),
        "limit": {
            "type": ["integer", "null"], "minimum": 1, "maximum": MAX_LIMIT,
            "description": "Most runs.",
        },
        "name": {
            "type": ["string", "null"], "minLength": 1, "maxLength": MAX_NAME,
            "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$", "description": "A name for people.",
            "example": "Every night",
        },
        "overlap": {
            "type": ["string", "null"], "enum": overlaps, "default": Overlap::default().as_str(),
            "description": "What becomes of a run that is due while the one before has not ended: it is left out (`skip`), one waits for the other's end (`queue`), or it begins and the other is cancelled (`cancel-previous`).",
        },
    });
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}
