//! Implementations of the blob store. The one on S3 speaks to what stands in for it at
//! `HARVESTMAN_TEST_SQS`, which serves both; where that is not set, one line says so.

use std::future::{Ready, ready};
use std::sync::Arc;

use aws::blobs::ObjectBlobs;
use aws::s3::S3Blobs;
use aws::settings::Settings;
use jobs::ports::Blobs;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support;

pub(super) struct Opened {
    pub(super) blobs: Box<dyn Blobs>,
    _folder: Option<TempDir>,
}

pub(super) fn in_memory(_: &str) -> Ready<Option<Opened>> {
    ready(Some(Opened {
        blobs: Box::new(ObjectBlobs::new(Arc::new(InMemory::new()))),
        _folder: None,
    }))
}

pub(super) fn in_folder(_: &str) -> Ready<Option<Opened>> {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    ready(Some(Opened {
        blobs: Box::new(ObjectBlobs::new(Arc::new(store))),
        _folder: Some(folder),
    }))
}

/// A bucket of its own for each test.
pub(super) async fn on_s3(test: &str) -> Option<Opened> {
    let endpoint = support::emulator_for("the blob store's suite on S3")?;
    // A bucket's name has at most 63 characters, and no underscores.
    let test: String = test.chars().take(40).collect();
    let bucket = format!("{}-{}", test.replace('_', "-"), std::process::id());
    create_bucket(&endpoint, &bucket).await;
    Some(Opened {
        blobs: Box::new(bucket_at(&endpoint, &bucket)),
        _folder: None,
    })
}

/// The adapter on a bucket at an endpoint.
pub(super) fn bucket_at(endpoint: &str, bucket: &str) -> S3Blobs {
    let settings = Settings::from(|name| match name {
        "HARVESTMAN_BUCKET" => Some(bucket.to_owned()),
        "AWS_ENDPOINT_URL_S3" => Some(endpoint.to_owned()),
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        "HARVESTMAN_SCHEDULE_GROUP" => Some(name.to_owned()),
        name if name.starts_with("HARVESTMAN_SCHEDULE_") => Some(format!("arn:{name}")),
        name if name.starts_with("HARVESTMAN_QUEUE_") => Some(endpoint.to_owned()),
        "HARVESTMAN_TABLE"
        | "HARVESTMAN_EVENT_BUS"
        | "AWS_ACCESS_KEY_ID"
        | "AWS_SECRET_ACCESS_KEY" => Some(name.to_owned()),
        _ => None,
    });
    S3Blobs::new(&settings.unwrap())
}

/// Our adapter makes no buckets, and an emulator wants no signature.
async fn create_bucket(endpoint: &str, bucket: &str) {
    let host = endpoint.strip_prefix("http://").unwrap();
    let host = host.trim_end_matches('/');
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "PUT /{bucket} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let created = answer
        .lines()
        .next()
        .is_some_and(|line| line.contains(" 200 "));
    assert!(created, "{answer}");
}
