//! Crawls and refreshes as the API takes and shows them. What a worker makes of them is not asked
//! here: their messages are forgotten, and their rows are written as a worker would.

mod create;
mod results;
mod urls;
mod views;

use jobs::crawl::{Counters, Progress};
use jobs::{Job, State};
use serde_json::{Value, json};

use crate::app::{Answered, TestApp};

const SITE: &str = "http://site.example/";

/// Takes every message out of the queue and works on none.
fn forget(app: &TestApp) {
    while app.queue.try_receive().is_some() {}
}

/// Creates a job whose message is forgotten.
async fn created(app: &TestApp, body: &Value) -> String {
    let id = app.create(body).await;
    forget(app);
    id
}

async fn crawl(app: &TestApp) -> String {
    created(app, &json!({"type": "full-crawl", "url": SITE})).await
}

/// Writes how far a crawl is.
async fn progress(app: &TestApp, id: &str, state: State, progress: Progress) {
    app.change(id, |row, stamp| {
        Ok(Job {
            state,
            crawl: Some(Box::new(progress)),
            revision: row.revision + 1,
            nonce: stamp.nonce,
            finished_at: state.is_terminal().then_some(stamp.now),
            due_at: Some(stamp.now + jobs::app::INVOCATION),
            ..row.clone()
        })
    })
    .await;
}

/// 120 pages of about 400, at 35 pages a second.
fn under_way() -> Progress {
    Progress {
        counters: Counters {
            queued: 280,
            done: 120,
            failed: 3,
            skipped: 17,
        },
        percentage: 30,
        rate: 3_500,
        current: "http://site.example/tea".to_owned(),
        ..Progress::default()
    }
}

fn ids(list: &Answered) -> Vec<&str> {
    let jobs = list.json["jobs"].as_array().unwrap().iter();
    jobs.map(|job| job["id"].as_str().unwrap()).collect()
}
