//! Servers that take their time: each of the three clocks ends what it is there to end.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{future, io};

use async_trait::async_trait;
use jobs::{Failure, FailureCode};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use url::Url;

use super::site::{LOOPBACK, Script, drip, fetch, open, page, path, read_head, redirect, serve};
use crate::door::client::{Clocks, mozilla_roots};
use crate::door::guard::Guard;
use crate::door::{Door, Fetch, Lookup, Targets};

/// A door with its own clocks; the others are long, so that it is clear which one ran out.
fn door(clocks: Clocks, lookup: Arc<dyn Lookup>) -> Door {
    Door::assemble(
        Guard::new(Targets::AnyAddress),
        lookup,
        clocks,
        mozilla_roots(),
    )
    .unwrap()
}

#[tokio::test]
async fn a_name_server_that_falls_silent_is_left_after_the_connection_clock() {
    struct Silent;

    #[async_trait]
    impl Lookup for Silent {
        async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            future::pending().await
        }
    }

    let clocks = Clocks {
        connect: Duration::from_millis(300),
        ..Clocks::default()
    };
    let url = Url::parse("http://slow.example/").unwrap();
    let failure = fetch(&door(clocks, Arc::new(Silent)), &url)
        .await
        .unwrap_err();
    let expected = "No connection to slow.example within 300ms";
    assert_eq!(failure, Failure::new(FailureCode::Timeout, expected));
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_after_the_read_clock() {
    let clocks = Clocks {
        read: Duration::from_millis(400),
        ..Clocks::default()
    };
    let mut cases = JoinSet::new();
    let (nothing, silence) = ("gave no answer within 400ms", "fell silent for 400ms");
    for (head, expected) in [
        ("", nothing),
        ("HTTP/1.1 200 OK\r\nConten", nothing),
        ("HTTP/1.1 200 OK\r\n\r\n<p>", silence),
    ] {
        cases.spawn(async move {
            let site = serve(move |mut stream| async move {
                read_head(&mut stream).await;
                let _ = stream.write_all(head.as_bytes()).await;
                future::pending::<()>().await;
            })
            .await;
            let door = door(clocks, Script::new(&[&[LOOPBACK]]));
            let failure = fetch(&door, &site.url("/")).await.unwrap_err();
            let expected = format!("127.0.0.1 {expected}");
            assert_eq!(
                failure,
                Failure::new(FailureCode::Timeout, expected),
                "{head:?}"
            );
        });
    }
    cases.join_all().await;
}

/// What comes of a fetch that has 700 ms for everything.
async fn in_a_hurry(url: &Url) -> Result<(), Failure> {
    let timeout = Duration::from_millis(700);
    let fetch = Fetch {
        url,
        headers: &[],
        user_agent: None,
        timeout,
    };
    open().fetch(&fetch).await.map(drop)
}

fn out_of_time() -> Result<(), Failure> {
    Err(Failure::new(
        FailureCode::Timeout,
        "The page took longer than 700ms",
    ))
}

#[tokio::test]
async fn a_server_that_dribbles_is_left_when_the_time_is_up() {
    let pause = Duration::from_millis(50);
    let mut cases = JoinSet::new();
    for (name, head, part) in [
        ("headers", "HTTP/1.1 200 OK\r\nX: ", "a"),
        ("hints", "", "HTTP/1.1 103 X\r\n\r\n"),
        ("body", "HTTP/1.1 200 OK\r\n\r\n", "a"),
        (
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "1\r\na\r\n",
        ),
    ] {
        cases.spawn(async move {
            let site = serve(move |stream| drip(stream, head.into(), part.into(), pause)).await;
            assert_eq!(in_a_hurry(&site.url("/")).await, out_of_time(), "{name}");
        });
    }
    cases.join_all().await;
}

#[tokio::test]
async fn one_clock_covers_every_hop() {
    let site = serve(|mut stream| async move {
        let head = read_head(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let answer = match path(&head) {
            "/a" => redirect(302, "/b"),
            "/b" => redirect(302, "/c"),
            _ => page("in time, each of them"),
        };
        let _ = stream.write_all(&answer).await;
    })
    .await;
    assert_eq!(in_a_hurry(&site.url("/a")).await, out_of_time());
}
