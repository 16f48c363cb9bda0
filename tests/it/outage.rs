//! When the table cannot be asked, or holds what cannot be read: clients hear when to come back
//! and nothing about our insides, messages stay, and what is whole goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use jobs::app::{Handled, Limits};
use jobs::transition::Mode;
use local::embedded::{Answer, Embedded, read_request, write_response};
use serde_json::{Value, json};

use crate::app::{Answered, Anything, START, TABLE, TestApp};

const URL: &str = "http://site.example/page";

/// A connection to the database that can be cut.
#[derive(Clone)]
struct Cuttable {
    embedded: Embedded,
    cut: Arc<AtomicBool>,
}

impl std::fmt::Debug for Cuttable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Cuttable")
    }
}

impl Cuttable {
    fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
}

impl HttpConnector for Cuttable {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let (target, body) = read_request(&request)?;
            if !this.cut.load(Ordering::Relaxed) {
                return write_response(this.embedded.call(&target, &body));
            }
            // Not one of the errors that the SDK tries again: a test has no time for that.
            let refusal = json!({"__type": "AccessDeniedException", "Message": "secret-detail"});
            write_response(Answer {
                status: 400,
                body: refusal.to_string(),
            })
        })
    }
}

fn app() -> (TestApp, Arc<AtomicBool>) {
    let embedded = Embedded::in_memory().unwrap();
    let cuttable = Cuttable {
        embedded: embedded.clone(),
        cut: Arc::default(),
    };
    let app = TestApp::over(embedded, cuttable.http_client(), Limits::default());
    (app, cuttable.cut)
}

/// The body of an error, its request id taken out and looked at.
fn without_request_id(answer: &Answered) -> Value {
    let mut body = answer.json.clone();
    let request_id = body.as_object_mut().unwrap().remove("requestId");
    let request_id = request_id.expect("a 5xx has a request id");
    assert!(request_id.as_str().is_some_and(|id| id.starts_with("req_")));
    body
}

#[tokio::test]
async fn a_table_out_of_reach_is_said_on_both_faces_with_a_time_to_come_back() {
    let (app, cut) = app();
    let id = app.create_for(URL).await;
    app.drain(&Anything).await;
    app.advance(Duration::from_secs(5));
    cut.store(true, Ordering::Relaxed);
    let mut answers = vec![
        app.post("/api/jobs", &json!({"type": "single-page", "url": URL}))
            .await,
    ];
    for path in [
        "/api/jobs".to_owned(),
        format!("/api/jobs/{id}"),
        format!("/api/jobs/{id}/results"),
        format!("/api/v1/jobs/{id}"),
        "/api/v1/health".to_owned(),
    ] {
        answers.push(app.get(&path).await);
    }
    let sentence = "Queue system temporarily unavailable";
    for (index, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status.as_u16(), 503, "{answer:?}");
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert!(!answer.json.to_string().contains("secret-detail"));
        let body = without_request_id(answer);
        if index < 4 {
            let printed = json!({"error": "Failed to create job", "details": sentence});
            assert_eq!(body, printed);
        } else {
            assert_eq!(body["success"], false);
            assert_eq!(body["error"], sentence);
            assert_eq!(body["timestamp"], app.app.now().to_string());
        }
    }
    assert_eq!(app.get("/openapi.json").await.status.as_u16(), 200);
    let invalid = app.post("/api/jobs", &json!({})).await;
    assert_eq!(invalid.status.as_u16(), 400, "that needs no table");
    cut.store(false, Ordering::Relaxed);
    assert_eq!(app.status(&id).await, "completed");
}

#[tokio::test]
async fn a_message_goes_back_when_the_table_cannot_be_asked() {
    let (app, cut) = app();
    let id = app.create_for(URL).await;
    let message = app.receive();
    cut.store(true, Ordering::Relaxed);
    assert_eq!(app.work(&message, &Anything).await, Handled::Return);
    assert!(app.app.sweep(Mode::Routine, 100).await.is_err());
    cut.store(false, Ordering::Relaxed);
    assert_eq!(app.work(&message, &Anything).await, Handled::Done);
    assert_eq!(app.status(&id).await, "completed");
}

#[tokio::test]
async fn a_damaged_row_is_our_fault_and_keeps_no_other_from_being_repaired() {
    let (app, _) = app();
    let (broken, whole) = (
        app.create_for(URL).await,
        app.create_for("http://b.example/").await,
    );
    while app.queue.try_receive().is_some() {}
    let items = app.items();
    let row = items
        .iter()
        .find(|item| item["pk"]["S"] == broken && item["sk"]["S"] == "state");
    let put = |item: &Value| {
        let request = json!({"TableName": TABLE, "Item": item});
        assert_eq!(
            app.embedded.call("PutItem", &request.to_string()).status,
            200
        );
    };
    let mut damaged = row.unwrap().clone();
    damaged["state"] = json!({"S": "nonsense"});
    put(&damaged);

    for (path, message) in [("/api/jobs", "error"), ("/api/v1/jobs", "message")] {
        let answer = app.get(&format!("{path}/{broken}")).await;
        assert_eq!(answer.status.as_u16(), 500);
        assert_eq!(answer.text(message), "Internal server error");
        let body = without_request_id(&answer);
        assert!(!body.to_string().contains("state"), "{body}");
    }
    let list = app.get("/api/jobs?includeHealth=true").await;
    assert_eq!(list.status.as_u16(), 200);
    assert_eq!(list.json["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(list.json["jobs"][0]["id"], whole);
    // Counts come from an index, which knows of no damage.
    assert_eq!(list.json["stats"]["waiting"], 2);
    app.advance(Duration::from_mins(1));
    assert_eq!(app.sweep().await.sent, 1, "the other one");
    app.drain(&Anything).await;
    assert_eq!(app.status(&whole).await, "completed");

    put(row.unwrap());
    app.sweep().await;
    app.drain(&Anything).await;
    assert_eq!(app.status(&broken).await, "completed");
    assert_eq!(app.job(&broken).await["createdAt"], START.to_string());
}
