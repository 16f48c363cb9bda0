//! The `api` program behind keys, as the template deploys it.

use jobs::ApiKey;
use serde_json::json;
use tests::lambda::{Endpoint, Function, environment, executables};

use super::events::{Answer, Request, get};

#[tokio::test]
async fn the_admins_key_of_the_template_lets_the_first_caller_in() {
    let endpoint = Endpoint::start().await;
    let admin = ApiKey::new([3, 4]);
    let mut environment = environment(endpoint.url());
    for (name, value) in &mut environment {
        match *name {
            "HARVESTMAN_REQUIRE_KEYS" => "true".clone_into(value),
            "HARVESTMAN_ADMIN_KEY_HASH" => *value = admin.hash().to_string(),
            _ => {}
        }
    }
    let mut api = Function::start(&executables::built().api, &environment).await;
    let nobody = Answer::read(&api.invoke(get("/api/jobs")).await.unwrap());
    assert_eq!(nobody.status, 401, "{}", nobody.body);
    assert_eq!(nobody.headers["www-authenticate"], "Bearer");

    let bearer = format!("Bearer {}", admin.reveal());
    let authorization = ("authorization", bearer.as_str());
    let body = json!({"customerId": "customer-1"}).to_string();
    let headers = [authorization, ("content-type", "application/json")];
    let mut create = Request::of("POST", "/api/keys");
    create.headers = &headers;
    create.body = Some((&body, false));
    let made = Answer::read(&api.invoke(create.event()).await.unwrap());
    assert_eq!(made.status, 201, "{}", made.body);

    let bearer = format!("Bearer {}", made.body["key"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let mut list = Request::of("GET", "/api/jobs");
    list.headers = &headers;
    let list = Answer::read(&api.invoke(list.event()).await.unwrap());
    assert_eq!((list.status, &list.body["jobs"]), (200, &json!([])));
}
