//! Budgets of hosts: compare and set.

use std::time::Duration;

use jobs::crawl::host::{Host, Taker};
use jobs::ports::{HostSwap, Hosts};

use super::rows::START;
use super::stores::{Fault, Opened};

const HOST: &str = "example.com:8080";

/// A row with something in every field.
fn full(nonce: u64) -> Host {
    let taker = |who, places| Taker {
        who,
        places,
        wanted: 9,
        most: 64,
        until: START + Duration::from_secs(10),
    };
    Host {
        nonce,
        delay: Duration::from_millis(1_500),
        delay_until: START + Duration::from_mins(1),
        last_at: START + Duration::from_secs(5),
        held_until: START + Duration::from_secs(7),
        failures: 3,
        limit: Some(4),
        limit_at: START,
        takers: vec![taker(u64::MAX, 4), taker(1, 0)],
    }
}

pub(super) async fn a_budget_is_replaced_by_the_last_who_has_read_it(store: Opened) {
    let table = &store.table;
    let swap = async |before: Option<&Host>, after: &Host| {
        table.replace_host(HOST, before, after).await.unwrap()
    };
    let lost = |found: &Host| HostSwap::Lost(Some(Box::new(found.clone())));
    assert_eq!(table.host(HOST).await.unwrap(), None);
    let [first, rival] = [9, 7].map(full);
    let empty = Host {
        nonce: 5,
        ..Host::default()
    };
    assert_eq!(swap(Some(&first), &empty).await, HostSwap::Lost(None));
    assert_eq!(swap(None, &first).await, HostSwap::Written);
    assert_eq!(swap(None, &rival).await, lost(&first));
    assert_eq!(table.host(HOST).await.unwrap(), Some(first.clone()));
    store.goes_wrong([Fault::LostAnswer]);
    let written = swap(Some(&first), &empty).await;
    assert_eq!(written, HostSwap::Written, "its own echo");
    assert_eq!(swap(Some(&first), &rival).await, lost(&empty));
    assert_eq!(table.host(HOST).await.unwrap(), Some(empty));
    // Other ports of the same name are other hosts.
    assert_eq!(table.host("example.com").await.unwrap(), None);
}

pub(super) async fn a_budget_expires_an_hour_after_it_says_nothing_any_more(store: Opened) {
    let host = full(1);
    store.table.replace_host(HOST, None, &host).await.unwrap();
    let quiet = START + Duration::from_mins(1) + Duration::from_hours(1);
    let expires = store.number(&format!("host#{HOST}"), "ttl");
    assert_eq!(expires, quiet.as_millis() / 1_000 + 1);
}
