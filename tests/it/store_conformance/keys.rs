//! The keys of callers: found by their secret, listed by their id, revoked for good.

use std::time::Duration;

use jobs::ports::Keys;
use jobs::spec::CustomerId;
use jobs::{ApiKey, Grants, KeyId, KeyRecord};

use super::rows::START;
use super::stores::{Fault, Opened};

fn key(number: u128) -> KeyRecord {
    let customer = CustomerId::parse("customer-123").unwrap();
    let admin = number.is_multiple_of(2);
    let created_at = START + Duration::from_secs(number as u64);
    KeyRecord {
        id: KeyId::new(created_at, number),
        hash: ApiKey::new([number, 7]).hash(),
        grants: if admin {
            Grants::Admin
        } else {
            Grants::Customer(customer)
        },
        label: (!admin).then(|| "nightly import \u{1f577}".to_owned()),
        created_at,
        revoked_at: None,
    }
}

async fn listed(store: &Opened) -> Vec<KeyRecord> {
    store.table.list_keys(None, 100).await.unwrap().keys
}

pub(super) async fn a_key_is_found_by_its_secret_and_listed_by_its_id(store: Opened) {
    let (admin, customer) = (key(2), key(3));
    for key in [&admin, &customer] {
        store.table.add_key(key).await.unwrap();
        let found = store.table.find_key(&key.hash).await.unwrap();
        assert_eq!(found.as_ref(), Some(key));
    }
    assert_eq!(listed(&store).await, [customer, admin]);
    let unknown = store.table.find_key(&key(4).hash).await.unwrap();
    assert_eq!(unknown, None);
}

pub(super) async fn a_revoked_key_stays_revoked_whatever_comes_late(store: Opened) {
    let key = key(1);
    store.table.add_key(&key).await.unwrap();
    let at = START + Duration::from_mins(1);
    let revoked = KeyRecord {
        revoked_at: Some(at),
        ..key.clone()
    };
    for later in [Duration::ZERO, Duration::from_secs(9)] {
        let told = store.table.revoke_key(&key.id, at + later).await.unwrap();
        assert_eq!(told.as_ref(), Some(&revoked), "the first time counts");
    }
    // The create once more, as a client that had no answer sends it.
    store.table.add_key(&key).await.unwrap();
    let found = store.table.find_key(&key.hash).await.unwrap();
    assert_eq!(found.as_ref(), Some(&revoked));
    assert_eq!(listed(&store).await, [revoked]);
    let nobody = KeyId::new(START, 9);
    assert_eq!(store.table.revoke_key(&nobody, at).await.unwrap(), None);
}

pub(super) async fn pages_of_keys_hold_every_key_once_newest_first(store: Opened) {
    let mut keys: Vec<_> = (0..14).map(key).collect();
    for key in &keys {
        store.table.add_key(key).await.unwrap();
    }
    keys.reverse();
    for limit in [1, 7, 10, 100] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = store.table.list_keys(before.as_ref(), limit).await.unwrap();
            assert!(page.keys.len() == limit || page.next.is_none());
            found.extend(page.keys);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, keys, "by {limit}");
    }
}

pub(super) async fn a_lost_answer_makes_no_second_key_and_no_second_revocation(store: Opened) {
    let key = key(1);
    store.goes_wrong([Fault::LostAnswer, Fault::Conflict]);
    store.table.add_key(&key).await.unwrap();
    assert_eq!(listed(&store).await, std::slice::from_ref(&key));
    store.goes_wrong([Fault::Conflict, Fault::LostAnswer]);
    let revoked = store.table.revoke_key(&key.id, START).await.unwrap();
    assert_eq!(revoked.unwrap().revoked_at, Some(START));
    assert_eq!(listed(&store).await.len(), 1);
}
