//! What every queue promises, as one suite that runs on each implementation. A new one needs a
//! [`Harness`] and a line at the end of this file.

mod local_queue;
mod sqs;

use std::time::Duration;

use async_trait::async_trait;
use jobs::ports::{Envelope, Queue};
use jobs::spec::{CustomerId, Priority};
use jobs::{JobId, Message, Timestamp};

/// Longer than a message that is there takes to arrive.
const SOON: Duration = Duration::from_secs(3);

/// A message as a consumer has it.
struct Delivery {
    message: Message,
    /// From which queue, where the implementation lets consumers tell.
    priority: Option<Priority>,
    /// What the consumer acknowledges it by.
    receipt: String,
}

/// The consumer's side of a queue, and time.
#[async_trait]
trait Harness: Send {
    fn queue(&self) -> &dyn Queue;

    /// The time by which the queue counts delays, from wherever.
    fn time(&self) -> Duration;

    /// What can be received within this time, beginning with what is there already. Lets the time
    /// pass only where nothing is there.
    async fn receive(&mut self, within: Duration) -> Vec<Delivery>;

    async fn acknowledge(&mut self, delivery: Delivery);

    /// Gives a message back; `false` where this queue leaves that to the sweep.
    async fn give_back(&mut self, delivery: Delivery) -> bool;
}

fn envelope(number: u128, priority: Priority) -> Envelope {
    let at = Timestamp::from_millis(1_700_000_000_000);
    Envelope {
        message: Message {
            job_id: JobId::new(at, number),
        },
        priority,
        delay: Duration::ZERO,
        customer: CustomerId::default(),
    }
}

fn envelopes(count: u128) -> Vec<Envelope> {
    (0..count)
        .map(|number| envelope(number, Priority::Normal))
        .collect()
}

/// Receives and acknowledges until `count` messages have come or nothing comes any more.
async fn drain(harness: &mut dyn Harness, count: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    while messages.len() < count {
        let deliveries = harness.receive(SOON).await;
        if deliveries.is_empty() {
            break;
        }
        for delivery in deliveries {
            messages.push(delivery.message.clone());
            harness.acknowledge(delivery).await;
        }
    }
    messages
}

async fn every_message_of_a_batch_arrives(harness: &mut dyn Harness) {
    for count in [0, 1, 10, 11, 25] {
        let sent = envelopes(count);
        let unsent = harness.queue().send(&sent).await.unwrap();
        assert_eq!(unsent, Vec::<usize>::new(), "{count} messages");
        let mut arrived = drain(harness, sent.len()).await;
        arrived.sort_by(|left, right| left.job_id.cmp(&right.job_id));
        // At least once: a second delivery is no fault.
        arrived.dedup();
        let sent: Vec<_> = sent.into_iter().map(|envelope| envelope.message).collect();
        assert_eq!(arrived, sent, "{count} messages");
    }
}

async fn a_message_goes_to_the_queue_of_its_priority(harness: &mut dyn Harness) {
    let sent: Vec<_> = (0..).zip(Priority::ALL).collect();
    let envelopes: Vec<_> = sent
        .iter()
        .map(|(number, priority)| envelope(*number, *priority))
        .collect();
    harness.queue().send(&envelopes).await.unwrap();
    let mut arrived = 0;
    while arrived < envelopes.len() {
        let deliveries = harness.receive(SOON).await;
        assert!(!deliveries.is_empty(), "{arrived} messages have come");
        for delivery in deliveries {
            let sent = envelopes.iter();
            let mut sent = sent.filter(|sent| sent.message == delivery.message);
            let sent = sent.next().unwrap();
            assert_eq!(delivery.priority.unwrap_or(sent.priority), sent.priority);
            harness.acknowledge(delivery).await;
            arrived += 1;
        }
    }
}

async fn a_delayed_message_is_not_early_and_does_come(harness: &mut dyn Harness) {
    let mut late = envelope(1, Priority::High);
    // Not whole: a queue that counts in seconds has to round up.
    late.delay = Duration::from_millis(1_200);
    let now = envelope(2, Priority::High);
    let sent_at = harness.time();
    let unsent = harness.queue().send(&[late.clone(), now.clone()]).await;
    assert_eq!(unsent.unwrap(), Vec::<usize>::new());
    let mut arrived = Vec::new();
    while !arrived.contains(&late.message) {
        let deliveries = harness.receive(SOON).await;
        assert!(!deliveries.is_empty(), "the delayed one is lost");
        for delivery in deliveries {
            arrived.push(delivery.message.clone());
            harness.acknowledge(delivery).await;
        }
    }
    assert!(harness.time() >= sent_at + late.delay, "it was early");
    assert_eq!(arrived, [now.message, late.message]);
}

async fn what_is_given_back_comes_again_and_what_is_acknowledged_does_not(
    harness: &mut dyn Harness,
) {
    let sent = envelopes(2);
    harness.queue().send(&sent).await.unwrap();
    let mut deliveries = Vec::new();
    while deliveries.len() < 2 {
        let more = harness.receive(SOON).await;
        assert!(!more.is_empty(), "{} messages have come", deliveries.len());
        deliveries.extend(more);
    }
    let (back, done) = (deliveries.remove(0), deliveries.remove(0));
    let expected = back.message.clone();
    harness.acknowledge(done).await;
    let comes_again = harness.give_back(back).await;
    let again = drain(harness, 2).await;
    if comes_again {
        assert_eq!(again, [expected]);
    } else {
        assert_eq!(again, []);
    }
}

/// Runs the suite on an implementation: `$open` opens a fresh one, or says `None` where it cannot
/// be had here.
macro_rules! conformance {
    ($implementation:ident, $open:path) => {
        mod $implementation {
            conformance!(@cases $open,
                every_message_of_a_batch_arrives,
                a_message_goes_to_the_queue_of_its_priority,
                a_delayed_message_is_not_early_and_does_come,
                what_is_given_back_comes_again_and_what_is_acknowledged_does_not,
            );
        }
    };
    (@cases $open:path, $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                if let Some(mut harness) = $open(stringify!($case)).await {
                    super::$case(&mut harness).await;
                }
            }
        )*
    };
}

conformance!(in_process, super::local_queue::open);
conformance!(on_sqs, super::sqs::open);
