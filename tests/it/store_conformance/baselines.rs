//! What refreshes compare with: by customer and address, and gone when its time is over.

use std::time::Duration;

use jobs::JobId;
use jobs::crawl::{PackName, Part};
use jobs::ports::{Baseline, Baselines};
use jobs::spec::CustomerId;

use super::rows::START;
use super::stores::Opened;

const SITE: &str = "http://a.example/";

fn baseline(number: u32, expires_in: Duration) -> Baseline {
    Baseline {
        job: JobId::new(START, u128::from(number)),
        manifest: Part {
            pack: PackName(3, number),
            offset: 1,
            length: 2,
        },
        refreshed: number > 1,
        at: START,
        expires_at: START + expires_in,
    }
}

pub(super) async fn a_baseline_is_that_of_its_customer_and_address(store: Opened) {
    let table = &store.table;
    let (one, other) = (CustomerId::default(), CustomerId::parse("other").unwrap());
    let hour = Duration::from_hours(1);
    for (customer, url, number) in [
        (&one, SITE, 1),
        (&one, "http://a.example/x", 2),
        (&other, SITE, 3),
    ] {
        assert_eq!(table.baseline(customer, url).await.unwrap(), None);
        let written = baseline(number, hour);
        table.put_baseline(customer, url, &written).await.unwrap();
        let read = table.baseline(customer, url).await.unwrap();
        assert_eq!(read, Some(written));
    }
    let newer = baseline(4, hour);
    table.put_baseline(&one, SITE, &newer).await.unwrap();
    assert_eq!(table.baseline(&one, SITE).await.unwrap(), Some(newer));
}

pub(super) async fn an_expired_baseline_is_forgotten_unless_another_has_taken_its_place(
    store: Opened,
) {
    let table = &store.table;
    let customer = CustomerId::default();
    let hours = |hours| Duration::from_hours(hours);
    let pages = [
        "http://a.example/3",
        "http://a.example/1",
        "http://a.example/2",
    ];
    for (url, number) in pages.iter().zip([3, 1, 2]) {
        let written = baseline(number, hours(u64::from(number)));
        table.put_baseline(&customer, url, &written).await.unwrap();
    }
    let expired = async |until, limit| {
        let expired = table.expired(START + hours(until), limit).await.unwrap();
        let ids = expired.iter().map(|it| it.baseline.clone());
        (ids.collect::<Vec<_>>(), expired)
    };
    assert_eq!(expired(0, 10).await.0, []);
    let (first, second) = (baseline(1, hours(1)), baseline(2, hours(2)));
    assert_eq!(expired(3, 1).await.0, std::slice::from_ref(&first));
    let (found, both) = expired(2, 10).await;
    assert_eq!(found, [first, second]);
    // Somebody has refreshed the second one meanwhile.
    let newer = baseline(4, hours(9));
    table
        .put_baseline(&customer, pages[2], &newer)
        .await
        .unwrap();
    for _ in 0..2 {
        for it in &both {
            table.forget(it).await.unwrap();
        }
    }
    let read = async |page| table.baseline(&customer, page).await.unwrap();
    assert_eq!(read(pages[1]).await, None);
    assert_eq!(read(pages[2]).await, Some(newer));
    assert_eq!(expired(2, 10).await.0, []);
}
