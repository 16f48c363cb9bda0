//! Calls left to a customer: compare and set.

use jobs::ports::{RateBucket, Store, Swap};
use jobs::rate::{Bucket, Call};
use jobs::spec::CustomerId;

use super::rows::START;
use super::stores::{Fault, Opened};

fn bucket(millionths: u64) -> RateBucket {
    RateBucket {
        bucket: Bucket {
            millionths,
            at: START,
        },
        nonce: millionths + 1,
    }
}

pub(super) async fn a_bucket_is_replaced_by_the_last_who_has_read_it(store: Opened) {
    let (table, mine) = (&store.table, CustomerId::default());
    let swap = async |before, after| {
        let swap = table.replace_rate(Call::Read, &mine, before, after);
        swap.await.unwrap()
    };
    assert_eq!(table.rate(Call::Read, &mine).await.unwrap(), None);
    let [full, less, rival] = [9, 5, 7].map(bucket);
    assert_eq!(swap(Some(full), less).await, Swap::Lost(None));
    assert_eq!(swap(None, full).await, Swap::Written);
    assert_eq!(swap(None, rival).await, Swap::Lost(Some(full)));
    store.goes_wrong([Fault::LostAnswer]);
    assert_eq!(swap(Some(full), less).await, Swap::Written, "its own echo");
    assert_eq!(swap(Some(full), rival).await, Swap::Lost(Some(less)));
    assert_eq!(table.rate(Call::Read, &mine).await.unwrap(), Some(less));
    // Other calls and other customers have buckets of their own.
    assert_eq!(table.rate(Call::Create, &mine).await.unwrap(), None);
    let other = CustomerId::parse("other").unwrap();
    assert_eq!(table.rate(Call::Read, &other).await.unwrap(), None);
}
