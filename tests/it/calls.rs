//! Calls of a test by any method, and on behalf of whom it says.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use jobs::Caller;
use jobs::key::{Grants, NewKey};
use jobs::spec::CustomerId;
use jobs::transition::Mode;
use serde_json::{Value, json};

use crate::app::{Answered, TestApp};

/// A caller with the key of this customer.
pub(crate) fn customer(name: &str) -> Caller {
    Caller::Customer(CustomerId::parse(name).unwrap())
}

fn grants(caller: Caller) -> Option<Grants> {
    match caller {
        Caller::Anyone => None,
        Caller::Admin => Some(Grants::Admin),
        Caller::Customer(customer) => Some(Grants::Customer(customer)),
    }
}

impl TestApp {
    /// Sends a request, with a key of the caller where it has one; `null` is no body.
    pub(crate) async fn call(
        &self,
        caller: Caller,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Answered {
        let request = Request::builder().method(method).uri(path);
        let mut request = if body.is_null() {
            request.body(Body::empty()).unwrap()
        } else {
            let request = request.header(header::CONTENT_TYPE, "application/json");
            request.body(Body::from(body.to_string())).unwrap()
        };
        if let Some(grants) = grants(caller) {
            let key = NewKey {
                grants,
                label: None,
            };
            let (_, secret) = self.app.create_key(&Caller::Admin, key).await.unwrap();
            let bearer = format!("Bearer {}", secret.reveal()).parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        self.send(request).await
    }

    /// Asks for an action on a job.
    pub(crate) async fn act(&self, id: &str, action: &str) -> Answered {
        let (path, body) = (format!("/api/jobs/{id}"), json!({"action": action}));
        self.call(Caller::Anyone, Method::PUT, &path, &body).await
    }

    /// Cancels a job.
    pub(crate) async fn delete(&self, path: &str) -> Answered {
        self.call(Caller::Anyone, Method::DELETE, path, &Value::Null)
            .await
    }

    /// Begins an operation that must be taken, and gives the path of its status.
    pub(crate) async fn begin(&self, body: &Value) -> String {
        let begun = self.post("/api/queue", body).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
        begun.text("statusUrl").to_owned()
    }

    /// Sweeps until an operation has ended; gives it, and how many sweeps it took.
    pub(crate) async fn finish(&self, path: &str) -> (Value, usize) {
        for sweeps in 0..100 {
            let read = self.get(path).await;
            assert_eq!(read.status, StatusCode::OK, "{read:?}");
            if read.json["status"] == "completed" {
                return (read.json, sweeps);
            }
            self.app.sweep(Mode::Routine, 1_000).await.unwrap();
        }
        panic!("{path} does not end");
    }

    /// Begins an operation and sees it through.
    pub(crate) async fn operate(&self, body: &Value) -> Value {
        let path = self.begin(body).await;
        self.finish(&path).await.0
    }

    /// Holds the whole queue back, or lets it go.
    pub(crate) async fn hold(&self, operation: &str) {
        let held = self
            .post("/api/queue", &json!({"operation": operation}))
            .await;
        assert_eq!(held.status, StatusCode::OK, "{held:?}");
        assert_eq!(held.json["isPaused"], operation == "pause");
    }
}
