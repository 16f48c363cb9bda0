//! A job on its way through all three programs: from the request over the messages to its end.

use std::path::Path;

use aws::table::Table;
use jobs::ports::{Scope, Store};
use jobs::{FailureCode, Job, JobId, Message, Priority, State};
use serde_json::{Value, json};
use tests::lambda::{Endpoint, Function, TABLE, environment, executables, records, start};

use super::events::{Answer, get, given_back, post};
use super::mail::{Letter, Mail};

const TICK: &str = r#"{"tick":"sweep"}"#;

/// What the programs stand on.
struct Stack {
    endpoint: Endpoint,
    mail: Mail,
}

impl Stack {
    async fn start(test: &str) -> Self {
        Self {
            endpoint: Endpoint::start().await,
            mail: Mail::open(test).await,
        }
    }

    async fn function(&self, executable: &Path) -> Function {
        let mut environment = environment(self.endpoint.url());
        for (name, value) in &mut environment {
            if let Some(priority) = name.strip_prefix("HARVESTMAN_QUEUE_") {
                let priority = Value::from(priority.to_ascii_lowercase());
                // Deliveries have a queue as well, which nobody looks at here.
                if let Some(priority) = Priority::parse(&priority) {
                    self.mail.url(priority).clone_into(value);
                }
            }
        }
        environment.push(("AWS_ENDPOINT_URL_SQS", self.mail.endpoint.clone()));
        Function::start(executable, &environment).await
    }

    fn table(&self) -> Table {
        Table::new(self.endpoint.client(), TABLE)
    }

    async fn row(&self, id: &JobId) -> Job {
        self.table().job(id).await.unwrap().unwrap()
    }
}

/// Asks for a page that the worker's door must refuse: on Lambda there is no machine of one's own.
async fn create(api: &mut Function) -> (JobId, Answer) {
    let body = json!({
        "type": "single-page", "url": "http://127.0.0.1:9/page", "customerId": "customer-1",
        "priority": "high",
    });
    let created = Answer::read(&api.invoke(post("/api/jobs", &body)).await.unwrap());
    assert_eq!(created.status, 201, "{}", created.body);
    let id = JobId::parse(created.body["jobId"].as_str().unwrap()).unwrap();
    (id, created)
}

fn letter_about(id: &JobId) -> Letter {
    let message = Message { job_id: id.clone() };
    Letter {
        priority: Priority::High,
        body: message.encode(),
    }
}

#[tokio::test]
async fn a_job_goes_through_the_programs_to_its_end() {
    let stack = Stack::start("through_the_programs").await;
    let mut api = stack.function(&executables::built().api).await;
    let mut worker = stack.function(&executables::built().worker).await;

    let (id, created) = create(&mut api).await;
    let path = format!("/api/jobs/{id}");
    assert_eq!(created.headers["location"], path);
    let waiting = Answer::read(
        &api.invoke(get(&format!("/api/v1/jobs/{id}")))
            .await
            .unwrap(),
    );
    assert_eq!(waiting.body["data"]["numberInQueue"], 1, "{}", waiting.body);
    let letters = stack.mail.take().await;
    assert_eq!(letters, [letter_about(&id)]);

    let event = records(&[&letters[0].body]);
    let worked = worker.invoke(event.clone()).await.unwrap();
    assert_eq!(given_back(&worked), Vec::<&str>::new());
    let row = stack.row(&id).await;
    assert_eq!((row.state, row.fence), (State::Failed, 1));
    let codes: Vec<_> = row.attempts.iter().map(|it| it.failure.code).collect();
    assert_eq!(codes, [FailureCode::AddressRefused]);
    let tally = stack.table().tally(Scope::Everyone).await.unwrap();
    assert_eq!((tally.unfinished, tally.failed), (0, 1));

    let shown = Answer::read(&api.invoke(get(&path)).await.unwrap());
    assert_eq!(shown.status, 200, "{}", shown.body);
    let reason = shown.body["failedReason"].as_str().unwrap();
    assert!(reason.starts_with("address_refused: "), "{reason}");
    let shown = Answer::read(
        &api.invoke(get(&format!("/api/v1/jobs/{id}")))
            .await
            .unwrap(),
    );
    let data = &shown.body["data"];
    assert_eq!(
        (&data["status"], &data["failedReason"]),
        (&json!("failed"), &json!(reason))
    );

    // A second delivery finds nothing left to do.
    let again = worker.invoke(event).await.unwrap();
    assert_eq!(given_back(&again), Vec::<&str>::new());
    assert_eq!(stack.row(&id).await, row);
    assert_eq!(stack.mail.take().await, []);
}

#[tokio::test]
async fn the_good_record_beside_an_unreadable_one_is_worked_at() {
    let stack = Stack::start("beside_an_unreadable_one").await;
    let mut api = stack.function(&executables::built().api).await;
    let mut worker = stack.function(&executables::built().worker).await;
    let (id, _) = create(&mut api).await;
    let event = records(&["not ours", &letter_about(&id).body]);
    let worked = worker.invoke(event).await.unwrap();
    assert_eq!(given_back(&worked), ["m0"]);
    assert_eq!(stack.row(&id).await.state, State::Failed);
}

#[tokio::test]
async fn a_dead_letter_wakes_its_row_and_the_next_tick_sends_the_message_again() {
    let stack = Stack::start("a_dead_letter_wakes_its_row").await;
    let mut api = stack.function(&executables::built().api).await;
    let mut scheduler = stack.function(&executables::built().scheduler).await;
    let (id, _) = create(&mut api).await;
    let lost = stack.mail.take().await;
    let done = Vec::<&str>::new();

    let swept = scheduler.invoke(records(&[TICK])).await.unwrap();
    assert_eq!(given_back(&swept), done);
    assert_eq!(stack.mail.take().await, [], "its message may be on its way");

    let letters = records(&[&lost[0].body]);
    let woken = scheduler.invoke(letters).await.unwrap();
    assert_eq!(given_back(&woken), done);
    let swept = scheduler.invoke(records(&[TICK])).await.unwrap();
    assert_eq!(given_back(&swept), done);
    assert_eq!(stack.mail.take().await, lost);
    assert_eq!(stack.row(&id).await.state, State::Queued);
}

#[tokio::test]
async fn a_job_is_accepted_while_the_queue_is_away() {
    let endpoint = Endpoint::start().await;
    let mut api = start(&executables::built().api, &endpoint).await;
    let (id, _) = create(&mut api).await;
    let table = Table::new(endpoint.client(), TABLE);
    let row = table.job(&id).await.unwrap().unwrap();
    assert!(row.state == State::Queued && row.due_at.is_some());
}
