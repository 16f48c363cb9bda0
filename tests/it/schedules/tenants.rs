//! Whose a schedule is.

use axum::http::{Method, StatusCode};
use jobs::Caller;
use serde_json::{Value, json};

use super::body;
use crate::app::TestApp;
use crate::calls::customer;

#[tokio::test]
async fn a_schedule_of_somebody_else_is_not_there() {
    let app = TestApp::start().behind_keys(None);
    let ann = || customer("ann");
    let created = app
        .call(ann(), Method::POST, "/api/jobs", &body(&json!({})))
        .await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let path = created.text("statusUrl").to_owned();
    let calls = [
        (Method::GET, path.clone(), Value::Null),
        (Method::GET, format!("{path}/runs"), Value::Null),
        (Method::PATCH, path.clone(), json!({"name": "x"})),
        (Method::PUT, path.clone(), json!({"action": "pause"})),
        (Method::POST, format!("{path}/run"), Value::Null),
        (Method::DELETE, path.clone(), Value::Null),
    ];
    for (method, path, body) in &calls {
        let other = app.call(customer("bob"), method.clone(), path, body).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    let list = "/api/schedules";
    let other = app
        .call(customer("bob"), Method::GET, list, &Value::Null)
        .await;
    assert_eq!(other.json["schedules"], json!([]));
    let all = app
        .call(Caller::Admin, Method::GET, list, &Value::Null)
        .await;
    assert_eq!(all.json["schedules"][0]["customerId"], "ann");
    let stated = "/api/schedules?customerId=ann";
    let other = app
        .call(customer("bob"), Method::GET, stated, &Value::Null)
        .await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    let forged = body(&json!({"customerId": "ann"}));
    let other = app.call(customer("bob"), Method::POST, list, &forged).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    for (method, path, body) in &calls {
        let own = app.call(ann(), method.clone(), path, body).await;
        assert!(own.status.is_success(), "{method} {path}: {own:?}");
    }
    super::work(&app).await;
}
