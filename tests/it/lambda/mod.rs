//! The functions as Lambda runs them: the built programs, a runtime interface that hands them
//! events, and an endpoint that answers as DynamoDB does.

mod events;
mod gateway;
mod journey;
mod keys;
mod mail;

use aws::settings::{SetBy, VARIABLES};
use tests::lambda::{Endpoint, executables, hint, records, refusal, start};

use events::given_back;

#[tokio::test]
async fn the_worker_asks_the_table_and_gives_back_only_what_it_cannot_read() {
    let endpoint = Endpoint::start().await;
    let mut worker = start(&executables::built().worker, &endpoint).await;
    let event = records(&[&hint(), "not ours", &hint()]);
    let answer = worker.invoke(event).await.unwrap();
    assert_eq!(given_back(&answer), ["m1"]);
    assert!(endpoint.calls() >= 2, "{} calls", endpoint.calls());
}

#[tokio::test]
async fn the_worker_gives_messages_back_while_the_table_is_away_and_takes_them_after() {
    let endpoint = Endpoint::start().await;
    let mut worker = start(&executables::built().worker, &endpoint).await;
    endpoint.set_away(true);
    let answer = worker.invoke(records(&[&hint()])).await.unwrap();
    assert_eq!(given_back(&answer), ["m0"]);
    endpoint.set_away(false);
    let answer = worker.invoke(records(&[&hint()])).await.unwrap();
    assert_eq!(given_back(&answer), Vec::<&str>::new());
}

#[tokio::test]
async fn the_scheduler_takes_ticks_and_dead_letters() {
    let endpoint = Endpoint::start().await;
    let mut scheduler = start(&executables::built().scheduler, &endpoint).await;
    for event in [
        records(&[r#"{"tick":"sweep"}"#]),
        records(&[&hint(), "not ours"]),
    ] {
        let answer = scheduler.invoke(event).await.unwrap();
        assert_eq!(given_back(&answer), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn a_function_without_settings_ends_at_once_and_says_all_that_it_lacks() {
    for executable in executables::built().all() {
        let said = refusal(executable).await;
        for variable in VARIABLES {
            let needed = said.contains(&format!("{} is not set", variable.name));
            let optional = variable.set_by == SetBy::Override
                || variable.name.ends_with("_HOURS")
                || [
                    "_JOBS",
                    "_PER_MINUTE",
                    "_REQUIRE_KEYS",
                    "_KEY_HASH",
                    "_WEBHOOK_KEY",
                    "_TOKEN",
                    "_LOG_LEVEL",
                ]
                .iter()
                .any(|end| variable.name.ends_with(end));
            assert_eq!(needed, !optional, "{}: {said}", variable.name);
        }
    }
}
