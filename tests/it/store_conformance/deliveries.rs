//! Deliveries: one for each event and receiver, replaced by those who have read it, found when they
//! are due, listed newest first, and expiring by themselves.

use std::time::Duration;

use jobs::event::{Event, EventType};
use jobs::ports::{DELIVERY_SHARDS, Deliveries, DeliverySwap, Store};
use jobs::spec::CustomerId;
use jobs::transition::Stamp;
use jobs::webhook::{Attempt, DeliveryClaim, Ending, Outcome};
use jobs::{Delivery, DeliveryKey, DeliveryOwner, JobId, Timestamp, WebhookId};

use super::rows::START;
use super::stores::{Fault, Opened};

fn event(number: u64) -> Event {
    Event {
        id: format!("evt_{number}"),
        kind: EventType::JobCompleted,
        at: START + Duration::from_secs(number),
        customer: CustomerId::default(),
        job: JobId::new(START, u128::from(number)),
        body: r#"{"data":"\u00fc"}"#.to_owned(),
    }
}

fn stamp(now: Timestamp, nonce: u64) -> Stamp {
    Stamp { now, nonce }
}

fn owner(number: u128) -> DeliveryOwner {
    DeliveryOwner::Webhook(WebhookId::new(START, number))
}

fn delivery(number: u64) -> Delivery {
    Delivery::new(&event(number), owner(1), None, stamp(START, number))
}

fn claimed(delivery: &Delivery, nonce: u64) -> Delivery {
    let now = delivery.next_at;
    match delivery.claim(stamp(now, nonce), now + Duration::from_mins(1)) {
        DeliveryClaim::Won(next) => *next,
        other => panic!("{other:?}"),
    }
}

fn failed(delivery: &Delivery, ending: Ending) -> Delivery {
    let outcome = Outcome {
        attempt: Attempt {
            at: delivery.next_at,
            duration_ms: 7,
            status: Some(503),
            error: Some("http_503: no \u{1f577}".to_owned()),
            answer: Some("later\nplease".to_owned()),
        },
        ending,
    };
    let (row, stamp) = (claimed(delivery, 70), stamp(delivery.next_at, 71));
    row.settled(stamp, row.fence, &outcome, 0).unwrap()
}

pub(super) async fn an_event_is_delivered_once_to_each_receiver(store: Opened) {
    let delivery = delivery(1);
    assert!(store.table.begin_delivery(&delivery).await.unwrap());
    assert!(
        store.table.begin_delivery(&delivery).await.unwrap(),
        "its echo"
    );
    let again = Delivery::new(&event(1), owner(1), None, stamp(START, 99));
    assert_eq!(again.key(), delivery.key());
    assert!(!store.table.begin_delivery(&again).await.unwrap());
    let job = DeliveryOwner::Job(JobId::new(START, 1));
    let url = Some("https://example.com/hook".to_owned());
    let other = Delivery::new(&event(1), job, url, stamp(START, 2));
    assert!(store.table.begin_delivery(&other).await.unwrap());
    for expected in [&delivery, &other] {
        let found = store.table.delivery(&expected.key()).await.unwrap();
        assert_eq!(found.as_ref(), Some(expected));
    }
}

pub(super) async fn a_delivery_is_replaced_once_by_those_who_have_read_it(store: Opened) {
    let before = delivery(1);
    store.table.begin_delivery(&before).await.unwrap();
    let (mine, theirs) = (claimed(&before, 5), claimed(&before, 6));
    store.goes_wrong([Fault::LostAnswer]);
    let written = store.table.replace_delivery(&before, &mine).await.unwrap();
    assert_eq!(written, DeliverySwap::Written);
    let lost = store
        .table
        .replace_delivery(&before, &theirs)
        .await
        .unwrap();
    assert_eq!(lost, DeliverySwap::Lost(Some(Box::new(mine.clone()))));
    let tried = failed(&before, Ending::Final);
    let tried = Delivery {
        revision: mine.revision + 1,
        ..tried
    };
    let written = store.table.replace_delivery(&mine, &tried).await.unwrap();
    assert_eq!(written, DeliverySwap::Written);
    let found = store.table.delivery(&before.key()).await.unwrap();
    assert_eq!(found, Some(tried));
    let key = DeliveryKey {
        owner: owner(2),
        id: before.id.clone(),
    };
    assert_eq!(store.table.delivery(&key).await.unwrap(), None);
}

async fn due(store: &Opened, until: Timestamp) -> Vec<DeliveryKey> {
    let mut due = Vec::new();
    for shard in 0..DELIVERY_SHARDS {
        let found = store.table.due_deliveries(shard, until, 100).await.unwrap();
        due.extend(found);
    }
    due.sort_unstable();
    due
}

pub(super) async fn a_delivery_is_due_until_it_has_ended_and_is_no_work_of_jobs(store: Opened) {
    let rows: Vec<_> = (0..20).map(delivery).collect();
    for row in &rows {
        store.table.begin_delivery(row).await.unwrap();
    }
    let at = rows[0].due_at.unwrap();
    assert_eq!(due(&store, at - Duration::from_millis(1)).await, []);
    let mut keys: Vec<_> = rows.iter().map(Delivery::key).collect();
    keys.sort_unstable();
    assert_eq!(due(&store, at).await, keys);
    assert_eq!(store.table.unfinished().await.unwrap(), []);
    let ended = Delivery {
        revision: 2,
        ..failed(&rows[0], Ending::Delivered)
    };
    store
        .table
        .replace_delivery(&rows[0], &ended)
        .await
        .unwrap();
    let far = START + Duration::from_hours(1_000);
    assert_eq!(due(&store, far).await.len(), 19);
}

pub(super) async fn pages_of_deliveries_hold_every_one_once_newest_first(store: Opened) {
    let mut rows: Vec<_> = (0..15).map(delivery).collect();
    // So large that a page of the table does not hold them all.
    for row in &mut rows {
        row.body = "x".repeat(100_000);
        store.table.begin_delivery(row).await.unwrap();
    }
    let stranger = Delivery::new(&event(3), owner(2), None, stamp(START, 1));
    store.table.begin_delivery(&stranger).await.unwrap();
    rows.reverse();
    let owner = owner(1);
    for limit in [1, 7, 15, 100] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = store.table.list_deliveries(&owner, before.as_ref(), limit);
            let page = page.await.unwrap();
            assert!(page.deliveries.len() == limit || page.next.is_none());
            found.extend(page.deliveries);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert!(found == rows, "by {limit}");
    }
}

pub(super) async fn a_delivery_expires_by_the_rule_of_the_table(store: Opened) {
    let row = failed(&delivery(1), Ending::Delivered);
    store.table.begin_delivery(&row).await.unwrap();
    let partition = format!("deliveries#{}", owner(1));
    let seconds = store.number(&partition, "ttl");
    assert_eq!(
        seconds,
        row.expires_at.as_millis() / 1_000 + 1,
        "never early"
    );
}
