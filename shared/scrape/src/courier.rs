//! Carries deliveries to the receivers of webhooks, through the door and on the threads of the
//! web. Refuses to try twice: the delivery's row decides about that.

use async_trait::async_trait;
use jobs::ports::{Courier, Post, Posted};
use jobs::{Failure, FailureCode};

use crate::WebScraper;
use crate::door::{LAST_WORDS, Message, late_post};
use crate::page::GRACE;

#[async_trait]
impl Courier for WebScraper {
    async fn post(&self, post: &Post) -> Result<Posted, Failure> {
        let (door, owned) = (self.door.clone(), post.clone());
        let posting = self.web.spawn(async move {
            let message = Message {
                url: &owned.url,
                headers: &owned.headers,
                body: &owned.body,
                timeout: owned.timeout,
            };
            door.post(&message).await
        });
        // The door keeps time as well, but a flood may keep the door from looking at its clock.
        let patience = post.timeout + LAST_WORDS + GRACE;
        let Ok(ended) = tokio::time::timeout(patience, posting).await else {
            return Err(late_post(post.timeout));
        };
        ended.unwrap_or_else(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "posting to a webhook panicked");
            let message = "The event could not be posted";
            Err(Failure::new(FailureCode::Internal, message))
        })
    }
}
