//! Posting to receivers: what they are sent, and what becomes of those that do not behave.

use std::future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jobs::ports::{Courier, Post, Posted};
use jobs::{Failure, FailureCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

use super::site::{
    LOOPBACK, STAND_IN, Script, Site, answer, drip, guarded, open, read_head, redirect, serve,
    twins,
};
use crate::door::{Door, LAST_WORDS, Message};
use crate::{Targets, WebScraper};

const TIMEOUT: Duration = Duration::from_secs(20);

async fn post(door: &Door, url: &Url) -> Result<Posted, Failure> {
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", "evt_1"),
        ("webhook-signature", "v1,abc"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let message = Message {
        url,
        headers: &headers,
        body: r#"{"type":"job.completed"}"#,
        timeout: TIMEOUT,
    };
    door.post(&message).await
}

async fn answered(status: &str, headers: &[&str], body: &str) -> Posted {
    let bytes = answer(status, headers, body.as_bytes());
    let site = Site::start(move |_| bytes.clone()).await;
    post(&open(), &site.url("/hook")).await.unwrap()
}

#[tokio::test]
async fn a_receiver_is_sent_body_and_headers_as_they_are() {
    let seen = Arc::new(Mutex::new(String::new()));
    let record = Arc::clone(&seen);
    let site = serve(move |mut stream| {
        let record = Arc::clone(&record);
        async move {
            let head = read_head(&mut stream).await;
            let mut body = vec![0; 24];
            stream.read_exact(&mut body).await.unwrap();
            *record.lock().unwrap() = head + std::str::from_utf8(&body).unwrap();
            let _ = stream.write_all(&answer("204 No Content", &[], b"")).await;
        }
    })
    .await;
    let posted = post(&open(), &site.url("/hook?a=b")).await.unwrap();
    assert_eq!((posted.status, posted.excerpt.as_str()), (204, ""));
    let seen = seen.lock().unwrap().clone();
    for part in [
        "POST /hook?a=b HTTP/1.1\r\n",
        "content-type: application/json\r\n",
        "webhook-id: evt_1\r\n",
        "webhook-signature: v1,abc\r\n",
        "user-agent: Harvestman/",
        "accept: */*\r\n",
        "content-length: 24\r\n",
    ] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
    assert!(seen.ends_with(r#"{"type":"job.completed"}"#), "{seen}");
}

#[tokio::test]
async fn any_status_is_an_answer_with_its_wait_and_its_first_words() {
    for status in ["200 OK", "400 Bad Request", "410 Gone", "503 Unavailable"] {
        let posted = answered(status, &["Retry-After: 120"], " try\u{7} later\nplease ").await;
        assert_eq!(status[..3], posted.status.to_string());
        assert_eq!(posted.retry_after, Some(Duration::from_mins(2)));
        assert_eq!(posted.excerpt, "try  later\nplease");
    }
    let day = answered("429 Slow Down", &["Retry-After: 999999"], "").await;
    assert_eq!(day.retry_after, Some(Duration::from_hours(24)));
    assert_eq!(
        answered("500 Oops", &["Retry-After: soon"], "")
            .await
            .retry_after,
        None
    );
    let long = answered("500 Oops", &[], &"ü".repeat(2_000)).await;
    assert_eq!(long.excerpt.chars().count(), 500);
    let packed = answered("500 Oops", &["Content-Encoding: gzip"], "not packed").await;
    assert_eq!(packed.status, 500, "what does not unpack changes no status");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let canary = Site::canary().await;
        let target = canary.url("/").to_string();
        let site = Site::start(move |_| redirect(status, &target)).await;
        let posted = post(&open(), &site.url("/")).await.unwrap();
        assert_eq!(posted.status, status);
        assert_eq!(canary.connections(), 0);
    }
}

#[tokio::test]
async fn a_receiver_at_a_private_address_is_never_connected_to() {
    let canary = Site::canary().await;
    let port = canary.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "10.0.0.1",
        "metadata.internal",
    ] {
        let door = guarded(&[&canary], Script::new(&[&[LOOPBACK]]));
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        let failure = post(&door, &url).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::AddressRefused, "{host}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_name_that_turns_private_after_it_was_judged_is_refused() {
    let (site, canary) = twins(|_| answer("200 OK", &[], b"")).await;
    let door = guarded(&[&site], Script::new(&[&[STAND_IN], &[LOOPBACK]]));
    let url = Url::parse(&format!("http://hook.example:{}/", site.port())).unwrap();
    assert_eq!(post(&door, &url).await.unwrap().status, 200);
    let failure = post(&door, &url).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::AddressRefused);
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn an_endless_answer_is_an_answer() {
    let site = serve(|stream| {
        let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        drip(stream, head, vec![b'a'; 64 * 1_024], Duration::ZERO)
    })
    .await;
    let posted = post(&open(), &site.url("/")).await.unwrap();
    assert_eq!((posted.status, posted.excerpt.len()), (200, 500));
}

/// What a courier of the real web makes of a receiver, within a timeout of half a second.
async fn carried(url: Url) -> Result<Posted, Failure> {
    let courier = WebScraper::new(Targets::AnyAddress).unwrap();
    let post = Post {
        url,
        headers: Vec::new(),
        body: "{}".to_owned(),
        timeout: Duration::from_millis(500),
    };
    courier.post(&post).await
}

#[tokio::test]
async fn a_receiver_that_hangs_is_left_after_the_timeout() {
    for head in ["", "HTTP/1.1 200 OK\r\nContent-"] {
        let site = serve(move |mut stream| async move {
            read_head(&mut stream).await;
            let _ = stream.write_all(head.as_bytes()).await;
            future::pending::<()>().await;
        })
        .await;
        let failure = carried(site.url("/")).await.unwrap_err();
        let expected = "There was no answer within 500 ms";
        assert_eq!(failure, Failure::new(FailureCode::Timeout, expected));
    }
}

#[tokio::test]
async fn a_receiver_that_never_finishes_its_words_has_answered_all_the_same() {
    assert!(LAST_WORDS < Duration::from_secs(5));
    let site = serve(|mut stream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 500 Oops\r\n\r\nwell, ").await;
        future::pending::<()>().await;
    })
    .await;
    let posted = carried(site.url("/")).await.unwrap();
    assert_eq!((posted.status, posted.excerpt.as_str()), (500, "well,"));
}

#[tokio::test]
async fn a_flood_of_interim_answers_ends_with_the_timeout() {
    let site = serve(|stream| {
        let part = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000);
        drip(stream, Vec::new(), part, Duration::ZERO)
    })
    .await;
    let failure = carried(site.url("/")).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Timeout);
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_a_failure() {
    let gone = Site::start(|_| Vec::new()).await;
    let url = gone.url("/");
    let failure = carried(url).await.unwrap_err();
    assert_eq!(
        failure.code,
        FailureCode::Connect,
        "it hung up without a word"
    );
}
