//! Endpoints of webhooks: replaced by those who have read them, listed by customer and by time, and
//! never among jobs.

use std::time::Duration;

use jobs::event::EventType;
use jobs::ports::{Scope, Store, WebhookSwap, Webhooks};
use jobs::spec::CustomerId;
use jobs::transition::Stamp;
use jobs::webhook::Disabled;
use jobs::{Webhook, WebhookId};

use super::rows::START;
use super::stores::{Fault, Opened};

fn customer(name: &str) -> CustomerId {
    CustomerId::parse(name).unwrap()
}

fn stamp(number: u64) -> Stamp {
    let now = START + Duration::from_secs(number);
    Stamp { now, nonce: number }
}

fn webhook(number: u64, owner: &str) -> Webhook {
    let stamp = stamp(number);
    let id = WebhookId::new(stamp.now, u128::from(number));
    let url = format!("https://example.com/hooks/{number}");
    Webhook::new(id, stamp, customer(owner), url, Vec::new())
}

pub(super) async fn an_endpoint_reads_back_and_is_replaced_once_by_those_who_have_read_it(
    store: Opened,
) {
    let mut before = webhook(1, "ann");
    before.events = vec![EventType::JobFailed, EventType::CrawlPage];
    for _ in 0..2 {
        assert!(store.table.add_webhook(&before, 20).await.unwrap());
    }
    let found = store.table.webhook(&before.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&before));
    let mut after = before.rotated(stamp(7));
    after.disabled = Some(Disabled::Gone);
    let other = before.rotated(stamp(8));
    for _ in 0..2 {
        let written = store.table.replace_webhook(&before, &after).await.unwrap();
        assert_eq!(written, WebhookSwap::Written, "the second is its echo");
    }
    let lost = store.table.replace_webhook(&before, &other).await.unwrap();
    assert_eq!(lost, WebhookSwap::Lost(Some(Box::new(after.clone()))));
    store.table.remove_webhook(&before).await.unwrap();
    store.table.remove_webhook(&before).await.unwrap();
    assert_eq!(store.table.webhook(&before.id).await.unwrap(), None);
    let lost = store.table.replace_webhook(&after, &other).await.unwrap();
    assert_eq!(lost, WebhookSwap::Lost(None));
}

pub(super) async fn endpoints_are_listed_by_customer_and_never_among_jobs(store: Opened) {
    let mut own: Vec<_> = (0..7).map(|number| webhook(number, "ann")).collect();
    let other = webhook(9, "bob");
    for webhook in own.iter().chain([&other]) {
        assert!(store.table.add_webhook(webhook, 20).await.unwrap());
    }
    own.reverse();
    let everyone: Vec<_> = [other].into_iter().chain(own.clone()).collect();
    let ann = customer("ann");
    for (scope, expected) in [(Scope::Customer(&ann), &own), (Scope::Everyone, &everyone)] {
        for limit in [1, 3, 7, 100] {
            let (mut found, mut before) = (Vec::new(), None);
            loop {
                let page = store.table.list_webhooks(scope, before.as_ref(), limit);
                let page = page.await.unwrap();
                assert!(page.webhooks.len() == limit || page.next.is_none());
                found.extend(page.webhooks);
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(&found, expected, "by {limit}");
        }
        let jobs = store.table.list(scope, None, 100).await.unwrap();
        assert_eq!(jobs.jobs, []);
    }
    let nobody = customer("nobody");
    let none = store.table.list_webhooks(Scope::Customer(&nobody), None, 5);
    assert_eq!(none.await.unwrap().webhooks, []);
}

pub(super) async fn a_lost_answer_makes_no_second_endpoint(store: Opened) {
    let before = webhook(1, "ann");
    store.goes_wrong([Fault::LostAnswer]);
    assert!(store.table.add_webhook(&before, 20).await.unwrap());
    let after = before.rotated(stamp(7));
    store.goes_wrong([Fault::LostAnswer]);
    let written = store.table.replace_webhook(&before, &after).await.unwrap();
    assert_eq!(written, WebhookSwap::Written);
    assert!(store.all_went_wrong());
    assert_eq!(store.table.webhook(&before.id).await.unwrap(), Some(after));
}

pub(super) async fn a_customer_has_no_more_endpoints_than_allowed(store: Opened) {
    let all: Vec<_> = (0..6).map(|number| webhook(number, "ann")).collect();
    let asked = all
        .iter()
        .map(|webhook| store.table.add_webhook(webhook, 3));
    let added = futures::future::join_all(asked).await;
    let added: Vec<_> = added.into_iter().map(Result::unwrap).collect();
    assert_eq!(added.iter().filter(|it| **it).count(), 3);
    let there = all.iter().zip(added).find(|(_, added)| *added).unwrap().0;
    // Twice is once: one place is free.
    for _ in 0..2 {
        store.table.remove_webhook(there).await.unwrap();
    }
    assert!(
        store
            .table
            .add_webhook(&webhook(7, "ann"), 3)
            .await
            .unwrap()
    );
    assert!(
        !store
            .table
            .add_webhook(&webhook(8, "ann"), 3)
            .await
            .unwrap()
    );
    assert!(
        store
            .table
            .add_webhook(&webhook(9, "bob"), 3)
            .await
            .unwrap()
    );
}
