//! A store that knows nothing of what it is asked for, as S3 says it: that is no failure.

use axum::http::{StatusCode, header};
use axum::{Router, response::IntoResponse};
use jobs::ports::Blobs;
use tokio::net::TcpListener;

use super::stores::bucket_at;

/// The answer of S3 (API reference, "Error responses").
const NO_SUCH_UPLOAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <Error><Code>NoSuchUpload</Code><Message>The specified upload does not exist.</Message></Error>";

#[tokio::test]
async fn an_upload_that_s3_has_forgotten_is_not_there_and_is_no_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = || async {
        let kind = [(header::CONTENT_TYPE, "application/xml")];
        (StatusCode::NOT_FOUND, kind, NO_SUCH_UPLOAD).into_response()
    };
    let server = tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    let blobs = bucket_at(&endpoint, "bucket");
    let (files, name) = (blobs.files().unwrap(), "exports/job_1/0.ndjson");
    assert!(!files.is_there(name).await.unwrap());
    let put = files.put_part(name, "upload", 0, vec![b'a']).await;
    assert_eq!(put.unwrap(), None);
    let tags = ["\"0cc175b9c0f1b6a831c399e269772661\"".to_owned()];
    assert!(!files.finish(name, "upload", &tags).await.unwrap());
    files.abort(name, "upload").await.unwrap();
    server.abort();
}
