//! What every blob store promises, as one suite that runs on each implementation. A new one needs a
//! way to open it and a line at the end of this file.

mod stores;

use jobs::ports::Blobs;

/// A key as results have it.
fn key(job: &str, fence: u64) -> String {
    format!("results/{job}/{fence}.json.deflate")
}

async fn put(blobs: &dyn Blobs, key: &str, body: &[u8]) {
    blobs.put(key, body.to_vec()).await.unwrap();
}

async fn get(blobs: &dyn Blobs, key: &str) -> Option<Vec<u8>> {
    blobs.get(key).await.unwrap()
}

async fn what_is_put_is_got_byte_by_byte(blobs: &dyn Blobs) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let bodies = [vec![], vec![0], every_byte.repeat(8_192)];
    for (fence, body) in (1..).zip(&bodies) {
        put(blobs, &key("job_1", fence), body).await;
    }
    for (fence, body) in (1..).zip(&bodies) {
        let got = get(blobs, &key("job_1", fence)).await;
        assert!(got.as_ref() == Some(body), "{} bytes", body.len());
    }
}

async fn a_second_put_replaces_the_first(blobs: &dyn Blobs) {
    put(blobs, &key("job_1", 1), b"a longer first").await;
    put(blobs, &key("job_1", 1), b"second").await;
    assert_eq!(get(blobs, &key("job_1", 1)).await.unwrap(), b"second");
}

async fn what_was_never_put_is_not_there_and_is_no_error(blobs: &dyn Blobs) {
    assert_eq!(get(blobs, &key("job_1", 1)).await, None);
    put(blobs, &key("job_1", 1), b"1").await;
    assert_eq!(get(blobs, &key("job_1", 2)).await, None);
    assert_eq!(get(blobs, "results/job_1").await, None);
}

async fn all_of_a_job_is_deleted_and_nothing_of_its_neighbours(blobs: &dyn Blobs) {
    for fence in 1..=12 {
        put(blobs, &key("job_1", fence), b"mine").await;
    }
    // Its name begins with the other's.
    put(blobs, &key("job_12", 1), b"theirs").await;
    blobs.delete_all("results/job_1/").await.unwrap();
    for fence in 1..=12 {
        assert_eq!(get(blobs, &key("job_1", fence)).await, None);
    }
    assert_eq!(get(blobs, &key("job_12", 1)).await.unwrap(), b"theirs");
    blobs.delete_all("results/job_1/").await.unwrap();
    blobs.delete_all("results/job_3/").await.unwrap();
    put(blobs, &key("job_1", 1), b"again").await;
    assert_eq!(get(blobs, &key("job_1", 1)).await.unwrap(), b"again");
}

/// Runs the suite on an implementation: `$open` opens a fresh one, or says `None` where it cannot
/// be had here.
macro_rules! conformance {
    ($implementation:ident, $open:path) => {
        mod $implementation {
            conformance!(@cases $open,
                what_is_put_is_got_byte_by_byte,
                a_second_put_replaces_the_first,
                what_was_never_put_is_not_there_and_is_no_error,
                all_of_a_job_is_deleted_and_nothing_of_its_neighbours,
            );
        }
    };
    (@cases $open:path, $($case:ident,)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                if let Some(opened) = $open(stringify!($case)).await {
                    super::$case(opened.blobs.as_ref()).await;
                }
            }
        )*
    };
}

conformance!(in_memory, super::stores::in_memory);
conformance!(in_folder, super::stores::in_folder);
conformance!(on_s3, super::stores::on_s3);
