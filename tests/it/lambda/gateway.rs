//! The `api` program behind API Gateway: whatever a client sends, it is our own answer that comes.

use serde_json::{Value, json};

use tests::lambda::{Endpoint, Function, executables, start};

use super::events::{Answer, Request, get, post};

struct Api {
    function: Function,
    _endpoint: Endpoint,
}

impl Api {
    async fn start() -> Self {
        let endpoint = Endpoint::start().await;
        let function = start(&executables::built().api, &endpoint).await;
        Self {
            function,
            _endpoint: endpoint,
        }
    }

    async fn ask(&mut self, event: Value) -> Answer {
        Answer::read(&self.function.invoke(event).await.unwrap())
    }
}

#[tokio::test]
async fn the_api_answers_events_of_the_gateway() {
    let mut api = Api::start().await;
    let health = api.ask(get("/api/v1/health")).await;
    assert_eq!(health.status, 200, "{}", health.body);
    assert_eq!(health.headers["content-type"], "application/json");
    assert_eq!(health.body["success"], true);
    assert_eq!(health.body["data"]["isHealthy"], true);
    let document = api.ask(get("/openapi.json")).await;
    assert_eq!(document.status, 200);
    assert_eq!(document.body["openapi"], "3.1.0");
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_the_shape_of_the_face_that_was_asked() {
    let mut api = Api::start().await;
    // The gateway hands over paths as they were sent or decoded; both are only unknown.
    for path in [
        "/api/nowhere",
        "/",
        "/api/jobs/a b",
        "/api/jobs/%F0%9F/x",
        "/ü",
    ] {
        let answer = api.ask(get(path)).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert!(answer.body["error"].is_string(), "{path}: {}", answer.body);
    }
    let unknown = api.ask(get("/api/nowhere")).await;
    let expected = json!({"error": "Not found", "details": "there is nothing at /api/nowhere"});
    assert_eq!(unknown.body, expected);
    let unknown = api.ask(get("/api/v1/nowhere")).await;
    assert_eq!(
        (unknown.status, &unknown.body["success"]),
        (404, &json!(false))
    );
    let job = api
        .ask(get("/api/jobs/job_01hf7yat000000000000000007"))
        .await;
    assert_eq!(
        (job.status, &job.body["error"]),
        (404, &json!("Job not found"))
    );
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_refused() {
    let mut api = Api::start().await;
    for method in ["DELETE", "PUT", "PATCH"] {
        let answer = api.ask(Request::of(method, "/api/jobs").event()).await;
        assert_eq!(answer.status, 405, "{}", answer.body);
        assert_eq!(answer.body["error"], "Method not allowed");
        let allow = answer.headers["allow"].as_str().unwrap();
        assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    }
}

#[tokio::test]
async fn a_body_may_come_in_base_64_and_may_not_be_too_large() {
    let mut api = Api::start().await;
    let headers = [("content-type", "application/json")];
    let mut request = Request::of("POST", "/api/jobs");
    request.headers = &headers;
    // {"type": "single-page", "url": "http://site.example/"}
    let body = "eyJ0eXBlIjogInNpbmdsZS1wYWdlIiwgInVybCI6ICJodHRwOi8vc2l0ZS5leGFtcGxlLyJ9";
    request.body = Some((body, true));
    let created = api.ask(request.event()).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.body["url"], "http://site.example/");
    request.body = Some((body, false));
    let unreadable = api.ask(request.event()).await;
    assert_eq!(unreadable.status, 400, "{}", unreadable.body);

    let large = json!({"type": "single-page", "url": "a".repeat(1_024 * 1_024)});
    let large = api.ask(post("/api/jobs", &large)).await;
    assert_eq!(large.status, 413, "{}", large.body);
    assert_eq!(large.body["error"], "Request body too large");
    request.headers = &[("content-type", "text/plain")];
    let other = api.ask(request.event()).await;
    assert_eq!(other.status, 415, "{}", other.body);
}

#[tokio::test]
async fn a_query_is_read_as_it_was_sent() {
    let mut api = Api::start().await;
    let mut request = Request::of("GET", "/api/jobs");
    request.query = "status=active,waiting&customerId=a%20%26+b&includeHealth=true";
    let list = api.ask(request.event()).await;
    assert_eq!(list.status, 200, "{}", list.body);
    assert_eq!(list.body["jobs"], json!([]));
    // The gateway would join these with a comma; what was sent is two values.
    request.query = "customerId=a&customerId=b&limit=0";
    let twice = api.ask(request.event()).await;
    assert_eq!(twice.status, 400, "{}", twice.body);
    let problems = twice.body["details"].as_array().unwrap().iter();
    let fields: Vec<_> = problems.map(|problem| &problem["field"]).collect();
    assert_eq!(fields, ["customerId", "limit"]);
}
