//! The keys themselves: made, shown once, listed, revoked, and stored without their secret.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use jobs::app::KEY_MEMORY;
use jobs::ports::Keys;
use jobs::{ApiKey, Grants, KeyId, KeyRecord};
use serde_json::{Value, json};

use super::{Guarded, URL, assert_unidentified};
use crate::app::{Anything, MILLISECOND, TABLE};
use crate::golden::assert_golden;

#[tokio::test]
async fn keys_are_made_listed_and_revoked_by_admins_alone() {
    let guarded = Guarded::start();
    let (id, customer) = guarded
        .make(&json!({"customerId": "mine", "label": "ci"}))
        .await;
    guarded.app.advance(MILLISECOND);
    let admin = guarded.make(&json!({"admin": true})).await.1;
    for (method, path) in [
        (Method::POST, "/api/keys"),
        (Method::GET, "/api/keys"),
        (Method::DELETE, "/api/keys/nonsense"),
        (Method::DELETE, &format!("/api/keys/{id}")),
    ] {
        let body = json!({"admin": true});
        let refused = guarded.ask(&customer, method, path, &body).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
    let list = guarded.get(&admin, "/api/keys?limit=1").await;
    assert_eq!(list.json["keys"].as_array().unwrap().len(), 1);
    let next = format!("/api/keys?limit=1&cursor={}", list.text("nextCursor"));
    let rest = guarded.get(&admin, &next).await;
    assert_eq!(rest.json["keys"][0]["id"], json!(id));
    assert_eq!(rest.json["nextCursor"], Value::Null);
    for _ in 0..2 {
        let revoked = guarded.revoke(&admin, &id).await;
        assert_eq!(revoked.status, StatusCode::OK);
    }
    for unknown in ["key_01hf7yat000000000000000007", "nonsense", &customer] {
        let missing = guarded.revoke(&admin, unknown).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{unknown}");
        assert!(!missing.json.to_string().contains(&customer[3..]));
    }
    let answer = guarded.get(&customer, "/api/jobs").await;
    assert_unidentified(&answer, "/api/jobs");
}

#[tokio::test]
async fn what_is_no_new_key_is_refused_with_every_problem() {
    let guarded = Guarded::start();
    for (body, fields) in [
        (json!({}), vec!["customerId"]),
        (json!([]), vec!["body"]),
        (json!({"admin": false}), vec!["customerId"]),
        (
            json!({"admin": "yes", "label": ""}),
            vec!["admin", "label", "customerId"],
        ),
        (
            json!({"admin": true, "customerId": "a", "x": 1}),
            vec!["admin", "x"],
        ),
    ] {
        let refused = guarded.post(&guarded.admin, "/api/keys", &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(refused.fields(), fields, "{body}");
    }
    for query in ["limit=0", "limit=101", "cursor=x", "colour=red"] {
        let path = format!("/api/keys?{query}");
        let refused = guarded.get(&guarded.admin, &path).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_revocation_elsewhere_takes_effect_within_half_a_minute() {
    let guarded = Guarded::start();
    let (id, key) = guarded.make(&json!({"customerId": "mine"})).await;
    assert_eq!(guarded.get(&key, "/api/jobs").await.status, StatusCode::OK);
    // Past this process's App, as another process would.
    let id = KeyId::parse(&id).unwrap();
    let now = guarded.app.app.now();
    guarded.app.store.revoke_key(&id, now).await.unwrap();
    guarded.app.advance_almost(KEY_MEMORY);
    assert_eq!(guarded.get(&key, "/api/jobs").await.status, StatusCode::OK);
    guarded.app.advance(MILLISECOND);
    assert_unidentified(&guarded.get(&key, "/api/jobs").await, "/api/jobs");
    assert!(KEY_MEMORY <= Duration::from_secs(30));
}

#[tokio::test]
async fn a_secret_is_shown_once_and_lies_nowhere() {
    let guarded = Guarded::start();
    let body = json!({"customerId": "mine", "label": "ci"});
    let made = guarded.post(&guarded.admin, "/api/keys", &body).await;
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let secret = made.text("key");
    assert_eq!(secret.len(), 55);
    guarded.create(secret, URL).await;
    guarded.app.drain(&Anything).await;
    for item in guarded.app.items() {
        let item = item.to_string();
        assert!(!item.contains(&secret[3..]), "{item}");
        assert!(!item.contains(&guarded.admin[3..]), "{item}");
    }
    let list = guarded.get(&guarded.admin, "/api/keys").await;
    assert!(!list.json.to_string().contains(&secret[3..]));
}

#[tokio::test]
async fn a_key_is_stored_and_shown_as_it_always_was() {
    let guarded = Guarded::start();
    let body = json!({"customerId": "customer-123", "label": "nightly import"});
    let made = guarded.post(&guarded.admin, "/api/keys", &body).await;
    assert_golden("wire_key_created", &made.json);
    guarded.app.advance(Duration::from_secs(1));
    let (id, _) = guarded.make(&json!({"admin": true})).await;
    guarded.app.advance(Duration::from_secs(1));
    let revoked = guarded.revoke(&guarded.admin, &id).await;
    assert_golden("wire_key_revoked", &revoked.json);
    let list = guarded.get(&guarded.admin, "/api/keys").await;
    assert_golden("wire_keys", &list.json);
    assert_golden("items_of_keys", &json!(guarded.app.items()));
    let missing = guarded
        .revoke(&guarded.admin, "key_01hf7yat000000000000000007")
        .await;
    assert_golden("wire_error_unknown_key", &missing.json);
    let nobody = guarded.app.get("/api/jobs").await;
    assert_golden("wire_error_unauthorized", &nobody.json);
    let nobody = guarded.app.get("/api/v1/jobs/x").await;
    assert_golden("wire_v1_error_unauthorized", &nobody.json);
}

#[tokio::test]
async fn a_damaged_key_lets_nobody_in() {
    let guarded = Guarded::start();
    let secret = ApiKey::new([5, 6]);
    let key = KeyRecord {
        id: KeyId::new(guarded.app.app.now(), 1),
        hash: secret.hash(),
        grants: Grants::Admin,
        label: None,
        created_at: guarded.app.app.now(),
        revoked_at: None,
    };
    guarded.app.store.add_key(&key).await.unwrap();
    let damage = json!({
        "TableName": TABLE,
        "Key": {"pk": {"S": format!("key#{}", key.hash)}, "sk": {"S": "key"}},
        "UpdateExpression": "REMOVE grants",
    });
    let target = "DynamoDB_20120810.UpdateItem";
    let damaged = guarded.app.embedded.call(target, &damage.to_string());
    assert_eq!(damaged.status, 200, "{}", damaged.body);
    let answer = guarded.get(secret.reveal(), "/api/jobs").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.json["requestId"].is_string());
}
