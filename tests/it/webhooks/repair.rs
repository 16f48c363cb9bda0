//! Deliveries whose worker, message or process was lost: found again, and posted once where two
//! are at it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jobs::Failure;
use jobs::app::Handled;
use jobs::event::EventType;
use jobs::ports::{Courier, Post, Posted};
use jobs::transition::Mode;
use serde_json::json;
use tokio::sync::Notify;

use super::{Act, HOOK, Receiver, event, path};
use crate::app::{LEASE, MILLISECOND, TestApp};

#[tokio::test]
async fn a_message_that_was_never_sent_is_sent_by_the_sweep() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    // The process died between the row and the message.
    assert!(app.queue.try_receive_delivery().is_some());
    app.advance_almost(Duration::from_mins(1));
    assert_eq!(app.sweep().await.sent, 0);
    app.advance(MILLISECOND);
    assert_eq!(app.sweep().await.sent, 1);
    let receiver = Receiver::default();
    assert_eq!(app.deliver(&receiver).await, 1);
    assert_eq!(app.log(&path(&hook)).await[0]["status"], "delivered");
    app.advance(Duration::from_hours(1));
    assert_eq!(app.sweep().await.sent, 0, "it has ended");
}

/// Posts, and never hears the answer.
struct Stuck {
    posted: Notify,
}

#[async_trait]
impl Courier for Stuck {
    async fn post(&self, _: &Post) -> Result<Posted, Failure> {
        self.posted.notify_one();
        std::future::pending().await
    }
}

/// A worker that dies while it waits for an answer.
async fn dies_posting(app: &TestApp) {
    let key = app
        .queue
        .try_receive_delivery()
        .expect("a message is ready");
    let stuck = Arc::new(Stuck {
        posted: Notify::new(),
    });
    let (courier, service) = (Arc::clone(&stuck), app.app.clone());
    let deadline = app.app.now() + crate::app::INVOCATION;
    let worker =
        tokio::spawn(async move { service.deliver(&key, courier.as_ref(), deadline).await });
    stuck.posted.notified().await;
    worker.abort();
    let _ = worker.await;
}

#[tokio::test]
async fn a_worker_that_dies_posting_costs_an_attempt_and_no_event() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    dies_posting(&app).await;
    app.advance(LEASE);
    assert_eq!(app.sweep().await.sent, 1);
    let receiver = Receiver::default();
    assert_eq!(app.deliver(&receiver).await, 0, "five seconds later");
    app.advance(Duration::from_secs(6));
    assert_eq!(app.deliver(&receiver).await, 1);
    let log = app.log(&path(&hook)).await;
    assert_eq!(log[0]["status"], "delivered");
    let lost = log[0]["attempts"][0]["error"].as_str().unwrap();
    assert!(lost.starts_with("lease_lost: "), "{lost}");
}

#[tokio::test]
async fn a_restart_takes_deliveries_up_at_once() {
    let app = TestApp::start();
    app.hook(&json!({"url": HOOK})).await;
    for number in 0..3 {
        app.tell(&event(&app, number, EventType::JobFailed)).await;
    }
    // One is being posted, one waits for its time, one has a message: all is lost with the process.
    dies_posting(&app).await;
    let key = app.queue.try_receive_delivery().unwrap();
    let receiver = Receiver::that([Act::Answer(500)]);
    assert_eq!(app.try_deliver(&key, &receiver).await, Handled::Done);
    app.advance(Duration::from_secs(6));
    while app.queue.try_receive_delivery().is_some() {}
    let swept = app.app.sweep(Mode::Restart, usize::MAX).await.unwrap();
    assert_eq!(swept.sent, 3);
    assert_eq!(app.deliver(&receiver).await, 3);
    assert_eq!(receiver.seen().len(), 4);
}

#[tokio::test]
async fn a_stop_gives_back_what_its_workers_held() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    dies_posting(&app).await;
    app.app.sweep(Mode::Shutdown, usize::MAX).await.unwrap();
    app.app.sweep(Mode::Restart, usize::MAX).await.unwrap();
    assert_eq!(app.deliver(&Receiver::default()).await, 1);
    let log = app.log(&path(&hook)).await;
    assert_eq!(log[0]["attempts"].as_array().unwrap().len(), 1);
}

/// Holds the first request until it is let go.
struct Slow {
    inner: Receiver,
    posted: Notify,
    let_go: Notify,
}

#[async_trait]
impl Courier for Slow {
    async fn post(&self, post: &Post) -> Result<Posted, Failure> {
        let answer = self.inner.post(post).await;
        self.posted.notify_one();
        self.let_go.notified().await;
        answer
    }
}

#[tokio::test]
async fn two_workers_at_one_delivery_post_once() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    let key = app.queue.try_receive_delivery().unwrap();
    let slow = Arc::new(Slow {
        inner: Receiver::default(),
        posted: Notify::new(),
        let_go: Notify::new(),
    });
    let (courier, service, mine) = (Arc::clone(&slow), app.app.clone(), key.clone());
    let deadline = app.app.now() + crate::app::INVOCATION;
    let first =
        tokio::spawn(async move { service.deliver(&mine, courier.as_ref(), deadline).await });
    slow.posted.notified().await;
    let other = Receiver::default();
    assert_eq!(app.try_deliver(&key, &other).await, Handled::Done);
    slow.let_go.notify_one();
    assert_eq!(first.await.unwrap(), Handled::Done);
    assert_eq!(app.try_deliver(&key, &other).await, Handled::Done);
    assert_eq!((slow.inner.seen().len(), other.seen().len()), (1, 0));
    let log = app.log(&path(&hook)).await;
    assert_eq!(log[0]["attempts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_late_outcome_does_not_undo_what_came_after_it() {
    let app = TestApp::start();
    let hook = app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    let key = app.queue.try_receive_delivery().unwrap();
    let slow = Arc::new(Slow {
        inner: Receiver::that([Act::Answer(500)]),
        posted: Notify::new(),
        let_go: Notify::new(),
    });
    let (courier, service, mine) = (Arc::clone(&slow), app.app.clone(), key.clone());
    let deadline = app.app.now() + crate::app::INVOCATION;
    let first =
        tokio::spawn(async move { service.deliver(&mine, courier.as_ref(), deadline).await });
    slow.posted.notified().await;
    app.advance(LEASE);
    app.sweep().await;
    app.advance(Duration::from_secs(6));
    app.deliver(&Receiver::default()).await;
    slow.let_go.notify_one();
    assert_eq!(first.await.unwrap(), Handled::Done);
    let log = app.log(&path(&hook)).await;
    assert_eq!(log[0]["status"], "delivered");
    assert_eq!(log[0]["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_worker_without_time_gives_the_message_back() {
    let app = TestApp::start();
    app.hook(&json!({"url": HOOK})).await;
    app.tell(&event(&app, 1, EventType::JobFailed)).await;
    let key = app.queue.try_receive_delivery().unwrap();
    let receiver = Receiver::default();
    let soon = app.app.now() + Duration::from_secs(9);
    assert_eq!(
        app.app.deliver(&key, &receiver, soon).await,
        Handled::Return
    );
    assert_eq!(receiver.seen().len(), 0);
    assert_eq!(app.try_deliver(&key, &receiver).await, Handled::Done);
    assert_eq!(receiver.seen().len(), 1);
}
