//! Batches in the simulated world: a few, each under a key, posted again and again by clients that
//! may never hear the answer. Whoever hears one hears the same, and every job in it is there.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

use jobs::app::CreatedBatch;
use jobs::{App, Caller, IdempotencyKey, JobId, Keyed, NewBatch, NewWork, Timestamp};
use serde_json::{Value, json};

use super::world::World;

/// Batches of a seed.
const BATCHES: usize = 2;
/// How often one is posted at most.
const POSTS: usize = 3;

#[derive(Default)]
pub(crate) struct Posted {
    posts: [usize; BATCHES],
    bodies: [Option<Value>; BATCHES],
    /// What was answered first.
    answers: Arc<Mutex<BTreeMap<usize, CreatedBatch>>>,
}

impl Posted {
    /// Posts one of the batches, if it is not enough yet.
    pub(crate) fn create(
        &mut self,
        world: &Arc<World>,
        app: &App,
        promised: &Arc<Mutex<Vec<JobId>>>,
    ) -> Option<impl Future<Output = Option<jobs::app::Handled>> + use<>> {
        let number = world.below(BATCHES);
        if self.posts[number] == POSTS {
            return None;
        }
        self.posts[number] += 1;
        let body = self.bodies[number].get_or_insert_with(|| body(world));
        let new = match NewWork::parse(body, |_| Vec::new(), Timestamp::default()) {
            Ok(NewWork::Batch(new)) => *new,
            other => unreachable!("{other:?}"),
        };
        let key = IdempotencyKey::parse(&format!("key-{number}")).unwrap();
        let keyed = Keyed::new(key, "batches", body);
        let (world, app) = (Arc::clone(world), app.clone());
        let (promised, answers) = (Arc::clone(promised), Arc::clone(&self.answers));
        Some(async move {
            // A client that gets no answer cannot know: nothing is promised to it.
            let answer = app.create_batch(&Caller::Anyone, &new, Some(&keyed)).await;
            if let Ok(created) = answer {
                note(&world, &new, &created);
                let mut answers = answers.lock().unwrap();
                match answers.get(&number) {
                    None => {
                        let ids = created.outcomes.iter().map(|it| it.job_id.clone());
                        promised.lock().unwrap().extend(ids);
                        answers.insert(number, created);
                    }
                    Some(first) => {
                        world.count("a batch is told twice");
                        if *first != created {
                            let what = format!("batch {number}: {created:?}, before {first:?}");
                            world.violation(what);
                        }
                    }
                }
            }
            None
        })
    }
}

fn note(world: &World, new: &NewBatch, created: &CreatedBatch) {
    let ids: Vec<_> = created.outcomes.iter().map(|it| &it.job_id).collect();
    world.note(|| format!("batch of {} is told {ids:?}", new.urls.len()));
}

/// One to five addresses, some of them those of other jobs.
fn body(world: &World) -> Value {
    let count = 1 + world.below(5);
    let urls = (0..count).map(|_| format!("http://site.example/{}", world.below(6)));
    json!({
        "type": "single-page",
        "urls": urls.collect::<Vec<_>>(),
        "staggerDelay": if world.below(4) == 0 { 400_000 } else { 0 },
        "customerId": format!("customer {}", world.below(2)),
        "deduplicate": world.below(4) > 0,
    })
}

/// Ids of batches that are written down and not done.
pub(crate) fn open_batches(world: &World) -> Vec<String> {
    let request = json!({
        "TableName": super::TABLE,
        "FilterExpression": "begins_with(pk, :batch) AND attribute_exists(due_at)",
        "ExpressionAttributeValues": {":batch": {"S": "bat_"}},
    });
    let answer = world.embedded.call("Scan", &request.to_string());
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let items = answer["Items"].as_array().unwrap().iter();
    items
        .map(|item| item["pk"]["S"].as_str().unwrap().to_owned())
        .collect()
}
