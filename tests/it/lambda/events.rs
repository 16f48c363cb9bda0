//! Events as API Gateway and SQS hand them to Lambda, and what is read of the answers.

use serde_json::{Value, json};

/// A request through an HTTP API, payload format 2.0.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// The body, and whether it stands there in base 64.
    pub(super) body: Option<(&'a str, bool)>,
}

pub(super) fn get(path: &str) -> Value {
    Request::of("GET", path).event()
}

pub(super) fn post(path: &str, body: &Value) -> Value {
    let body = body.to_string();
    let json = [("content-type", "application/json")];
    let mut request = Request::of("POST", path);
    request.headers = &json;
    request.body = Some((&body, false));
    request.event()
}

impl<'a> Request<'a> {
    pub(super) fn of(method: &'a str, path: &'a str) -> Self {
        Self {
            method,
            path,
            query: "",
            headers: &[],
            body: None,
        }
    }

    pub(super) fn event(&self) -> Value {
        let Self {
            method,
            path,
            query,
            ..
        } = self;
        let mut event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "headers": {"accept": "*/*", "host": "api.execute-api.eu-west-1.amazonaws.com",
                "x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443",
                "x-forwarded-proto": "https"},
            "requestContext": {
                "accountId": "1", "apiId": "api", "domainName": "api", "domainPrefix": "api",
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1", "userAgent": "test"},
                "requestId": "request", "routeKey": "$default", "stage": "$default",
                "time": "21/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_219_200_000_u64,
            },
            "isBase64Encoded": false,
        });
        for (name, value) in self.headers {
            event["headers"][name] = json!(value);
        }
        if let Some((body, encoded)) = self.body {
            event["body"] = json!(body);
            event["isBase64Encoded"] = json!(encoded);
        }
        event
    }
}

/// An answer to the gateway.
pub(super) struct Answer {
    pub(super) status: u64,
    pub(super) headers: Value,
    /// `Null` where there is none.
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn read(answer: &Value) -> Self {
        assert_eq!(answer["isBase64Encoded"], false, "{answer}");
        let body = answer["body"].as_str().unwrap_or_default();
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(body).unwrap()
        };
        Self {
            status: answer["statusCode"].as_u64().unwrap(),
            headers: answer["headers"].clone(),
            body,
        }
    }
}

/// The names of the messages that a function could not handle.
pub(super) fn given_back(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    let ids = failures.iter().map(|it| it["itemIdentifier"].as_str());
    ids.map(Option::unwrap).collect()
}
