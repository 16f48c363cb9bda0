//! Asking for `robots.txt`: which answers are a file, which mean that there is none, and which that
//! nothing may be fetched.

use std::time::Duration;

use jobs::crawl::Robots;
use jobs::crawl::visit::RobotsFile;
use jobs::{Failure, FailureCode};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::site::{
    LOOPBACK, STAND_IN, Script, Site, answer, drip, guarded, open, path, read_head, redirect, serve,
};
use crate::door::Door;
use crate::robots::{MAX_ROBOTS, fetch};
use crate::web::Web;

const RULES: &[u8] = b"User-agent: *\nDisallow: /x\n";

async fn ask_within(door: &Door, origin: &Url, timeout: Duration) -> RobotsFile {
    fetch(&Web::start().unwrap(), door, origin, None, timeout).await
}

async fn ask(door: &Door, origin: &Url) -> RobotsFile {
    ask_within(door, origin, Duration::from_secs(20)).await
}

/// The code with which a file cannot be had.
async fn unreachable(door: &Door, origin: &Url) -> FailureCode {
    match ask(door, origin).await {
        RobotsFile::Unreachable(failure) => failure.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_file_is_asked_for_at_the_root_of_the_origin_under_our_name() {
    let site = Site::start(|_| answer("200 OK", &["Content-Type: text/plain"], RULES)).await;
    let mut page = site.url("/a/b?c#d");
    page.set_username("user").unwrap();
    let found = RobotsFile::Found(RULES.to_vec());
    assert_eq!(ask(&open(), &page).await, found);
    let web = Web::start().unwrap();
    let timeout = Duration::from_secs(20);
    assert_eq!(
        fetch(&web, &open(), &page, Some("FooBot/1.0"), timeout).await,
        found
    );
    let [first, second] = [0, 1].map(|at| site.seen()[at].to_lowercase());
    assert!(first.starts_with("get /robots.txt http/1.1\r\n"), "{first}");
    assert!(
        first.contains("user-agent: harvestman/") && first.contains("accept: */*"),
        "{first}"
    );
    assert!(second.contains("user-agent: foobot/1.0\r\n"), "{second}");
    assert!(!first.contains("authorization") && !second.contains("authorization"));
}

#[tokio::test]
async fn the_status_tells_whether_there_are_rules() {
    for status in [200, 201, 203, 206, 299] {
        let site = Site::start(move |_| answer(&format!("{status} X"), &[], RULES)).await;
        let found = RobotsFile::Found(RULES.to_vec());
        assert_eq!(ask(&open(), &site.url("/")).await, found, "{status}");
    }
    let site = Site::start(|_| answer("204 X", &[], b"")).await;
    assert_eq!(
        ask(&open(), &site.url("/")).await,
        RobotsFile::Found(Vec::new())
    );
    for status in [400, 401, 403, 404, 408, 410, 418, 451, 499] {
        let site = Site::start(move |_| answer(&format!("{status} X"), &[], RULES)).await;
        assert_eq!(
            ask(&open(), &site.url("/")).await,
            RobotsFile::Absent,
            "{status}"
        );
    }
    for status in [300, 304, 429, 500, 502, 503, 504, 520, 599, 999] {
        let site = Site::start(move |_| answer(&format!("{status} X"), &[], RULES)).await;
        assert_eq!(
            unreachable(&open(), &site.url("/")).await,
            FailureCode::Http(status)
        );
    }
}

#[tokio::test]
async fn a_server_that_cannot_answer_now_says_when_it_can() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let site = Site::start(move |_| answer(status, &["Retry-After: 7"], b"")).await;
        let RobotsFile::Unreachable(failure) = ask(&open(), &site.url("/")).await else {
            panic!("{status}");
        };
        assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
    }
}

#[tokio::test]
async fn any_content_type_and_encoding_is_fine() {
    let packed = {
        use std::io::Write;
        let level = flate2::Compression::fast();
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), level);
        packer.write_all(RULES).unwrap();
        packer.finish().unwrap()
    };
    for (headers, body) in [
        (&["Content-Type: text/html"][..], RULES),
        (&["Content-Type: application/octet-stream"], RULES),
        (&["Content-Type: image/png"], RULES),
        (&["Content-Encoding: gzip"], &packed),
    ] {
        let body = body.to_vec();
        let site = Site::start(move |_| answer("200 OK", headers, &body)).await;
        let found = RobotsFile::Found(RULES.to_vec());
        assert_eq!(ask(&open(), &site.url("/")).await, found, "{headers:?}");
    }
    let odd = Site::start(|_| answer("200 OK", &["Content-Encoding: rot13"], RULES)).await;
    assert_eq!(
        unreachable(&open(), &odd.url("/")).await,
        FailureCode::InvalidResponse
    );
}

#[tokio::test]
async fn five_redirects_are_followed_also_to_other_hosts() {
    for (hops, expected) in [
        (0, RobotsFile::Found(RULES.to_vec())),
        (5, RobotsFile::Found(RULES.to_vec())),
        (6, RobotsFile::Absent),
    ] {
        let other = Site::start(move |head| {
            match path(head).trim_start_matches('/').parse::<u32>().unwrap() {
                0 => answer("200 OK", &[], RULES),
                left => redirect(301, &format!("/{}", left - 1)),
            }
        })
        .await;
        // The first of them leads to another port, which is another origin.
        let target = other
            .url(&format!("/{}", i32::max(hops - 1, 0)))
            .to_string();
        let site = Site::start(move |_| match hops {
            0 => answer("200 OK", &[], RULES),
            _ => redirect(302, &target),
        })
        .await;
        assert_eq!(ask(&open(), &site.url("/")).await, expected, "{hops}");
    }
    let circle = Site::start(|_| redirect(302, "/robots.txt")).await;
    assert_eq!(ask(&open(), &circle.url("/")).await, RobotsFile::Absent);
}

#[tokio::test]
async fn each_hop_is_judged() {
    let canary = Site::canary().await;
    let target = canary.url("/robots.txt").to_string();
    let site = Site::at((STAND_IN, 0).into(), move |_| redirect(302, &target))
        .await
        .unwrap();
    let door = guarded(&[&site, &canary], Script::new(&[&[LOOPBACK]]));
    assert_eq!(
        unreachable(&door, &site.url("/")).await,
        FailureCode::AddressRefused
    );
    assert_eq!(
        unreachable(&door, &canary.url("/")).await,
        FailureCode::AddressRefused
    );
    let nowhere = Url::parse("data:text/plain,x").unwrap();
    assert_eq!(
        unreachable(&door, &nowhere).await,
        FailureCode::AddressRefused
    );
    assert_eq!((site.connections(), canary.connections()), (1, 0));
}

#[tokio::test]
async fn of_a_long_file_the_first_500_kib_count_up_to_a_whole_line() {
    let file = "Disallow: /0123456789012345678901234\n".repeat(600 * 1024 / 37);
    let sent = file.clone();
    let site = Site::start(move |_| answer("200 OK", &[], sent.as_bytes())).await;
    let RobotsFile::Found(found) = ask(&open(), &site.url("/")).await else {
        panic!("it is there");
    };
    assert!(
        found.len() <= MAX_ROBOTS && found.len() > MAX_ROBOTS - 37,
        "{}",
        found.len()
    );
    assert!(file.as_bytes().starts_with(&found) && found.ends_with(b"\n"));
    let exact = vec![b'#'; MAX_ROBOTS];
    let sent = exact.clone();
    let site = Site::start(move |_| answer("200 OK", &[], &sent)).await;
    assert_eq!(ask(&open(), &site.url("/")).await, RobotsFile::Found(exact));
    // One that never ends is left where it has been read.
    let endless = serve(|stream| {
        let head = b"HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /\n".to_vec();
        drip(stream, head, vec![b'a'; 64 << 10], Duration::ZERO)
    })
    .await;
    let RobotsFile::Found(found) = ask(&open(), &endless.url("/")).await else {
        panic!("it is there");
    };
    assert!(
        Robots::parse(&found, "any")
            .judge(&endless.url("/x"))
            .is_err()
    );
}

#[tokio::test]
async fn without_an_answer_nothing_may_be_fetched() {
    let closed = Site::start(|_| Vec::new()).await;
    assert_eq!(
        unreachable(&open(), &closed.url("/")).await,
        FailureCode::Connect
    );
    let broken =
        Site::start(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nUser".to_vec()).await;
    let code = unreachable(&open(), &broken.url("/")).await;
    assert_eq!(code, FailureCode::InvalidResponse);
    let garbage = Site::start(|_| b"hello\r\n\r\n".to_vec()).await;
    assert_eq!(
        unreachable(&open(), &garbage.url("/")).await,
        FailureCode::InvalidResponse
    );
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_left() {
    for head in ["", "HTTP/1.1 200 OK\r\n\r\nUser-agent: *\n"] {
        let site = serve(move |mut stream| async move {
            read_head(&mut stream).await;
            let _ = stream.write_all(head.as_bytes()).await;
            std::future::pending::<()>().await;
        })
        .await;
        let answer = ask_within(&open(), &site.url("/"), Duration::from_millis(300)).await;
        let late = Failure::new(FailureCode::Timeout, "The file was not there within 300 ms");
        assert_eq!(answer, RobotsFile::Unreachable(late), "{head:?}");
    }
}
