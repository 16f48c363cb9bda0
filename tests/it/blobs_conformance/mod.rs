//! What every blob store promises, as one suite that runs on each implementation. A new one needs a
//! way to open it and a line at the end of this file.

mod forgotten;
mod stores;

use std::time::Duration;

use jobs::ports::{Blobs, FileName, LEAST_PART};

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

async fn a_part_is_read_where_it_lies_and_nothing_beyond_the_end(blobs: &dyn Blobs) {
    put(blobs, &key("job_1", 1), b"0123456789").await;
    let part = async |offset, length| {
        let part = blobs.get_part(&key("job_1", 1), offset, length).await;
        part.unwrap()
    };
    assert_eq!(part(3, 4).await.unwrap(), b"3456");
    assert_eq!(part(0, 10).await.unwrap(), b"0123456789");
    assert_eq!(part(8, 4).await, None);
    let missing = blobs.get_part(&key("job_1", 2), 0, 1).await;
    assert_eq!(missing.unwrap(), None);
}

/// Where a store gives no links, it is asked for nothing that goes with them.
async fn a_file_is_what_its_parts_are_in_their_order(blobs: &dyn Blobs) {
    let Some(files) = blobs.files() else { return };
    let name = "exports/job_1/1-0-7.csv";
    let upload = files.begin(name).await.unwrap();
    assert!(!files.is_there(name).await.unwrap());
    let parts = [
        vec![b'a'; LEAST_PART],
        vec![b'b'; LEAST_PART + 1],
        vec![b'c'],
    ];
    let mut tags = Vec::new();
    for (number, body) in (0..).zip(&parts) {
        // A part that is put again is the same part.
        for _ in 0..2 {
            let tag = files.put_part(name, &upload, number, body.clone()).await;
            let tag = tag.unwrap().unwrap();
            if tags.len() > number as usize {
                assert_eq!(tags[number as usize], tag);
            } else {
                tags.push(tag);
            }
        }
    }
    assert!(files.finish(name, &upload, &tags).await.unwrap());
    assert!(files.is_there(name).await.unwrap());
    assert!(get(blobs, name).await.unwrap() == parts.concat());
    blobs.delete_all("exports/job_1/").await.unwrap();
    assert!(!files.is_there(name).await.unwrap());
}

/// What a call to it answers is asked where a store can be made to say it: what stands in for S3
/// breaks at that.
async fn an_upload_that_is_given_up_leaves_nothing(blobs: &dyn Blobs) {
    let Some(files) = blobs.files() else { return };
    let name = "exports/job_1/0.ndjson";
    let upload = files.begin(name).await.unwrap();
    let put = files.put_part(name, &upload, 0, vec![b'a']).await;
    put.unwrap().unwrap();
    for _ in 0..2 {
        files.abort(name, &upload).await.unwrap();
        assert!(!files.is_there(name).await.unwrap());
    }
}

async fn a_link_names_its_file_and_carries_no_secret_key(blobs: &dyn Blobs) {
    let Some(files) = blobs.files() else { return };
    let file = FileName {
        name: "job_1.csv".to_owned(),
        media_type: "text/csv; charset=utf-8",
    };
    let link = files.link("exports/job_1/0.csv", &file, Duration::from_mins(15));
    let link = link.await.unwrap();
    for part in [
        "/exports/job_1/0.csv?",
        "X-Amz-Expires=900",
        "response-content-disposition=attachment%3B%20filename%3D%22job_1.csv%22",
        "response-content-type=text%2Fcsv%3B%20charset%3Dutf-8",
    ] {
        assert!(link.contains(part), "{part} is not in {link}");
    }
    assert!(!link.contains("AWS_SECRET_ACCESS_KEY"), "{link}");
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
                a_part_is_read_where_it_lies_and_nothing_beyond_the_end,
                a_file_is_what_its_parts_are_in_their_order,
                an_upload_that_is_given_up_leaves_nothing,
                a_link_names_its_file_and_carries_no_secret_key,
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
