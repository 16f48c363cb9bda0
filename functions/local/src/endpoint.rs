//! The API, asked in its own words wherever it is: in this process, over data that lies here, or at
//! a service that runs. Both answer the same, to the byte.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use http_body_util::BodyExt;
use hyper::Method;
use jobs::App;
use serde_json::Value;

use crate::client::Answer;
use crate::remote::Remote;

/// Who is asked.
pub(crate) enum Endpoint {
    Here(Router),
    Running(Remote),
}

impl Endpoint {
    /// The API over `app`, where nobody needs a key: who may open the folder may do everything.
    pub(crate) fn here(app: &App) -> Self {
        let judge = Arc::new(scrape::judge(scrape::Targets::Public));
        let router = api::router(app.clone(), scrape::check, judge, api::Access::Open);
        Self::Here(router)
    }

    /// Sends one request and gives what comes back, whatever its status. `seen` is the `ETag` of an
    /// earlier answer: unchanged, it is 304.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        seen: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let router = match self {
            Self::Running(remote) => return remote.ask(method, path, body, seen).await,
            Self::Here(router) => router.clone(),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.map(Value::to_string).unwrap_or_default()))?;
        if let Some(seen) = seen {
            let seen = HeaderValue::from_str(seen)?;
            request.headers_mut().insert(header::IF_NONE_MATCH, seen);
        }
        let Ok(response) = tower::ServiceExt::oneshot(router, request).await;
        let (head, body) = response.into_parts();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }
}
